/**
 * `RefStore` and `RepositorySettings` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import type { RepositoryObject } from "../durable/repository/repository-object.ts";
import type { OpenPage } from "../durable/repository/open-page.ts";
import type { ForkStore } from "../refs/fork-store.ts";
import type { KeptBlobStore } from "../refs/kept-blobs.ts";
import type { MaintenanceStore } from "../refs/maintenance-store.ts";
import type { PackCatalog } from "../refs/pack-catalog.ts";
import type { CreateRequest, OpenAnswer, OpenRequest, RefStore } from "../refs/ref-store.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";
import type { UploadStore } from "../refs/upload-store.ts";
import type { RecentRefs } from "./recent-refs.ts";
import type { RequestCounters } from "./request-counters.ts";

/** The most tries to read a snapshot whose refs change while its pages are read. */
const MOST_TRIES = 5;

/**
 * Puts a snapshot of very many refs together from pages; nearly all repositories fit one page. A page of another
 * version than the first belongs to another snapshot, and the reading begins anew.
 *
 * @throws Error if the refs change faster than they can be read.
 */
export async function openWhole(
  request: OpenRequest,
  page: (after?: string) => Promise<OpenPage>,
): Promise<OpenAnswer> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const first = await page();
    if (first.kind === "missing" || first.refsGoOnAfter === undefined) return first;
    const { refsGoOnAfter, ...snapshot } = first;
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

/** Bytes that an RPC carries, less what its frame may take. */
const MOST_PUSH_BYTES = 30 * 1024 * 1024;
/** Bytes that a command takes in an RPC beside its name and oids: the names of its members, and lengths. */
const COMMAND_BYTES = 48;
/** Bytes that a pack's record takes beside the head of its index and its types, at most. */
const PACK_BYTES = 1024;

/** Returns the bytes that commands take in a call. */
function updatesBytes(updates: readonly RefUpdate[]): number {
  let bytes = 0;
  for (const { name, oldOid, newOid, peeled = "" } of updates) {
    bytes += COMMAND_BYTES + name.length + oldOid.length + newOid.length + peeled.length;
  }
  return bytes;
}

/**
 * Checks that moves fit one call: they have to land in one, to be one step. `what` names them in the message.
 *
 * @throws LimitExceeded if they don't fit.
 */
export function assertFits(updates: readonly RefUpdate[], what: string, options: readonly string[] = []): void {
  let bytes = updatesBytes(updates);
  for (const option of options) bytes += option.length;
  if (bytes <= MOST_PUSH_BYTES) return;
  throw new LimitExceeded("refs-in-one-step", updates.length, `${updates.length} refs are too many for ${what}`);
}

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
  ForkStore;

/** What the refs of one repository are read with: its name, `{tenant}/{repo}`, and what counts and remembers. */
export type RefsTools = {
  readonly name: string;
  readonly counters: RequestCounters;
  readonly recent: RecentRefs;
};

/** Opens a whole snapshot, of which the first page may be here already. */
function openPages(
  request: OpenRequest,
  first: OpenPage | undefined,
  page: (after?: string) => Promise<OpenPage>,
): Promise<OpenAnswer> {
  let here = first;
  return openWhole(request, async (after) => {
    const taken = here;
    here = undefined;
    return taken ?? (await page(after));
  });
}

/** Opens the truth of a repository, which need not exist. No request is sent before the first call. */
export function durableRefs(object: RepositoryStub, { name, counters, recent }: RefsTools): DurableRefs {
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  return {
    open: (request) =>
      recent.open(name, request, {
        unlessSame: (known) => call(async () => object.openUnlessSame(request, known)),
        whole: (first) => openPages(request, first, (after) => call(async () => object.open(request, after))),
      }),
    beginPush: (request) => call(async () => object.beginPush(request)),
    commitPush: (request) => {
      assertFits(request.updates, "one push; push them in parts", request.pushOptions);
      return call(async () => object.commitPush(request));
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
    endMaintenance: async (id, run) => {
      await call(async () => object.maintenance({ kind: "end", id, run }));
    },
    abandonPush: (packName) => call(async () => object.abandonPush(packName)),
    upload: (request) => call(async () => object.upload(request)),
    keptBlobs: (request) => call(async () => object.keptBlobs(request)),
    describe: (publicOnly) => call(async () => object.describe(publicOnly)),
    create: (request) => {
      assertForkFits(request);
      return call(async () => object.create(request));
    },
    prepareFork: (id, packs) => call(async () => object.prepareFork(id, packs)),
    change: (change, tags) => call(async () => object.change(change, tags)),
    move: (to) => call(async () => object.move(to)),
    forward: () => call(async () => object.forward()),
    refLog: (query) => call(async () => object.refLog(query)),
    pushCertificate: (push) => call(async () => object.pushCertificate(push)),
    remove: (id) => call(async () => object.remove(id)),
    derivedFilesWritten: (id, version) => call(async () => object.derivedFilesWritten(id, version)),
    prefixDeleted: (id) => call(async () => object.prefixDeleted(id)),
  };
}
