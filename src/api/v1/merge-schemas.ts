/**
 * The bodies of merges, and their answers.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { personBody, signedJson, signing } from "./commit-schemas.ts";

/** Commits that one request may pick. */
const MOST_PICKS = 1000;

const shared = {
  favor: v.optional(v.picklist(["ours", "theirs"])),
  author: v.optional(personBody),
  committer: v.optional(personBody),
  dry_run: v.optional(v.boolean()),
  materialise: v.optional(v.string()),
  ...signing,
};

/** A merge. */
export const mergeBody = v.strictObject({
  base: v.string(),
  head: v.string(),
  strategy: v.optional(v.picklist(["merge", "squash", "ff-only", "rebase"])),
  expected_base: v.optional(v.string()),
  message: v.optional(v.string()),
  ...shared,
});

/** Commits to pick or to revert. */
export const picksBody = v.strictObject({
  branch: v.string(),
  commits: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(MOST_PICKS)),
  mainline: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
  expected_head: v.optional(v.string()),
  ...shared,
});

/** A branch that was moved, or would be. */
export const movedJson = v.strictObject({
  oid: v.string(),
  tree: v.string(),
  parents: v.array(v.string()),
  branch: v.string(),
  previous: v.string(),
  commits: v.array(v.string()),
  ...signedJson,
});

/** What would be made, or that there is nothing to merge. */
export const triedJson = v.union([movedJson, v.strictObject({ status: v.literal("up-to-date") })]);

/** What a body of a merge says. */
export type MergeBody = v.InferOutput<typeof mergeBody>;
/** What a body of picks says. */
export type PicksBody = v.InferOutput<typeof picksBody>;
