/**
 * Describes a route. What describes it is also what it holds requests to: its schemas are the ones that bodies are
 * checked against and answers are written by. The API's description is made from this when the Worker is built. The
 * Worker itself has only what requests are held to: the bundle leaves the words out (`scripts/worker-bundle.mjs`).
 *
 * @packageDocumentation
 */
import type { Handler, MiddlewareHandler } from "hono";
import type * as v from "valibot";
import { checkRequest } from "./strict-request.ts";

/** A parameter of the query. */
type QueryParameter = { readonly about: string; readonly type?: "integer" };

/** An answer that is not a problem: JSON by a schema, bytes of a type, or nothing. */
export type DescribedAnswer = { readonly about: string; readonly json?: v.GenericSchema; readonly type?: string };

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
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
  /** Statuses of problems beside those that any request may get. */
  readonly problems?: readonly number[];
  /** Whether it takes an `Idempotency-Key`. */
  readonly takesKey?: true;
  /** Open to everybody, or needing a token; by default a token is needed for what is private. */
  readonly access?: "everybody" | "token";
};

/** Parameters of lists. */
export const PAGING = {
  cursor: { about: "Where the list goes on: the `cursor` of the page before." },
  limit: { about: "The most that one page may have.", type: "integer" },
} as const satisfies Record<string, QueryParameter>;

/** The answer to a client that has what it asks for. */
export const NOT_MODIFIED: DescribedAnswer = { about: "It is what `If-None-Match` names." };

const DESCRIPTIONS = new WeakMap<object, RouteDescription>();

/** Makes the middleware that carries a route's description, and refuses requests for what it does not name. */
export function describe(route: RouteDescription): MiddlewareHandler {
  const query = Object.keys(route.query ?? {});
  const takesBody = route.body !== undefined || route.bodyType !== undefined;
  const check: MiddlewareHandler = async (context, next) => {
    await checkRequest(context.req.raw, { query, takesBody, takesKey: route.takesKey === true });
    await next();
  };
  DESCRIPTIONS.set(check, route);
  return check;
}

/** Returns the description that a handler carries, if it was made by {@link describe}. */
export function descriptionOf(handler: Handler): RouteDescription | undefined {
  return DESCRIPTIONS.get(handler);
}
