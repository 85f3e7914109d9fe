/**
 * `/{tenant}/{repo}/commit/{rev}`: a commit, with the files that it changed.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { RepositoryName } from "../access/names.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { treeOf } from "../browse/commit.ts";
import { commitMail } from "../browse/commit-mail.ts";
import { resolveCommit } from "../browse/revision.ts";
import type { RevisionSyntax } from "../browse/revision-syntax.ts";
import { fromHex } from "../bytes/hex.ts";
import { Problem } from "../http/problem.ts";
import type { Identity } from "../object/identity.ts";
import { requestedRevision } from "../http/content-address.ts";
import { askedTexts, chosenText, type TextForm } from "../http/text-forms.ts";
import { byContent } from "./by-content.ts";
import { namedCommit, When } from "./commit-line.tsx";
import type { ContentPage } from "./content-page.tsx";
import {
  type ComparedTrees,
  changedFiles,
  diffOptionsOf,
  diffParts,
  diffTextAnswer,
  textAnswer,
} from "./diff-answer.tsx";
import { commitLink } from "./links.ts";
import { markdownCommit } from "./markdown-twin.ts";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, restOfPage, shownNames, withRepository } from "./repository-request.ts";
import { Statuses, statusesOf } from "./statuses.tsx";
import { wantsMarkdown } from "./twins.ts";
import { shortOid, shownPerson, splitMessage } from "./texts.ts";

/** The most parents that are shown. */
const MOST_PARENTS = 100;

/** Returns the trees of a commit's first parent, if it has one, and of itself. */
async function treesOf(session: BrowseSession, commit: Uint8Array, parent: string | undefined): Promise<ComparedTrees> {
  const before = parent === undefined ? undefined : fromHex(parent);
  return {
    before: before === undefined ? undefined : await treeOf(session, before),
    after: await treeOf(session, commit),
  };
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

function Facts({ name, oid, commit }: { readonly name: RepositoryName } & Awaited<ReturnType<typeof namedCommit>>) {
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
            {parents.slice(0, MOST_PARENTS).map((parent) => (
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

/**
 * Answers with the page of a commit. Where the address ends in `.diff`, the answer is its differences as text, and in
 * `.patch` the mail that `git am` takes.
 */
export async function commitPage(context: Context<PageEnv>): Promise<Response> {
  const texts = askedTexts(restOfPage(context), requestedRevision);
  const revisions = texts.map((each) => each.revisions);
  return await withRepository(context, revisions, async (page) => {
    const resolve = async (revision: RevisionSyntax) => await resolveCommit(page.session, revision);
    const { asked, named } = await chosenText(texts, resolve);
    const { name } = named;
    const isTwin = asked.form === undefined && wantsMarkdown(context.req.raw);
    if (isTwin) return await commitTwin(context, page, name);
    return await byContent(context, page, name, async () => await shownCommit(context, page, name, asked.form));
  });
}

/** Answers with the commit as Markdown. */
async function commitTwin(context: Context<PageEnv>, page: RepositoryPage, name: Uint8Array): Promise<Response> {
  const named = await namedCommit(page.session, name);
  const trees = await treesOf(page.session, name, named.commit.parents[0]);
  return markdownCommit(context, page, named, await changedFiles(page, trees));
}

async function shownCommit(
  context: Context<PageEnv>,
  page: RepositoryPage,
  rawName: Uint8Array,
  form: TextForm | undefined,
): Promise<Response | ContentPage> {
  const { session, name } = page;
  const named = await namedCommit(session, rawName);
  const { oid, commit } = named;
  const [parent] = commit.parents;
  const trees = await treesOf(session, rawName, parent);
  if (form === "diff") return await diffTextAnswer(context, page, trees);
  if (form === "patch") {
    if (commit.parents.length > 1) throw new Problem(422, "A merge has no mail; .diff gives what it changed.");
    const mail = commitMail(session, { name: rawName, ...trees }, diffOptionsOf(context));
    return await textAnswer(context, page, mail);
  }
  const { subject, body } = splitMessage(commit.message);
  const { tenant, repo } = shownNames(name);
  return {
    title: subject,
    tab: "commits",
    hasDifferences: true,
    revision: oid,
    alternates: [{ type: "application/json", href: `/api/v1/repos/${tenant}/${repo}/commits/${oid}` }],
    head: (
      <>
        <h2 class="subject">
          <bdi>{subject}</bdi>
        </h2>
        {body === "" ? null : <pre class="message">{body}</pre>}
        <Facts name={name} oid={oid} commit={commit} />
      </>
    ),
    content: async () => {
      const above = <Statuses statuses={await statusesOf(context, page, oid)} />;
      return await diffParts(context, page, trees, { above, view: { before: parent, after: oid } });
    },
  };
}
