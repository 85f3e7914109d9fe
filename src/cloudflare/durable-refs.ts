/**
 * `RefStore` and `RepositorySettings` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import type { RepositoryObject } from "../durable/repository/repository-object.ts";
import type { OpenPage } from "../durable/repository/open-page.ts";
import type { ForkStore } from "../refs/fork-store.ts";
import type { StatusStore } from "../refs/commit-statuses.ts";
import type { KeptBlobStore } from "../refs/kept-blobs.ts";
import type { MaintenanceStore } from "../refs/maintenance-store.ts";
import type { PackCatalog } from "../refs/pack-catalog.ts";
import type { CreateRequest, OpenAnswer, OpenRequest, RefStore } from "../refs/ref-store.ts";
import { assertFits, MOST_PUSH_BYTES } from "../refs/refs-in-one-step.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";
import type { UploadStore } from "../refs/upload-store.ts";
import { type KnownPacks, PackMemory } from "./known-packs.ts";
import type { RecentRefs } from "./recent-refs.ts";
import type { RequestCounters } from "./request-counters.ts";

/** The most tries to read a snapshot whose refs change while its pages are read. */
const MOST_TRIES = 5;
const NOTHING_KNOWN: KnownPacks = { names: [], records: [] };

/** The packs of the repository that the isolate knows, by its key: see `PackMemory`. */
export type NamedMemory = { readonly key: string; readonly packs: PackMemory };

/** A memory that is shared by nobody. */
function ownMemory(): NamedMemory {
  return { key: "", packs: new PackMemory({ get: () => undefined, set: () => undefined }) };
}

/**
 * Puts a snapshot together from what the isolate knows of packs, and from pages of very many refs; nearly all repositories
 * fit one page. A page of another version than the first belongs to another snapshot, and the reading begins anew.
 *
 * @throws Error if the refs change faster than they can be read.
 */
export async function openWhole(
  request: OpenRequest,
  page: (after?: string, knows?: readonly string[]) => Promise<OpenPage>,
  { key, packs: memory }: NamedMemory = ownMemory(),
): Promise<OpenAnswer> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const knew = request.packs === true ? memory.of(key, request.publicOnly) : NOTHING_KNOWN;
    const told = await page(undefined, knew.names);
    if (told.kind === "missing") {
      if (knew.names.length > 0) memory.forget(key);
      return told;
    }
    const { refsGoOnAfter, known: _, ...rest } = told;
    const snapshot = request.packs === true ? { ...rest, packs: memory.take(key, told, knew) } : rest;
    const first = snapshot;
    if (refsGoOnAfter === undefined) return snapshot;
    const refs = [...first.refs];
    let after: string | undefined = refsGoOnAfter;
    while (after !== undefined) {
      const next = await page(after);
      if (next.kind === "missing" || next.record.id !== first.record.id || next.version !== first.version) break;
      refs.push(...next.refs);
      after = next.refsGoOnAfter;
      if (after === undefined) return { ...snapshot, refs };
    }
  }
  throw new Error(
    // Only for the message.
    `the refs changed ${MOST_TRIES} times while ${request.refPrefixes?.length ?? 0} prefixes were listed`,
  );
}

/** A stub of a repository's Durable Object. */
export type RepositoryStub = DurableObjectStub<RepositoryObject>;

/** Bytes that a pack's record takes beside the head of its index and its types, at most. */
const PACK_BYTES = 1024;

/** Checks that the content of a fork fits the call that makes it. @throws LimitExceeded if it does not. */
function assertForkFits({ fork }: CreateRequest): void {
  if (fork === undefined) return;
  let bytes = 0;
  for (const chunk of fork.refs) bytes += chunk.length;
  // Types that are a file in the bucket take nothing here.
  for (const { indexHead, kinds } of fork.packs) bytes += PACK_BYTES + indexHead.length + (kinds?.length ?? 0);
  if (bytes > MOST_PUSH_BYTES)
    throw new LimitExceeded("refs-in-one-step", MOST_PUSH_BYTES, "the repository has too many refs to be forked");
}

/** The truth of a repository. */
export type DurableRefs = RefStore &
  PackCatalog &
  MaintenanceStore &
  RepositorySettings &
  UploadStore &
  KeptBlobStore &
  StatusStore &
  ForkStore;

