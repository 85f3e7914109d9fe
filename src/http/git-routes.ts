/**
 * Git over smart HTTP.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), http-backend.c
 */
import { Hono, type Context } from "hono";
import type { Action } from "../access/decide.ts";
import { parseGitRepositoryName, repositoryKey, type RepositoryName } from "../access/names.ts";
import { actorOf, pusherOf } from "../access/principal.ts";
import type { ByteSink } from "../bytes/byte-stream.ts";
import { advertiseRefs, advertiseV2 } from "../service/advertise.ts";
import type { Exchange } from "../service/exchange.ts";
import { serveReceivePack } from "../service/receive-pack.ts";
import { serveV2 } from "../service/serve-v2.ts";
import { serveUploadPack } from "../service/upload-pack.ts";
import { parseProtocolVersion, type ProtocolVersion } from "../wire/protocol-version.ts";
import { parseServiceName, type ServiceName } from "../wire/service-announcement.ts";
import { requestSource, streamedResponse } from "./body.ts";
import { authorize } from "./denied.ts";
import { gitFailure, GitRefusal, NO_CACHE } from "./git-failure.ts";
import type { Host, HostEnv } from "./host.ts";
import { logFault } from "./log.ts";

/** What a repository that is made by a push looks like. */
const PUSHED_REPOSITORY = {
  visibility: "private",
  head: "refs/heads/main",
  description: "",
} as const;

const ACTIONS: Readonly<Record<ServiceName, Action>> = { "git-upload-pack": "read", "git-receive-pack": "write" };

/** A request for one service of one repository. */
type ServiceRequest = {
  readonly host: Host;
  readonly request: Request;
  readonly name: RepositoryName;
  readonly service: ServiceName;
  readonly version: ProtocolVersion;
};

/** Gives the names in the URL. @throws AccessDenied as for a repository that does not exist. */
function namedRepository(context: Context<HostEnv>, action: Action): RepositoryName {
  const { tenant = "", repo = "" } = context.req.param();
  const name = parseGitRepositoryName(tenant, repo);
  if (name !== undefined) return name;
  authorize(context.var.host.principal, action === "write" ? "read" : action, undefined);
  throw new GitRefusal(404, "Repository not found.");
}

function serviceRequest(context: Context<HostEnv>, service: ServiceName): ServiceRequest {
  return {
    host: context.var.host,
    request: context.req.raw,
    name: namedRepository(context, ACTIONS[service]),
    service,
    version: parseProtocolVersion(context.req.header("Git-Protocol")),
  };
}

function isZipped(request: Request): boolean {
  const encoding = request.headers.get("Content-Encoding")?.toLowerCase();
  return encoding === "gzip" || encoding === "x-gzip";
}

/** Runs a service and answers with what it writes. */
function answer(
  asked: ServiceRequest,
  contentType: string,
  run: (exchange: Exchange) => Promise<void>,
): Promise<Response> {
  const { host, request, name, service } = asked;
  const repository = host.repository(name);
  const gone = new AbortController();
  let admitted = false;
  const admit: Exchange["admit"] = (record) => {
    authorize(host.principal, ACTIONS[service], record);
    if (record !== undefined) host.formats.set(repositoryKey(name), record, repository.now());
    admitted = true;
  };
  const served = async (output: ByteSink): Promise<void> => {
    await run({
      repository,
      input: requestSource(request.body, isZipped(request)),
      output,
      admit,
      ...(service === "git-receive-pack" && host.principal.kind === "operator" ? { create: PUSHED_REPOSITORY } : {}),
      actor: actorOf(host.principal),
      pusher: pusherOf(host.principal),
      agent: host.agent,
      signal: AbortSignal.any([request.signal, gone.signal]),
    });
    if (admitted) return;
    // A request that asks for nothing, such as the probe before a large one, is answered like any other: only where it may be.
    const found = await repository.refs.open({});
    admit(found.kind === "found" ? found.record : undefined);
  };
  return streamedResponse(
    {
      headers: { ...NO_CACHE, "Content-Type": contentType },
      bodiless: request.method === "HEAD",
      onGone: () => gone.abort(),
      onFault: (error) => {
        // What fails because the client has gone, or has sent less than it said, is no fault of ours.
        if (!gone.signal.aborted && !(error instanceof GitRefusal)) logFault(service, error);
      },
      until: (work) => host.until(work),
    },
    served,
  );
}

/** Answers `info/refs?service=…`. */
function advertise(asked: ServiceRequest): Promise<Response> | Response {
  const { host, service, version, name, request } = asked;
  const contentType = `application/x-${service}-advertisement`;
  if (service === "git-upload-pack" && version === 2) {
    const known = host.formats.get(repositoryKey(name), host.repository(name).now());
    if (known !== undefined) {
      authorize(host.principal, "read", known);
      const body = request.method === "HEAD" ? null : advertiseV2(known.objectFormat, host.agent);
      return new Response(body, { headers: { ...NO_CACHE, "Content-Type": contentType } });
    }
  }
  return answer(asked, contentType, (exchange) => advertiseRefs(exchange, service, version));
}

/** Answers a POST to a service. */
function serve(asked: ServiceRequest): Promise<Response> {
  const { service, version, request } = asked;
  // C git accepts no other; it is also what keeps a web page from making a browser push.
  const contentType = request.headers.get("Content-Type");
  if (contentType !== `application/x-${service}-request`) {
    throw new GitRefusal(415, `Unsupported Media Type: ${contentType ?? "none"}`);
  }
  const encoding = request.headers.get("Content-Encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity" && !isZipped(request)) {
    throw new GitRefusal(400, "Only gzip is understood as a Content-Encoding.");
  }
  return answer(asked, `application/x-${service}-result`, (exchange) => {
    if (service === "git-receive-pack") return serveReceivePack(exchange);
    return version === 2 ? serveV2(exchange) : serveUploadPack(exchange);
  });
}

/** Tells who may not write before anything of the body is read. Who may not read is told once the repository is known. */
function refuseStrangers({ host, service }: ServiceRequest): void {
  if (service === "git-receive-pack" && host.principal.kind !== "operator")
    authorize(host.principal, "write", undefined);
  if (host.principal.kind === "invalid") authorize(host.principal, "read", undefined);
}

async function answered(work: () => Promise<Response> | Response): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return gitFailure(error);
  }
}

function wrongMethod(allow: string): Response {
  return new Response(null, { status: 405, headers: { ...NO_CACHE, Allow: allow } });
}

/** The routes of smart HTTP. A plain `info/refs` is left to the next handler. */
export function gitRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  routes.get("/:tenant/:repo/info/refs", async (context, next) => {
    const asked = context.req.query("service");
    if (asked === undefined) return next();
    return answered(() => {
      const service = parseServiceName(asked);
      if (service === undefined) throw new GitRefusal(403, `Unsupported service: '${asked}'`);
      const request = serviceRequest(context, service);
      refuseStrangers(request);
      return advertise(request);
    });
  });
  routes.all("/:tenant/:repo/info/refs", (context, next) =>
    context.req.method === "GET" ? next() : wrongMethod("GET, HEAD"),
  );
  for (const service of ["git-upload-pack", "git-receive-pack"] as const) {
    routes.post(`/:tenant/:repo/${service}`, (context) =>
      answered(() => {
        const request = serviceRequest(context, service);
        refuseStrangers(request);
        return serve(request);
      }),
    );
    routes.all(`/:tenant/:repo/${service}`, () => wrongMethod("POST"));
  }
  return routes;
}
