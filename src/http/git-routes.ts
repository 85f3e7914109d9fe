/**
 * Git over smart HTTP.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), http-backend.c
 */
import { Hono, type Context } from "hono";
import { needsPublic } from "../access/decide.ts";
import { parseRepositoryName, repositoryKey, type RepositoryName, splitKey, splitMoment } from "../access/names.ts";
import type { Principal } from "../access/principal.ts";
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { ClientTooSlow, HostBusy } from "../bytes/failure.ts";
import { advertiseRefs, advertiseV2 } from "../service/advertise.ts";
import type { Exchange, PushExchange } from "../service/exchange.ts";
import { PartedInput, type StoredPart } from "../service/push/parted-input.ts";
import { serveReceivePack } from "../service/push/receive-pack.ts";
import { serveV2 } from "../service/serve-v2.ts";
import { serveUploadPack } from "../service/fetch/upload-pack.ts";
import { parseProtocolVersion, type ProtocolVersion } from "../wire/protocol-version.ts";
import { parseServiceName, type ServiceName } from "../wire/service-announcement.ts";
import { type PassOn, requestSource, streamedResponse } from "./body.ts";
import { refuseStrangers } from "./admission.ts";
import { authorize } from "./denied.ts";
import { type AskedService, gitExchange, nonceSeed, openAsked, pushParts } from "./git-exchange.ts";
import { answered, GitRefusal, NO_ADDRESS, NO_CACHE, isReading, wrongMethod } from "./git-failure.ts";
import type { Host, HostEnv } from "./host.ts";
import { namedRepository } from "./named-repository.ts";
import { logFault } from "./log.ts";
import { RepositoryMoved } from "./moved.ts";
import { promisorOf } from "./promisor.ts";
import { admitPusher } from "./pusher.ts";
import { ReplayedBody } from "./replayed-body.ts";

/** A request for one service of one repository. */
type ServiceRequest = AskedService & {
  readonly request: Request;
  readonly version: ProtocolVersion;
  /** The request's body, where it may have to be read again. */
  readonly body?: ReplayedBody;
};

/** Returns the repository and the instant in the URL. @throws GitRefusal if no repository can have these names. */
function namedService(context: Context<HostEnv>): Pick<ServiceRequest, "name" | "at"> {
  const { repo: asked = "" } = context.req.param();
  const { repo, at } = splitMoment(asked);
  return { name: namedRepository(context, repo), at };
}

function serviceRequest<Name extends AskedService["service"]>(
  context: Context<HostEnv>,
  service: Name,
): ServiceRequest & { readonly service: Name } {
  return {
    host: context.var.host,
    request: context.req.raw,
    ...namedService(context),
    service,
    version: parseProtocolVersion(context.req.header("Git-Protocol")),
  };
}

function isZipped(request: Request): boolean {
  const encoding = request.headers.get("Content-Encoding")?.toLowerCase();
  return encoding === "gzip" || encoding === "x-gzip";
}

/** A service's part of a request: the type of the answer, and the function that makes it. */
type Service<E extends Exchange> = { readonly contentType: string; readonly run: (exchange: E) => Promise<unknown> };

/** Runs a service and answers with what it writes. */
function answer(asked: ServiceRequest, { contentType, run }: Service<Exchange>): Promise<Response> {
  const { host, request, service } = asked;
  const repository = openAsked(asked);
  const gone = new AbortController();
  const headers = new Headers({ ...NO_CACHE, "Content-Type": contentType });
  let admitted = false;
  const onAdmitted = (record: Parameters<Exchange["admit"]>[0]): void => {
    const { syncedAt } = record?.mirror ?? {};
    if (syncedAt !== undefined) headers.set("X-Mirror-Synced-At", new Date(syncedAt).toISOString());
    admitted = true;
    asked.body?.settle();
  };
  const openBody = (): ByteSource => requestSource(request.body, isZipped(request), repository.memory, host.traffic);
  const served = async (output: ByteSink, passOn: PassOn): Promise<void> => {
    const exchange = gitExchange(asked, repository, {
      input: asked.body?.over(openBody) ?? openBody(), // A request without one is not read again.
      output,
      passOn: async ({ before, ...twin }) => {
        const body = await host.twinBody(twin);
        if (body !== undefined) passOn({ body, bytes: twin.bytes - twin.offset, before });
        return body !== undefined;
      },
      signal: AbortSignal.any([request.signal, gone.signal]),
      onAdmitted,
    });
    await run(exchange);
    if (admitted) return;
    // A request that asks for nothing, such as the probe before a large one, is answered like any other, and only if it
    // is allowed.
    const found = await repository.refs.open({});
    await exchange.admit(found.kind === "found" ? found.record : undefined);
  };
  return streamedResponse(
    {
      headers,
      memory: repository.memory,
      traffic: host.traffic,
      bodiless: request.method === "HEAD",
      onGone: () => gone.abort(),
      onFault: (error) => {
        // A failure because the client has gone or has sent less than it announced, or for lack of room, is no fault of
        // ours.
        const isFault = ![GitRefusal, ClientTooSlow, HostBusy].some((kind) => error instanceof kind);
        if (!gone.signal.aborted && isFault) logFault(service, error);
      },
      until: (work) => host.until(work),
    },
    served,
  );
}

