/**
 * Reads and shows a repository's settings in the API's form.
 *
 * @packageDocumentation
 */
import type { ForkOrigin } from "../../refs/fork-store.ts";
import type { Context } from "hono";
import * as v from "valibot";
import { decide, mightWrite } from "../../access/decide.ts";
import { isRepositoryName, isTenantName, repositoryKey, type RepositoryName } from "../../access/names.ts";
import type { Principal } from "../../access/principal.ts";
import { HARMLESS } from "../../object/fsck-rule.ts";
import { checkRefFormat } from "../../object/ref-name.ts";
import { type FsckSettings, MOST_SKIPPED_OBJECTS } from "../../refs/fsck-settings.ts";
import { LEAST_ABOVE } from "../../refs/lfs-rules.ts";
import { GRACE_DAYS, LEAST_GRACE_DAYS, MOST_GRACE_DAYS } from "../../refs/grace-period.ts";
import {
  isRefPattern,
  isShortenedPattern,
  MOST_PUSHERS,
  MOST_REQUIRED,
  MOST_RULES,
  type RefRule,
} from "../../refs/ref-policy.ts";
import type { CreateRequest, DescribedRepository, MirrorSummary } from "../../refs/ref-store.ts";
import type { SeenSettings, SettingsChange } from "../../refs/repository-settings.ts";
import type { ApiEnv } from "../api-host.ts";
import { shownName, shownText } from "../shown-text.ts";

/** Characters of a description, of the name of whoever may push, and of the context of a status. */
const LONGEST_DESCRIPTION = 1000;
const LONGEST_NAME = 100;
const LONGEST_CONTEXT = 255;
const BRANCHES = "refs/heads/";

/**
 * Whether `git branch` would make a branch of this name. It also refuses what looks like an option, and HEAD itself.
 */
function isBranchName(name: string): boolean {
  return !name.startsWith("-") && name !== "HEAD" && checkRefFormat(BRANCHES + name);
}

const visibility = v.picklist(["private", "public"]);
const description = shownText(LONGEST_DESCRIPTION);
const objectFormat = v.picklist(["sha1", "sha256"]);
const defaultBranch = v.pipe(
  v.string(),
  v.maxLength(250),
  v.check((name) => isBranchName(name), "not a name that git allows for a branch"),
);

const pusher = shownName(LONGEST_NAME);
const rule = v.strictObject({
  pattern: v.pipe(
    v.string(),
    v.check((pattern) => isRefPattern(pattern), "not a branch, or a ref, in which * may stand for anything"),
    v.check(
      (pattern) => !isShortenedPattern(pattern),
      "a pattern is a branch, such as main, or a full name that begins with refs/",
    ),
  ),
  allow_force_push: v.optional(v.boolean(), false),
  allow_deletion: v.optional(v.boolean(), false),
  pushers: v.nullish(v.pipe(v.array(pusher), v.maxLength(MOST_PUSHERS))),
  require_signed: v.optional(v.boolean(), false),
  required_contexts: v.nullish(v.pipe(v.array(shownName(LONGEST_CONTEXT)), v.maxLength(MOST_REQUIRED))),
});
const rules = v.pipe(v.array(rule), v.maxLength(MOST_RULES));

/** The full name of an object, in hexadecimal. */
export const objectName = v.pipe(
  v.string(),
  v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "not the full name of an object"),
);

/** The checks of git's that pushes may fail. Absent members stay as they are, or begin with the defaults. */
const fsck = v.strictObject({
  strict: v.optional(v.boolean()),
  ignore: v.optional(v.pipe(v.array(v.picklist(HARMLESS)), v.maxLength(HARMLESS.length))),
  skip: v.optional(v.pipe(v.array(objectName), v.maxLength(MOST_SKIPPED_OBJECTS))),
});

/** The least size of blobs that are left out, in bytes: a smaller one costs a client more to fetch than to have. */
const LEAST_OFFLOADED = 1024;

/** Bytes above which a blob has to go to Git LFS; `null` for no bound. */
const lfsAbove = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(LEAST_ABOVE)));

/** Bytes from which on blobs are left out for clients that fetch them later; `null` for none. */
const offloadFrom = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(LEAST_OFFLOADED)));

/** Who signs what is made through the API, whatever a request asks for: the host, or nobody. */
const sign = v.nullable(v.literal("host"));

/** The settings that a repository may be made with. */
export const repositoryCreation = v.strictObject({
  visibility: v.optional(visibility),
  default_branch: v.optional(defaultBranch),
  description: v.optional(description),
  object_format: v.optional(objectFormat),
  fsck: v.optional(fsck),
  require_lfs_objects: v.optional(v.boolean()),
  lfs_above: v.optional(lfsAbove),
});

