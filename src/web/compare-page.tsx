/**
 * `/{tenant}/{repo}/compare/{a}...{b}`: the commits that one revision has beyond another, and what they changed.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { treeOf } from "../browse/commit.ts";
import { seriesMails } from "../browse/commit-mail.ts";
import { compareCommits, type Comparison } from "../browse/compare.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { Problem } from "../http/problem.ts";
import { requestedComparison, resolveComparison } from "../http/compared-commits.ts";
import { comparedRevisions } from "../http/content-address.ts";
import { askedTexts, chosenText } from "../http/text-forms.ts";
import { byContent } from "./by-content.ts";
import { CommitLine, type NamedCommit, namedCommit } from "./commit-line.tsx";
import type { ContentPage } from "./content-page.tsx";
import {
  changedFiles,
  type ComparedTrees,
  diffOptionsOf,
  diffParts,
  diffTextAnswer,
  textAnswer,
} from "./diff-answer.tsx";
import { markdownComparison } from "./markdown-twin.ts";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, restOfPage, withRepository } from "./repository-request.ts";
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

/** What is compared (raw names), and how that is called. */
type Compared = { readonly from: Uint8Array; readonly to: Uint8Array; readonly title: string };

/** A comparison, its commits that are listed, and the trees that differ, if the histories have anything in common. */
type Found = {
  readonly relation: Comparison;
  readonly commits: readonly NamedCommit[];
  readonly base: string | undefined;
  readonly trees: ComparedTrees | undefined;
};

async function foundOf({ session }: RepositoryPage, { from, to }: Compared): Promise<Found> {
  const relation = await compareCommits(session, { from, to }, { first: 0, count: MOST_LISTED });
  const commits: NamedCommit[] = [];
  for (const each of relation.commits) commits.push(await namedCommit(session, each));
  const [base] = relation.mergeBases;
  if (base === undefined) return { relation, commits, base, trees: undefined };
  const trees = { before: await treeOf(session, base), after: await treeOf(session, to) };
  return { relation, commits, base: toHex(base), trees };
}

/** The page. Histories that parted too long ago decide its status, so they are walked before it begins. */
async function shownComparison(
  context: Context<PageEnv>,
  page: RepositoryPage,
  compared: Compared,
): Promise<ContentPage> {
  const { title, to } = compared;
  const { relation, commits, base, trees } = await foundOf(page, compared);
  return {
    title,
    tab: "commits",
    hasDifferences: true,
    head: (
      <>
        <h2>
          <bdi>{title}</bdi>
        </h2>
        <p>{relationText(relation)}</p>
        {commits.map((named) => (
          <CommitLine name={page.name} named={named} />
        ))}
        {relation.ahead > commits.length ? <p class="note">Only the newest {MOST_LISTED} commits are listed.</p> : null}
        {trees === undefined ? (
          <p class="note">Their histories have nothing in common, so their files are not compared.</p>
        ) : null}
      </>
    ),
    content: async () =>
      trees === undefined ? [] : await diffParts(context, page, trees, { view: { before: base, after: toHex(to) } }),
  };
}

/** Answers with the comparison as Markdown. */
async function comparisonTwin(context: Context<PageEnv>, page: RepositoryPage, compared: Compared): Promise<Response> {
  const { relation, commits, trees } = await foundOf(page, compared);
  const twin = { title: compared.title, relation: relationText(relation), commits };
  return markdownComparison(context, page, twin, trees === undefined ? undefined : await changedFiles(page, trees));
}

/** Answers with the differences as text. */
async function comparisonText(context: Context<PageEnv>, page: RepositoryPage, compared: Compared): Promise<Response> {
  const { trees } = await foundOf(page, compared);
  if (trees === undefined) throw new Problem(422, "The two revisions have no merge base.");
  return await diffTextAnswer(context, page, trees);
}

/**
 * Answers with a comparison. Where the address ends in `.diff`, the answer is its differences as text, and in `.patch` the
 * mails of its commits.
 */
export async function comparePage(context: Context<PageEnv>): Promise<Response> {
  const texts = askedTexts(restOfPage(context), (text) => ({
    title: comparedRevisions(text)
      .map((each) => shownBytes(each))
      .join("..."),
    ends: requestedComparison(text),
  }));
  const revisions = texts.flatMap((each) => each.revisions.ends);
  return await withRepository(context, revisions, async (page) => {
    const { session } = page;
    const { asked, named } = await chosenText(texts, async ({ ends }) => await resolveComparison(session, ends));
    const { from, to } = named;
    const compared = { from, to, title: asked.revisions.title };
    if (asked.form === "patch")
      return await textAnswer(context, page, seriesMails(session, { from, to }, diffOptionsOf(context)));
    if (asked.form === "diff") return await comparisonText(context, page, compared);
    if (wantsMarkdown(context.req.raw)) return await comparisonTwin(context, page, compared);
    return await byContent(context, page, concat([from, to]), async () => {
      return await shownComparison(context, page, compared);
    });
  });
}
