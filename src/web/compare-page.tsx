/**
 * `/{tenant}/{repo}/compare/{a}...{b}`: the commits that one revision has beyond another, and what they changed.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { treeOf } from "../browse/commit.ts";
import { seriesMails } from "../browse/commit-mail.ts";
import { compareCommits, type Comparison } from "../browse/compare.ts";
import { resolveCommit } from "../browse/revision.ts";
import { toHex } from "../bytes/hex.ts";
import { Problem } from "../http/problem.ts";
import { comparedRevisions, requestedRevision } from "../http/content-address.ts";
import { found } from "../http/content.ts";
import { CommitLine, type NamedCommit, namedCommit } from "./commit-line.tsx";
import {
  changedFiles,
  diffAnswer,
  diffOptionsOf,
  DiffPlace,
  DiffSummary,
  diffTextAnswer,
  textAnswer,
} from "./diff-answer.tsx";
import { markdownComparison } from "./markdown-twin.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame } from "./repository-frame.tsx";
import { restOfPage, shownNames, withRepository } from "./repository-request.ts";
import { shownBytes, shownCount } from "./texts.ts";
import { wantsMarkdown } from "./twins.ts";

/** The most commits that are listed. */
const MOST_LISTED = 100;

function relationText({ ahead, behind }: Comparison): string {
  if (ahead === 0 && behind === 0) return "Both are the same.";
  const parts = [
    ...(ahead > 0 ? [`${shownCount(ahead)} commit${ahead === 1 ? "" : "s"} ahead`] : []),
    ...(behind > 0 ? [`${shownCount(behind)} behind`] : []),
  ];
  return `${parts.join(", ")}.`;
}

/**
 * Answers with a comparison. Where the address ends in `.diff`, the answer is its differences as text, and in `.patch` the
 * mails of its commits.
 */
export async function comparePage(context: Context<PageEnv>): Promise<Response> {
  const text = restOfPage(context);
  const [ending = ""] = /\.(?:diff|patch)$/.exec(text) ?? [];
  const texts = comparedRevisions(text.slice(0, text.length - ending.length));
  const revisions = texts.map((each) => requestedRevision(each));
  return await withRepository(context, revisions, async (page) => {
    const { session, name } = page;
    const names: Uint8Array[] = [];
    for (const revision of revisions) names.push(found(await resolveCommit(session, revision)).name);
    const [from, to] = names;
    if (from === undefined || to === undefined) throw new Error("two revisions are two names");
    if (ending === ".patch")
      return await textAnswer(context, page, seriesMails(session, { from, to }, diffOptionsOf(context)));
    const comparison = await compareCommits(session, { from, to }, { first: 0, count: MOST_LISTED });
    const commits: NamedCommit[] = [];
    for (const each of comparison.commits) commits.push(await namedCommit(session, each));
    const [base] = comparison.mergeBases;
    const { tenant, repo } = shownNames(name);
    const title = texts.map((each) => shownBytes(each)).join("...");
    const isMarkdown = ending === "" && wantsMarkdown(context.req.raw);
    const twin = { title, relation: relationText(comparison), commits };
    const head = (
      <>
        <h2>
          <bdi>{title}</bdi>
        </h2>
        <p>{relationText(comparison)}</p>
        {commits.map((named) => (
          <CommitLine name={name} named={named} />
        ))}
        {comparison.ahead > commits.length ? (
          <p class="note">Only the newest {MOST_LISTED} commits are listed.</p>
        ) : null}
      </>
    );
    const frame = {
      title: `${title} - ${tenant}/${repo}`,
      isPublic: page.record.visibility === "public",
      crumbs: crumbsOf(page),
    };
    if (base === undefined) {
      if (isMarkdown) return markdownComparison(context, page, twin, undefined);
      if (ending !== "") throw new Problem(422, "The two revisions have no merge base.");
      const body = (
        <RepositoryFrame shown={page} tab="commits">
          {head}
          <p class="note">Their histories have nothing in common, so their files are not compared.</p>
        </RepositoryFrame>
      );
      return await pageAnswer(context, { ...frame, body });
    }
    const trees = { before: await treeOf(session, base), after: await treeOf(session, to) };
    if (ending === ".diff") return await diffTextAnswer(context, page, trees);
    const changes = await changedFiles(page, trees);
    if (isMarkdown) return markdownComparison(context, page, twin, changes);
    const body = (
      <RepositoryFrame shown={page} tab="commits">
        {head}
        <DiffSummary context={context} {...changes} />
        <DiffPlace />
      </RepositoryFrame>
    );
    const view = { before: toHex(base), after: toHex(to) };
    return await diffAnswer(context, page, { ...frame, body }, { files: changes.files, view });
  });
}
