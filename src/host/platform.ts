/**
 * The middleware that every request except a health check passes. It gives the platform to the routes, reports the
 * request's cost in `Server-Timing`, and logs the request when its answer has gone out.
 *
 * @packageDocumentation
 */
import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "../api/api-host.ts";
import { toHex } from "../bytes/hex.ts";
import type { IsolateTools } from "../cloudflare/isolate-tools.ts";
import { OrdinaryNames } from "../cloudflare/mirror-reader.ts";
import { RequestStorage } from "../cloudflare/open-repository.ts";
import { RateLimits } from "../cloudflare/rate-limits.ts";
import { allowsPrivate, deploymentSecret, type Env } from "../env.ts";
import { readCredentials } from "../http/authenticate.ts";
import type { RequestBounds } from "../http/identify.ts";
import { sessionToken } from "../http/page-cookie.ts";
import { isPagePath } from "../http/page-paths.ts";
import { FormatCache } from "../http/format-cache.ts";
import { logRequest } from "../http/log.ts";
import { RecentReaders } from "../http/recent-readers.ts";
import { UnboundedTenants } from "../http/unbounded-tenants.ts";
import { formatServerTiming, type RequestCounts } from "../repository/request-counts.ts";
import type { PageEnv } from "../web/page-host.ts";
import { apiHost } from "./api-host.ts";
import { dataPointOf } from "./data-point.ts";
import type { Meter } from "./meter.ts";
import { passOn, passOnLater } from "./pass-on.ts";
import { Lifetime } from "./lifetime.ts";
import { measured, requestLine } from "./request-line.ts";
import { RequestHost } from "./request-host.ts";

/** The parts that the platform is made from, once per isolate. */
export type PlatformOptions = {
  /** The host's name for itself, to clients and to upstreams. */
  readonly agent: string;
  readonly tools: IsolateTools;
  readonly meter: Meter;
};

/** The type of Hono's environment in the whole application. */
export type AppEnv = ApiEnv &
  PageEnv & {
    readonly Bindings: Env;
    readonly Variables: {
      /** The credentials as a header, from a cookie or as they came; absent for an anonymous caller. */
      readonly authorization: string | undefined;
    };
  };

/** Random bytes in the id by which the log knows a request. */
const SESSION_ID_BYTES = 16;

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

/** The parts of one request that its end needs. */
type Ending = Pick<PlatformOptions, "tools" | "meter"> & { readonly host: RequestHost; readonly lifetime: Lifetime };

async function logWhenEnded(
  { req, res, env }: Context<AppEnv>,
  { host, lifetime, tools, meter }: Ending,
  began: number,
): Promise<void> {
  const { status } = res;
  await lifetime.ended();
  const line = requestLine({ host, request: req.raw, status, began, wasm: tools.kernels.takeHighest() });
  logRequest(line);
  env.USAGE?.writeDataPoint(dataPointOf(line));
  meter.request(line, host.countsForTenant && status < 400 ? line.tenant : undefined);
  passOnLater(env, meter);
}

/** Makes the platform for each request, and logs the request when its answer has gone out. */
export function withPlatform({ agent, tools, meter }: PlatformOptions): MiddlewareHandler<AppEnv> {
  const memory = {
    formats: new FormatCache(),
    ordinary: new OrdinaryNames(),
    recent: new RecentReaders(),
    unbounded: new UnboundedTenants(),
  };
  const limits = new RateLimits();
  return async (context, next) => {
    const began = Date.now();
    const { env, req } = context;
    const storage = new RequestStorage(env, tools, agent);
    req.raw.signal.addEventListener("abort", () => storage.cutOff());
    const lifetime = new Lifetime();
    const authorization = await authorizationOf(context);
    context.set("authorization", authorization);
    const isFromCookie = authorization !== undefined && req.header("Authorization") === undefined;
    // Off Cloudflare no address is known.
    const client = req.header("CF-Connecting-IP") ?? "";
    const host = new RequestHost({
      storage,
      memory,
      credentials: readCredentials(authorization, env.ADMIN_TOKEN),
      bounds: isFromCookie ? sealedBounds(limits.forClient(env, client)) : limits.forClient(env, client),
      lifetime,
      client,
      url: req.url,
      agent,
      sessionId: toHex(crypto.getRandomValues(new Uint8Array(SESSION_ID_BYTES))),
      pushCertSeed: env.PUSH_CERT_SEED,
    });
    context.set("host", host);
    const flushUsage = (): Promise<void> => passOn(env, meter);
    const ticketSecret = deploymentSecret(env);
    const asset = (name: string): Promise<ReadableStream | undefined> => assetOf(env, name);
    context.set("api", apiHost(storage, host, { allowPrivate: allowsPrivate(env), asset, flushUsage, ticketSecret }));
    await next();
    const counted = await measured(context.res, host.traffic);
    if (counted !== context.res) context.res = counted;
    context.header("X-Request-Id", host.sessionId);
    context.header("Server-Timing", formatServerTiming(host.isRefused ? NOT_TOLD : host.counts()));
    context.executionCtx.waitUntil(logWhenEnded(context, { host, lifetime, tools, meter }, began));
  };
}
