/**
 * The application: mounts the edges on the platform, and answers requests that they leave.
 *
 * @packageDocumentation
 */
import { type Context, Hono } from "hono";
import type { HonoOptions } from "hono/hono-base";
import { getPath } from "hono/utils/url";
import { deploymentSecret } from "./env.ts";
import { storageChecks } from "./cloudflare/storage-checks.ts";
import { loadedRoutes } from "./host/loaded-routes.ts";
import { hostStatus } from "./host/host-status.ts";
import { keptPages } from "./host/page-cache.ts";
import { metricsPage } from "./host/metrics.ts";
import { type AppEnv, withPlatform, withTokenOfCookie } from "./host/platform.ts";
import type { PlatformOptions } from "./host/begun-request.ts";
import { socketRoutes } from "./doors/routes.ts";
import { bundleRoutes } from "./http/bundle-routes.ts";
import { corsHeaders, preflightAnswer } from "./http/cors.ts";
import { FOREIGN_PAGE, isForeignPage } from "./http/cross-origin.ts";
import { dumbRoutes } from "./http/dumb-routes.ts";
import { gitRoutes } from "./http/git-routes.ts";
import { deepHealth } from "./http/health.ts";
import { goImportRoutes } from "./http/go-import.ts";
import { lfsLockRoutes } from "./http/lfs-lock-routes.ts";
import { lfsRoutes } from "./http/lfs-routes.ts";
import { problemOf, problemResponse } from "./http/problem.ts";
import { ROBOTS } from "./http/robots.ts";
import { urlOfPath, withoutEmptySegments } from "./http/path-segments.ts";
import type { PageHost } from "./web/page-host.ts";
import { pageRoutes } from "./web/routes.ts";
import { hasTokenInQuery, TOKEN_IN_QUERY } from "./http/query-tokens.ts";

/** The parts that the application is built from, once per isolate. */
export type AppOptions = PlatformOptions & {
  /** The release, from `package.json`. */
  readonly version: string;
  /** The state of the sources that this is made from. */
  readonly build: string;
};

/** Groups of routes that are loaded when the first request for one of them comes, by what their paths begin with. */
export const LOADED_ROUTES: Readonly<Record<string, () => Promise<Hono<AppEnv>>>> = {
  "/api/v1": async () => new Hono<AppEnv>().route("/", (await import("./api/v1/audited-routes.ts")).auditedRoutes()),
  "/api/v3": async () => new Hono<AppEnv>().route("/", (await import("./api/v3/routes.ts")).facadeRoutes()),
};

/** How the application finds the path of a request. */
const OPTIONS: HonoOptions<AppEnv> = { getPath: (request) => withoutEmptySegments(getPath(request)) };

/** The path from which `npm install --global` gets the command. */
const COMMAND_PACKAGE = "/-/thinpack.tgz";

/** Returns the command as a package, if the deployment has it. */
async function commandPackage(assets: AppEnv["Bindings"]["ASSETS"], url: string): Promise<Response> {
  if (assets === undefined) return problemResponse(404, "This deployment does not have the command.");
  return await assets.fetch(url);
}

/**
 * Returns the platform for a page. It asks the API within the same request, with the credentials of the visitor's
 * cookie: so what a page does passes every check that the API has, and is written into the same audit log.
 */
function pageHost(app: Hono<AppEnv>, context: Context<AppEnv>, options: AppOptions): PageHost {
  const { env, req, var: known } = context;
  const ask = async (asked: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const isOfVisitor = known.authorization !== undefined && !headers.has("Authorization");
    if (isOfVisitor) headers.set("Authorization", known.authorization);
    const client = req.header("CF-Connecting-IP");
    if (client !== undefined) headers.set("CF-Connecting-IP", client);
    const target = urlOfPath(asked, req.url);
    if (target === undefined) return problemResponse(404, "There is nothing here.");
    const request = new Request(target, { ...init, headers });
    if (isOfVisitor && req.header("Authorization") === undefined) withTokenOfCookie(request);
    return await app.fetch(request, env, context.executionCtx);
  };
  return {
    secret: deploymentSecret(env),
    isAnonymous: known.authorization === undefined,
    isSignedIn: known.authorization !== undefined && req.header("Authorization") === undefined,
    api: async (path, init = {}) => await ask(`/api/v1${path}`, init),
    page: async (path, init = {}) => await ask(path, init),
    sshPort: sshPortOf(env),
    build: options.build,
    changes: options.state.changes,
    blames: options.state.blames,
    kept: keptPages((work) => context.executionCtx.waitUntil(work)),
    status: async () => await hostStatus(env, options),
    lfs: async (repository, path, init = {}) => await ask(`/${repository}.git/info/lfs${path}`, init),
  };
}

