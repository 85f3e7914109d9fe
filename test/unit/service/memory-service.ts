/**
 * A repository in memory with the services on it: what a test of a service talks to, and C git's own programs beside it.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../../src/bytes/byte-stream.ts";
import { type IsolateTools, isolateTools } from "../../../src/cloudflare/isolate-tools.ts";
import type { Pusher } from "../../../src/refs/ref-policy.ts";
import type { CreateRequest, NewRepository, RefStore, RepositoryRecord } from "../../../src/refs/ref-store.ts";
import { DEFAULT_LIMITS } from "../../../src/repository/limits.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import type { ClientNote, PushExchange } from "../../../src/service/exchange.ts";
import type { GitSandbox } from "../../support/git-client.ts";
import { kernelModule } from "../../support/kernel.ts";
import { type MemoryPackStorage, memoryPackStorage } from "../../support/memory-pack-storage.ts";
import { type MemoryRefStore, memoryRefStore } from "../../support/memory-ref-store.ts";
import { pktText } from "../../support/pkt.ts";

const isolate = isolateTools(kernelModule);

/** The hash functions, kernels and so on that all test repositories share. */
export const tools = { ...isolate, pool: isolate.kernels, ...paidBy(isolate) };

/** What a request pays with. */
function paidBy({ budget, kernels }: IsolateTools): Pick<Repository, "memory" | "kernels"> {
  const memory = budget.open("test");
  return { memory, kernels: kernels.for(memory) };
}

/** How a test's repository is made. */
export const NEW_REPOSITORY: CreateRequest = {
  objectFormat: "sha1",
  visibility: "private",
  head: "refs/heads/main",
  description: "",
};

/** What a service did: which calls of the ref store it took, and what it wrote. */
export type Served = {
  readonly body: Buffer;
  readonly calls: string[];
  readonly admitted: (string | undefined)[];
  readonly unread: number;
};

/** How a request arrives. */
export type RequestOptions = {
  /** Bytes a read gives at most. */
  readonly piece?: number;
  readonly create?: NewRepository;
  /** Whether a repository that a refused push made stays. */
  readonly keepsUnused?: boolean;
  readonly refuse?: Error;
  readonly pusher?: Pusher;
  /** See `Exchange.passOn`. */
  readonly passOn?: PushExchange["passOn"];
  /** Whether the client keeps its connection open behind the last byte, and waits. */
  readonly staysOpen?: boolean;
  /** Thrown by the read after the last byte: a client that hung up. */
  readonly breakOff?: Error;
  /** Is shown what the service writes, even if it fails in the end. */
  readonly onWrite?: (bytes: Buffer) => void;
};

/** One repository. */
export class MemoryService {
  readonly refs: MemoryRefStore;
  readonly storage: MemoryPackStorage = memoryPackStorage();
  /** Names of the ref store's methods, as they were called. */
  calls: string[] = [];
  /** What clients said of themselves. */
  readonly notes: ClientNote[] = [];
  /** Milliseconds since the epoch; a test may move it. */
  now = 1_700_000_000_000;
  /** Replaced by a test that wants other bounds. */
  limits = DEFAULT_LIMITS;
  #random = 0;

  /** Small pushes are published after `publishAfter` milliseconds; 0: they go to the bucket at once. */
  constructor(publishAfter = 0) {
    this.refs = memoryRefStore(() => this.now, publishAfter);
  }

  /** The repository's handle. */
  get repository(): Repository {
    return {
      ...tools,
      noteDamage: () => undefined,
      refs: this.#countedRefs(),
      storage: () => this.storage,
      limits: this.limits,
      pacer: tools.pacer(),
      now: () => this.now,
      random: (length) => new Uint8Array(length).fill(++this.#random),
    };
  }

  #countedRefs(): RefStore {
    const counted = <In, Out>(name: string, call: (request: In) => Promise<Out>): ((request: In) => Promise<Out>) => {
      return async (request) => {
        this.calls.push(name);
        return await call(request);
      };
    };
    return {
      open: counted("open", (request) => this.refs.open(request)),
      beginPush: counted("beginPush", (request) => this.refs.beginPush(request)),
      commitPush: counted("commitPush", (request) => this.refs.commitPush(request)),
      leasePacks: async (id, packNames) => {
        this.calls.push("leasePacks");
        return await this.refs.leasePacks(id, packNames);
      },
      abandonPush: counted("abandonPush", (request) => this.refs.abandonPush(request)),
    };
  }

