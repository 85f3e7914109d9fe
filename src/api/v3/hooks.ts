/**
 * `/api/v3/repos/{tenant}/{repo}/hooks`: webhooks.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { numberOf } from "../../events/github-shapes.ts";
import type { ApiEnv } from "../api-host.ts";
import { pathParam } from "../v1/requested.ts";
import { answer, answerPage, GitHubProblem, notFound, nothing } from "./answers.ts";
import { ask, askJson, done } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { hookJson, hookShape, placeOf } from "./shapes.ts";

const config = v.looseObject({
  url: v.optional(v.string()),
  content_type: v.optional(v.string()),
  secret: v.optional(v.string()),
  insecure_ssl: v.optional(v.union([v.string(), v.number()])),
});
const hookBody = v.looseObject({
  config: v.optional(config, {}),
  events: v.optional(v.array(v.string())),
  active: v.optional(v.boolean()),
});
type HookBody = v.InferOutput<typeof hookBody>;
type HookJson = v.InferOutput<typeof hookJson>;

/** Returns the settings that a body asks for, as version 1 has them. @throws GitHubProblem */
function settingsOf({ config: asked, events, active }: HookBody): object {
  const { url, secret, content_type = "json", insecure_ssl = "0" } = asked;
  if (content_type !== "json") throw new GitHubProblem(422, "config.content_type: only json is sent");
  if (String(insecure_ssl) !== "0")
    throw new GitHubProblem(422, "config.insecure_ssl: certificates are always checked");
  return {
    ...(url === undefined ? {} : { url }),
    ...(secret === undefined ? {} : { secret }),
    ...(events === undefined ? {} : { events }),
    ...(active === undefined ? {} : { active }),
  };
}

async function hooksOf(context: Context<ApiEnv>): Promise<readonly HookJson[]> {
  return (await askJson(context, { path: "/hooks" }, v.object({ hooks: v.array(hookJson) }))).hooks;
}

/** Returns the webhook whose number the path has. @throws GitHubProblem if there is none */
async function requested(context: Context<ApiEnv>): Promise<HookJson> {
  const id = pathParam(context, "hook");
  const hook = (await hooksOf(context)).find((each) => String(numberOf(each.id)) === id);
  if (hook === undefined) throw notFound();
  return hook;
}

async function add(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "administer", hookBody);
  if (body.config.url === undefined) throw new GitHubProblem(422, "config.url: is missing");
  const made = await askJson(context, { method: "POST", path: "/hooks", json: settingsOf(body) }, hookJson);
  return answer(context, hookShape(placeOf(context), made), 201);
}

async function change(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "administer", hookBody);
  const { id } = await requested(context);
  const made = await askJson(context, { method: "PATCH", path: `/hooks/${id}`, json: settingsOf(body) }, hookJson);
  return answer(context, hookShape(placeOf(context), made));
}

/** The routes, below `/api/v3`. */
export function hookRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const hooks = "/repos/:tenant/:repo/hooks";
  routes.get(hooks, async (context) => {
    const place = placeOf(context);
    return await answerPage(context, await hooksOf(context), (hook) => hookShape(place, hook));
  });
  routes.post(hooks, add);
  routes.get(`${hooks}/:hook`, async (context) =>
    answer(context, hookShape(placeOf(context), await requested(context))),
  );
  routes.patch(`${hooks}/:hook`, change);
  routes.delete(`${hooks}/:hook`, async (context) => {
    const { id } = await requested(context);
    await done(await ask(context, { method: "DELETE", path: `/hooks/${id}` }));
    return nothing();
  });
  routes.post(`${hooks}/:hook/pings`, async (context) => {
    const { id } = await requested(context);
    await done(await ask(context, { method: "POST", path: `/hooks/${id}/pings` }));
    return nothing();
  });
  return routes;
}
