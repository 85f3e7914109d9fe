/**
 * One session of a client with a repository, on a connection of its own. A WebSocket, TCP and SSH each make a
 * {@link GitSession} and have it served here. None of them knows anything of git's protocol.
 *
 * ```text
 * door: bytes, the service, the path, the caller ──▶ serveSession ──▶ admission ──▶ service/serve-connection.ts
 * ```
 *
 * @packageDocumentation
 */
import {
  parseGitRepositoryName,
  parseRepositoryName,
  type RepositoryName,
  splitKey,
  splitMoment,
} from "../access/names.ts";
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { Exchange } from "../service/exchange.ts";
import { wasTold } from "../service/failure.ts";
import { serveConnection } from "../service/serve-connection.ts";
import { encodeFailureLine } from "../wire/failure-line.ts";
import type { ProtocolVersion } from "../wire/protocol-version.ts";
import { refuseStrangers } from "../http/admission.ts";
import type { Credentials } from "../http/authenticate.ts";
import { AccessDenied } from "../http/denied.ts";
import { type AskedService, gitExchange, nonceSeed, openAsked, pushParts } from "../http/git-exchange.ts";
import { GitRefusal, NO_ADDRESS, type Refusal, refusalOf } from "../http/git-failure.ts";
import type { Host } from "../http/host.ts";
import { logFault } from "../http/log.ts";
import { RepositoryMoved } from "../http/moved.ts";
import { admitPusher } from "../http/pusher.ts";
import { drain, pacedClient } from "./paced-client.ts";

/** The bytes of a client. */
export type SessionClient = {
  /** All that the client sends, as it comes. A read that fails says that the client has gone. */
  readonly input: ByteSource;
  /** All that the client gets. A write resolves when the connection has room for more: that is the back-pressure. */
  readonly output: ByteSink;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Called when the client was admitted to a service that speaks second, before anything is read. */
  begin?(): void;
  /** Told of the memory that the session holds, where the door holds some of it. */
  heldBy?(memory: RequestMemory): void;
  /** Ends what the client gets. `status` is that of the service as a process: 0, or 128 if it failed. */
  end(status: number): Promise<void>;
};

/** All that is needed of a client to serve it: what it asked for, who it is and what it may, and its bytes. */
export type GitSession = {
  readonly service: AskedService["service"];
  /** The version of the protocol that the client asked for; 0 if it asked for none. */
  readonly version: ProtocolVersion;
  /** The repository's address as the client gave it, such as `/acme/widgets.git`. */
  readonly path: string;
  /** Who the client is, and what it may: the platform for this session. */
  readonly host: Host;
  readonly client: SessionClient;
  /** How long the client may be silent where it may be at work itself, in milliseconds; half an hour if it is not set. */
  readonly longestPause?: number;
  /** What is told in place of a refusal of access, for a door that tells nobody why. */
  readonly denial?: string;
  /** Whether a refusal that comes before the first byte is thrown to the door, which can tell it in its own words. */
  readonly refusesItself?: boolean;
};

/** A client that came on a connection, what it asks for, and who it says that it is. */
export type ConnectedClient = Omit<GitSession, "host"> & {
  /** The door, as the log names it in place of a method. */
  readonly door: "GIT" | "SSH";
  readonly credentials: Credentials;
  /** The client's address; "" if it is not known. */
  readonly address: string;
  /** The client's own name for itself; "" if it has none. */
  readonly agent: string;
};

/** Runs a session to its end, counted and logged. It never rejects: the client has been told what went wrong. */
export type SessionRunner = (connected: ConnectedClient) => Promise<SessionEnd>;

/** How a session ended: the status that HTTP would have answered with. */
export type SessionEnd = { readonly status: number };

/**
 * Serves a session to its end: until the client has everything, has been told what is wrong, or has gone.
 *
 * @throws whatever refuses the client before the first byte, if the door has asked for that.
 */