/** Returns the first of the ports for SSH, if the deployment has keys for it. */
function sshPortOf({ SSH_HOST_KEYS: keys = "", SSH_PORT: ports = "22" }: AppEnv["Bindings"]): string | undefined {
  return keys === "" ? undefined : ports.split(",")[0]?.trim();
}

/** Returns a file that pages need: a style, a script, an icon. */
async function pageAsset(assets: AppEnv["Bindings"]["ASSETS"], url: string): Promise<Response> {
  const answer = await assets?.fetch(url);
  return answer?.ok === true ? answer : problemResponse(404, "There is no such file.");
}

/** Builds the application. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>(OPTIONS);
  app.use(async (context, next) => {
    const { ALLOWED_ORIGINS } = context.env;
    const preflight = preflightAnswer(context.req.raw, ALLOWED_ORIGINS);
    if (preflight !== undefined) return preflight;
    await next();
    // No browser takes an answer for anything other than what it says it is: not even a ref's name for a script.
    context.header("X-Content-Type-Options", "nosniff");
    const cors = corsHeaders(context.req.raw, ALLOWED_ORIGINS);
    if (cors === undefined) return undefined;
    for (const [name, value] of Object.entries(cors)) context.header(name, value);
    context.header("Vary", "Origin", { append: true });
    return undefined;
  });
  app.get("/healthz", async ({ req, env }) => {
    const { version } = options;
    if (req.query("deep") !== "1") return Response.json({ ok: true, version });
    return await deepHealth(req.raw, { version, adminToken: env.ADMIN_TOKEN, storages: storageChecks(env) });
  });
  app.get("/robots.txt", (context) => context.text(ROBOTS, 200, { "Cache-Control": "public, max-age=86400" }));
  app.get("/metrics", ({ req, env }) => metricsPage(req.raw, env, options));
  // On a deployed host the platform serves it before this Worker is called.
  app.get(COMMAND_PACKAGE, (context) => commandPackage(context.env.ASSETS, context.req.url));
  app.get("/-/assets/*", (context) => pageAsset(context.env.ASSETS, context.req.url));
  app.use(withPlatform(options));
  app.use(async (context, next) => {
    if (!hasTokenInQuery(new URL(context.req.url).searchParams)) return next();
    return problemResponse(400, TOKEN_IN_QUERY);
  });
  app.use(async (context, next) => {
    if (!isForeignPage(context.req.raw, context.env.ALLOWED_ORIGINS)) return next();
    return problemResponse(403, FOREIGN_PAGE);
  });
  for (const [path, load] of Object.entries(LOADED_ROUTES)) app.all(`${path}/*`, loadedRoutes(path, load, OPTIONS));
  app.all("/api/*", () => problemResponse(404, "The API is at /api/v1, and in GitHub's shapes at /api/v3."));
  app.route("/", goImportRoutes());
  app.use(async (context, next) => {
    context.set("page", pageHost(app, context, options));
    await next();
  });
  app.route("/", pageRoutes());
  app.route("/", socketRoutes());
  app.route("/", gitRoutes());
  app.route("/", lfsLockRoutes());
  app.route("/", lfsRoutes());
  app.route("/", bundleRoutes());
  app.route("/", dumbRoutes());
  app.notFound(() => problemResponse(404, "There is nothing here."));
  app.onError((error) => problemOf(error));
  return app;
}
