/**
 * `/api/v1/repos/{tenant}/{repo}/merges`, `/cherry-picks`, `/reverts`: merges, without a clone.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import type * as v from "valibot";
import type { Identity } from "../../object/identity.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import { InvalidRequest } from "../../http/problem.ts";
import { wholeLines } from "../../writing/commit/commit-text.ts";
import type { PickAction } from "../../writing/merge/pick-commits.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { type AskedWrite, askedWrite, type BodyReading } from "./asked-write.ts";
import { AskedSigning, atSigned } from "./asked-signing.ts";
import { asker, personOf } from "./commit-person.ts";
import type { KeyedRequest } from "./idempotency.ts";
import { keptAnswer, mergeAnswer } from "./merge-answers.ts";
import type { KeptOutcome } from "../../writing/merge/write-branch.ts";
import { type MergeBody, mergeBody, movedJson, type PicksBody, picksBody, triedJson } from "./merge-schemas.ts";
import { requestedName } from "./requested.ts";

/** Bytes of a body. */
const MOST_BYTES = 1024 * 1024;
/** A merge holds trees and files. */
const READING: BodyReading = { mostBytes: MOST_BYTES, needsRoom: true };
const BRANCHES = "refs/heads/";

/** Returns the full name of a branch. @throws InvalidRequest */
function branchOf(member: string, branch: string): string {
  const name = branch.startsWith(BRANCHES) ? branch : BRANCHES + branch;
  if (!isTooLong(name) && isPushableRefName(name)) return name;
  throw invalid(member, "is no name of a branch");
}

function invalid(member: string, detail: string): InvalidRequest {
  return new InvalidRequest("invalid_member", [{ pointer: `#/${member}`, detail: `${member}: ${detail}` }]);
}

/** Returns the message of a body. @throws InvalidRequest */
function messageOf({ message }: MergeBody): { message?: string } {
  if (message === undefined) return {};
  if (message.trim() === "" || message.includes("\0") || !message.isWellFormed())
    throw invalid("message", "has to be text, and not empty");
  return { message: wholeLines(message) };
}

/** Returns who makes a merge: at the moments that were signed, if the body gives none. */
function people(
  body: MergeBody,
  asking: Identity,
  { head: signed }: AskedSigning,
): { author: Identity; committer: Identity } {
  const [by, then] = [atSigned(asking, signed?.author), atSigned(asking, signed?.committer)];
  const author = body.author === undefined ? by : personOf("author", body.author, by);
  const committer = body.committer === undefined ? then : personOf("committer", body.committer, then);
  return { author, committer };
}

/** Returns what all these requests may say. */
function shared(
  { favor, materialise, dry_run }: MergeBody | PicksBody,
  keyed: KeyedRequest | undefined,
  signing: AskedSigning,
): {
  readonly isTrial: boolean;
  readonly favor?: "ours" | "theirs";
  readonly materialise?: string;
  readonly once?: KeyedRequest & { readonly answer: (outcome: KeptOutcome) => string };
} {
  signing.assertOne(materialise === undefined, "conflict markers are not signed elsewhere");
  return {
    isTrial: dry_run === true || signing.isTrial,
    ...(favor === undefined ? {} : { favor }),
    ...(materialise === undefined ? {} : { materialise: branchOf("materialise", materialise) }),
    ...(keyed === undefined ? {} : { once: { ...keyed, answer: (outcome) => keptAnswer(outcome, signing.members) } }),
  };
}

/** Returns where the branch has to be. What was signed says on which commit it is made. */
function expected(oid: string | undefined, { head }: AskedSigning): { expectedHead?: string } {
  const expectedHead = oid?.toLowerCase() ?? head?.parent;
  return expectedHead === undefined ? {} : { expectedHead };
}

async function merge(context: Context<ApiEnv>): Promise<Response> {
  const { exchange, principal, body, keyed, signing } = await askedMerge(context, mergeBody);
  const { strategy = "merge" } = body;
  signing.assertOne(strategy === "merge" || strategy === "squash", `${strategy} makes several commits, or none`);
  const order = {
    branch: branchOf("base", body.base),
    head: body.head,
    strategy,
    ...expected(body.expected_base, signing),
    ...messageOf(body),
    ...people(body, asker(principal, exchange.repository.now()), signing),
    ...shared(body, keyed, signing),
  };
  const { mergeBranch } = await import("../../writing/merge/merge-branch.ts");
  return mergeAnswer(await mergeBranch(signing.with(exchange), order), order.isTrial, signing.members);
}

