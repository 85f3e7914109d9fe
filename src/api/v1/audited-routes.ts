/**
 * The API as the application mounts it: with the audit log in front of all routes.
 *
 * @packageDocumentation
 */
import { Hono } from "hono";
import type { ApiEnv } from "../api-host.ts";
import { audited } from "./audited.ts";
import { apiRoutes } from "./routes.ts";

/** The routes below `/api/v1`, whose changes the audit log keeps. */
export function auditedRoutes(): Hono<ApiEnv> {
  return new Hono<ApiEnv>().use(audited()).route("/", apiRoutes());
}
