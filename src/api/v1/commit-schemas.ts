/**
 * The bodies from which commits are made.
 *
 * @packageDocumentation
 */
import * as v from "valibot";

/** Characters of a signature. One of OpenPGP that carries its key may be long. */
export const MOST_SIGNATURE = 16_384;
/** An armoured signature of SSH, OpenPGP or X.509. */
export const ARMOURED =
  /^-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|SIGNED MESSAGE)-----\n[\x20-\x7e\n]+\n-----END \1-----\n*$/;

/** A person, and when. */
export const personBody = v.strictObject({ name: v.string(), email: v.string(), date: v.optional(v.string()) });

/** A line at the end of a message. */
const trailerBody = v.strictObject({
  key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]+$/, "has to be letters, digits and hyphens")),
  value: v.pipe(v.string(), v.regex(/^[^\r\n\0]+$/, "has to be one line")),
});

/** One change to a file. Which members it may have depends on the action. */
export const actionBody = v.strictObject({
  action: v.picklist(["create", "update", "upsert", "delete", "move", "chmod", "symlink", "gitlink"]),
  path: v.string(),
  from: v.optional(v.string()),
  content: v.optional(v.string()),
  encoding: v.optional(v.picklist(["utf-8", "base64"])),
  blob: v.optional(v.string()),
  mode: v.optional(v.string()),
  target: v.optional(v.string()),
  oid: v.optional(v.string()),
});

/** A signature, and what it was made over, in base64. */
const signatureBody = v.strictObject({
  payload: v.pipe(v.string(), v.base64("has to be base64")),
  armoured: v.pipe(
    v.string(),
    v.maxLength(MOST_SIGNATURE),
    v.regex(ARMOURED, "has to be an armoured signature of SSH, OpenPGP or X.509"),
  ),
});

/** Who signs what is made: the host if `true`, and the one who asks, elsewhere, if `detached`; with the signature, once it is made. */
export const signing = {
  sign: v.optional(v.union([v.boolean(), v.literal("detached")])),
  signature: v.optional(signatureBody),
};

/** What an answer tells of that: what is to be signed, in base64, or what came of verifying the signature that was handed in. */
export const signedJson = {
  payload: v.optional(v.string()),
  signature: v.optional(v.picklist(["good", "bad", "unknown-key", "unverified"])),
};

const head = {
  branch: v.string(),
  expected_head: v.optional(v.nullable(v.string())),
  base: v.optional(v.string()),
  message: v.string(),
  author: v.optional(personBody),
  committer: v.optional(personBody),
  trailers: v.optional(v.array(trailerBody)),
  allow_empty: v.optional(v.boolean()),
  dry_run: v.optional(v.boolean()),
  ...signing,
};

/** Everything but the actions. */
export const commitHead = v.strictObject(head);
/** Everything. */
export const commitBody = v.strictObject({ ...head, actions: v.array(actionBody) });

/** A commit that was made, or would be. */
export const madeCommit = v.strictObject({
  oid: v.string(),
  tree: v.string(),
  parents: v.array(v.string()),
  branch: v.string(),
  previous: v.nullable(v.string()),
  ...signedJson,
});

/** What a body says beside its actions. */
export type CommitHead = v.InferOutput<typeof commitHead>;
