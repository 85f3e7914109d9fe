/**
 * `/`, `/-/public` and `/{tenant}`: the repositories that the visitor may see.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { Problem } from "../http/problem.ts";
import { apiJson } from "./api-json.ts";
import {
  publicOfTenant,
  publicRepositories,
  repositories,
  type RepositoryList,
  type ShownRepository,
  tenantView,
} from "./listed-repositories.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { shownAge, shownSize } from "./texts.ts";

const tenants = v.object({ tenants: v.array(v.object({ name: v.string() })), cursor: v.optional(v.string()) });

function ageOf(time: string): string {
  return shownAge(Math.floor(Date.parse(time) / 1000), Math.floor(Date.now() / 1000));
}

function RepositoryItem({ repo, isOfAll }: { readonly repo: ShownRepository; readonly isOfAll: boolean }) {
  const changed = repo.mirror === undefined ? repo.pushed_at : repo.mirror.synced_at;
  return (
    <li>
      <h2>
        {isOfAll ? (
          <>
            <a href={`/${repo.tenant}`}>
              <bdi>{repo.tenant}</bdi>
            </a>
            {" / "}
          </>
        ) : null}
        <a href={`/${repo.tenant}/${repo.name}`}>
          <bdi>{repo.name}</bdi>
        </a>{" "}
        {isOfAll ? null : <span class="label">{repo.visibility}</span>}
        {repo.mirror === undefined ? null : <span class="label">mirror</span>}
      </h2>
      {repo.description === "" ? null : (
        <p>
          <bdi>{repo.description}</bdi>
        </p>
      )}
      <p class="note">
        {shownSize(repo.size_bytes)}
        {changed === null ? ", nothing in it yet" : `, changed ${ageOf(changed)}`}
      </p>
    </li>
  );
}

/** A page of repositories. `isOfAll` is whether they are of several tenants, so that these have to be named. */
function Repositories({ list, isOfAll = false }: { readonly list: RepositoryList; readonly isOfAll?: boolean }) {
  return (
    <>
      <ul class="repositories">
        {list.repos.map((repo) => (
          <RepositoryItem repo={repo} isOfAll={isOfAll} />
        ))}
      </ul>
      <Pager href={cursorLink(list.cursor)} />
    </>
  );
}

function HowToPush({ origin, tenant }: { readonly origin: string; readonly tenant: string }) {
  return (
    <section class="notice">
      <h2>Push a repository</h2>
      <p>A push to a name that is not taken makes a private repository:</p>
      <pre class="text">{`git push ${origin}/${tenant}/my-repository.git HEAD`}</pre>
    </section>
  );
}

function cursorOf(context: Context<PageEnv>): string {
  return cursorLink(context.req.query("cursor")) ?? ""; // The first page has none.
}

/** Answers with the list of a tenant's repositories: all that the visitor's token is for. */
async function tenantAnswer(context: Context<PageEnv>, tenant: string): Promise<Response> {
  const list = await apiJson(context, `/tenants/${tenant}/repos${cursorOf(context)}`, repositories);
  return await listAnswer(context, tenant, list);
}

/** Answers a visitor who is not of the tenant with its public repositories. @throws Problem */
async function publicTenantAnswer(context: Context<PageEnv>, tenant: string): Promise<Response> {
  const list = await publicOfTenant(context, cursorOf(context), tenant);
  const [first] = list.repos;
  const shown = first?.tenant ?? tenant; // A page of which all has gone shows the name as it was asked for.
  return await pageAnswer(context, {
    title: shown,
    crumbs: [{ text: shown, href: `/${shown}` }],
    isPublic: true,
    body: (
      <>
        <h1>
          <bdi>{shown}</bdi>
        </h1>
        <p class="note">Its public repositories.</p>
        <Repositories list={list} />
      </>
    ),
  });
}

async function listAnswer(context: Context<PageEnv>, tenant: string, list: RepositoryList): Promise<Response> {
  const [first] = list.repos;
  const shown = first?.tenant ?? tenant; // Without a repository, the name is shown as it was asked for.
  return await pageAnswer(context, {
    title: shown,
    crumbs: [{ text: shown, href: `/${shown}` }],
    body: (
      <>
        <h1>
          <bdi>{shown}</bdi>
        </h1>
        {list.repos.length === 0 ? <p class="note">There is no repository yet.</p> : null}
        <Repositories list={list} />
        <HowToPush origin={new URL(context.req.url).origin} tenant={shown} />
      </>
    ),
  });
}

/** Answers with the page of a tenant. */
export async function tenantPage(context: Context<PageEnv>): Promise<Response> {
  const { tenant, shows } = await tenantView(context);
  return shows === "all" ? await tenantAnswer(context, tenant) : await publicTenantAnswer(context, tenant);
}

/** Answers with the public repositories of all tenants. */
export async function publicPage(context: Context<PageEnv>): Promise<Response> {
  const list = await publicRepositories(context, cursorOf(context));
  if (list === undefined) throw new Problem(404, "This host does not list its public repositories.");
  return await pageAnswer(context, {
    title: "Public repositories - thinpack",
    isPublic: true,
    body: (
      <>
        <h1>Public repositories</h1>
        {list.repos.length === 0 ? <p class="note">There is none here.</p> : null}
        <Repositories list={list} isOfAll />
      </>
    ),
  });
}

async function operatorAnswer(context: Context<PageEnv>): Promise<Response> {
  const list = await apiJson(context, `/tenants${cursorOf(context)}`, tenants);
  return await pageAnswer(context, {
    title: "Tenants - thinpack",
    body: (
      <>
        <h1>Tenants</h1>
        <p>
          <a href="/-/admin">How the deployment is</a>, <a href="/-/public">public repositories</a>
        </p>
        {list.tenants.length === 0 ? <p class="note">There is no tenant yet.</p> : null}
        <ul class="repositories">
          {list.tenants.map(({ name }) => (
            <li>
              <h2>
                <a href={`/${name}`}>{name}</a>
              </h2>
            </li>
          ))}
        </ul>
        <Pager href={cursorLink(list.cursor)} />
        <HowToPush origin={new URL(context.req.url).origin} tenant="my-tenant" />
      </>
    ),
  });
}

/** Answers with the front page of the host. */
export async function homePage(context: Context<PageEnv>): Promise<Response> {
  const { principal } = await context.var.host.identify();
  if (principal.kind === "operator") return await operatorAnswer(context);
  if (principal.kind === "token") return await tenantAnswer(context, principal.tenant);
  const { origin } = new URL(context.req.url);
  const list = await publicRepositories(context, cursorOf(context));
  const isListed = list !== undefined && (list.repos.length > 0 || list.cursor !== undefined);
  return await pageAnswer(context, {
    title: "thinpack",
    description: "A Git host",
    isPublic: true,
    body: (
      <>
        <h1>A Git host</h1>
        <p>
          Repositories are at <code>{`${origin}/{tenant}/{repository}`}</code>. Clone and push with git, or look at a
          public one here.
        </p>
        <p>
          <a href="/-/login">Sign in</a> with a token to see your own.
        </p>
        {isListed ? (
          <section>
            <h2>Public repositories</h2>
            <Repositories list={list} isOfAll />
          </section>
        ) : null}
        <HowToPush origin={origin} tenant="my-tenant" />
      </>
    ),
  });
}
