/**
 * `/{tenant}/{repo}/branches` and `/tags`: refs by name, each with the commit that it leads to.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { toHex } from "../bytes/hex.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import { percentDecoded, percentEncoded, queryBytes } from "../http/content-address.ts";
import { byContent } from "./by-content.ts";
import { type NamedCommit, namedCommit, When } from "./commit-line.tsx";
import type { ContentPage } from "./content-page.tsx";
import { pathLink, repositoryLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { Pager } from "./pager.tsx";
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

/** Where the refs of a list lead: to a page of the content, and a path there, with one character per byte. */
type Target = { readonly word: (typeof WORDS)[number]; readonly path: string };
const WORDS = ["tree", "commits", "activity"] as const;

/** Returns where the list is to lead (a form sends text, so that the path has escapes of its own), for a visitor who chooses a revision of some page; `undefined` if nowhere else. */
function targetOf(url: string): Target | undefined {
  const word = WORDS.find((known) => known === queryBytes(url, "to"));
  return word === undefined ? undefined : { word, path: percentDecoded(queryBytes(url, "path")) };
}

function linkOf(page: RepositoryPage, { name, named }: ShownRef, target: Target | undefined): string {
  if (named === undefined) return pathLink(page.name, "blob", name);
  return pathLink(page.name, target?.word ?? "tree", name, target?.path); // Without a target it is the directory.
}

function RefRow({
  page,
  shown,
  target,
}: {
  readonly page: RepositoryPage;
  readonly shown: ShownRef;
  readonly target: Target | undefined;
}) {
  const { name, named } = shown;
  const archive = `${repositoryLink(page.name)}/archive/${percentEncoded(name)}`;
  return (
    <tr>
      <td class="name">
        <a href={linkOf(page, shown, target)}>
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

function RefTable({
  page,
  kind,
  refs,
  target,
}: {
  readonly page: RepositoryPage;
  readonly kind: RefKind;
  readonly refs: readonly ShownRef[];
  readonly target: Target | undefined;
}) {
  if (refs.length === 0) return <p class="note">There are none.</p>;
  return (
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
          <RefRow page={page} shown={shown} target={target} />
        ))}
      </tbody>
    </table>
  );
}

function shownRefs(context: Context<PageEnv>, page: RepositoryPage, kind: RefKind): ContentPage {
  const after = queryBytes(context.req.url, "after");
  const part = queryBytes(context.req.url, "q");
  const { tenant, repo } = shownNames(page.name);
  const target = targetOf(context.req.url);
  const kept = target === undefined ? "" : `to=${target.word}&path=${percentEncoded(percentEncoded(target.path))}&`;
  const query = `${kept}${part === "" ? "" : `q=${percentEncoded(part)}&`}after=`;
  return {
    title: TITLES[kind],
    tab: kind,
    alternates: [
      { type: "application/json", href: `/api/v1/repos/${tenant}/${repo}/refs?prefix=${PREFIXES[kind]}` },
      ...(kind === "tags"
        ? [{ type: "application/atom+xml", href: `${repositoryLink(page.name)}/feed/tags`, title: "Tags" }]
        : []),
    ],
    head: (
      <>
        <h2>{TITLES[kind]}</h2>
        {target === undefined || target.path === "" ? null : (
          <p class="note">
            Choose one to see <bdi>{shownBytes(target.path)}</bdi> there.
          </p>
        )}
        <form class="bar" method="get">
          {target === undefined ? null : (
            <>
              <input type="hidden" name="to" value={target.word} />
              <input type="hidden" name="path" value={percentEncoded(target.path)} />
            </>
          )}
          <label>
            Names with <input name="q" value={shownBytes(part)} size={18} />
          </label>
          <button>Show</button>
        </form>
      </>
    ),
    content: async () => {
      const { refs, hasMore } = await pageOf(page, kind, { after, part });
      const last = refs.at(-1);
      return [
        <RefTable page={page} kind={kind} refs={refs} target={target} />,
        <Pager href={hasMore && last !== undefined ? `?${query}${percentEncoded(last.name)}` : undefined} />,
      ];
    },
  };
}

/** Answers with a page of refs. It depends on their names and values alone. */
async function refsPage(context: Context<PageEnv>, kind: RefKind): Promise<Response> {
  const work = async (page: RepositoryPage): Promise<Response> => {
    const hash = createHash("sha256");
    for (const rows of page.session.answer.refs) hash.update(rows);
    return await byContent(context, page, hash.digest(), async () => shownRefs(context, page, kind));
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