export async function serveSession(session: GitSession): Promise<SessionEnd> {
  const { host, client } = session;
  const gone = new AbortController();
  const { longestPause } = session;
  const pace = longestPause === undefined ? {} : { longestPause };
  const paced = pacedClient(client, host.traffic, () => gone.abort(), pace);
  let status = 200;
  try {
    const isGood = await followed(session, async (asked) => await serveAsked(session, asked, { paced, gone }));
    if (!isGood) status = 400;
  } catch (error) {
    if (session.refusesItself === true && !paced.hasBegun) throw error;
    const refusal = refusalOf(error);
    status = statusOf(refusal, gone.signal.aborted);
    if (!gone.signal.aborted && status >= 500) {
      logFault(session.service, error);
      if (paced.hasBegun) host.traffic.breakOff("failed", error);
    }
    const why = denialOf(session, error);
    const line = encodeFailureLine(why ?? refusal?.message ?? "The request failed on our side.");
    if (!wasTold(error)) await paced.output.write(line).catch(() => undefined);
  }
  await client.end(status < 400 ? 0 : 128).catch(() => undefined);
  await drain(paced);
  return { status };
}

/** Returns the status that HTTP would have answered with. What fails once the client has gone is no fault of the host's. */
function statusOf(refusal: Refusal | undefined, isGone: boolean): number {
  if (refusal !== undefined) return refusal.status;
  return isGone ? 200 : 500;
}

/** Returns what is told in place of a refusal. Whoever may read is told why nothing more is allowed. */
function denialOf({ denial }: GitSession, error: unknown): string | undefined {
  return error instanceof AccessDenied && error.decision !== "forbid" ? denial : undefined;
}

/** Serves the repository that was asked for, or the one that has its name no more: there is no address to lead to. */
async function followed(session: GitSession, serve: (asked: AskedService) => Promise<boolean>): Promise<boolean> {
  const { name, at } = addressed(session.path);
  const { host, service } = session;
  try {
    return await serve({ host, name, at, service });
  } catch (error) {
    const target = error instanceof RepositoryMoved ? parseRepositoryName(...splitKey(error.to)) : undefined;
    if (target === undefined) throw error;
    return await serve({ host, name: target, at, service });
  }
}

/** Returns the repository and the instant of an address. @throws GitRefusal if no repository can have it. */
export function addressed(path: string): { readonly name: RepositoryName; readonly at: number | undefined } {
  const [tenant = "", asked = "", ...more] = path.split("/").filter((piece) => piece !== "");
  const { repo, at } = splitMoment(asked);
  const name = more.length > 0 ? undefined : parseGitRepositoryName(tenant, repo);
  if (name === undefined) throw new GitRefusal(404, NO_ADDRESS);
  return { name, at };
}

type Serving = { readonly paced: ReturnType<typeof pacedClient>; readonly gone: AbortController };

async function serveAsked(session: GitSession, asked: AskedService, { paced, gone }: Serving): Promise<boolean> {
  const { host, service, version, client } = session;
  await refuseStrangers(asked, service === "git-receive-pack");
  const pusher = service === "git-receive-pack" ? await admitPusher(asked) : undefined;
  const repository = openAsked(asked);
  paced.start(repository.memory);
  client.heldBy?.(repository.memory);
  const exchange = renewed(
    host,
    gitExchange(asked, repository, {
      input: paced.input,
      output: paced.output,
      pauses: () => paced.pause(),
      signal: AbortSignal.any([client.signal, gone.signal]),
    }),
  );
  if (service === "git-upload-archive") return await serveArchive(exchange, client);
  if (service === "git-upload-pack" || pusher === undefined) {
    return await serveConnection({ service: "git-upload-pack", version, exchange });
  }
  const push = { ...exchange, ...pushParts(asked, pusher), ...nonceSeed(host) };
  return await serveConnection({ service, version, exchange: push });
}

/** Returns the exchange with an identity of its own for each thing that the client asks for. */
function renewed(host: Host, exchange: Exchange): Exchange {
  let isUsed = false;
  return {
    ...exchange,
    admit: async (record) => {
      isUsed = true;
      await exchange.admit(record);
    },
    renew: () => {
      if (isUsed) host.identifyAnew();
      isUsed = false;
    },
  };
}

/** Makes an archive: the client speaks first. What makes archives is loaded here. */
async function serveArchive(exchange: Exchange, client: SessionClient): Promise<boolean> {
  const found = await exchange.repository.refs.open({});
  await exchange.admit(found.kind === "found" ? found.record : undefined);
  client.begin?.();
  const { serveUploadArchive } = await import("../http/upload-archive.ts");
  return await serveUploadArchive({ ...exchange, stateful: true });
}
