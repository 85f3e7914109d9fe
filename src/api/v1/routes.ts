/**
 * The API, version 1.
 *
 * @packageDocumentation
 */
import { Hono } from "hono";
import { Problem, problemOf } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { reflogRoutes } from "./reflog.ts";
import { contentRoutes } from "./content.ts";
import { hookRoutes } from "./hooks.ts";
import { mirrorRoutes } from "./mirror.ts";
import { repoRoutes } from "./repos.ts";

/** Paths of the contract that this release does not answer yet, with what is missing. */
const LATER: readonly (readonly [string, string])[] = [
  ["/tenants", "Tenants and their tokens are not there yet: the operator's token does everything."],
  ["/tenants/*", "Tenants and their tokens are not there yet: the operator's token does everything."],
  ["/repos/:tenant/:repo/forks", "Forks are not there yet."],
  ["/repos/:tenant/:repo/maintenance", "Maintenance on request is not there yet."],
  ["/repos/:tenant/:repo/events", "Events are not there yet."],
  ["/repos/:tenant/:repo/compare/*", "Comparing is not there yet."],
];

/** The routes below `/api/v1`. */
export function apiRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.route("/repos", repoRoutes());
  routes.route("/repos", reflogRoutes());
  routes.route("/repos", contentRoutes());
  routes.route("/repos", hookRoutes());
  routes.route("/repos", mirrorRoutes());
  for (const [path, detail] of LATER) {
    routes.all(path, () => {
      throw new Problem(501, detail);
    });
  }
  routes.all("/repos/:tenant/:repo", () => {
    throw new Problem(405, "This path takes GET, PUT, PATCH and DELETE.");
  });
  routes.all("*", () => {
    throw new Problem(404, "The API has no such path.");
  });
  routes.onError((error) => problemOf(error));
  return routes;
}
