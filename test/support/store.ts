/**
 * A repository in memory with the real kernel: takes packs in and gives packs out as a push and a fetch would, and counts what
 * that costs.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, crc32, deflateRawSync, deflateSync } from "node:zlib";
import type { ByteSource } from "../../src/bytes/byte-stream.ts";
import { Pacer } from "../../src/bytes/pacer.ts";
import type { HashFactory } from "../../src/bytes/hash.ts";
import type { RequestMemory } from "../../src/bytes/memory-budget.ts";
import { KernelPool, type Kernels } from "../../src/kernel/kernel-pool.ts";
import { type ObjectFormatName, objectFormat } from "../../src/object/object-id.ts";
import { encodeRefRows } from "../../src/refs/ref-rows.ts";
import type { OpenSnapshot, RefStore } from "../../src/refs/ref-store.ts";
import { DEFAULT_LIMITS } from "../../src/repository/limits.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { type FetchSession, openFetchSession } from "../../src/packing/pack-session.ts";
import { NO_FILTER } from "../../src/graph/object-filter.ts";
import { type PackOptions, packObjects } from "../../src/packing/pack-objects.ts";
import { BlockCache, type CacheBounds } from "../../src/store/block-cache.ts";
import type { CommitGraphRecord } from "../../src/catalog/commit-graph-record.ts";
import type { Graphing } from "../../src/maintenance/graphing.ts";
import type { ReplaceGraphsRequest } from "../../src/refs/maintenance-store.ts";
import { makeGraph } from "../../src/maintenance/graph-step.ts";
import { CommitGraph } from "../../src/store/commit-graph.ts";
import { DamagedFiles } from "../../src/catalog/damaged-file.ts";
import type { PackRecord } from "../../src/catalog/pack-record.ts";
import { type IngestedPack, ingestPack } from "../../src/store/ingest/ingest-pack.ts";
import { ObjectDatabase } from "../../src/store/object-database.ts";
import type { PackFile, PackStorage } from "../../src/catalog/pack-storage.ts";
import { type MemoryPackStorage, memoryPackStorage } from "./memory-pack-storage.ts";
import { memoryBudget, settle } from "./memory.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The compiled kernel. */
export const KERNEL_MODULE = compile(
  readFileSync(join(import.meta.dirname, "..", "..", "src", "kernel", "kernel.wasm")),
);

/** Half for files, half for blocks. */
function cacheBounds({ cacheBytes = 16 * MIB }: StoreLayout): CacheBounds {
  return { files: cacheBytes / 2, blocks: cacheBytes / 2 };
}

/** Compiles a module, as Node can and a Worker cannot. */
function compile(bytes: Uint8Array): WebAssembly.Module {
  const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  return new Module(bytes);
}

/** The platform's hashes, as the isolate has them. */
export const nodeHash: HashFactory = (name) => {
  const running = createHash(name);
  return {
    update: (bytes) => {
      running.update(bytes);
    },
    peek: () => new Uint8Array(running.copy().digest()),
    digest: () => new Uint8Array(running.digest()),
  };
};

/** How a {@link TestStore} is laid out. Bytes. */
export type StoreLayout = {
  readonly windowBytes?: number;
  readonly ringBytes?: number;
  /** Part size, and what is kept in memory of a pack. */
  readonly partBytes?: number;
  readonly cacheBytes?: number;
  readonly objectBytes?: number;
  readonly inflatedBytes?: number;
  readonly format?: ObjectFormatName;
};

/** The smallest layout that works: eviction, batches and multipart happen with packs of a few hundred KB. */
export const TINY: StoreLayout = { windowBytes: 64 * KIB, ringBytes: 640 * KIB, partBytes: 16 * KIB };

/** What a request has cost. `reads` are storage operations; `rounds` is the longest chain of them, each after another. */
export type StorageCost = { reads: number; writes: number; bytesRead: number; rounds: number };

/** What a fetch asks for. Oids in hex. */
export type FetchRequest = Partial<PackOptions> & {
  /** Whether the client takes its time with each piece: kernels are given back. */
  readonly isSlow?: boolean;
  readonly wants: readonly string[];
  readonly haves?: readonly string[];
  /** Is told, where it is given, which of the haves decided: then the first may. */
  readonly early?: (decided: string | undefined) => void;
};

/** How a pack comes in. */
export type IngestOptions = {
  /** Hex. */
  readonly tips?: readonly string[];
  /** Gives the size of each next piece. */
  readonly chunks?: () => number;
  /** Bytes that were read before the source. */
  readonly head?: number;
  readonly progress?: (line: string) => void;
  readonly look?: (ingested: IngestedPack) => Promise<void>;
};

