/**
 * The API, version 1.
 *
 * @packageDocumentation
 */
import { Hono } from "hono";
import { Problem, problemOf } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { adoptionRoutes } from "./adoption.ts";
import { auditRoutes } from "./audit.ts";
import { backupFileRoutes } from "./backup-files.ts";
import { backupObjectRoutes } from "./backup-objects.ts";
import { blobReadRoutes } from "./blob-reads.ts";
import { commitRoutes } from "./commits.ts";
import { contentRoutes } from "./content.ts";
import { deadLetterRoutes } from "./dead-letters.ts";
import { eventRoutes } from "./events.ts";
import { forkRoutes } from "./forks.ts";
import { hookRoutes } from "./hooks.ts";
import { hostKeyRoutes } from "./host-key.ts";
import { maintenanceRoutes } from "./maintenance.ts";
import { mergeRoutes } from "./merges.ts";
import { mirrorListRoutes, tenantMirrorRoutes } from "./mirrors.ts";
import { mirrorRoutes } from "./mirror.ts";
import { noteRoutes } from "./notes.ts";
import { openApiRoutes } from "./openapi.ts";
import { refWriteRoutes } from "./ref-writes.ts";
import { publicRepoRoutes } from "./public-repos.ts";
import { reflogRoutes } from "./reflog.ts";
import { repoFileRoutes } from "./repo-files.ts";
import { repoRoutes } from "./repos.ts";
import { statusRoutes } from "./statuses.ts";
import { signingKeyRoutes } from "./signing-keys.ts";
import { deployKeyRoutes, sshKeyRoutes } from "./ssh-keys.ts";
import { tenantHookRoutes } from "./tenant-hooks.ts";
import { tenantRoutes } from "./tenants.ts";
import { tokenRoutes } from "./tokens.ts";
import { uploadRoutes } from "./uploads.ts";
import { repositoryUsageRoutes, tenantUsageRoutes } from "./usage.ts";

/**
 * Every group of routes, with its mount point. A new group is a line here, with `describe` in front of each of its
 * handlers.
 */
const GROUPS: readonly (readonly [string, () => Hono<ApiEnv>])[] = [
  ["/tenants", tenantRoutes],
  ["/tenants", adoptionRoutes],
  ["/tenants", tokenRoutes],
  ["/tenants", tenantMirrorRoutes],
  ["/tenants", auditRoutes],
  ["/tenants", tenantHookRoutes],
  ["/mirrors", mirrorListRoutes],
  ["/tenants", signingKeyRoutes],
  ["/tenants", hostKeyRoutes],
  ["/tenants", sshKeyRoutes],
  ["/repos", deployKeyRoutes],
  ["/repos", publicRepoRoutes],
  ["/repos", repoRoutes],
  ["/repos", repoFileRoutes],
  ["/repos", forkRoutes],
  ["/repos", reflogRoutes],
  ["/repos", blobReadRoutes],
  ["/repos", commitRoutes],
  ["/repos", mergeRoutes],
  ["/repos", refWriteRoutes],
  ["/repos", statusRoutes],
  ["/repos", noteRoutes],
  ["/repos", contentRoutes],
  ["/repos", hookRoutes],
  ["/repos", mirrorRoutes],
  ["/repos", maintenanceRoutes],
  ["/repos", eventRoutes],
  ["/repos", uploadRoutes],
  ["/tenants", tenantUsageRoutes],
  ["/repos", repositoryUsageRoutes],
  ["/admin", backupObjectRoutes],
  ["/admin", backupFileRoutes],
  ["/admin", deadLetterRoutes],
];

/** Answers the other methods of every path, with the methods that the path supports. */
function refuseOtherMethods(routes: Hono<ApiEnv>): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of routes.routes) {
    const methods = methodsOf.get(path) ?? new Set();
    methods.add(method);
    if (method === "GET") methods.add("HEAD");
    methodsOf.set(path, methods);
  }
  for (const [path, methods] of methodsOf) {
    const allow = [...methods].toSorted().join(", ");
    routes.all(path, () => {
      throw new Problem(405, `This path takes ${allow}.`, { Allow: allow });
    });
  }
}

/** The routes below `/api/v1`. */
export function apiRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  for (const [path, group] of GROUPS) routes.route(path, group());
  routes.route("/", openApiRoutes());
  refuseOtherMethods(routes);
  routes.all("*", () => {
    throw new Problem(404, "The API has no such path.");
  });
  routes.onError((error) => problemOf(error));
  return routes;
}
