/**
 * `/api/v1/repos/{tenant}/{repo}/mirror`: the upstream that a repository follows, and the state of its syncs.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { parseOutgoingUrl } from "../../access/outgoing-url.ts";
import { Problem } from "../../http/problem.ts";
import { MOST_SKIPPED_OBJECTS } from "../../refs/fsck-settings.ts";
import { FORGIVABLE, HARMLESS } from "../../object/fsck-rule.ts";
import { DEFAULT_REFSPECS, parseRefspec } from "../../mirror/refspec.ts";
import type { SecretContext } from "../../mirror/sync-input.ts";
import type { Mirror, MirrorChange, MirrorLfs, MirrorSettings, SealedSecret } from "../../refs/mirror-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { takeHook } from "./mirror-hook.ts";
import { objectName } from "./repo-settings.ts";
import { requestedRepository } from "./requested.ts";

const DEFAULT_INTERVAL = 3600;
const LONGEST_INTERVAL = 30 * 24 * 3600;
const MOST_REFSPECS = 100;
/** The slips that are accepted by default: histories that everybody has are full of them. */
const DEFAULT_FSCK = { ignore: HARMLESS, skip: [] };
const DEFAULTS: MirrorSettings = {
  upstream: "",
  interval: DEFAULT_INTERVAL,
  fetchThrough: 0,
  refspecs: DEFAULT_REFSPECS,
  fsck: DEFAULT_FSCK,
  policy: "follow",
  lfs: "requests",
};
/** The fewest characters of a webhook's secret. */
const LEAST_SECRET = 16;

// It contains no line ends: it becomes part of a header.
const credential = v.nullable(v.pipe(v.string(), v.maxLength(4000), v.regex(/^[^\r\n\0]*$/)));

// It becomes part of a header as it is.
const bearer = v.nullable(v.pipe(v.string(), v.maxLength(4000), v.regex(/^[!-~]+$/, "ASCII without spaces")));

const mirrorSettings = v.strictObject({
  upstream: v.string(),
  interval: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LONGEST_INTERVAL))),
  username: v.optional(credential),
  password: v.optional(credential),
  token: v.optional(bearer),
  refspecs: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string(),
          v.maxLength(500),
          v.check((text) => parseRefspec(text) !== undefined, "not a refspec that a mirror can have"),
        ),
      ),
      v.check((texts) => texts.some((text) => !text.startsWith("^")), "there has to be one that takes something"),
      v.maxLength(MOST_REFSPECS),
    ),
  ),
  hook_secret: v.optional(v.nullable(v.pipe(v.string(), v.minLength(LEAST_SECRET), v.maxLength(1000)))),
  fsck: v.optional(
    v.strictObject({
      ignore: v.optional(v.pipe(v.array(v.picklist(FORGIVABLE)), v.maxLength(FORGIVABLE.length)), []),
      skip: v.optional(v.pipe(v.array(objectName), v.maxLength(MOST_SKIPPED_OBJECTS)), []),
    }),
  ),
  fetch_through: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LONGEST_INTERVAL))),
  policy: v.optional(v.picklist(["follow", "keep", "stop"])),
  lfs: v.optional(v.picklist(["requests", "all"])),
});

type Asked = v.InferOutput<typeof mirrorSettings>;

const noMirror = (): Problem => new Problem(404, "This repository is not a mirror.");

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function shownLfs(progress: MirrorLfs | undefined): object | null {
  if (progress === undefined) return null;
  const { objects, missing, complete } = progress;
  return { objects, missing, complete };
}

function shown({ settings, status, hasLogin, hasHook }: Mirror, now: number): object {
  return {
    upstream: settings.upstream,
    interval: settings.interval,
    fetch_through: settings.fetchThrough,
    refspecs: settings.refspecs,
    policy: settings.policy,
    lfs: settings.lfs,
    lfs_progress: shownLfs(status.lfs),
    fsck: settings.fsck,
    credentials: hasLogin,
    hook: hasHook,
    last_attempt: isoTime(status.lastAttempt),
    last_sync: isoTime(status.lastSync),
    last_change: isoTime(status.lastChange),
    last_error: status.lastError ?? null,
    left_out: status.leftOut ?? null,
    failures: status.failures,
    next_sync: isoTime(status.nextSync),
    syncing: status.syncing,
    lag: status.lastSync === undefined ? null : Math.max(0, Math.round((now - status.lastSync) / 1000)),
    bytes: status.bytes,
    objects: status.objects,
    progress: status.progress ?? null,
  };
}

