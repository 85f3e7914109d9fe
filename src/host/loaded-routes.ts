/**
 * Routes in a module of their own. It is loaded when the first request for one of them comes, so that the isolate of a
 * clone or a push neither compiles it nor holds it.
 *
 * @packageDocumentation
 */
import { type Handler, Hono } from "hono";
import type { HonoOptions } from "hono/hono-base";
import { problemOf } from "../http/problem.ts";
import type { AppEnv } from "./platform.ts";

/** What a request has been given before its routes are asked. */
const VARIABLES = ["authorization", "host", "api"] as const satisfies readonly (keyof AppEnv["Variables"])[];

/** The variables of requests that are handed on. */
const handedOn = new WeakMap<Request, AppEnv["Variables"]>();

/** The routes, below their path, with the variables of the application that handed the request on. */
async function mounted(
  path: string,
  load: () => Promise<Hono<AppEnv>>,
  options: HonoOptions<AppEnv>,
): Promise<Hono<AppEnv>> {
  const app = new Hono<AppEnv>(options);
  app.use(async (context, next) => {
    const variables = handedOn.get(context.req.raw);
    if (variables !== undefined) for (const name of VARIABLES) context.set(name, variables[name]);
    await next();
  });
  app.route(path, await load());
  app.onError((error) => problemOf(error));
  return app;
}

/** Returns the handler of all requests below a path. `options` are those of the application. */
export function loadedRoutes(
  path: string,
  load: () => Promise<Hono<AppEnv>>,
  options: HonoOptions<AppEnv>,
): Handler<AppEnv> {
  let loading: Promise<Hono<AppEnv>> | undefined;
  return async ({ req: { raw }, var: variables, env, executionCtx }) => {
    loading ??= mounted(path, load, options);
    const routes = await loading;
    handedOn.set(raw, variables);
    return await routes.fetch(raw, env, executionCtx);
  };
}