/** One repository. */
export class TestStore {
  readonly layout: StoreLayout;
  readonly storage: MemoryPackStorage;
  readonly pool: KernelPool;
  readonly kernels: Kernels;
  readonly memory: RequestMemory;
  readonly pacer = new Pacer(async () => await new Promise((resolve) => setImmediate(resolve)));
  readonly cost: StorageCost = { reads: 0, writes: 0, bytesRead: 0, rounds: 0 };
  /** The lines read and written, for a failing test to show. */
  readonly log: string[] = [];
  cache: BlockCache;
  /** What readers have found damaged. */
  readonly damaged = new DamagedFiles();
  packs: PackRecord[] = [];
  /** The layers of the commit-graph. */
  graphs: readonly CommitGraphRecord[] = [];
  /** Refs by name: hex value, and what a tag peels to. */
  readonly refs = new Map<string, { readonly oid: string; readonly peeled?: string }>();
  #names = 0;

  constructor(layout: StoreLayout = {}) {
    this.layout = layout;
    this.storage = memoryPackStorage(layout.partBytes ?? 8 * MIB);
    const budget = memoryBudget();
    this.memory = budget.open("test");
    this.pool = new KernelPool(
      KERNEL_MODULE,
      {
        windowBytes: layout.windowBytes ?? 512 * KIB,
        ringBytes: layout.ringBytes ?? 24 * MIB,
        smallRingBytes: layout.ringBytes ?? 8 * MIB,
        tableRingBytes: 64 * KIB,
        seed: () => [1, 2],
        hash: nodeHash,
      },
      budget,
    );
    this.kernels = this.pool.for(this.memory);
    this.cache = new BlockCache(cacheBounds(layout));
  }

  get format(): ReturnType<typeof objectFormat> {
    return objectFormat(this.layout.format ?? "sha1");
  }

  /** The storage as a request has it: counted. */
  counted(): PackStorage {
    const { storage, cost, log } = this;
    // a read that begins when no other is under way begins a round
    let under = 0;
    const run = async <T>(kind: "reads" | "writes", what: string, work: () => Promise<T>): Promise<T> => {
      cost[kind]++;
      log.push(what);
      if (under++ === 0) cost.rounds++;
      try {
        // settles later than what else was started at once
        await new Promise((resolve) => setImmediate(resolve));
        return await work();
      } finally {
        under--;
      }
    };
    const nameOf = (file: PackFile): string => `${file.pack}.${file.extension}`;
    return {
      read: async (file, offset, length) => {
        cost.bytesRead += length;
        return await run(
          "reads",
          `read ${nameOf(file)} ${offset}+${length}`,
          async () => await storage.read(file, offset, length),
        );
      },
      openStream: async (file, offset, length) => {
        cost.bytesRead += length;
        return await run(
          "reads",
          `open ${nameOf(file)} ${offset}+${length}`,
          async () => await storage.openStream(file, offset, length),
        );
      },
      write: async (file, bytes) =>
        await run("writes", `write ${nameOf(file)}`, async () => await storage.write(file, bytes)),
      createUpload: async (file) => await storage.createUpload(file),
      delete: async (files) => await storage.delete(files),
      deletePack: async (pack) => await storage.deletePack(pack),
    };
  }

  /** Forgets what was read and what it cost, as another isolate would. */
  forget(): void {
    this.cache = new BlockCache(cacheBounds(this.layout));
    Object.assign(this.cost, { reads: 0, writes: 0, bytesRead: 0, rounds: 0 });
    this.log.length = 0;
  }

  /** The objects of the catalog. */
  database(): ObjectDatabase {
    const { cache, format, pacer } = this;
    const place = { storage: this.counted(), scope: "repository" };
    const tools = { cache, format, hash: nodeHash };
    const graph = new CommitGraph(this.graphs, { ...place, ...tools });
    return new ObjectDatabase(this.packs, { placeOf: () => place, ...tools, pacer }, graph);
  }