type Login = { readonly username: string; readonly password: string };

/**
 * Returns the `Authorization` header that the credentials make, or what has to happen to the existing one. If only one
 * half of a pair is given, the other is taken from `old`.
 */
function authorizationOf(
  { username, password, token }: Asked,
  old: Login | undefined,
): { readonly header: string } | "keep" | "none" {
  const given = [username, password, token].filter((value) => value !== undefined);
  if (given.every((value) => value === null)) return given.length === 0 ? "keep" : "none";
  if (typeof token === "string") {
    if (typeof username === "string" || typeof password === "string") {
      throw new Problem(422, "token: goes without username and password.");
    }
    return { header: `Bearer ${token}` };
  }
  // `null` removes the user name, and an absent one stays.
  const user = username === undefined ? (old?.username ?? "") : (username ?? "");
  // The same for the password.
  const secret = password === undefined ? (old?.password ?? "") : (password ?? "");
  if (user.includes(":")) throw new Problem(422, "username: can't hold a colon.");
  return { header: `Basic ${Buffer.from(`${user}:${secret}`, "utf8").toString("base64")}` };
}

/**
 * Returns the name and password that a mirror sends to this origin, if it has such a pair for it and it can be opened.
 */
async function oldLogin(
  context: Context<ApiEnv>,
  old: Mirror | undefined,
  bound: { readonly id: string; readonly origin: string },
): Promise<Login | undefined> {
  if (old?.login === undefined || URL.parse(old.settings.upstream)?.origin !== bound.origin) return undefined;
  const header = await context.var.api.mirrors.secrets.open(old.login, { use: "upstream", ...bound });
  const pair = header?.startsWith("Basic ") === true ? Buffer.from(header.slice(6), "base64").toString("utf8") : "";
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/**
 * Returns the upstream's URL.
 *
 * @throws Problem if the host would not fetch it.
 */
function upstreamOf(context: Context<ApiEnv>, asked: Asked): string {
  const checked = parseOutgoingUrl(asked.upstream, context.var.api.allowPrivate);
  if (checked.kind === "refused") throw new Problem(422, `upstream: ${checked.why}`);
  // The text is checked: `search` and `hash` are empty, too, if nothing follows their marks.
  if (/[?#]/.test(asked.upstream)) {
    throw new Problem(422, "upstream: has to end with the repository's path.");
  }
  return checked.url.href;
}

/**
 * Returns the requested interval.
 *
 * @throws Problem if it is below the minimum of the mirror's tenant, or else of the deployment
 */
async function intervalOf({ var: { api } }: Context<ApiEnv>, tenant: string, interval: number): Promise<number> {
  if (interval === 0) return 0;
  const { leastMirrorInterval: own = 0 } = (await api.tenant(tenant).describe())?.settings ?? {};
  const least = own === 0 ? api.mirrors.leastInterval : own;
  if (interval >= least) return interval;
  throw new Problem(422, `interval: ${least} seconds are the least, or 0 for no syncs on a timer.`);
}

/**
 * Returns the requested settings, with the existing ones for what is absent.
 *
 * @throws Problem
 */
async function settingsOf(
  context: Context<ApiEnv>,
  tenant: string,
  asked: Asked,
  old: MirrorSettings = DEFAULTS,
): Promise<MirrorSettings> {
  return {
    upstream: upstreamOf(context, asked),
    interval: await intervalOf(context, tenant, asked.interval ?? old.interval),
    fetchThrough: asked.fetch_through ?? old.fetchThrough,
    refspecs: asked.refspecs ?? old.refspecs,
    fsck: asked.fsck ?? old.fsck,
    policy: asked.policy ?? old.policy,
    lfs: asked.lfs ?? old.lfs,
  };
}

async function sealed(context: Context<ApiEnv>, secret: string, bound: SecretContext): Promise<SealedSecret> {
  const { secrets } = context.var.api.mirrors;
  if (!secrets.canSeal()) {
    throw new Problem(422, "This deployment can't keep secrets: its operator has to set MIRROR_KEYS.");
  }
  return await secrets.seal(secret, bound);
}

/**
 * Returns the secrets to store, sealed.
 *
 * @throws Problem
 */
async function secretsOf(
  context: Context<ApiEnv>,
  asked: Asked,
  { id, old }: { readonly id: string; readonly old: Mirror | undefined },
): Promise<Pick<MirrorChange, "login" | "hook">> {
  const { origin } = new URL(asked.upstream);
  const isHalf = (typeof asked.username === "string") !== (typeof asked.password === "string");
  const authorization = authorizationOf(asked, isHalf ? await oldLogin(context, old, { id, origin }) : undefined);
  const { hook_secret: hook } = asked;
  return {
    login:
      typeof authorization === "string"
        ? authorization
        : await sealed(context, authorization.header, { use: "upstream", id, origin }),
    hook: hook === undefined ? "keep" : hook === null ? "none" : await sealed(context, hook, { use: "hook", id }),
  };
}

async function configure(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await requestedRepository(context, "administer");
  const asked = await readJson(context.req.raw, mirrorSettings);
  const store = context.var.api.mirrors.store(name);
  const old = record.mirror === undefined ? undefined : await store.readMirror();
  const settings = await settingsOf(context, name.tenant, asked, old?.settings);
  const answer = await store.configureMirror({
    settings,
    ...(await secretsOf(context, asked, { id: record.id, old })),
  });
  switch (answer.kind) {
    case "missing":
      throw new Problem(404, "There is no such repository.");
    case "occupied":
      throw new Problem(
        409,
        "This repository has refs of its own, or is a fork: only an empty one can become a mirror.",
      );
    case "configured":
      return context.json(shown(answer.mirror, Date.now()));
  }
}

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const count = v.nullable(v.number());
/** See `shown`. */
const shownMirror = v.looseObject({
  upstream: v.string(),
  interval: v.number(),
  fetch_through: v.number(),
  refspecs: v.array(v.string()),
  policy: v.picklist(["follow", "keep", "stop"]),
  lfs: v.picklist(["requests", "all"]),
  lfs_progress: v.nullable(v.object({ objects: v.number(), missing: v.number(), complete: v.boolean() })),
  fsck: v.object({ ignore: v.array(v.string()), skip: v.array(v.string()) }),
  credentials: v.boolean(),
  hook: v.boolean(),
  last_attempt: time,
  last_sync: time,
  last_change: time,
  last_error: v.nullable(v.string()),
  left_out: v.nullable(v.object({ refs: v.number(), examples: v.array(v.string()), why: v.string() })),
  failures: v.number(),
  next_sync: time,
  syncing: v.boolean(),
  lag: count,
  bytes: v.number(),
  objects: v.number(),
  progress: v.nullable(v.string()),
});

async function showState(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const mirror = await context.var.api.mirrors.store(name).readMirror();
  if (mirror === undefined) throw noMirror();
  return context.json(shown(mirror, Date.now()));
}

async function promote(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  if (!(await context.var.api.mirrors.store(name).promoteMirror())) throw noMirror();
  return context.body(null, 204);
}

async function syncNow(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const store = context.var.api.mirrors.store(name);
  if (!(await store.requestSync())) throw noMirror();
  const mirror = await store.readMirror();
  if (mirror === undefined) throw noMirror();
  return context.json(shown(mirror, Date.now()), 202);
}

/** The routes of mirrors, below `/api/v1/repos`. */
export function mirrorRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const path = "/:tenant/:repo/mirror";
  const state = { about: "The mirror's settings and state.", json: shownMirror };
  const base = { tag: "mirrors", access: "token" } as const;
  routes.put(
    path,
    describe({
      ...base,
      summary: "Makes an empty repository a read-only mirror, or changes what it follows",
      body: mirrorSettings,
      answers: { 200: state },
      problems: [409],
    }),
    configure,
  );
  routes.get(path, describe({ ...base, summary: "Shows how a mirror goes", answers: { 200: state } }), showState);
  routes.delete(
    path,
    describe({
      ...base,
      summary: "Stops mirroring and keeps the repository",
      answers: { 204: { about: "It is a repository like others now." } },
    }),
    promote,
  );
  routes.post(
    `${path}/hook`,
    describe({
      ...base,
      summary: "Takes the upstream's webhook, which brings a sync about",
      about: "It needs no token: it is signed with the mirror's `hook_secret`.",
      access: "everybody",
      bodyType: "application/json",
      answers: {
        200: { about: "The event moves nothing." },
        202: { about: "A sync will begin." },
      },
      problems: [404],
    }),
    takeHook,
  );
  routes.post(`${path}/sync`, describe({ ...base, summary: "Syncs now", answers: { 202: state } }), syncNow);
  return routes;
}
