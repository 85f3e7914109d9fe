/**
 * How the facade asks the API itself: within the same request, as the same caller. So whatever changes a repository
 * passes the rules, the checks and the audit log of version 1, and there is no second way in.
 *
 * @packageDocumentation
 */
import { type Context, Hono } from "hono";
import * as v from "valibot";
import { problemOf } from "../../http/problem.ts";
import { withQuery } from "../../http/content-address.ts";
import { urlOfPath } from "../../http/path-segments.ts";
import type { ApiEnv } from "../api-host.ts";
import { auditedRoutes } from "../v1/audited-routes.ts";
import { GitHubProblem } from "./answers.ts";

/** The variables of requests that are handed on. */
const handedOn = new WeakMap<Request, ApiEnv["Variables"]>();
let routes: Hono<ApiEnv> | undefined;

function mounted(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(async (context, next) => {
    const variables = handedOn.get(context.req.raw);
    context.set("host", variables?.host ?? context.var.host);
    context.set("api", variables?.api ?? context.var.api);
    await next();
  });
  app.route("/api/v1", auditedRoutes());
  app.onError((error) => problemOf(error));
  return app;
}

/** A request to the API. `path` begins behind `/api/v1/repos/{tenant}/{repo}`, and is percent-encoded. */
export type Asked = {
  readonly method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  /** Values have one character per byte. */
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: object;
  /** A body of bytes. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
};

const JSON_TYPE = { "Content-Type": "application/json" };

function bodyOf({ json, bytes }: Asked): RequestInit {
  if (json !== undefined) return { headers: JSON_TYPE, body: JSON.stringify(json) };
  if (bytes === undefined) return {};
  return { headers: { "Content-Length": String(bytes.length) }, body: bytes };
}

/** Asks the API about the repository of the request's path, and returns its answer, whatever that is. */
export async function ask(context: Context<ApiEnv>, asked: Asked): Promise<Response> {
  const { tenant = "", repo = "" } = context.req.param(); // Every route here has both.
  return await askAt(context, `/repos/${encodeURIComponent(tenant)}/${encodeURIComponent(repo)}`, asked);
}

/** Asks the API below a path that begins behind `/api/v1`. @throws GitHubProblem if a URL has no such path */
export async function askAt(context: Context<ApiEnv>, below: string, asked: Asked): Promise<Response> {
  const { method = "GET", path, query = {} } = asked;
  const target = urlOfPath(`/api/v1${below}${path}`, context.req.url);
  // A name that the client gave has "..", say: the request would be about something else.
  if (target === undefined) throw new GitHubProblem(404, "Not Found");
  target.search = withQuery("", query);
  const request = new Request(target, { method, ...bodyOf(asked), signal: context.req.raw.signal });
  handedOn.set(request, { host: context.var.host, api: context.var.api });
  routes ??= mounted();
  return await routes.fetch(request, context.env);
}

const problem = v.looseObject({ status: v.number(), detail: v.string(), code: v.optional(v.string()) });

/** Returns an answer that is no refusal. @throws GitHubProblem with the API's own words, and the code that it gave. */
export async function done(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const { status, detail, code } = v.parse(problem, await answer.json());
  throw new GitHubProblem(status, detail, { headers: answer.headers, ...(code === undefined ? {} : { code }) });
}

/** Asks the API, and returns what is needed of its answer. @throws GitHubProblem */
export async function askJson<const T extends v.GenericSchema>(
  context: Context<ApiEnv>,
  asked: Asked,
  schema: T,
): Promise<v.InferOutput<T>> {
  const answer = await done(await ask(context, asked));
  return v.parse(schema, await answer.json());
}
