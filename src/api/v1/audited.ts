/**
 * Writes what requests have changed into the tenant's audit log, once they have succeeded. It stands in front of all
 * routes, so that no new route is forgotten: what has no name of its own is logged by its method and path.
 *
 * @packageDocumentation
 */
import type { Context, MiddlewareHandler } from "hono";
import type { AuditEntry } from "../../access/audit.ts";
import { folded, isTenantName } from "../../access/names.ts";
import { actorNameOf, actorOf } from "../../access/principal.ts";
import { logFault } from "../../http/log.ts";
import type { ApiEnv } from "../api-host.ts";
import { askedMembers } from "../json-body.ts";

const CHANGING: ReadonlySet<string> = new Set(["PUT", "POST", "PATCH", "DELETE"]);
const PATH = /^\/api\/v1\/(tenants|repos)\/([^/]+)(?:\/(.*))?$/;
/**
 * Requests that change no setting: what moves refs, which is in the ref log as a push is; statuses of commits, which say who set them; packs on their way; and what an
 * upstream or a receiver is asked once more.
 */
const PASSED_OVER =
  /^(?:[^/]+\/(?:blobs|notes|cherry-picks|commits|merges|refs|reverts|tags|uploads|mirror\/hook|mirror\/sync|maintenance|forks|sync|hooks\/[^/]+\/(?:deliveries|pings))|hooks\/[^/]+\/pings)(?:\/|$)/;

type Named = readonly [method: string, path: RegExp, action: string];

const OF_TENANTS: readonly Named[] = [
  ["PUT", /^$/, "tenant.create"],
  ["PATCH", /^$/, "tenant.change"],
  ["POST", /^adoption$/, "tenant.adopt"],
  ["POST", /^tokens$/, "token.create"],
  ["DELETE", /^tokens\/(.+)$/, "token.revoke"],
  ["POST", /^hooks$/, "hook.create"],
  ["PATCH", /^hooks\/(.+)$/, "hook.change"],
  ["DELETE", /^hooks\/(.+)$/, "hook.delete"],
  ["POST", /^signing-keys$/, "key.create"],
  ["DELETE", /^signing-keys\/(.+)$/, "key.delete"],
  ["PUT", /^signing-key$/, "host-key.create"],
  ["DELETE", /^signing-key$/, "host-key.delete"],
  ["POST", /^ssh-keys$/, "ssh-key.create"],
  ["DELETE", /^ssh-keys\/(.+)$/, "ssh-key.delete"],
];
const OF_REPOSITORIES: readonly Named[] = [
  ["PATCH", /^$/, "repo.change"],
  ["DELETE", /^$/, "repo.delete"],
  ["PUT", /^mirror$/, "mirror.set"],
  ["DELETE", /^mirror$/, "mirror.stop"],
  ["POST", /^deploy-keys$/, "deploy-key.create"],
  ["DELETE", /^deploy-keys\/(.+)$/, "deploy-key.delete"],
  ["POST", /^hooks$/, "hook.create"],
  ["PATCH", /^hooks\/(.+)$/, "hook.change"],
  ["DELETE", /^hooks\/(.+)$/, "hook.delete"],
];

/** What the operator does to a tenant's or a repository's object as a whole. */
const OF_OBJECTS = /^\/api\/v1\/admin\/(rows|recoveries)\/(tenant|repository)\/([^/]+)(?:\/([^/]+))?$/;

/** Members of answers that the log keeps, where an answer has them. None is a secret. */
const KEPT =
  "name at tenant scopes repos write expires_at fingerprint url events active upstream interval visibility default_branch read_only grace_days show_past offload_from sign protected push_to_create quotas revoked".split(
    " ",
  );

/** Returns the members of a successful answer. */
async function answerOf(context: Context): Promise<Record<string, unknown>> {
  if (context.res.headers.get("Content-Type")?.startsWith("application/json") !== true) return {};
  const json: unknown = await context.res.clone().json();
  return typeof json === "object" && json !== null ? { ...json } : {};
}

/** Returns what is kept of an answer: of a changed thing, only what was asked to be changed. */
function detailsOf(
  answer: Record<string, unknown>,
  asked: readonly string[],
  isChange: boolean,
): Record<string, unknown> {
  const kept = KEPT.filter((name) => Object.hasOwn(answer, name) && (!isChange || asked.includes(name)));
  const details = Object.fromEntries(kept.map((name) => [name, answer[name]]));
  return isChange ? { ...details, changed: asked } : details;
}

/** What a request has done, and to what. */
type Done = { readonly tenant: string; readonly action: string; readonly subject: string };

/** Joins the parts of a subject that are there. */
function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("/");
}

/** Returns the name of what a request does below a tenant or a repository, and the id of the thing there. */
function actionOf(named: readonly Named[], method: string, below: string): Pick<Done, "action" | "subject"> {
  for (const [known, pattern, action] of named) {
    const found = known === method ? pattern.exec(below) : null;
    if (found !== null) return { action, subject: joined(found[1]) };
  }
  return { action: `${method} ${below.replace(/\/.*/, "")}`.trim(), subject: below };
}

/** Returns what the operator has done to an object as a whole; `undefined` if the path names none of a tenant's. */
function doneToObject(path: string): Done | undefined {
  const [, how, kind, tenant = "", repo] = OF_OBJECTS.exec(path) ?? [];
  if (kind === undefined || !isTenantName(folded(tenant))) return undefined;
  const action = `${kind === "tenant" ? "tenant" : "repo"}.${how === "rows" ? "restore" : "recover"}`;
  return { tenant: folded(tenant), action, subject: joined(repo) };
}

/** Returns what a request does; `undefined` if that is not for the log. */
function doneBy(method: string, path: string): Done | undefined {
  const object = doneToObject(path);
  if (object !== undefined) return object;
  const [, kind, first = "", rest = ""] = PATH.exec(path) ?? [];
  const tenant = folded(first);
  if (kind === undefined || !isTenantName(tenant) || PASSED_OVER.test(rest)) return undefined;
  if (kind === "tenants") return { tenant, ...actionOf(OF_TENANTS, method, rest) };
  const [repo = "", ...deeper] = rest.split("/");
  const below = deeper.join("/");
  // What makes a repository is logged where it is registered, whether a push or a request does.
  if (method === "PUT" && below === "") return undefined;
  const { action, subject } = actionOf(OF_REPOSITORIES, method, below);
  return { tenant, action, subject: joined(repo, subject) };
}

async function entryOf(context: Context<ApiEnv>, done: Done): Promise<AuditEntry> {
  const { principal } = await context.var.host.identify();
  const answer = await answerOf(context);
  const isChange = context.req.method === "PATCH";
  const { id } = answer;
  const isNew = context.res.status === 201 && typeof id === "string";
  return {
    actor: actorOf(principal),
    ...actorNameOf(principal),
    action: done.action,
    subject: isNew ? joined(done.subject, id) : done.subject,
    details: detailsOf(answer, askedMembers(context.req.raw), isChange),
  };
}

/** Makes the middleware. */
export function audited(): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    await next();
    const { method, path } = context.req;
    if (!CHANGING.has(method) || !context.res.ok) return;
    const done = doneBy(method, path);
    // A tenant that was there already was not created.
    if (done === undefined || (done.action === "tenant.create" && context.res.status !== 201)) return;
    try {
      await context.var.api.tenant(done.tenant).audit(await entryOf(context, done));
    } catch (error) {
      // The change has been made, and its answer must say so.
      logFault("audit", error);
    }
  };
}
