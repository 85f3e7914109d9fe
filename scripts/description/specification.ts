/**
 * Makes the API's description from its routes.
 *
 * @see OpenAPI 3.1
 */
import type { Hono } from "hono";
import * as v from "valibot";
import { type DescribedAnswer, descriptionOf, type RouteDescription } from "../../src/api/describe.ts";
import type { ApiEnv } from "../../src/api/api-host.ts";
import { EXAMPLES } from "./examples.ts";
import { answerSchema, isObject, type Json, type JsonObject, NamedSchemas, requestSchema } from "./json-schemas.ts";
import { operationId, PATH_PARAMETERS, SCHEMA_NAMES } from "./operations.ts";

/** Where the routes are mounted. */
const MOUNT = "/api/v1";

const ABOUT =
  "JSON in and out; errors are `application/problem+json` (RFC 9457). Credentials are `Authorization: Bearer <token>`, or Basic with " +
  "any user and the token as the password. What a token may not read is answered like what does not exist. Answers may get more members.";

const problem = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  code: v.string(),
  errors: v.optional(
    v.array(v.looseObject({ detail: v.string(), pointer: v.optional(v.string()), parameter: v.optional(v.string()) })),
  ),
});

/** The problems that a request may be answered with, by status. */
const PROBLEMS: Readonly<Record<string, string>> = {
  400: "The body is not JSON, or the query carries a token.",
  401: "A valid token is needed.",
  403: "The token may not do this.",
  404: "There is no such thing, or nothing that the token may read.",
  409: "Something else is in the way.",
  411: "A `Content-Length` is needed.",
  412: "The settings are not those of `If-Match` any more, or there is what `If-None-Match` wants not to be.",
  413: "The body is too large.",
  415: "The body has to be `application/json`.",
  416: "The range lies behind the end.",
  422: "The body or the query is not as described.",
  426: "It takes a WebSocket.",
  429: "Too many requests, or too many wrong tokens: see `Retry-After`.",
  501: "Not there yet.",
  503: "Too many at once.",
};

/** A route with its description. */
type Operation = {
  readonly id: string;
  readonly method: string;
  /** Below {@link MOUNT}, with parameters as OpenAPI writes them. */
  readonly path: string;
  readonly route: RouteDescription;
};

/** Returns the described routes. */
export function operationsOf(routes: Hono<ApiEnv>): Operation[] {
  return routes.routes.flatMap(({ method, path, handler }) => {
    const route = descriptionOf(handler);
    if (route === undefined) return [];
    const shown = path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}").replace(/(?<=.)\/$/, "");
    return [{ id: operationId(`${method} ${shown}`), method, path: shown, route }];
  });
}

function statusesOf(method: string, { access, body, problems = [] }: RouteDescription): string[] {
  const usual = [...(access === "everybody" ? [] : [401, 403, 404]), 400, 429, 422];
  // Where none is described, one is read if there is one, and has to be empty.
  const ofBody = body === undefined && method === "GET" ? [] : [413, 415];
  return [...new Set([...usual, ...ofBody, ...problems])].map(String);
}

function parametersOf({ path, route }: Operation): Json[] {
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = ""]) => ({
    in: "path",
    name,
    required: true,
    description: PATH_PARAMETERS[name] ?? `The ${name}.`,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, { about, type }]) => ({
    in: "query",
    name,
    description: about,
    schema: type === "integer" ? { type: "integer", minimum: 1 } : { type: "string" },
  }));
  const schema = { type: "string", pattern: String.raw`^[\x21-\x7e]{1,255}$` };
  const description = "Makes a retry get the first answer, for a day.";
  const inHeader = route.takesKey === true ? [{ in: "header", name: "Idempotency-Key", description, schema }] : [];
  return [...inPath, ...inQuery, ...inHeader];
}

/**
 * Returns an example.
 *
 * @throws Error if it is not as the schema wants it.
 */
function checkedExample(schema: v.GenericSchema, example: unknown, where: string): { example?: Json } {
  if (example === undefined) return {};
  const { issues } = v.safeParse(schema, example);
  if (issues !== undefined) throw new Error(`the example of ${where}: ${issues[0].message}`);
  const json: Json = JSON.parse(JSON.stringify(example));
  return { example: json };
}