/** The settings that may be changed. */
export const repositoryChange = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.check(isRepositoryName, "not a repository's name"))),
  tenant: v.optional(v.pipe(v.string(), v.check(isTenantName, "not a tenant's name"))),
  visibility: v.optional(visibility),
  default_branch: v.optional(defaultBranch),
  description: v.optional(description),
  read_only: v.optional(v.boolean()),
  grace_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(LEAST_GRACE_DAYS), v.maxValue(MOST_GRACE_DAYS))),
  show_past: v.optional(v.boolean()),
  offload_from: v.optional(offloadFrom),
  sign: v.optional(sign),
  protected: v.optional(rules),
  fsck: v.optional(fsck),
  require_lfs_objects: v.optional(v.boolean()),
  lfs_above: v.optional(lfsAbove),
});

const time = v.pipe(v.string(), v.isoTimestamp());
const shownRule = v.strictObject({
  pattern: v.string(),
  allow_force_push: v.boolean(),
  allow_deletion: v.boolean(),
  pushers: v.optional(v.nullable(v.array(v.string()))),
  require_signed: v.boolean(),
  required_contexts: v.array(v.string()),
});

/** The form in which a repository is shown. */
export const shownRepository = v.strictObject({
  tenant: v.string(),
  name: v.string(),
  id: v.string(),
  visibility,
  default_branch: v.string(),
  description: v.string(),
  object_format: objectFormat,
  read_only: v.boolean(),
  grace_days: v.number(),
  show_past: v.boolean(),
  offload_from: v.nullable(v.number()),
  sign,
  protected: v.array(shownRule),
  fsck: v.optional(v.strictObject({ strict: v.boolean(), ignore: v.array(v.string()), skip: v.array(v.string()) })),
  require_lfs_objects: v.optional(v.boolean()),
  lfs_above: v.optional(v.nullable(v.number())),
  mirror: v.optional(
    v.strictObject({ upstream: v.optional(v.string()), interval: v.number(), synced_at: v.nullable(time) }),
  ),
  fork_of: v.optional(v.strictObject({ id: v.string(), name: v.optional(v.string()) })),
  size_bytes: v.number(),
  pushed_at: v.nullable(time),
  created_at: time,
  git_url: v.pipe(v.string(), v.url()),
});

/**
 * Shows a mirror. Its upstream is shown to those who could push to it, and so have to know where to push: the URL may
 * be of a private place.
 */
function showMirror({ upstream, interval, syncedAt }: MirrorSummary, showsUpstream: boolean): object {
  const synced_at = syncedAt === undefined ? null : new Date(syncedAt).toISOString();
  return { ...(showsUpstream ? { upstream } : {}), interval, synced_at };
}

/**
 * Shows what a repository was forked from. The name of a repository that was private then is shown to those who could
 * push to the fork.
 */
function showOrigin({ id, name, isPublic }: ForkOrigin, mayKnowName: boolean): object {
  return { id, ...(isPublic || mayKnowName ? { name } : {}) };
}

/** Shows a rule. Which tokens may push, by name or id, is shown to those who administer the repository. */
function showRule({ pushers, ...shown }: RefRule, showsPushers: boolean): object {
  return {
    pattern: shown.pattern,
    allow_force_push: shown.allowForcePush,
    allow_deletion: shown.allowDeletion,
    ...(showsPushers ? { pushers: pushers ?? null } : {}),
    require_signed: shown.requireSigned,
    required_contexts: shown.requiredContexts ?? [],
  };
}

/** A repository, and its name. */
export type NamedRepository = { readonly name: RepositoryName; readonly record: DescribedRepository };

/**
 * Returns what a caller sees beyond what every reader does. Those who administer the repository see who may push where.
 * Those who push see how pushes are checked, even while nothing may be pushed.
 */
export function settingsSeenBy(principal: Principal, { name, record }: NamedRepository): SeenSettings {
  return { pushers: decide(principal, "administer", name, record) === "allow", fsck: mightWrite(principal, name) };
}

/** Shows how pushes are checked. */
function showChecks({ fsck: checks, lfs }: DescribedRepository): object {
  return {
    fsck: checks,
    require_lfs_objects: lfs.requireObjects,
    lfs_above: lfs.above === 0 ? null : lfs.above,
  };
}

