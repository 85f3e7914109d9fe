/**
 * Refuses what a route does not know, so that an answer never ignores a part of the request. Only the query parameters
 * that the route's description names are accepted, each once. A route whose description has no body takes none, and one
 * that does not say that it takes a key has none.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { InvalidRequest, Problem } from "../http/problem.ts";
import { queryFault } from "../http/strict-query.ts";
import { readJson } from "./json-body.ts";
import { suggestion } from "./suggestion.ts";

/** Characters of a name that an answer repeats. */
const MOST_SHOWN = 100;
/** The body of a route that takes none. */
const NOTHING = v.strictObject({});

function refuse(code: string, name: string, why: string): never {
  const shown = name.slice(0, MOST_SHOWN).toWellFormed();
  throw new InvalidRequest(code, [{ parameter: shown, detail: why }]);
}

function checkQuery(url: string, known: readonly string[]): void {
  const fault = queryFault(url);
  if (fault !== undefined) refuse("malformed_parameter", fault.parameter, fault.detail);
  const { searchParams: query } = new URL(url);
  const seen = new Set<string>();
  for (const name of query.keys()) {
    const shown = JSON.stringify(name.slice(0, MOST_SHOWN).toWellFormed());
    if (!known.includes(name)) {
      const guess = suggestion(name, known);
      const takes = known.length === 0 ? "; this takes none" : `; this takes ${known.join(", ")}`;
      refuse("unknown_parameter", name, `unknown parameter ${shown}${guess === "" ? takes : guess}`);
    }
    if (seen.has(name)) refuse("repeated_parameter", name, `the parameter ${shown} is given more than once`);
    seen.add(name);
  }
}

/** What a route takes: the names of its parameters, and whether it takes a body and an `Idempotency-Key`. */
type Taken = { readonly query: readonly string[]; readonly takesBody: boolean; readonly takesKey: boolean };

/**
 * Refuses a request that is to be done once, however often it is sent, where it would be done each time. Reading may be
 * repeated.
 *
 * @throws Problem
 */
export function refuseKey(request: Request): void {
  if (request.headers.get("Idempotency-Key") === null) return;
  throw new Problem(422, "Idempotency-Key: this takes none, and would do it again for each request.");
}

/**
 * Checks a request against its route's description.
 *
 * @throws Problem if the request has anything else.
 */
export async function checkRequest(request: Request, { query, takesBody, takesKey }: Taken): Promise<void> {
  checkQuery(request.url, query);
  const mayHaveBody = request.method !== "GET" && request.method !== "HEAD";
  if (mayHaveBody && !takesKey) refuseKey(request);
  if (mayHaveBody && !takesBody && request.body !== null) await readJson(request, NOTHING);
}
