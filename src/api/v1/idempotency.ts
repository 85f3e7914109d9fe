/**
 * Requests that are done once, however often they are sent: those with an `Idempotency-Key`.
 *
 * @packageDocumentation
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import type { Context } from "hono";
import { actorOf, type Principal } from "../../access/principal.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import { toHex } from "../../bytes/hex.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** Characters of a key. */
const LONGEST_KEY = 255;
const KEY = /^[\x21-\x7e]+$/;

/** How answers to such requests are marked that were given before. */
export const REPLAYED = { "Idempotent-Replayed": "true" } as const;

/** One request with a key. What is shown to `hash` tells it from other requests. */
export type KeyedRequest = { readonly key: string; readonly fingerprint: () => string };

/**
 * Returns the key of a request, which counts for its sender and this route, or `undefined` if it has none. `hash` is
 * asked for once, when the request was read.
 *
 * @throws Problem
 */
export function keyedRequest(
  context: Context<ApiEnv>,
  principal: Principal,
  hash: StreamingHash,
): KeyedRequest | undefined {
  const key = context.req.header("Idempotency-Key");
  if (key === undefined) return undefined;
  if (key.length > LONGEST_KEY || !KEY.test(key)) {
    throw new Problem(422, `Idempotency-Key: 1 to ${LONGEST_KEY} visible ASCII characters`);
  }
  let fingerprint: string | undefined;
  const route = context.req.path.split("/").slice(ROUTE_FROM).join("/");
  return {
    key: `${actorOf(principal)} ${context.req.method} ${route} ${key}`,
    fingerprint: () => (fingerprint ??= toHex(hash.digest())),
  };
}

/** `/api/v1/repos/{tenant}/{repo}` comes before what a route is called by: the key lies with the repository. */
const ROUTE_FROM = 6;
