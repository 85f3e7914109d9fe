/** What becomes of a sync under way when the mirror's settings change, or when it dies; and when the next comes. */
import { expect, it } from "vitest";
import type { MirrorSettings, SyncEnd } from "../../../../src/refs/mirror-store.ts";
import { create, CREATION, oid } from "../../../suites/ref-store.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";

const NOW = 1_700_000_000_000;
const SETTINGS: MirrorSettings = {
  upstream: "https://example.com/a.git",
  interval: 0,
  fetchThrough: 0,
  refspecs: ["+refs/heads/*:refs/heads/*"],
  policy: "follow",
  lfs: "requests",
  fsck: { ignore: [], skip: [] },
};

/** Changes settings while a sync is under way. Gives how that ends, and whether another can begin before. */
async function changedTo(change: Partial<MirrorSettings>): Promise<{ ended: string; next: string; refs: number }> {
  const store = memoryRefStore(() => NOW);
  const made = await store.create(CREATION);
  if (made.kind !== "created") throw new Error(made.kind);
  const { mirror } = store.database;
  const configure = (settings: MirrorSettings): void => {
    mirror.configure({ settings, login: "keep", hook: "keep" }, NOW);
  };
  configure(SETTINGS);
  mirror.begin("first", NOW);
  configure({ ...SETTINGS, ...change });
  const next = mirror.begin("second", NOW).kind;
  const { kind } = await mirror.end(
    {
      id: made.record.id,
      packName: "first",
      end: { kind: "synced", reached: [] },
      isClean: true,
      updates: [create("refs/heads/main", oid(1))],
      bytes: 0,
      objects: 0,
    },
    { now: NOW, jitter: 0 },
  );
  const found = await store.open({ refPrefixes: [""] });
  return { ended: kind, next, refs: found.kind === "found" ? found.refs.length : -1 };
}

it("a failing upstream is left alone until its retry is due, even while changes are unpublished", async () => {
  const store = memoryRefStore(() => NOW);
  const made = await store.create(CREATION);
  if (made.kind !== "created") throw new Error(made.kind);
  const { mirror } = store.database;
  const sync = async (end: SyncEnd, now: number): Promise<void> => {
    mirror.begin(`pack-${now}`, now);
    const { id } = made.record;
    await mirror.end(
      { id, packName: `pack-${now}`, end, isClean: true, updates: [], bytes: 0, objects: 0 },
      { now, jitter: 0.5 },
    );
  };
  mirror.configure({ settings: SETTINGS, login: "keep", hook: "keep" }, NOW);
  await sync({ kind: "synced", reached: [] }, NOW);
  expect(mirror.nextDue()).toBe(NOW + 60_000);
  await sync({ kind: "failed", why: "It fails.", retryAfter: 7_200_000 }, NOW + 1);
  expect(mirror.nextDue()).toBe(NOW + 1 + 7_200_000);
});

it.each([{ upstream: "https://example.com/b.git" }, { refspecs: ["+refs/heads/main:refs/heads/main"] }])(
  "is of no use any more where it asks for other refs: %j",
  async (change) => {
    expect(await changedTo(change)).toEqual({ ended: "gone", next: "begun", refs: 0 });
  },
);

it.each([{}, { interval: 3600 }, { policy: "keep" }] as const)(
  "goes on where it asks for the same: %j",
  async (change) => {
    expect(await changedTo(change)).toEqual({ ended: "done", next: "busy", refs: 1 });
  },
);

it("a sync is taken for dead if it is silent, and not while it reports that it is alive", async () => {
  const store = memoryRefStore(() => NOW);
  await store.create(CREATION);
  const { mirror } = store.database;
  mirror.configure({ settings: SETTINGS, login: "keep", hook: "keep" }, NOW);
  mirror.begin("first", NOW);
  const silent = mirror.nextDue() ?? 0;
  expect(silent).toBeGreaterThan(NOW);
  mirror.renew("first", silent - 1);
  mirror.renew("another", silent + 1_000_000);
  expect(mirror.begin("second", silent).kind).toBe("busy");
  expect(mirror.nextDue()).toBeGreaterThan(silent);
  // Whoever asks meanwhile is not forgotten where it dies.
  expect(mirror.request(silent)).toBe("noted");
  const dead = mirror.nextDue() ?? 0;
  mirror.jobSent(silent);
  expect(mirror.nextDue()).toBe(dead);
  expect(mirror.begin("second", dead).kind).toBe("begun");
});
