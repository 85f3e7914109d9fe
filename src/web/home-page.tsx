/**
 * `/` and `/{tenant}`: the repositories that the visitor may see.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { isTenantName } from "../access/names.ts";
import { Problem } from "../http/problem.ts";
import { apiJson } from "./api-json.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { shownAge, shownSize } from "./texts.ts";

const shownRepository = v.object({
  tenant: v.string(),
  name: v.string(),
  visibility: v.string(),
  description: v.string(),
  size_bytes: v.number(),
  pushed_at: v.nullable(v.string()),
  mirror: v.optional(v.object({ synced_at: v.nullable(v.string()) })),
});
type ShownRepository = v.InferOutput<typeof shownRepository>;
const repositories = v.object({ repos: v.array(shownRepository), cursor: v.optional(v.string()) });
const tenants = v.object({ tenants: v.array(v.object({ name: v.string() })), cursor: v.optional(v.string()) });

function ageOf(time: string): string {
  return shownAge(Math.floor(Date.parse(time) / 1000), Math.floor(Date.now() / 1000));
}

function RepositoryItem({ repo }: { readonly repo: ShownRepository }) {
  const changed = repo.mirror === undefined ? repo.pushed_at : repo.mirror.synced_at;
  return (
    <li>
      <h2>
        <a href={`/${repo.tenant}/${repo.name}`}>
          <bdi>{repo.name}</bdi>
        </a>{" "}
        <span class="label">{repo.visibility}</span>
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

/** Answers with the list of a tenant's repositories. */
async function tenantAnswer(context: Context<PageEnv>, tenant: string): Promise<Response> {
  const list = await apiJson(context, `/tenants/${tenant}/repos${cursorOf(context)}`, repositories);
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
        <ul class="repositories">
          {list.repos.map((repo) => (
            <RepositoryItem repo={repo} />
          ))}
        </ul>
        <Pager href={cursorLink(list.cursor)} />
        <HowToPush origin={new URL(context.req.url).origin} tenant={shown} />
      </>
    ),
  });
}

/** Answers with the page of a tenant. */
export async function tenantPage(context: Context<PageEnv>): Promise<Response> {
  const { tenant = "" } = context.req.param();
  if (!isTenantName(tenant)) throw new Problem(404, "There is no such tenant.");
  return await tenantAnswer(context, tenant);
}

async function operatorAnswer(context: Context<PageEnv>): Promise<Response> {
  const list = await apiJson(context, `/tenants${cursorOf(context)}`, tenants);
  return await pageAnswer(context, {
    title: "Tenants - thinpack",
    body: (
      <>
        <h1>Tenants</h1>
        <p>
          <a href="/-/admin">How the deployment is</a>
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
        <HowToPush origin={origin} tenant="my-tenant" />
      </>
    ),
  });
}