  /** Adds layers to the commit-graph, in as many steps as it takes, of what those refs reach whose names are chosen. */
  async makeGraph(
    isChosen: (name: string) => boolean = () => true,
    bounds: Partial<Graphing> = {},
    made: (request: ReplaceGraphsRequest) => void = () => undefined,
  ): Promise<void> {
    const all = new Map(this.refs);
    for (const name of all.keys()) if (!isChosen(name)) this.refs.delete(name);
    let way: { readonly way?: Uint8Array } = {};
    for (let isDone = false; !isDone;) {
      const name = `graph${this.#names++}`;
      const request = await makeGraph({ repository: this.repository(), name, dropped: [], bounds, ...way });
      if (request?.added !== undefined) this.graphs = [...this.graphs.slice(0, request.kept), request.added];
      if (request !== undefined) made(request);
      way = request?.way === undefined ? {} : { way: request.way };
      isDone = request?.objects !== 0;
    }
    for (const [name, value] of all) this.refs.set(name, value);
  }

  /** Takes a pack in without putting it into the catalog; `look` sees it while its kernel is there. */
  async ingest(pack: Uint8Array, options: IngestOptions = {}): Promise<PackRecord> {
    const { layout } = this;
    const kernel = await this.kernels.lend(this.format.rawSize);
    const head = options.head ?? 0;
    try {
      const ingested = await ingestPack({
        source: byteSource(pack.subarray(head), options.chunks ?? (() => MIB)),
        head: pack.slice(0, head),
        storage: this.counted(),
        database: this.database(),
        kernel,
        format: this.format,
        packName: `pack${this.#names++}`,
        packSource: "receive",
        tips: (options.tips ?? []).map((tip) => rawName(tip)),
        hash: nodeHash,
        deflate: (bytes) => deflateSync(bytes),
        limits: {
          objectBytes: layout.objectBytes ?? DEFAULT_LIMITS.objectBytes,
          inflatedBytes: layout.inflatedBytes ?? DEFAULT_LIMITS.inflatedBytes,
          memoryPackBytes: layout.partBytes ?? 8 * MIB,
        },
        now: this.#names,
        progress: {
          received: async (objects, total) => options.progress?.(`received ${objects}/${total}`),
          resolved: async (deltas, total) => options.progress?.(`resolved ${deltas}/${total}`),
        },
      });
      await options.look?.(ingested);
      return ingested.record;
    } finally {
      this.kernels.giveBack(kernel);
    }
  }

  /** Takes a pack in and puts it into the catalog, as a push does. */
  async push(pack: Uint8Array, tips: readonly string[] = [], chunks?: () => number): Promise<PackRecord> {
    const record = await this.ingest(pack, { tips, ...(chunks === undefined ? {} : { chunks }) });
    this.packs = [...this.packs, record];
    return record;
  }

  /** The bytes of one of a pack's files. */
  file(record: PackRecord, extension: PackFile["extension"]): Uint8Array {
    const bytes = this.storage.files.get(`${record.name}.${extension}`);
    if (bytes === undefined) throw new Error(`no ${record.name}.${extension}`);
    return bytes;
  }

  /** Makes the catalog tell of these packs' indexes and types no more than of those too large to be kept there. */
  makeRemote(records: readonly PackRecord[] = this.packs): void {
    const head = 8 + 256 * 4;
    this.packs = this.packs.map((record) => {
      if (!records.includes(record)) return record;
      const { kinds: types, ...rest } = record;
      if (types !== undefined) this.storage.files.set(`${record.name}.kinds`, new Uint8Array(types));
      return { ...rest, indexHead: record.indexHead.slice(0, head) };
    });
  }

  /** What a request gets as its repository. */
  repository(): Repository {
    const unused = async (): Promise<never> => {
      throw new Error("not in this test");
    };
    const refs: RefStore = {
      open: async () => this.answer(new Uint8Array(0)),
      beginPush: unused,
      commitPush: unused,
      leasePacks: unused,
      abandonPush: unused,
    };
    const storage = this.counted();
    return {
      refs,
      storage: () => storage,
      limits: DEFAULT_LIMITS,
      kernels: this.kernels,
      pacer: this.pacer,
      memory: this.memory,
      cache: this.cache,
      hash: nodeHash,
      deflate: (bytes) => deflateSync(bytes),
      deflatePiece: (bytes, isLast) =>
        deflateRawSync(bytes, { finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH }),
      crc32: (crc, bytes) => crc32(bytes, crc),
      noteDamage: (file) => this.damaged.note(file),
      now: () => 0,
      random: (length) => new Uint8Array(length),
    };
  }

