/**
 * `/api/v1/repos/{tenant}/{repo}/hooks`: webhooks and their deliveries.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { RepositoryName } from "../../access/names.ts";
import { parseOutgoingUrl } from "../../access/outgoing-url.ts";
import { type Delivery, type Hook, HOOK_EVENTS, type HookEvent, type RedeliverAnswer } from "../../events/hook.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { requestedRepository, pathParam } from "./requested.ts";

/** Characters of the longest secret. */
const MOST_SECRET = 1000;
/** Seconds after which a refused redelivery may find room: a failed delivery is first tried again after a minute. */
const REDELIVER_AFTER = 60;

const events = v.pipe(v.array(v.picklist(HOOK_EVENTS)), v.minLength(1), v.maxLength(HOOK_EVENTS.length));
const secret = v.pipe(v.string(), v.maxLength(MOST_SECRET));

/** A webhook that is to be added. */
export const hookCreation = v.strictObject({
  url: v.string(),
  secret: v.optional(secret, ""),
  events: v.optional(events, ["push"]),
  active: v.optional(v.boolean(), true),
});

/** A change of a webhook. */
export const hookChange = v.strictObject({
  url: v.optional(v.string()),
  secret: v.optional(secret),
  events: v.optional(events),
  active: v.optional(v.boolean()),
});

const instant = v.pipe(v.string(), v.isoTimestamp());

const hookJson = v.strictObject({
  id: v.string(),
  url: v.string(),
  has_secret: v.boolean(),
  events: v.array(v.picklist(HOOK_EVENTS)),
  active: v.boolean(),
  disabled_reason: v.nullable(v.string()),
  created_at: instant,
  updated_at: instant,
});

const deliveryJson = v.strictObject({
  id: v.string(),
  guid: v.string(),
  event: v.picklist([...HOOK_EVENTS, "ping"]),
  seq: v.nullable(v.number()),
  ref: v.nullable(v.string()),
  redelivery: v.boolean(),
  state: v.picklist(["pending", "delivered", "failed"]),
  attempts: v.number(),
  status: v.nullable(v.number()),
  error: v.nullable(v.string()),
  duration_ms: v.nullable(v.number()),
  created_at: instant,
  attempted_at: v.nullable(instant),
  next_attempt_at: v.nullable(instant),
});

const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

/** Shows a webhook, without its secret. */
function shown(hook: Hook): object {
  return {
    id: hook.id,
    url: hook.url,
    has_secret: hook.hasSecret,
    events: hook.events,
    active: hook.active,
    disabled_reason: hook.disabledWhy ?? null,
    created_at: time(hook.createdAt),
    updated_at: time(hook.updatedAt),
  };
}

function shownDelivery(delivery: Delivery): object {
  return {
    id: String(delivery.id),
    guid: delivery.guid,
    event: delivery.event,
    seq: delivery.seq ?? null,
    ref: delivery.ref ?? null,
    redelivery: delivery.redelivery,
    state: delivery.state,
    attempts: delivery.attempts,
    status: delivery.status ?? null,
    error: delivery.error ?? null,
    duration_ms: delivery.duration ?? null,
    created_at: time(delivery.createdAt),
    attempted_at: time(delivery.attemptedAt),
    next_attempt_at: time(delivery.nextAttemptAt),
  };
}

/**
 * Returns the URL in the form in which it will be fetched.
 *
 * @throws Problem if it must not be fetched.
 */
export function target(context: Context<ApiEnv>, text: string): string {
  const checked = parseOutgoingUrl(text, context.var.api.allowPrivate);
  if (checked.kind === "refused") throw new Problem(422, `url: ${checked.why}`);
  return checked.url.href;
}

/** Returns each event once. */
export const withoutDoubles = (names: readonly HookEvent[]): HookEvent[] => [...new Set(names)];

/** Makes the problem that there is no such webhook. */
export const noHook = (): Problem => new Problem(404, "There is no such webhook.");

/**
 * Returns the repository's name, for a caller that may change the repository.
 *
 * @throws AccessDenied, Problem
 */
async function administered(context: Context<ApiEnv>): Promise<RepositoryName> {
  return (await requestedRepository(context, "administer")).name;
}

async function add(context: Context<ApiEnv>): Promise<Response> {
  const { api } = context.var;
  const name = await administered(context);
  const asked = await readJson(context.req.raw, hookCreation);
  const settings = {
    url: target(context, asked.url),
    events: withoutDoubles(asked.events),
    active: asked.active,
    ...(asked.secret === "" ? {} : { secret: asked.secret }),
  };
  const hook = await api.hooks(name).addHook(settings, new URL(context.req.url).origin);
  if (hook === undefined) throw new Problem(404, "There is no such repository.");
  if (hook === "too-many") throw new Problem(422, "The repository has as many webhooks as it may.");
  return context.json(shown(hook), 201);
}

async function edit(context: Context<ApiEnv>): Promise<Response> {
  const { api } = context.var;
  const name = await administered(context);
  const asked = await readJson(context.req.raw, hookChange);
  const settings = {
    ...(asked.url === undefined ? {} : { url: target(context, asked.url) }),
    ...(asked.secret === undefined ? {} : { secret: asked.secret }),
    ...(asked.events === undefined ? {} : { events: withoutDoubles(asked.events) }),
    ...(asked.active === undefined ? {} : { active: asked.active }),
  };
  const { origin } = new URL(context.req.url);
  const hook = await api.hooks(name).changeHook(pathParam(context, "hook"), settings, origin);
  if (hook === undefined) throw noHook();
  return context.json(shown(hook));
}

