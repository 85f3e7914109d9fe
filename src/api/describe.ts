/**
 * Adds a route to the API's description. Its schemas are the ones that requests are checked against and answers are
 * written by.
 *
 * @packageDocumentation
 * @see OpenAPI 3.1
 */
import type { MiddlewareHandler } from "hono";
import { checkRequest } from "./strict-request.ts";
import { describeRoute, resolver } from "hono-openapi";
import * as v from "valibot";

/** A parameter of the query. */
type QueryParameter = { readonly about: string; readonly type?: "integer" };

/** An answer that is not a problem: JSON by a schema, bytes of a type, or nothing. */
type Answer = { readonly about: string; readonly json?: v.GenericSchema; readonly type?: string };

/** The description of a route. */
export type RouteDescription = {
  readonly tag: "tenants" | "tokens" | "repositories" | "content" | "mirrors" | "webhooks" | "events" | "host";
  readonly summary: string;
  /** More than fits the summary. */
  readonly about?: string;
  readonly query?: Readonly<Record<string, QueryParameter>>;
  readonly body?: v.GenericSchema;
  /** The media type of a body that is not JSON. */
  readonly bodyType?: string;
  /** The answers, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of problems beside those that any request may get. */
  readonly problems?: readonly number[];
  /** Open to everybody, or needing a token; by default a token is needed for what is private. */
  readonly access?: "everybody" | "token";
};

/** Parameters of lists. */
export const PAGING = {
  cursor: { about: "Where the list goes on: the `cursor` of the page before." },
  limit: { about: "The most that one page may have.", type: "integer" },
} as const satisfies Record<string, QueryParameter>;

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
const PROBLEMS: Readonly<Record<number, string>> = {
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

function answerOf({ about, json, type }: Answer): object {
  if (json !== undefined) return { description: about, content: { "application/json": { schema: resolver(json) } } };
  return type === undefined ? { description: about } : { description: about, content: { [type]: {} } };
}

function problemOfStatus(status: number): object {
  return {
    // OpenAPI requires a description; a status without an entry has an empty one.
    description: PROBLEMS[status] ?? "",
    content: { "application/problem+json": { schema: resolver(problem) } },
  };
}

/**
 * Makes the middleware that carries a route's description, and refuses requests for what the description does not name.
 */
export function describe(route: RouteDescription): MiddlewareHandler {
  const query = Object.keys(route.query ?? {});
  const takesBody = route.body !== undefined || route.bodyType !== undefined;
  const check: MiddlewareHandler = async (context, next) => {
    await checkRequest(context.req.raw, { query, takesBody });
    await next();
  };
  return Object.assign(check, descriptionOf(route));
}

/** Makes the middleware that the generator of the description reads. */
function descriptionOf(route: RouteDescription): MiddlewareHandler {
  const usual = [...(route.access === "everybody" ? [] : [401, 403, 404]), 429];
  const ofBody = route.body === undefined ? [] : [400, 413, 415, 422];
  const statuses = new Set([...usual, ...ofBody, 422, ...(route.problems ?? [])]);
  return describeRoute({
    tags: [route.tag],
    summary: route.summary,
    ...(route.about === undefined ? {} : { description: route.about }),
    ...(route.access === "everybody" ? { security: [] } : {}),
    parameters: Object.entries(route.query ?? {}).map(([name, { about, type }]) => ({
      in: "query" as const,
      name,
      description: about,
      schema: type === "integer" ? ({ type: "integer", minimum: 1 } as const) : ({ type: "string" } as const),
    })),
    ...(route.body === undefined
      ? {}
      : { requestBody: { content: { "application/json": { schema: resolver(route.body) } } } }),
    ...(route.bodyType === undefined ? {} : { requestBody: { content: { [route.bodyType]: {} } } }),
    responses: Object.fromEntries([
      ...Object.entries(route.answers).map(([status, answer]) => [status, answerOf(answer)]),
      ...[...statuses].map((status) => [status, problemOfStatus(status)]),
    ]),
  });
}
