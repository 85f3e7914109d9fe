/**
 * The API's description of itself: `openapi.json`, and a page for people at `docs`. Both are made from the routes.
 *
 * @packageDocumentation
 * @see OpenAPI 3.1
 */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { html, raw } from "hono/html";
import { generateSpecs } from "hono-openapi";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import * as v from "valibot";

/** Returns a text of the description; an absent one shows nothing. */
function shown(text: string | undefined): string {
  return text ?? ""; // An absent description is shown as nothing.
}

type Specification = Awaited<ReturnType<typeof generateSpecs>>;
type Operation = NonNullable<NonNullable<Specification["paths"]>[string]>["get"];

const METHODS = ["get", "put", "post", "patch", "delete"] as const;

const ABOUT =
  "JSON in and out; errors are `application/problem+json` (RFC 9457). Credentials are `Authorization: Bearer <token>`, or Basic with " +
  "any user and the token as the password. What a token may not read is answered like what does not exist.";

/** Describes the routes, as they are mounted at `/api/v1`. */
async function specificationOf(routes: Hono<ApiEnv>): Promise<Specification> {
  return generateSpecs(new Hono<ApiEnv>().route("/api/v1", routes), {
    // The generator takes a path with a dot in its name for a file.
    excludeStaticFile: false,
    documentation: {
      info: { title: "thinpack", version: "1", description: ABOUT },
      components: {
        securitySchemes: { bearer: { type: "http", scheme: "bearer" }, basic: { type: "http", scheme: "basic" } },
      },
      security: [{ bearer: [] }, { basic: [] }, {}],
    },
  });
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
h2{margin-top:2.5rem;text-transform:capitalize}h3{margin:1.5rem 0 0;font-size:1rem}code,pre{font:14px/1.4 ui-monospace,monospace}
pre{overflow:auto;padding:.5rem 1rem;background:#8881;max-height:30rem}b{display:inline-block;min-width:4.5rem}p{margin:.25rem 0}
table{border-collapse:collapse}td{padding:0 1rem 0 0;vertical-align:top}`;
/** It is one string: a formatter must not put spaces between the tags, which the hash would have to cover. */
const STYLE_ELEMENT = `<style>${STYLE}</style>`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** The page loads nothing and runs nothing; its only style is named by its hash. */
const PAGE_HEADERS = {
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "public, max-age=300",
};

function schemaBlock(title: string, content: unknown): ReturnType<typeof html> | string {
  return content === undefined
    ? ""
    : html`<details>
        <summary>${title}</summary>
        <pre>${JSON.stringify(content, undefined, 2)}</pre>
      </details>`;
}

/** Returns the schema of a body, if it has one. */
function schemaIn(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !("content" in body)) return undefined;
  const { content } = body;
  if (typeof content !== "object" || content === null || !("application/json" in content)) return undefined;
  const json = content["application/json"];
  return typeof json === "object" && json !== null && "schema" in json ? json.schema : undefined;
}

function operationBlock(path: string, method: string, operation: NonNullable<Operation>): ReturnType<typeof html> {
  const responses = Object.entries(operation.responses ?? {});
  return html`<h3><b>${method.toUpperCase()}</b> <code>${path}</code></h3>
    <p>${shown(operation.summary)}. ${shown(operation.description)}</p>
    <table>
      ${responses.map(
        ([status, answer]) =>
          html`<tr>
            <td>${status}</td>
            <td>${"description" in answer ? answer.description : ""}</td>
          </tr>`,
      )}
    </table>
    ${schemaBlock("parameters", operation.parameters?.length === 0 ? undefined : operation.parameters)}
    ${schemaBlock("request", schemaIn(operation.requestBody))}
    ${responses
      .filter(([status]) => status.startsWith("2"))
      .map(([status, answer]) => schemaBlock(`answer ${status}`, schemaIn(answer)))}`;
}

/** Makes the page. Everything that comes from the description is escaped. */
function pageOf(specification: Specification): ReturnType<typeof html> {
  const operations = Object.entries(specification.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item?.[method];
      return operation === undefined ? [] : [{ path, method, operation, tag: shown(operation.tags?.[0]) }];
    }),
  );
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>thinpack API</title>
        ${raw(STYLE_ELEMENT)}
      </head>
      <body>
        <h1>thinpack API, version 1</h1>
        <p>${shown(specification.info.description)} For machines: <a href="openapi.json">openapi.json</a>.</p>
        ${tags.map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${operations
                .filter((operation) => operation.tag === tag)
                .map(({ path, method, operation }) => operationBlock(path, method, operation))}`,
        )}
      </body>
    </html>`;
}

/** The routes of the description of `described`, and of themselves. */
export function openApiRoutes(described: Hono<ApiEnv>): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  let made: Promise<Specification> | undefined;
  const specification = (): Promise<Specification> => (made ??= specificationOf(described));
  routes.get(
    "/openapi.json",
    describe({
      tag: "host",
      summary: "Describes the API",
      access: "everybody",
      answers: { 200: { about: "OpenAPI 3.1.", json: v.looseObject({ openapi: v.string() }) } },
    }),
    async (context) => context.json(await specification(), 200, { "Cache-Control": "public, max-age=300" }),
  );
  routes.get(
    "/docs",
    describe({
      tag: "host",
      summary: "Describes the API to people",
      access: "everybody",
      answers: { 200: { about: "This page.", type: "text/html" } },
    }),
    async (context) => context.html(await pageOf(await specification()), 200, PAGE_HEADERS),
  );
  return routes;
}