  /** The snapshot that a fetch of these raw names works on. */
  answer(wants: Uint8Array): OpenSnapshot {
    const values = [...this.refs.values()];
    const rows = [...this.refs].map(([name, { oid, peeled }]) => ({
      name,
      oid: rawName(oid),
      ...(peeled === undefined ? {} : { peeled: rawName(peeled) }),
    }));
    const wanted = hexNames(wants, this.format.rawSize);
    const tips = new Set(values.map(({ oid }) => oid));
    const peeled = new Set(values.map((value) => value.peeled));
    return {
      kind: "found",
      record: {
        id: "repository",
        objectFormat: this.format.name,
        visibility: "private",
        head: "refs/heads/main",
        description: "",
        readOnly: false,
        rules: [],
        createdAt: 0,
        sizeBytes: 0,
      },
      version: 1,
      packs: this.packs,
      ...(this.graphs.length === 0 ? {} : { graphs: this.graphs }),
      refs: encodeRefRows(rows),
      wantedRefs: [],
      wantIsTip: Uint8Array.from(wanted, (want) => (tips.has(want) ? 1 : peeled.has(want) ? 2 : 0)),
      uncoveredTips: [...tips].filter((tip) => !wanted.includes(tip)).length,
    };
  }

  /** Opens a fetch; close the session. */
  async open(wants: readonly string[], isPlain = false): Promise<FetchSession> {
    const names = rawNames(wants);
    return await openFetchSession(this.repository(), this.answer(names), { wants: names, isPlain });
  }

  /** Fetches as a client does that named its haves; gives the pack. */
  async fetch(request: FetchRequest): Promise<Buffer> {
    const { haves: had = [], filter = NO_FILTER, ofsDelta = true } = request;
    const session = await this.open(request.wants, had.length === 0 && filter === NO_FILTER && ofsDelta);
    try {
      const haves = request.haves ?? [];
      const first = request.early && (await session.settleByFirst(rawNames(haves)));
      request.early?.(first && hexNames(first, this.format.rawSize)[0]);
      if (first === undefined && haves.length > 0) {
        const here = await session.has(rawNames(haves));
        await session.addCommon(rawNames(haves.filter((_, i) => here[i] === 1)));
      }
      const options = { thinPack: haves.length > 0, ofsDelta: true, includeTag: false, filter: NO_FILTER, ...request };
      const chunks: Buffer[] = [];
      await packObjects(session, options, {
        data: async (bytes) => {
          chunks.push(Buffer.from(bytes));
          if (request.isSlow === true) await this.memory.whileClient(settle(), true);
        },
        progress: async () => undefined,
      });
      return Buffer.concat(chunks);
    } finally {
      session.close();
    }
  }

  /** Takes the refs of a git repository over. */
  setRefs(lines: readonly string[]): void {
    this.refs.clear();
    const named = new Map(lines.map((line): [string, string] => [line.split(" ")[1] ?? "", line.split(" ")[2] ?? ""]));
    for (const line of lines) {
      const [name = "", oid = "", first = ""] = line.split(" ");
      // Git before 2.45 tells what a tag names, which may be another tag. The host knows what it finally names.
      let peeled = first;
      for (let next = first; next !== ""; next = named.get(next) ?? "") peeled = next;
      this.refs.set(name, peeled === "" ? { oid } : { oid, peeled });
    }
  }
}

/** For `git for-each-ref`: what {@link TestStore.setRefs} takes. */
export const REF_FORMAT = "--format=%(refname) %(objectname) %(*objectname)";

/** A name in bytes. */
export function rawName(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Names in bytes, one after the other. */
export function rawNames(hex: readonly string[]): Uint8Array<ArrayBuffer> {
  return rawName(hex.join(""));
}

/** Names in hex. */
export function hexNames(raw: Uint8Array, rawSize: number): string[] {
  return Array.from({ length: raw.length / rawSize }, (_, i) =>
    Buffer.from(raw.subarray(i * rawSize, (i + 1) * rawSize)).toString("hex"),
  );
}

/** Bytes that come in pieces, each no longer than `chunks` says. */
export function byteSource(bytes: Uint8Array, chunks: () => number): ByteSource {
  let at = 0;
  return {
    read: async (buffer) => {
      const { byteOffset, byteLength } = buffer;
      const owned = new Uint8Array(buffer.buffer.transfer(), byteOffset, byteLength);
      const length = Math.min(owned.length, Math.max(1, chunks()), bytes.length - at);
      owned.set(bytes.subarray(at, at + length));
      at += length;
      return owned.subarray(0, length);
    },
  };
}

/** Numbers that look random and are the same for the same seed, from 0 up to `below`. */
export function pseudoRandom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