async function redeliver(context: Context<ApiEnv>): Promise<Response> {
  const name = await administered(context);
  const { hook = "", delivery = "" } = context.req.param();
  const id = /^[1-9]\d{0,14}$/.test(delivery) ? Number(delivery) : 0;
  const added = await context.var.api.hooks(name).redeliver(hook, id);
  if (added === undefined) throw new Problem(404, "There is no such delivery.");
  return queued(context, added);
}

async function ping(context: Context<ApiEnv>): Promise<Response> {
  const name = await administered(context);
  const added = await context.var.api.hooks(name).redeliver(pathParam(context, "hook"), "ping");
  if (added === undefined) throw noHook();
  return queued(context, added);
}

/** Shows a delivery that was queued on request. @throws Problem if it was not. */
function queued(context: Context<ApiEnv>, added: Exclude<RedeliverAnswer, undefined>): Response {
  if (added === "inactive") throw turnedOff();
  if (added === "too-many") {
    const detail =
      "As many deliveries of this webhook wait as may. Repeat this one when the receiver has answered some.";
    throw new Problem(429, detail, { "Retry-After": String(REDELIVER_AFTER) });
  }
  return context.json(shownDelivery(added), 202);
}

/** Makes the problem of a webhook that is sent nothing. */
export function turnedOff(): Problem {
  return new Problem(409, "The webhook is turned off.");
}

async function listed(context: Context<ApiEnv>): Promise<readonly Hook[]> {
  const name = await administered(context);
  return (await context.var.api.hooks(name).listHooks()) ?? [];
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const hook = (await listed(context)).find(({ id }) => id === context.req.param("hook"));
  if (hook === undefined) throw noHook();
  return context.json(shown(hook));
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const name = await administered(context);
  if (!(await context.var.api.hooks(name).removeHook(pathParam(context, "hook")))) throw noHook();
  return context.body(null, 204);
}

async function listDeliveries(context: Context<ApiEnv>): Promise<Response> {
  const name = await administered(context);
  const deliveries = await context.var.api.hooks(name).listDeliveries(pathParam(context, "hook"));
  if (deliveries === undefined) throw noHook();
  return context.json({ deliveries: deliveries.map(shownDelivery) });
}

const LIST = describe({
  tag: "webhooks",
  summary: "Lists webhooks",
  access: "token",
  answers: { 200: { about: "All of them.", json: v.strictObject({ hooks: v.array(hookJson) }) } },
});
const ADD = describe({
  tag: "webhooks",
  summary: "Adds a webhook",
  about:
    "It is sent a `ping`, and then what happens from now on. The secret signs deliveries and is never shown again.",
  access: "token",
  body: hookCreation,
  answers: { 201: { about: "The webhook.", json: hookJson } },
});
const SHOW = describe({
  tag: "webhooks",
  summary: "Shows a webhook",
  access: "token",
  answers: { 200: { about: "The webhook.", json: hookJson } },
});
const EDIT = describe({
  tag: "webhooks",
  summary: "Changes a webhook",
  about: "What is absent stays. An empty secret takes it away. One that was off begins anew.",
  access: "token",
  body: hookChange,
  answers: { 200: { about: "The webhook.", json: hookJson } },
});
const REMOVE = describe({
  tag: "webhooks",
  summary: "Removes a webhook and its deliveries",
  access: "token",
  answers: { 204: { about: "It is sent nothing more." } },
});
const LIST_DELIVERIES = describe({
  tag: "webhooks",
  summary: "Lists deliveries, the newest first",
  about: "Those that are pending, and the last of those that ended.",
  access: "token",
  answers: { 200: { about: "Deliveries.", json: v.strictObject({ deliveries: v.array(deliveryJson) }) } },
});
const REDELIVER = describe({
  tag: "webhooks",
  summary: "Delivers the same event once more",
  access: "token",
  answers: { 202: { about: "The new delivery, with the same `guid`.", json: deliveryJson } },
  problems: [409, 429],
});

const PING = describe({
  tag: "webhooks",
  summary: "Sends a ping",
  access: "token",
  answers: { 202: { about: "The delivery.", json: deliveryJson } },
  problems: [409, 429],
});

/** The routes of webhooks, below `/api/v1/repos`. */
export function hookRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const hooks = "/:tenant/:repo/hooks";
  routes.get(hooks, LIST, async (context) => context.json({ hooks: (await listed(context)).map(shown) }));
  routes.post(hooks, ADD, add);
  routes.get(`${hooks}/:hook`, SHOW, show);
  routes.patch(`${hooks}/:hook`, EDIT, edit);
  routes.delete(`${hooks}/:hook`, REMOVE, remove);
  routes.post(`${hooks}/:hook/pings`, PING, ping);
  routes.get(`${hooks}/:hook/deliveries`, LIST_DELIVERIES, listDeliveries);
  routes.post(`${hooks}/:hook/deliveries/:delivery/redeliver`, REDELIVER, redeliver);
  return routes;
}