/** Returns the length of a body that comes as it is, if the client announced it. */
function announcedBytes(request: Request): Pick<PushExchange, "bodyBytes"> {
  const announced = request.headers.get("Content-Length");
  return announced === null || isZipped(request) ? {} : { bodyBytes: Number(announced) };
}

/** Answers a push, of which `pusher` is recorded when refs move. */
function answerPush(asked: ServiceRequest, run: Service<PushExchange>["run"], pusher: Principal): Promise<Response> {
  const push = { ...pushParts(asked, pusher), ...announcedBytes(asked.request) };
  return answer(asked, {
    contentType: `application/x-${asked.service}-result`,
    run: (exchange) => run({ ...exchange, ...push }),
  });
}

/**
 * Returns the advertisement of version 2 without opening the repository, if its hash function is known and access can
 * be decided. The hash function is all that the advertisement says about a repository. Both come from the answer of the
 * token's tenant, or from what is remembered.
 *
 * Memory never lets in anybody who would be refused. It never tells callers who may not read a repository that it
 * exists: for them it counts only from an address that was just let in. It saves a call for git's first request, which
 * has no credentials.
 */
async function advertiseKnown({ host, name }: ServiceRequest): Promise<Uint8Array | undefined> {
  if (host.known === undefined) {
    const { principal, listed, offload } = await host.identify(name);
    if (listed === undefined || needsPublic(principal, name)) return undefined;
    host.admitted(name);
    return advertiseV2(listed, host, offload && (await promisorOf(host, name, offload)));
  }
  const known = host.formats.get(repositoryKey(name), host.repository(name).now());
  if (known === undefined) return undefined;
  const isTold = known.visibility === "public" || host.known.kind === "operator" || known.clients.has(host.client);
  if (!isTold) return undefined;
  await authorize(host, "read", name, known);
  host.admitted(name);
  return advertiseV2(known.objectFormat, host, await promisorOf(host, name, known));
}

/** Answers `info/refs?service=…`. */
async function advertise(asked: ServiceRequest & { readonly service: ServiceName }): Promise<Response> {
  const { host, service, version, request, at } = asked;
  const contentType = `application/x-${service}-advertisement`;
  if (service === "git-upload-pack" && version === 2 && at === undefined) {
    const body = await advertiseKnown(asked);
    if (body !== undefined) {
      return new Response(request.method === "HEAD" ? null : body, {
        headers: { ...NO_CACHE, "Content-Type": contentType },
      });
    }
  }
  const run: Service<Exchange>["run"] = (exchange) =>
    advertiseRefs({ ...exchange, ...nonceSeed(host) }, service, version);
  return answer(asked, { contentType, run });
}

/**
 * Checks that a body is one that the service takes.
 *
 * @throws GitRefusal if not.
 */
function assertServiceBody(request: Request, service: AskedService["service"]): void {
  // C git accepts no other type. This also keeps a web page from making a browser push.
  const sent = request.headers.get("Content-Type");
  const wanted = `application/x-${service}-request`;
  if (sent !== wanted) {
    // C git shows a missing type in the same way.
    throw new GitRefusal(415, `Expected POST with Content-Type '${wanted}', but received '${sent ?? ""}' instead.`);
  }
  const encoding = request.headers.get("Content-Encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity" && !isZipped(request)) {
    throw new GitRefusal(400, "Only gzip is understood as a Content-Encoding.");
  }
}

