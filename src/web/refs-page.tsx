/**
 * `/{tenant}/{repo}/branches` and `/tags`: refs by name, each with the commit that it leads to.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { toHex } from "../bytes/hex.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import { percentEncoded, queryBytes } from "../http/content-address.ts";
import { type NamedCommit, namedCommit, When } from "./commit-line.tsx";
import { pathLink, repositoryLink } from "./links.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { Pager } from "./pager.tsx";
import { crumbsOf, RepositoryFrame } from "./repository-frame.tsx";
import { type RepositoryPage, shownNames, withRepository } from "./repository-request.ts";
import { shownBytes, splitMessage } from "./texts.ts";

/** The refs of a page. */
const PAGE_REFS = 50;

/** What a page lists. */
type RefKind = "branches" | "tags";
const PREFIXES = { branches: "refs/heads/", tags: "refs/tags/" } as const;
const TITLES = { branches: "Branches", tags: "Tags" } as const;

/** A ref that is shown. */
type ShownRef = { readonly name: string; readonly oid: string; readonly named: NamedCommit | undefined };

/** Returns the refs of a page: those behind `after` whose names contain `part`, and whether there are more. */
async function pageOf(
  { session }: RepositoryPage,
  kind: RefKind,
  { after, part }: { readonly after: string; readonly part: string },
): Promise<{ readonly refs: readonly ShownRef[]; readonly hasMore: boolean }> {
  const rows: { readonly name: string; readonly oid: Uint8Array }[] = [];
  const { refs } = session.answer;
  for (const row of decodeRefRows(refs, session.format.rawSize)) {
    const name = byteTextOf(row.name).slice(PREFIXES[kind].length);
    if (name <= after || !name.includes(part)) continue;
    rows.push({ name, oid: (row.peeled ?? row.oid).slice() }); // A ref that is not an annotated tag does not peel.
    if (rows.length > PAGE_REFS) break;
  }
  const shown = rows.slice(0, PAGE_REFS);
  const { graph } = session;
  await graph.prefetch(shown.map(({ oid }) => graph.node(oid)));
  const result: ShownRef[] = [];
  for (const { name, oid } of shown) {
    const isCommit = await graph.loadCommit(graph.node(oid));
    result.push({ name, oid: toHex(oid), named: isCommit ? await namedCommit(session, oid) : undefined });
  }
  return { refs: result, hasMore: rows.length > PAGE_REFS };
}

function RefRow({ page, shown }: { readonly page: RepositoryPage; readonly shown: ShownRef }) {
  const { name, named } = shown;
  const archive = `${repositoryLink(page.name)}/archive/${percentEncoded(name)}`;
  return (
    <tr>
      <td class="name">
        <a href={pathLink(page.name, named === undefined ? "blob" : "tree", name)}>
          <bdi>{shownBytes(name)}</bdi>
        </a>
      </td>
      <td class="subject">
        {named === undefined ? (
          ""
        ) : (
          <>
            <bdi>{splitMessage(named.commit.message).subject}</bdi> <When person={named.commit.committer} />
          </>
        )}
      </td>
      <td class="actions">
        <a href={pathLink(page.name, "commits", name)}>Log</a> <a href={`${archive}.zip`}>zip</a>{" "}
        <a href={`${archive}.tar.gz`}>tar.gz</a>
      </td>
    </tr>
  );
}

/** Answers with a page of refs. */
async function refsPage(context: Context<PageEnv>, kind: RefKind): Promise<Response> {
  const work = async (page: RepositoryPage): Promise<Response> => {
    const after = queryBytes(context.req.url, "after");
    const part = queryBytes(context.req.url, "q");
    const { refs, hasMore } = await pageOf(page, kind, { after, part });
    const { tenant, repo } = shownNames(page.name);
    const last = refs.at(-1);
    const query = `${part === "" ? "" : `q=${percentEncoded(part)}&`}after=`;
    return await pageAnswer(context, {
      title: `${TITLES[kind]} - ${tenant}/${repo}`,
      isPublic: page.record.visibility === "public",
      crumbs: crumbsOf(page),
      alternates: [
        { type: "application/json", href: `/api/v1/repos/${tenant}/${repo}/refs?prefix=${PREFIXES[kind]}` },
        ...(kind === "tags"
          ? [{ type: "application/atom+xml", href: `${repositoryLink(page.name)}/feed/tags`, title: "Tags" }]
          : []),
      ],
      body: (
        <RepositoryFrame shown={page} tab={kind}>
          <h2>{TITLES[kind]}</h2>
          <form class="bar" method="get">
            <label>
              Names with <input name="q" value={shownBytes(part)} size={18} />
            </label>
            <button>Show</button>
          </form>
          {refs.length === 0 ? (
            <p class="note">There are none.</p>
          ) : (
            <table class="refs">
              <caption class="hidden">{TITLES[kind]}</caption>
              <thead class="hidden">
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Commit</th>
                  <th scope="col">Actions</th>
                </tr>
              </thead>
              <tbody>
                {refs.map((shown) => (
                  <RefRow page={page} shown={shown} />
                ))}
              </tbody>
            </table>
          )}
          <Pager href={hasMore && last !== undefined ? `?${query}${percentEncoded(last.name)}` : undefined} />
        </RepositoryFrame>
      ),
    });
  };
  return await withRepository(context, [], work, [PREFIXES[kind]]);
}

/** Answers with a page of branches. */
export async function branchesPage(context: Context<PageEnv>): Promise<Response> {
  return await refsPage(context, "branches");
}

/** Answers with a page of tags. */
export async function tagsPage(context: Context<PageEnv>): Promise<Response> {
  return await refsPage(context, "tags");
}
