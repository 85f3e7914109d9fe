/**
 * Runs one session that came on a connection, as HTTP's middleware runs a request: with the same admission, bounds,
 * counters and line in the log.
 *
 * @packageDocumentation
 */
import { type SessionRunner, serveSession } from "../doors/session.ts";
import type { Env } from "../env.ts";
import { beginRequest, endRequest, type PlatformOptions } from "./begun-request.ts";

/** Returns the function that runs sessions. */
export function sessionRunner(platform: PlatformOptions, env: Env): SessionRunner {
  return async ({ door, credentials, address, agent, ...session }) => {
    const url = new URL("https://connection.invalid/");
    url.pathname = `${session.path}/${session.service}`;
    const { signal } = session.client;
    const origin = env.ORIGIN === undefined ? {} : { origin: env.ORIGIN };
    const begun = beginRequest(platform, env, { credentials, client: address, url: url.href, signal, ...origin });
    const end = await serveSession({ ...session, host: begun.host });
    const request = { method: door, url: url.href, headers: new Headers({ "User-Agent": agent }) };
    await endRequest(platform, env, begun, { request, status: end.status });
    return end;
  };
}