/** A pack that came in parts, for the repository with this id. */
export type PartedPush = {
  readonly name: RepositoryName;
  readonly id: string;
  readonly upload: { readonly name: string; readonly parts: readonly StoredPart[] };
  /**
   * Called when the push is over, whatever its result, before its answer ends; not if it failed through a fault of
   * ours.
   */
  ended(): Promise<void>;
};

/**
 * Answers a push whose commands are the request's body, and whose pack came before. The caller has admitted the
 * requester.
 */
export async function servePartedPush(host: Host, request: Request, push: PartedPush): Promise<Response> {
  const service = "git-receive-pack";
  assertServiceBody(request, service);
  const run: Service<PushExchange>["run"] = async (exchange) => {
    const input = new PartedInput(exchange.input, exchange.repository.storage(push.id), push.upload);
    try {
      await serveReceivePack({ ...exchange, input, upload: push.upload.name });
    } finally {
      await input.skip();
    }
    await push.ended();
  };
  const { principal } = await host.identify(push.name);
  const asked = { host, request, name: push.name, service, version: 0, at: undefined } as const;
  return answerPush(asked, run, principal);
}

/**
 * Answers a POST to a service. One for a repository that was renamed is answered by the repository at its new name. Git
 * sends it to the old address, though it was led to the new one, if it was led there by the request in which it gave
 * its credentials (`http_request_reauth` in git's http.c); and it follows no redirect of a POST.
 */
async function serve(asked: ServiceRequest): Promise<Response> {
  const body = new ReplayedBody();
  try {
    return await serveNamed({ ...asked, body });
  } catch (error) {
    const target = error instanceof RepositoryMoved ? parseRepositoryName(...splitKey(error.to)) : undefined;
    if (target === undefined || !body.rewind()) throw error;
    return await serveNamed({ ...asked, name: target, body });
  }
}

/** Makes an archive, with code that is loaded for that. */
const serveArchive: Service<Exchange>["run"] = async (exchange) => {
  const { serveUploadArchive } = await import("./upload-archive.ts");
  await serveUploadArchive(exchange);
};

async function serveNamed(asked: ServiceRequest): Promise<Response> {
  const { host, name, service, version, request } = asked;
  assertServiceBody(request, service);
  if (service === "git-receive-pack") return answerPush(asked, serveReceivePack, await admitPusher({ host, name }));
  if (service === "git-upload-archive")
    return answer(asked, { contentType: `application/x-${service}-result`, run: serveArchive });
  const run = version === 2 ? serveV2 : serveUploadPack;
  return answer(asked, { contentType: `application/x-${service}-result`, run });
}

/** What git and git-lfs append to a repository's address. */
const GIT_REQUEST = /^(.*)\/(?:info\/refs|git-upload-pack|git-receive-pack|git-upload-archive|info\/lfs\/.*)$/;

/** Whether a path is a request of git's whose address has more or fewer than two names. */
function isMisshapen(path: string): boolean {
  const [, address] = GIT_REQUEST.exec(path) ?? [];
  return address !== undefined && address.split("/").length !== 3;
}

/** The routes of smart HTTP. A plain `info/refs` is left to the next handler. */
export function gitRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  routes.use(async (context, next) => {
    if (!isMisshapen(context.req.path)) return next();
    return answered(async () => {
      throw new GitRefusal(404, NO_ADDRESS);
    });
  });
  routes.get("/:tenant/:repo/info/refs", async (context, next) => {
    const asked = context.req.query("service");
    if (asked === undefined) return next();
    return answered(async () => {
      const service = parseServiceName(asked);
      if (service === undefined) throw new GitRefusal(403, `Unsupported service: '${asked}'`);
      const request = serviceRequest(context, service);
      await refuseStrangers(request, request.service === "git-receive-pack");
      return advertise(request);
    });
  });
  routes.all("/:tenant/:repo/info/refs", (context, next) => (isReading(context) ? next() : wrongMethod("GET, HEAD")));
  for (const service of ["git-upload-pack", "git-receive-pack", "git-upload-archive"] as const) {
    routes.post(`/:tenant/:repo/${service}`, (context) =>
      answered(async () => {
        const request = serviceRequest(context, service);
        await refuseStrangers(request, request.service === "git-receive-pack");
        return serve(request);
      }),
    );
    routes.all(`/:tenant/:repo/${service}`, () => wrongMethod("POST"));
  }
  return routes;
}
