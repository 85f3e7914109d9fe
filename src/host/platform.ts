/**
 * The middleware that every HTTP request except a health check passes. It gives the platform to the routes, reports the
 * request's cost in `Server-Timing`, and logs the request when its answer has gone out.
 *
 * @packageDocumentation
 */
import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "../api/api-host.ts";
import { allowsPrivate, deploymentSecret, listsPublic, type Env } from "../env.ts";
import { type Credentials, readCredentials, tokenOf } from "../http/authenticate.ts";
import type { RequestBounds } from "../http/identify.ts";
import { isLfsTicket, parseLfsTicket } from "../http/lfs-ticket.ts";
import { isReadTicket, openReadTicket, ticketInAddress } from "../http/read-ticket.ts";
import { sessionToken } from "../http/page-cookie.ts";
import { isPagePath } from "../http/page-paths.ts";
import { formatServerTiming, type RequestCounts } from "../repository/request-counts.ts";
import type { PageEnv } from "../web/page-host.ts";
import { apiHost } from "./api-host.ts";
import { boundCredentials } from "./bound-request.ts";
import { passOn } from "./pass-on.ts";
import { beginRequest, endRequest, type PlatformOptions } from "./begun-request.ts";
import { measured } from "./request-line.ts";

/** The type of Hono's environment in the whole application. */
export type AppEnv = ApiEnv &
  PageEnv & {
    readonly Bindings: Env;
    readonly Variables: {
      /** The credentials as a header, from a cookie or as they came; absent for an anonymous caller. */
      readonly authorization: string | undefined;
    };
  };

/** The costs that are reported for a refused request: the real ones would tell what was looked at. */
const NOT_TOLD: RequestCounts = { r2r: 0, r2w: 0, r2b: 0, do: 0, kv: 0, rt: 0 };

/** Returns a file of `build/assets`, if the deployment has it. */
async function assetOf({ ASSETS }: Env, name: string): Promise<ReadableStream | undefined> {
  const answer = await ASSETS?.fetch(`https://assets/-/${name}`);
  return answer?.status === 200 && answer.body !== null ? answer.body : undefined;
}

/**
 * Returns a request's credentials, as a header. Those that a program sends count everywhere, and the cookie of a
 * browser only for pages.
 */
async function authorizationOf({ req, env }: Context<AppEnv>): Promise<string | undefined> {
  const sent = req.header("Authorization");
  const secret = deploymentSecret(env);
  if (sent !== undefined || secret === undefined || !isPagePath(req.path)) return sent;
  const token = await sessionToken(req.raw.headers, secret, Date.now());
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** Returns the ticket to read that a request has: as its token, or in its address. */
function readTicketOf(req: Request, authorization: string | undefined): string | undefined {
  if (authorization === undefined) return ticketInAddress(req.url);
  const token = tokenOf(authorization);
  return isReadTicket(token) ? token : undefined;
}

/** Reads a request's credentials: a token, or a ticket that stands for others. */
async function credentialsOf({ req, env }: Context<AppEnv>, authorization: string | undefined): Promise<Credentials> {
  const reads = readTicketOf(req.raw, authorization);
  if (reads !== undefined) {
    const secret = deploymentSecret(env);
    if (secret === undefined) return { kind: "invalid" };
    return await openReadTicket(reads, { path: req.path, secret, now: Date.now() });
  }
  if (authorization === undefined || !isLfsTicket(authorization))
    return readCredentials(authorization, env.ADMIN_TOKEN);
  const secret = deploymentSecret(env);
  const ticket = secret === undefined ? undefined : parseLfsTicket(authorization, req.path, secret, Date.now());
  return ticket ?? { kind: "invalid" };
}

/**
 * Returns the bounds for the token of a cookie. It was in force when it was sealed here, so that one which is not any
 * more is no guess, and must not shut others out who have the same address.
 */
function sealedBounds(bounds: RequestBounds): RequestBounds {
  return {
    isShut: () => false,
    admitsAfterWrongToken: async () => true,
    admitsRequest: async (tenant) => await bounds.admitsRequest(tenant),
  };
}

/** The requests that pages make of the host itself with the token of a cookie. */
const ofCookies = new WeakSet<Request>();

/** Notes that a request's token is that of a cookie, though the request has it in a header. Returns the request. */
export function withTokenOfCookie(request: Request): Request {
  ofCookies.add(request);
  return request;
}

/** Makes the platform for each request, and logs the request when its answer has gone out. */
export function withPlatform(platform: PlatformOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const { env, req } = context;
    const bound = boundCredentials(req.raw);
    const authorization = bound === undefined ? await authorizationOf(context) : undefined;
    context.set("authorization", authorization);
    const isFromCookie =
      authorization !== undefined && (req.header("Authorization") === undefined || ofCookies.has(req.raw));
    const begun = beginRequest(platform, env, {
      credentials: bound ?? (await credentialsOf(context, authorization)),
      // Off Cloudflare no address is known.
      client: req.header("CF-Connecting-IP") ?? "",
      url: req.url,
      origin: new URL(req.url).origin,
      signal: req.raw.signal,
      ...(isFromCookie ? { bounds: sealedBounds } : {}),
    });
    const { host, storage } = begun;
    context.set("host", host);
    const flushUsage = (): Promise<void> => passOn(env, platform.meter);
    const ticketSecret = deploymentSecret(env);
    const asset = (name: string): Promise<ReadableStream | undefined> => assetOf(env, name);
    const given = {
      allowPrivate: allowsPrivate(env),
      listsPublic: listsPublic(env),
      publicPages: platform.state.pages,
    };
    context.set("api", apiHost(storage, host, { ...given, asset, flushUsage, ticketSecret }));
    await next();
    const counted = await measured(context.res, host.traffic);
    if (counted !== context.res) context.res = counted;
    context.header("X-Request-Id", host.sessionId);
    context.header("Server-Timing", formatServerTiming(host.isRefused ? NOT_TOLD : host.counts()));
    const { status } = context.res;
    context.executionCtx.waitUntil(endRequest(platform, env, begun, { request: req.raw, status }));
  };
}