/** Admits the writer, and reads the body. */
async function askedMerge<Schema extends typeof mergeBody | typeof picksBody>(
  context: Context<ApiEnv>,
  schema: Schema,
): Promise<AskedWrite<v.InferOutput<Schema>> & { readonly signing: AskedSigning }> {
  const asked = await askedWrite(context, schema, READING);
  const place = { host: context.var.host, name: await requestedName(context, "write") };
  return { ...asked, signing: new AskedSigning(asked.body, place) };
}

function picks(action: PickAction): (context: Context<ApiEnv>) => Promise<Response> {
  return async (context) => {
    const { exchange, principal, body, keyed, signing } = await askedMerge(context, picksBody);
    signing.assertOne(body.commits.length === 1, "a signature that is made elsewhere is for one commit");
    // A commit that is picked keeps its author. Who reverts is the author, and commits at the same moment.
    const by = atSigned(asker(principal, exchange.repository.now()), signing.head?.committer);
    const author = body.author === undefined ? by : personOf("author", body.author, by);
    const order = {
      action,
      branch: branchOf("branch", body.branch),
      commits: body.commits,
      ...(body.mainline === undefined ? {} : { mainline: body.mainline }),
      ...expected(body.expected_head, signing),
      committer: body.committer === undefined ? author : personOf("committer", body.committer, by),
      ...shared(body, keyed, signing),
    };
    const { pickCommits } = await import("../../writing/merge/pick-commits.ts");
    return mergeAnswer(await pickCommits(signing.with(exchange), order), order.isTrial, signing.members);
  };
}

const COMMON =
  "Everything that holds of a push holds here: rules, quotas, checks, the log, webhooks. Conflicts answer 409 with `conflicts`: of each " +
  "its path, kind and stages, and the file with its markers where it is small; nothing is written then, unless `materialise` names a new " +
  "branch, which gets a commit with the markers. `favor` settles conflicts within files, as `-X ours` and `-X theirs` do. With `dry_run` the " +
  "answer is 200, and nothing is changed. `Idempotency-Key` makes a retry give the first answer for a day.";

/** The routes that merge, below `/api/v1/repos`. */
export function mergeRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const base = { tag: "content", access: "token", problems: [403, 404, 409, 413, 415, 422, 503] } as const;
  const answers = {
    200: { about: "What would be made, or that there is nothing to merge.", json: triedJson },
    201: { about: "Where the branch is now.", json: movedJson },
  };
  routes.post(
    "/:tenant/:repo/merges",
    describe({
      ...base,
      summary: "Merges into a branch",
      takesKey: true,
      about:
        "The tree is the one that `git merge` makes. `head` is a branch, a tag, or the full name of a commit. `strategy` is `merge` (a merge commit " +
        "in any case), `squash` (one commit), `ff-only` (the branch moves forward, or 409), or `rebase` (the commits are made again on the branch). " +
        `\`expected_base\` is where the branch has to be. ${COMMON}`,
      body: mergeBody,
      answers,
    }),
    merge,
  );
  routes.post(
    "/:tenant/:repo/cherry-picks",
    describe({
      ...base,
      summary: "Brings single commits onto a branch",
      takesKey: true,
      about: `Each commit is made again, one after the other, with its author and its message. \`mainline\` is the parent of merges, from 1. ${COMMON}`,
      body: picksBody,
      answers,
    }),
    picks("pick"),
  );
  routes.post(
    "/:tenant/:repo/reverts",
    describe({
      ...base,
      summary: "Takes single commits back",
      takesKey: true,
      about: `Each commit is taken back by one of its own, in the order given. \`mainline\` is the parent of merges, from 1. ${COMMON}`,
      body: picksBody,
      answers,
    }),
    picks("revert"),
  );
  return routes;
}
