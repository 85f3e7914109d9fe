/**
 * The application: mounts the edges, hands them the platform, answers what they leave and logs each request.
 *
 * @packageDocumentation
 */
import { Hono, type MiddlewareHandler } from "hono";
import { decide } from "./access/decide.ts";
import type { RegisterRequest } from "./access/directory.ts";
import { repositoryKey, type RepositoryName } from "./access/names.ts";
import type { Allowance } from "./access/quotas.ts";
import { withoutTokens } from "./access/token.ts";
import { toHex } from "./bytes/hex.ts";
import type { ApiEnv, ApiHost, MirrorHost } from "./api/api-host.ts";
import { apiRoutes } from "./api/v1/routes.ts";
import type { Tenant } from "./cloudflare/durable-tenants.ts";
import type { IsolateTools } from "./cloudflare/isolate-tools.ts";
import { OrdinaryNames } from "./cloudflare/mirror-reader.ts";
import { RequestStorage } from "./cloudflare/open-repository.ts";
import { allowsPrivate, type Env } from "./env.ts";
import { RateLimits } from "./cloudflare/rate-limits.ts";
import { type Credentials, readCredentials } from "./http/authenticate.ts";
import { dumbRoutes } from "./http/dumb-routes.ts";
import { FormatCache } from "./http/format-cache.ts";
import { GitRefusal } from "./http/git-failure.ts";
import { gitRoutes } from "./http/git-routes.ts";
import type { Host, Identity } from "./http/host.ts";
import { identifier, type RequestBounds } from "./http/identify.ts";
import { hasTokenInQuery, TOKEN_IN_QUERY } from "./http/query-tokens.ts";
import { type LoggedNote, logged, logRequest } from "./http/log.ts";
import { problemOf, problemResponse } from "./http/problem.ts";
import { explainRegisterRefusal } from "./http/register-refusal.ts";
import { UnboundedTenants } from "./http/unbounded-tenants.ts";
import { formatServerInfo, SERVER_INFO_REQUEST } from "./maintenance/server-info.ts";
import { verifySignature } from "./signing/verify.ts";
import type { Repository } from "./repository/repository.ts";
import { formatServerTiming, type RequestCounts } from "./repository/request-counts.ts";

/** What the application is built from, once an isolate. */
export type AppOptions = {
  /** The release, as `package.json` says. */
  readonly version: string;
  /** How the host calls itself, to clients and to upstreams. */
  readonly agent: string;
  readonly tools: IsolateTools;
};

/** Bytes of randomness in what the log knows a request by. */
const SESSION_ID_BYTES = 16;

type AppEnv = ApiEnv & { readonly Bindings: Env };

/** Work of one request that outlives the call that answered it. */
class Lifetime {
  readonly #work: Promise<unknown>[] = [];