/** Shows a repository to a principal. Times are ISO 8601. */
export function showRepository(context: Context<ApiEnv>, principal: Principal, found: NamedRepository): object {
  const { name, record } = found;
  const { spelled = repositoryKey(name) } = record;
  const [tenant, repo] = spelled.split("/");
  const { origin } = new URL(context.req.url);
  const seen = settingsSeenBy(principal, found);
  return {
    tenant,
    name: repo,
    id: record.id,
    visibility: record.visibility,
    default_branch: record.head.startsWith(BRANCHES) ? record.head.slice(BRANCHES.length) : record.head,
    description: record.description,
    object_format: record.objectFormat,
    read_only: record.readOnly,
    grace_days: record.graceDays ?? GRACE_DAYS,
    show_past: record.pastSince !== undefined,
    offload_from: record.offloadFrom ?? null,
    sign: record.hostSigns === true ? "host" : null,
    protected: record.rules.map((shown) => showRule(shown, seen.pushers)),
    ...(seen.fsck ? showChecks(record) : {}),
    ...(record.mirror === undefined ? {} : { mirror: showMirror(record.mirror, mightWrite(principal, name)) }),
    ...(record.forkOf === undefined ? {} : { fork_of: showOrigin(record.forkOf, mightWrite(principal, name)) }),
    size_bytes: record.sizeBytes,
    pushed_at: record.pushedAt === undefined ? null : new Date(record.pushedAt).toISOString(),
    created_at: new Date(record.createdAt).toISOString(),
    git_url: `${origin}/${spelled}.git`,
  };
}

/** Returns the request to make the repository. */
export function creationOf(asked: v.InferOutput<typeof repositoryCreation>): CreateRequest {
  const { object_format: format = "sha1", visibility: wanted = "private", description: text = "" } = asked;
  return {
    objectFormat: format,
    visibility: wanted,
    head: BRANCHES + (asked.default_branch ?? "main"),
    headChosen: asked.default_branch !== undefined,
    description: text,
    ...checksOf(asked),
  };
}

function fsckOf({ strict, ignore, skip }: v.InferOutput<typeof fsck>): Partial<FsckSettings> {
  return {
    ...(strict === undefined ? {} : { strict }),
    ...(ignore === undefined ? {} : { ignore }),
    ...(skip === undefined ? {} : { skip }),
  };
}

/** Returns the settings by which pushes are checked. */
function checksOf(
  asked: Pick<v.InferOutput<typeof repositoryChange>, "fsck" | "require_lfs_objects" | "lfs_above">,
): Pick<SettingsChange, "fsck" | "lfs"> {
  const { fsck: checks, require_lfs_objects: requireObjects, lfs_above: above } = asked;
  const lfs = {
    ...(requireObjects === undefined ? {} : { requireObjects }),
    ...(above === undefined ? {} : { above: above ?? 0 }), // `null` takes the bound away.
  };
  return { ...(checks === undefined ? {} : { fsck: fsckOf(checks) }), lfs };
}

/** Returns the contexts that a rule demands, each once. */
function contextsOf(asked: readonly string[]): Pick<RefRule, "requiredContexts"> {
  return asked.length === 0 ? {} : { requiredContexts: [...new Set(asked)] };
}

function ruleOf(asked: v.InferOutput<typeof rule>): RefRule {
  return {
    pattern: asked.pattern,
    allowForcePush: asked.allow_force_push,
    allowDeletion: asked.allow_deletion,
    ...(Array.isArray(asked.pushers) ? { pushers: asked.pushers } : {}),
    requireSigned: asked.require_signed,
    ...contextsOf(asked.required_contexts ?? []),
  };
}

/** Returns the change to make. */
export function changeOf(asked: v.InferOutput<typeof repositoryChange>): SettingsChange {
  return {
    ...(asked.visibility === undefined ? {} : { visibility: asked.visibility }),
    ...(asked.default_branch === undefined ? {} : { head: BRANCHES + asked.default_branch }),
    ...(asked.description === undefined ? {} : { description: asked.description }),
    ...(asked.read_only === undefined ? {} : { readOnly: asked.read_only }),
    ...(asked.grace_days === undefined ? {} : { graceDays: asked.grace_days }),
    ...(asked.show_past === undefined ? {} : { showsPast: asked.show_past }),
    ...(asked.offload_from === undefined ? {} : { offloadFrom: asked.offload_from }),
    ...(asked.sign === undefined ? {} : { hostSigns: asked.sign === "host" }),
    ...(asked.protected === undefined ? {} : { rules: asked.protected.map(ruleOf) }),
    ...checksOf(asked),
  };
}