  /** Runs a service on a request. */
  async run(
    serve: (exchange: PushExchange) => Promise<unknown>,
    input: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Served> {
    const written: Buffer[] = [];
    const admitted: (string | undefined)[] = [];
    const body = requestBody(input, options);
    this.calls = [];
    await serve({
      repository: this.repository,
      input: body.source,
      output: {
        write: async (bytes) => {
          if (admitted.length === 0) throw new Error("written before anyone was admitted");
          written.push(Buffer.from(bytes));
          options.onWrite?.(Buffer.from(bytes));
        },
      },
      admit: async (record: RepositoryRecord | undefined) => {
        admitted.push(record?.id);
        if (options.refuse !== undefined) throw options.refuse;
      },
      ...(options.create === undefined ? {} : { create: options.create, madeNote: "made it" }),
      ...(options.keepsUnused === true
        ? {}
        : { retract: async (id: string) => void this.refs.database.retract(id, this.now) }),
      ...(options.passOn === undefined ? {} : { passOn: options.passOn }),
      bodyBytes: input.length,
      actor: "tester",
      pusher: options.pusher ?? {},
      agent: "thinpack/test",
      sessionId: "test-session",
      note: (said) => void this.notes.push(said),
      signal: new AbortController().signal,
    });
    return { body: Buffer.concat(written), calls: this.calls, admitted, unread: body.unread() };
  }

  /** All refs as `name oid` lines. */
  async listRefs(): Promise<string[]> {
    const { refs } = await this.refs.open({ refPrefixes: [] }).then((found) => {
      if (found.kind === "missing") throw new Error("no repository");
      return found;
    });
    const { decodeRefRows } = await import("../../../src/refs/ref-rows.ts");
    return [...decodeRefRows(refs, 20)].map(({ name, oid }) => `${name} ${Buffer.from(oid).toString("hex")}`);
  }
}

/** A request's body in pieces, its buffers detached as a BYOB read detaches them. */
function requestBody(
  input: Uint8Array,
  { piece = Number.POSITIVE_INFINITY, breakOff, staysOpen = false }: RequestOptions,
): { readonly source: ByteSource; unread(): number } {
  let at = 0;
  const source: ByteSource = {
    read: async (buffer) => {
      const { byteOffset, byteLength } = buffer;
      const owned = new Uint8Array(buffer.buffer.transfer(), byteOffset, byteLength);
      const bytes = input.subarray(at, at + Math.min(piece, owned.length));
      if (bytes.length === 0 && breakOff !== undefined) throw breakOff;
      if (bytes.length === 0 && staysOpen) await new Promise(() => undefined);
      owned.set(bytes);
      at += bytes.length;
      return owned.subarray(0, bytes.length);
    },
  };
  return { source, unread: () => input.length - at };
}

/** Runs one of C git's services over the same request. */
export async function askGit(
  git: GitSandbox,
  service: "upload-pack" | "receive-pack",
  directory: string,
  asked: { readonly input?: Uint8Array; readonly version?: number },
): Promise<Buffer> {
  const advertise = asked.input === undefined ? ["--http-backend-info-refs"] : [];
  return await git.bytes([service, "--stateless-rpc", ...advertise, directory], {
    input: asked.input ?? "",
    env: { GIT_PROTOCOL: `version=${asked.version ?? 0}`, GIT_USER_AGENT: "thinpack/test" },
  });
}

/** The lines of an answer before the pack: what two servers have to agree on to the byte. */
export function linesBeforePack(body: Uint8Array): string[] {
  const lines = pktText(body);
  const first = lines.findIndex((line) => /^\\x0[123]/.test(line));
  return first < 0 ? lines : lines.slice(0, first);
}

/** What came over one band. */
export function band(body: Uint8Array, number: number): Buffer {
  const pieces: Buffer[] = [];
  const bytes = Buffer.from(body);
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    if (length > 4 && bytes[at + 4] === number) pieces.push(bytes.subarray(at + 5, at + length));
    at += Math.max(length, 4);
  }
  return Buffer.concat(pieces);
}