  add(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  /** Settles when all is done, also what was added meanwhile. */
  async ended(): Promise<void> {
    for (let at = 0; at < this.#work.length; at++) {
      await Promise.allSettled([this.#work[at]]);
    }
  }
}

/** What a request's host is made from beside its storage. */
type HostParts = Pick<
  Host,
  "agent" | "sessionId" | "note" | "client" | "formats" | "unbounded" | "pushCertSeed" | "until"
> & {
  readonly credentials: Credentials;
  readonly bounds: RequestBounds;
  readonly ordinary: OrdinaryNames;
};

/** Enters a repository with its tenant before a push makes it. */
async function register(
  tenant: Tenant,
  identity: Promise<Identity>,
  request: Pick<RegisterRequest, "repo" | "objectFormat" | "visibility">,
): Promise<string> {
  const { principal } = await identity;
  const { repo, objectFormat, visibility } = request;
  const byOperator = principal.kind === "operator";
  const answer = await tenant.register({ repo, objectFormat, visibility, byPush: true, byOperator });
  if (answer.kind === "registered") return answer.id;
  const { status, detail } = explainRegisterRefusal(answer.why);
  throw new GitRefusal(status, detail);
}

/** An empty secret is none: it would be known to all. */
function secretsOf({ PUSH_CERT_SEED: pushCertSeed }: Env): Pick<Host, "pushCertSeed"> {
  return pushCertSeed === undefined || pushCertSeed === "" ? {} : { pushCertSeed };
}

/** Names who asks before it is known who that is. */
function callerOf(credentials: Credentials, client: string): string {
  if (credentials.kind === "unchecked") return `token:${toHex(credentials.hash)}`;
  return credentials.kind === "operator" ? "operator" : `${credentials.kind}:${client}`;
}

function hostOf(storage: RequestStorage, { credentials, bounds, ordinary, ...parts }: HostParts): Host {
  const identify = identifier(credentials, (tenant) => storage.tenant(tenant), bounds);
  const reader = (name: RepositoryName): Repository =>
    storage.reader(name, {
      ordinary,
      caller: callerOf(credentials, parts.client),
      mayRead: async (record) => decide((await identify(name)).principal, "read", name, record) === "allow",
    });
  return {
    ...parts,
    known: credentials.kind === "unchecked" ? undefined : credentials,
    identify,
    admitted: (name) => ordinary.share(repositoryKey(name), callerOf(credentials, parts.client), Date.now()),
    repository: (name) => {
      // What it throws is told to whoever asks who it is.
      identify(name).catch(() => undefined);
      return reader(name);
    },
    historic: (name, at) => {
      identify(name).catch(() => undefined);
      return storage.historic(name, at);
    },
    allowance: (name) => allowanceOf(storage, { identify, unbounded: parts.unbounded }, name),
    verifySignature: async (name, signature, payload) => {
      const keys = (await storage.tenant(name.tenant).signingKeys()) ?? [];
      return verifySignature(signature, payload, { keys, now: Date.now() });
    },
    register: (name, made) => register(storage.tenant(name.tenant), identify(name), { repo: name.repo, ...made }),
    packBody: (id, pack, extension, range) => storage.packBody(id, { pack, extension }, range),
    plainFile: async (name, file, admit) => {
      identify(name).catch(() => undefined);
      // From where the packs are read, too: one must not name what the other does not have.
      const { refs } = reader(name);
      const snapshot = await refs.open(SERVER_INFO_REQUEST);
      await admit(snapshot.kind === "found" ? snapshot.record : undefined);
      if (snapshot.kind === "missing") throw new Error("a missing repository was admitted");
      return formatServerInfo(file, snapshot, { repository: repositoryKey(name), packName: (pack) => pack.checksum });
    },
    counts: () => storage.counters.counts(),
  };
}

/** Gives what bounds a push to a repository: learnt with the token, or asked for the operator. */
async function allowanceOf(
  storage: RequestStorage,
  { identify, unbounded }: Pick<Host, "identify" | "unbounded">,
  name: RepositoryName,
): Promise<Partial<Allowance>> {
  const { principal, allowance } = await identify(name);
  const now = Date.now();
  // Nobody else pushes here.
  if (principal.kind !== "operator" || unbounded.has(name.tenant, now)) return allowance ?? {};
  const asked = (await storage.tenant(name.tenant).allowance(name.repo)) ?? {};
  unbounded.note(name.tenant, asked, now);
  return asked;
}

function mirrorHost(storage: RequestStorage): MirrorHost {
  const { mirrors } = storage;
  return {
    store: (name) => storage.mirror(repositoryKey(name)),
    leastInterval: mirrors.leastInterval,
    secrets: {
      canSeal: () => mirrors.canSeal,
      seal: (secret, context) => mirrors.seal(secret, context),
      open: (secret, context) => mirrors.open(secret, context),
    },
  };
}

/** Says what the request has cost; of one that was refused for its credentials nothing, since that tells what was looked at. */
function serverTiming(status: number, counts: RequestCounts): string {
  return formatServerTiming(status === 401 ? { r2r: 0, r2w: 0, r2b: 0, do: 0, kv: 0, rt: 0 } : counts);
}

/** Makes the platform for each request, and logs it when its answer has gone out. */
function withPlatform(options: AppOptions): MiddlewareHandler<AppEnv> {
  const formats = new FormatCache();
  const ordinary = new OrdinaryNames();
  const unbounded = new UnboundedTenants();
  const limits = new RateLimits();
  return async (context, next) => {
    const began = Date.now();
    const storage = new RequestStorage(context.env, options.tools, options.agent);
    const sessionId = toHex(crypto.getRandomValues(new Uint8Array(SESSION_ID_BYTES)));
    const note: LoggedNote = {};
    const lifetime = new Lifetime();
    const client = context.req.header("CF-Connecting-IP") ?? "";
    const host = hostOf(storage, {
      credentials: readCredentials(context.req.header("Authorization"), context.env.ADMIN_TOKEN),
      agent: options.agent,
      sessionId,
      note: (said) => void Object.assign(note, logged(said)),
      client,
      bounds: limits.forClient(context.env, client),
      ...secretsOf(context.env),
      formats,
      unbounded,
      ordinary,
      until: (work) => lifetime.add(work),
    });
    context.set("host", host);
    const api: ApiHost = {
      settings: (name) => {
        host.identify(name).catch(() => undefined);
        return storage.refs(repositoryKey(name));
      },
      tenant: (name) => storage.tenant(name),
      directory: () => storage.directory(),
      uploadParts: (id) => storage.uploadParts(id),
      bareFiles: (id) => storage.bareFiles(id),
      hooks: (name) => storage.hooks(repositoryKey(name)),
      subscribe: (name, request) => storage.subscribe(repositoryKey(name), request),
      allowPrivate: allowsPrivate(context.env),
      mirrors: mirrorHost(storage),
    };
    context.set("api", api);
    await next();
    context.header("Server-Timing", serverTiming(context.res.status, storage.counters.counts()));
    const { status } = context.res;
    const { method, path } = context.req;
    const logging = lifetime.ended().then(() =>
      logRequest({
        method: context.req.raw.method === "HEAD" ? "HEAD" : method,
        path: withoutTokens(path),
        status,
        sid: sessionId,
        ...note,
        ms: Date.now() - began,
        ...storage.counters.counts(),
        wasm: options.tools.kernels.takeHighest(),
      }),
    );
    context.executionCtx.waitUntil(logging);
  };
}

/** Builds the application. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get("/healthz", (context) => context.json({ ok: true, version: options.version }));
  app.use(withPlatform(options));
  app.use(async (context, next) => {
    if (!hasTokenInQuery(new URL(context.req.url).searchParams)) return next();
    return problemResponse(400, TOKEN_IN_QUERY);
  });
  app.route("/api/v1", apiRoutes());
  app.all("/api/*", () => problemResponse(404, "The API's version is 1: /api/v1."));
  app.route("/", gitRoutes());
  app.route("/", dumbRoutes());
  app.notFound(() => problemResponse(404, "There is nothing here."));
  app.onError((error) => problemOf(error));
  return app;
}
