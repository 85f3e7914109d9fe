/**
 * The API's description of itself: `openapi.json`, and a page for people at `docs`. Both are files that are made when
 * the Worker is built (`scripts/description`), so that what makes them is no part of it.
 *
 * @packageDocumentation
 * @see OpenAPI 3.1
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";

/** The page loads nothing and runs nothing. Its style names itself by its hash, in the page's own policy. */
const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "public, max-age=300",
};

/** Answers with a file that the build has made. */
async function fileOf(
  context: Context<ApiEnv>,
  name: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const file = await context.var.api.asset(name);
  if (file === undefined) throw new Problem(404, "This deployment does not have the description.");
  return new Response(file, { headers });
}

/** The routes of the API's description. */
export function openApiRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/openapi.json",
    describe({
      tag: "host",
      summary: "Describes the API",
      access: "everybody",
      answers: { 200: { about: "OpenAPI 3.1.", json: v.looseObject({ openapi: v.string() }) } },
    }),
    (context) =>
      fileOf(context, "openapi.json", { "Content-Type": "application/json", "Cache-Control": "public, max-age=300" }),
  );
  routes.get(
    "/docs",
    describe({
      tag: "host",
      summary: "Describes the API to people",
      access: "everybody",
      answers: { 200: { about: "This page.", type: "text/html" } },
    }),
    (context) => fileOf(context, "docs.html", PAGE_HEADERS),
  );
  return routes;
}
