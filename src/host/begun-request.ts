/**
 * The life of one request, or of one session on a connection: it begins with what the platform is made from for it, and
 * ends with its line in the log and in the counters.
 *
 * @packageDocumentation
 */
import type { PublicPage } from "../api/api-host.ts";
import { toHex } from "../bytes/hex.ts";
import type { IsolateTools } from "../cloudflare/isolate-tools.ts";
import { OrdinaryNames } from "../cloudflare/mirror-reader.ts";
import { RequestStorage } from "../cloudflare/open-repository.ts";
import { RateLimits } from "../cloudflare/rate-limits.ts";
import { deploymentSecret, type Env } from "../env.ts";
import type { Credentials } from "../http/authenticate.ts";
import { FormatCache } from "../http/format-cache.ts";
import type { RequestBounds } from "../http/identify.ts";
import { logDamage, logRequest } from "../http/log.ts";
import { PublicPages } from "../http/public-pages.ts";
import { RecentReaders } from "../http/recent-readers.ts";
import { UnboundedTenants } from "../http/unbounded-tenants.ts";
import { BegunBlames } from "../web/begun-blames.ts";
import { BegunChanges } from "../web/begun-changes.ts";
import { dataPointOf } from "./data-point.ts";
import { Lifetime } from "./lifetime.ts";
import type { Meter } from "./meter.ts";
import { passOnLater } from "./pass-on.ts";
import { type EndedRequest, requestLine } from "./request-line.ts";
import { type IsolateMemory, RequestHost } from "./request-host.ts";

/** Random bytes in the id by which the log knows a request. */
const SESSION_ID_BYTES = 16;

/** What one isolate remembers from one request to the next, whichever door it came by. */
export type IsolateState = {
  readonly memory: IsolateMemory;
  readonly limits: RateLimits;
  readonly pages: PublicPages<PublicPage>;
  readonly changes: BegunChanges;
  readonly blames: BegunBlames;
};

/** The parts that the platform is made from, once per isolate. */
export type PlatformOptions = {
  /** The host's name for itself, to clients and to upstreams. */
  readonly agent: string;
  readonly tools: IsolateTools;
  readonly meter: Meter;
  readonly state: IsolateState;
};

/** Makes the memory of an isolate, which is empty. */
export function isolateState(): IsolateState {
  const memory = {
    formats: new FormatCache(),
    ordinary: new OrdinaryNames(),
    recent: new RecentReaders(),
    unbounded: new UnboundedTenants(),
  };
  const begun = { changes: new BegunChanges(), blames: new BegunBlames() };
  return { memory, limits: new RateLimits(), pages: new PublicPages(), ...begun };
}

/** What is known of a request before anything is done for it. */
export type AskedRequest = {
  readonly credentials: Credentials;
  /** The client's address; "" if the platform does not tell it. */
  readonly client: string;
  /** The address that the request is for. */
  readonly url: string;
  /** Where the host is reached by HTTP; absent if it is not known. */
  readonly origin?: string;
  /** Aborted when the client has reset its connection. */
  readonly signal: AbortSignal;
  /** Returns the bounds of this request; those of its client if absent. */
  readonly bounds?: (ofClient: RequestBounds) => RequestBounds;
};

/** A request that has begun. */
export type BegunRequest = {
  readonly storage: RequestStorage;
  readonly host: RequestHost;
  readonly lifetime: Lifetime;
  /** When it came, in milliseconds since the epoch. */
  readonly began: number;
};

/** Makes the platform for one request. */
export function beginRequest(platform: PlatformOptions, env: Env, asked: AskedRequest): BegunRequest {
  const { agent, tools, state } = platform;
  const began = Date.now();
  const storage = new RequestStorage(env, tools, agent);
  asked.signal.addEventListener("abort", () => storage.cutOff());
  const lifetime = new Lifetime();
  const ofClient = state.limits.forClient(env, asked.client);
  const host = new RequestHost({
    storage,
    memory: state.memory,
    credentials: asked.credentials,
    bounds: asked.bounds?.(ofClient) ?? ofClient,
    lifetime,
    client: asked.client,
    url: asked.url,
    origin: asked.origin,
    ticketSecret: deploymentSecret(env),
    agent,
    sessionId: toHex(crypto.getRandomValues(new Uint8Array(SESSION_ID_BYTES))),
    pushCertSeed: env.PUSH_CERT_SEED,
  });
  return { storage, host, lifetime, began };
}

/** Waits until everything that a request has left behind is done, and then logs and counts it. */
export async function endRequest(
  { meter, tools }: PlatformOptions,
  env: Env,
  { storage, host, lifetime, began }: BegunRequest,
  ended: Pick<EndedRequest, "request" | "status">,
): Promise<void> {
  await lifetime.ended();
  for (const file of await storage.reportDamage()) logDamage(file);
  const line = requestLine({ ...ended, host, began, wasm: tools.kernels.takeHighest() });
  logRequest(line);
  env.USAGE?.writeDataPoint(dataPointOf(line));
  meter.request(line, host.countsForTenant && ended.status < 400 ? line.tenant : undefined);
  passOnLater(env, meter);
}
