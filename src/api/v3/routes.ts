/**
 * A facade in the shapes of GitHub's REST API, for the clients that know it. What it reads it reads through the services
 * of version 1, and what it changes it asks version 1 to change.
 *
 * @packageDocumentation
 */
import { Hono } from "hono";
import { queryFault } from "../../http/strict-query.ts";
import type { ApiEnv } from "../api-host.ts";
import { refuseKey } from "../strict-request.ts";
import { assertVersion, GitHubProblem, notFound, refused } from "./answers.ts";
import { commitRoutes } from "./commits.ts";
import { contentRoutes } from "./contents.ts";
import { hookRoutes } from "./hooks.ts";
import { makingRoutes } from "./making.ts";
import { mergingRoutes } from "./merging.ts";
import { objectRoutes } from "./objects.ts";
import { refRoutes } from "./refs.ts";
import { repositoryRoutes } from "./repository.ts";
import { statusRoutes } from "./statuses.ts";

const GROUPS: readonly (() => Hono<ApiEnv>)[] = [
  repositoryRoutes,
  statusRoutes,
  commitRoutes,
  contentRoutes,
  hookRoutes,
  objectRoutes,
  makingRoutes,
  mergingRoutes,
  refRoutes,
];

/** Answers the other methods of every path, with the methods that the path supports. */
function refuseOtherMethods(routes: Hono<ApiEnv>): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of routes.routes) {
    if (method !== "ALL") methodsOf.set(path, (methodsOf.get(path) ?? new Set()).add(method));
  }
  for (const [path, methods] of methodsOf) {
    const allow = [...methods].toSorted().join(", ");
    routes.all(path, () => {
      throw new GitHubProblem(405, `This path takes ${allow}.`, { headers: new Headers({ Allow: allow }) });
    });
  }
}

/** The routes below `/api/v3`. */
export function facadeRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.use(async (context, next) => {
    assertVersion(context.req.header("X-GitHub-Api-Version"));
    const fault = queryFault(context.req.url);
    if (fault !== undefined) throw new GitHubProblem(422, fault.detail);
    if (context.req.method !== "GET" && context.req.method !== "HEAD") refuseKey(context.req.raw);
    await next();
  });
  for (const group of GROUPS) routes.route("/", group());
  refuseOtherMethods(routes);
  routes.all("*", () => {
    throw notFound();
  });
  routes.onError((error) => refused(error));
  return routes;
}