function requestOf({ id, route }: Operation): { requestBody?: JsonObject } {
  if (route.bodyType !== undefined) return { requestBody: { content: { [route.bodyType]: {} } } };
  if (route.body === undefined) return {};
  const example = checkedExample(route.body, EXAMPLES[id]?.request, `${id}, request`);
  return { requestBody: { content: { "application/json": { schema: requestSchema(route.body), ...example } } } };
}

function answerOf({ id }: Operation, status: string, { about, json, type }: DescribedAnswer): JsonObject {
  if (json !== undefined) {
    const example = checkedExample(json, EXAMPLES[id]?.answers?.[status], `${id}, ${status}`);
    return { description: about, content: { "application/json": { schema: answerSchema(json), ...example } } };
  }
  return type === undefined ? { description: about } : { description: about, content: { [type]: {} } };
}

function problemOf(status: string): JsonObject {
  const description = PROBLEMS[status];
  if (description === undefined) throw new Error(`no words for a problem of status ${status}`);
  return { description, content: { "application/problem+json": { schema: answerSchema(problem) } } };
}

function describedOperation(operation: Operation): JsonObject {
  const { id, route } = operation;
  const answers = Object.entries(route.answers).map(([status, answer]) => [
    status,
    answerOf(operation, status, answer),
  ]);
  return {
    operationId: id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.about === undefined ? {} : { description: route.about }),
    ...(route.access === "everybody" ? { security: [] } : {}),
    parameters: parametersOf(operation),
    ...requestOf(operation),
    responses: Object.fromEntries([
      ...statusesOf(operation.method, route).map((status) => [status, problemOf(status)]),
      ...answers,
    ]),
  };
}

/** Returns the schema of a request or an answer in JSON. */
function schemaAt({ route }: Operation, place: string): JsonObject | undefined {
  if (place === "request") return route.body === undefined ? undefined : requestSchema(route.body);
  const json = route.answers[Number(place)]?.json;
  return json === undefined ? undefined : answerSchema(json);
}

/** Follows members, and `[]` for the items of a list, into a schema. */
function schemaBelow(schema: Json | undefined, path: readonly string[]): JsonObject | undefined {
  let at: Json | undefined = schema;
  for (const step of path) {
    if (!isObject(at)) return undefined;
    const { items, properties } = at;
    at = step === "[]" ? items : isObject(properties) ? properties[step] : undefined;
    // A member that may be null has its schema beside that of null.
    if (isObject(at) && Array.isArray(at["anyOf"])) [at] = at["anyOf"];
  }
  return isObject(at) ? at : undefined;
}

/**
 * Names the schemas that the table lists, and those that belong to one operation after it.
 *
 * @throws Error for a name whose place is not there.
 */
function nameSchemas(operations: readonly Operation[]): NamedSchemas {
  const named = new NamedSchemas();
  named.add("Problem", answerSchema(problem));
  for (const [name, id, place = "", ...path] of SCHEMA_NAMES) {
    const operation = operations.find((each) => each.id === id);
    const schema = operation === undefined ? undefined : schemaBelow(schemaAt(operation, place), path);
    if (schema === undefined) throw new Error(`the schema ${name} is not at ${[id, place, ...path].join(" ")}`);
    named.add(name, schema);
  }
  for (const operation of operations) {
    const own = operation.id.slice(0, 1).toUpperCase() + operation.id.slice(1);
    const request = schemaAt(operation, "request");
    if (request !== undefined) named.add(`${own}Request`, request);
    for (const status of Object.keys(operation.route.answers)) {
      const schema = schemaAt(operation, status);
      // An operation may answer with different things.
      if (schema !== undefined)
        named.add(named.has(`${own}Response`) ? `${own}Response${status}` : `${own}Response`, schema);
    }
  }
  return named;
}

/** Describes the routes. */
export function specificationOf(routes: Hono<ApiEnv>): JsonObject {
  const operations = operationsOf(routes);
  const named = nameSchemas(operations);
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const item = (paths[MOUNT + operation.path] ??= {});
    item[operation.method.toLowerCase()] = named.shared(describedOperation(operation));
  }
  return {
    openapi: "3.1.0",
    info: { title: "thinpack", version: "1", description: ABOUT, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/", description: "The host that this came from." }],
    security: [{ bearer: [] }, { basic: [] }, {}],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" }, basic: { type: "http", scheme: "basic" } },
      schemas: named.components(),
    },
  };
}
