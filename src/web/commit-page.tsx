/**
 * `/{tenant}/{repo}/commit/{rev}`: a commit, with the files that it changed.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { RepositoryName } from "../access/names.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { resolveCommit } from "../browse/revision.ts";
import { diffTrees, type FileChange } from "../browse/tree-diff.ts";
import { fromHex } from "../bytes/hex.ts";
import type { Identity } from "../object/identity.ts";
import { readCommit, When } from "./commit-line.tsx";
import { commitLink, pathLink } from "./links.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame } from "./repository-frame.tsx";
import {
  found,
  pageRevision,
  type RepositoryPage,
  restOfPage,
  shownNames,
  withRepository,
} from "./repository-request.ts";
import { shortOid, shownBytes, shownCount, shownPerson, splitMessage } from "./texts.ts";

/** The most changed files that are listed. */
const MOST_FILES = 1000;
const STATUS = { A: "added", D: "deleted", M: "modified", T: "type changed" } as const;

/** The changed files of a page, and whether there are more. */
type Changes = { readonly files: readonly FileChange[]; readonly hasMore: boolean };

/** Returns the raw name of a commit's tree. */
async function treeOf({ graph }: BrowseSession, commit: Uint8Array): Promise<Uint8Array> {
  const node = graph.node(commit);
  await graph.loadCommit(node);
  return graph.nameOf(graph.commits.treeOf(node));
}

/** Returns what a commit changed, beside its first parent. */
async function changesOf(session: BrowseSession, commit: Uint8Array, parent: string | undefined): Promise<Changes> {
  const before = parent === undefined ? undefined : fromHex(parent);
  const files: FileChange[] = [];
  const trees = [
    before === undefined ? undefined : await treeOf(session, before),
    await treeOf(session, commit),
  ] as const;
  for await (const change of diffTrees(session, trees[0], trees[1])) {
    if (files.length === MOST_FILES || session.pageIsFull) return { files, hasMore: true };
    files.push(change);
  }
  return { files, hasMore: false };
}

function Person({ role, person }: { readonly role: string; readonly person: Identity | undefined }) {
  return (
    <>
      <dt>{role}</dt>
      <dd>
        <bdi>{shownPerson(person)}</bdi> <When person={person} />
      </dd>
    </>
  );
}

function Facts({ name, oid, commit }: { readonly name: RepositoryName } & Awaited<ReturnType<typeof readCommit>>) {
  const { author, committer, parents } = commit;
  const isSame = author?.name === committer?.name && author?.time === committer?.time;
  return (
    <dl class="facts">
      <Person role="Author" person={author} />
      {isSame ? null : <Person role="Committer" person={committer} />}
      <dt>Commit</dt>
      <dd>
        <code>{oid}</code>
      </dd>
      {parents.length === 0 ? null : (
        <>
          <dt>{parents.length === 1 ? "Parent" : "Parents"}</dt>
          <dd>
            {parents.map((parent) => (
              <>
                <a href={commitLink(name, parent)}>
                  <code>{shortOid(parent)}</code>
                </a>{" "}
              </>
            ))}
          </dd>
        </>
      )}
    </dl>
  );
}

function FileList({
  page,
  oid,
  parent,
  changes,
}: {
  readonly page: RepositoryPage;
  readonly oid: string;
  readonly parent: string | undefined;
  readonly changes: Changes;
}) {
  const { files, hasMore } = changes;
  return (
    <section>
      <h2>
        {shownCount(files.length)}
        {hasMore ? " or more" : ""} changed file{files.length === 1 && !hasMore ? "" : "s"}
      </h2>
      <ul class="changes">
        {files.map(({ status, path }) => (
          <li>
            <span class={`status ${STATUS[status].replace(" ", "-")}`}>{STATUS[status]}</span>{" "}
            <a href={pathLink(page.name, "blob", status === "D" && parent !== undefined ? parent : oid, path)}>
              <bdi>{shownBytes(path)}</bdi>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Answers with the page of a commit. */
export async function commitPage(context: Context<PageEnv>): Promise<Response> {
  const revision = pageRevision(restOfPage(context));
  return await withRepository(context, [revision], async (page) => {
    const { session, name } = page;
    const { name: rawName } = found(await resolveCommit(session, revision));
    const named = await readCommit(session, rawName);
    const { oid, commit } = named;
    const [parent] = commit.parents;
    const changes = await changesOf(session, rawName, parent);
    const { subject, body } = splitMessage(commit.message);
    const { tenant, repo } = shownNames(name);
    return await pageAnswer(context, {
      title: `${subject} - ${tenant}/${repo}`,
      isPublic: page.record.visibility === "public",
      crumbs: crumbsOf(page),
      alternates: [{ type: "application/json", href: `/api/v1/repos/${tenant}/${repo}/commits/${oid}` }],
      body: (
        <RepositoryFrame shown={page} tab="commits" revision={oid}>
          <h2 class="subject">
            <bdi>{subject}</bdi>
          </h2>
          {body === "" ? null : <pre class="message">{body}</pre>}
          <Facts name={name} oid={oid} commit={commit} />
          <FileList page={page} oid={oid} parent={parent} changes={changes} />
        </RepositoryFrame>
      ),
    });
  });
}
