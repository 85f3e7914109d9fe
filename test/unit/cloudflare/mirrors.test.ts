/** What follows a mirror's sync in one job: the objects of Git LFS, as far as the time of the job suffices. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Mirrors } from "../../../src/cloudflare/mirrors.ts";
import type { LfsObject } from "../../../src/refs/lfs-store.ts";
import type { MirrorLfs } from "../../../src/refs/mirror-store.ts";

const MINUTE = 60_000;
const OBJECT: LfsObject = { oid: "1".repeat(64), size: 5 };
const PROGRESS: MirrorLfs = { objects: 0, missing: 0, looked: [], complete: false };

/** How long the next sync takes, in milliseconds. */
let syncTime = 0;

vi.mock("../../../src/mirror/sync.ts", () => ({
  syncMirror: async () => {
    vi.setSystemTime(Date.now() + syncTime);
    const record = { id: "one", mirror: { syncedAt: Date.now() } };
    return { kind: "synced", changed: false, isPublished: true, snapshot: {}, record, lfs: PROGRESS };
  },
}));
vi.mock("../../../src/mirror/lfs-pointers.ts", () => ({
  nextPointers: async () => ({ objects: [OBJECT], progress: { ...PROGRESS, complete: true } }),
}));

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Runs a sync that takes so long. Returns how it ended, the objects that were opened, and what was noted of them. */
async function sync(time: number): Promise<{ kind: string; opened: LfsObject[]; noted: MirrorLfs[] }> {
  syncTime = time;
  const opened: LfsObject[] = [];
  const noted: MirrorLfs[] = [];
  const lfs = async (): Promise<unknown> => ({
    home: "acme",
    upstream: {
      offers: async () => new Map([[OBJECT.oid, OBJECT.size]]),
      open: async (object: LfsObject) => void opened.push(object),
      mostBytes: async () => undefined,
    },
    store: {
      lfs: async ({ kind }: { readonly kind: string }) => ({
        kind: "found",
        outcomes: [kind === "find" ? { kind: "missing" } : { kind: "announced", size: OBJECT.size, home: "acme" }],
      }),
      notePulled: async (progress: MirrorLfs) => void noted.push(progress),
    },
    links: () => ({ linkLfs: async () => "linked" }),
    files: () => ({ write: async () => "written" }),
  });
  const syncing = {
    repository: { now: () => Date.now() },
    mirror: { requestSync: async () => undefined },
    snapshots: { write: async () => [] },
    lfs,
  };
  const { kind } = await new Mirrors({}, "test").sync(syncing as never);
  return { kind, opened, noted };
}

it("objects are asked for after a sync that leaves time for them", async () => {
  expect(await sync(MINUTE)).toMatchObject({ kind: "synced", opened: [OBJECT], noted: [{ missing: 1 }] });
});

it("a sync that took all the time of its job has synced, and its objects are left to the next one", async () => {
  expect(await sync(20 * MINUTE)).toEqual({ kind: "synced", opened: [], noted: [] });
});
