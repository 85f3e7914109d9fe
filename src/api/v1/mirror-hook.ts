/**
 * `POST /api/v1/repos/{tenant}/{repo}/mirror/hook`: an upstream reports a push. No token is needed: the request is
 * signed with the secret that the mirror was given for this, as Git hosts do it.
 *
 * | host | header | holds |
 * | --- | --- | --- |
 * | GitHub, Gitea, Forgejo | `X-Hub-Signature-256` | `sha256=` and HMAC-SHA256 of the body |
 * | Gitea, Forgejo, Gogs | `X-Gitea-Signature`, `X-Forgejo-Signature`, `X-Gogs-Signature` | HMAC-SHA256 of the body |
 * | Bitbucket | `X-Hub-Signature` | `sha256=` and HMAC-SHA256 of the body |
 * | GitLab | `X-Gitlab-Token` | the secret |
 *
 * The content of the body does not matter: the upstream itself is asked for its refs.
 *
 * A caller who can't sign must not learn whether there is a mirror with a secret, or any repository. So without one
 * everything is done in the same way: the body is read and its code is computed, with a key that nobody knows.
 *
 * @packageDocumentation
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { parseRepositoryName, type RepositoryName, splitKey } from "../../access/names.ts";
import { Problem } from "../../http/problem.ts";
import type { MirrorHook } from "../../refs/mirror-store.ts";
import type { ApiEnv, MirrorHost } from "../api-host.ts";

/** Bytes of the largest body; GitHub sends no larger ones. */
const MOST_BODY = 25 * 1024 * 1024;
const PIECE_BYTES = 65_536;
/** Bytes of the random key that is used if there is no secret. */
const RANDOM_BYTES = 32;
/** The first that is there counts. GitHub sends `X-Hub-Signature`, too, with the SHA-1 that nobody should check. */
const SIGNATURES = [
  "X-Hub-Signature-256",
  "X-Gitea-Signature",
  "X-Forgejo-Signature",
  "X-Gogs-Signature",
  "X-Hub-Signature",
];
/** The headers that name the event. */
const EVENTS = ["X-GitHub-Event", "X-Gitea-Event", "X-Gogs-Event", "X-Event-Key"];
/** Events that report nothing new. */
const QUIET_EVENTS: ReadonlySet<string> = new Set(["ping", "diagnostics:ping"]);

function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Reads the body to its end. Returns its HMAC in hex; `undefined` if it is too large. */
async function signatureOf(body: ReadableStream | null, secret: string): Promise<string | undefined> {
  const hmac = createHmac("sha256", secret);
  if (body === null) return hmac.digest("hex");
  const reader = body.getReader({ mode: "byob" });
  let size = 0;
  for (;;) {
    const { value } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES));
    if (value === undefined || value.byteLength === 0) break;
    size += value.byteLength;
    if (size > MOST_BODY) return undefined;
    hmac.update(value);
  }
  return hmac.digest("hex");
}

async function isGenuine(context: Context<ApiEnv>, secret: string): Promise<boolean> {
  const token = context.req.header("X-Gitlab-Token");
  if (token !== undefined) return isSame(token, secret);
  const given = SIGNATURES.map((name) => context.req.header(name)).find((value) => value !== undefined);
  if (given === undefined) return false;
  const signature = await signatureOf(context.req.raw.body, secret);
  return signature !== undefined && isSame(given.toLowerCase().replace(/^sha256=/, ""), signature);
}

/** Returns the secret of the mirror's webhooks; `undefined` if there is none. */
async function secretOf({ secrets }: MirrorHost, hook: MirrorHook | undefined): Promise<string | undefined> {
  if (hook === undefined) return await secrets.openNothing();
  return await secrets.open(hook.secret, { use: "hook", id: hook.id });
}

/** A mirror that may have webhooks, and their sealed secret. */
type FoundHook = { readonly store?: ReturnType<MirrorHost["store"]>; readonly hook?: MirrorHook | undefined };

/** Finds the mirror, also by an old name: upstreams' webhooks follow no redirect. */
async function findHook(mirrors: MirrorHost, name: RepositoryName): Promise<FoundHook> {
  const store = mirrors.store(name);
  const found = await store.readMirrorHook();
  if (found === undefined || "secret" in found) return { store, hook: found };
  const target = parseRepositoryName(...splitKey(found.to));
  if (target === undefined) return { store };
  const moved = mirrors.store(target);
  const hook = await moved.readMirrorHook();
  return hook === undefined || "to" in hook ? { store } : { store: moved, hook };
}

/** Answers an upstream's webhook. A caller who can't sign learns nothing, not even whether there is such a mirror. */
export async function takeHook(context: Context<ApiEnv>): Promise<Response> {
  // This comes before any look-up: the answer must not depend on whether there is such a mirror.
  if (Number(context.req.header("Content-Length") ?? 0) > MOST_BODY) {
    throw new Problem(413, `A webhook's body may have ${MOST_BODY} bytes.`);
  }
  const { tenant = "", repo = "" } = context.req.param();
  const { host, api } = context.var;
  const { mirrors } = api;
  const name = parseRepositoryName(tenant, repo);
  const { store, hook } = name === undefined ? {} : await findHook(mirrors, name);
  const secret = await secretOf(mirrors, hook);
  const isSigned = await isGenuine(context, secret ?? randomBytes(RANDOM_BYTES).toString("base64"));
  if (store === undefined || secret === undefined || !isSigned) {
    host.refused();
    throw new Problem(404, "There is no mirror here that takes webhooks with this signature.");
  }
  // A host that names no event sends only pushes.
  const event = EVENTS.map((header) => context.req.header(header)).find((value) => value !== undefined) ?? "push";
  if (QUIET_EVENTS.has(event)) return context.json({ syncing: false });
  await store.requestSync();
  return context.json({ syncing: true }, 202);
}