/** What the refs of one repository are read with: its name, `{tenant}/{repo}`, and what counts and remembers. */
export type RefsTools = {
  readonly name: string;
  readonly counters: RequestCounters;
  readonly recent: RecentRefs;
  readonly known: PackMemory;
};

/** Opens a whole snapshot, of which the first page may be here already. */
function openPages(
  request: OpenRequest,
  first: OpenPage | undefined,
  memory: NamedMemory,
  page: (after?: string, knows?: readonly string[]) => Promise<OpenPage>,
): Promise<OpenAnswer> {
  let here = first;
  const next = async (after?: string, knows?: readonly string[]): Promise<OpenPage> => {
    const taken = here;
    here = undefined;
    return taken ?? (await page(after, knows));
  };
  return openWhole(request, next, memory);
}

/** Opens the truth of a repository, which need not exist. No request is sent before the first call. */
export function durableRefs(object: RepositoryStub, { name, counters, recent, known }: RefsTools): DurableRefs {
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  const memory: NamedMemory = { key: name, packs: known };
  return {
    open: (request) =>
      recent.open(name, request, {
        unlessSame: (before) => call(async () => object.openUnlessSame(request, before)),
        whole: (first) =>
          openPages(request, first, memory, (after, knows) => call(async () => object.open(request, after, knows))),
      }),
    beginPush: async ({ asStranger = false, ...request }) => {
      const knew = memory.packs.of(memory.key, asStranger);
      const told = await call(async () => object.beginPush(request, knew.names));
      if (told.kind === "missing") {
        memory.packs.forget(memory.key);
        return told;
      }
      const { known: _, ...begun } = told;
      return { ...begun, packs: memory.packs.take(memory.key, told, knew) };
    },
    commitPush: async (request) => {
      assertFits(request.updates, "one push; push them in parts", request.pushOptions);
      const answer = await call(async () => object.commitPush(request));
      const { id, pack } = request;
      if (answer.kind === "done" && answer.packKept && pack !== undefined) memory.packs.add(memory.key, id, pack);
      return answer;
    },
    replacePacks: async (request) =>
      (await call(async () => object.maintenance({ kind: "packs", request }))).replaced ?? { kind: "gone" },
    maintenance: async () => (await call(async () => object.maintenance({ kind: "show" }))).state,
    askForMaintenance: async (purge) => (await call(async () => object.maintenance({ kind: "ask", purge }))).state,
    reviveUnreachable: async () => (await call(async () => object.maintenance({ kind: "revive" }))).revived === true,
    beginMaintenance: async (id, packNames) =>
      (await call(async () => object.maintenance({ kind: "begin", id, packNames }))).begun ?? { kind: "gone" },
    replaceGraphs: async (request) =>
      (await call(async () => object.maintenance({ kind: "graphs", request }))).replaced ?? { kind: "gone" },
    reportLfs: async (report) =>
      (await call(async () => object.maintenance({ kind: "lfs", report }))).replaced ?? { kind: "gone" },
    reportDamage: async (files) => {
      await call(async () => object.maintenance({ kind: "damage", files }));
    },
    endMaintenance: async (id, run) => {
      await call(async () => object.maintenance({ kind: "end", id, run }));
    },
    leasePacks: (id, packNames) => call(async () => object.leasePacks(id, packNames)),
    abandonPush: (packName) => call(async () => object.abandonPush(packName)),
    upload: (request) => call(async () => object.upload(request)),
    statuses: (request) => call(async () => object.statuses(request)),
    keptBlobs: (request) => call(async () => object.keptBlobs(request)),
    describe: (publicOnly) => call(async () => object.describe(publicOnly)),
    create: (request) => {
      assertForkFits(request);
      return call(async () => object.create(request));
    },
    prepareFork: (id, packs) => call(async () => object.prepareFork(id, packs)),
    change: async (change, tags) => {
      const changed = await call(async () => object.change(change, tags));
      if (change.visibility !== undefined) known.forget(name);
      return changed;
    },
    move: async (to) => {
      const moved = await call(async () => object.move(to));
      known.forget(name);
      return moved;
    },
    forward: () => call(async () => object.forward()),
    refLog: (query) => call(async () => object.refLog(query)),
    pushCertificate: (push) => call(async () => object.pushCertificate(push)),
    remove: (id) => call(async () => object.remove(id)),
    derivedFilesWritten: (id, version) => call(async () => object.derivedFilesWritten(id, version)),
    prefixDeleted: (id) => call(async () => object.prefixDeleted(id)),
  };
}
