/** From where on the ref log, and the past that is read out of it, may be seen. */
import { expect, it } from "vitest";
import { logBeginning } from "../../../src/refs/visible-log.ts";
import { decodeRefRows } from "../../../src/refs/ref-rows.ts";
import type { MirrorSettings } from "../../../src/refs/mirror-store.ts";
import { showsMoment } from "../../../src/repository/view.ts";
import { create, CREATION, oid, remove } from "../../suites/ref-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../support/memory-ref-store.ts";
import { nodeSql } from "../../support/node-sql.ts";
import { wake } from "../../support/wake.ts";
import { statementsOf } from "../../suites/schema.ts";

const BEGAN = 1_700_000_000_000;

/** A repository whose clock a test moves. */
class Timed {
  now = BEGAN;
  readonly store: MemoryRefStore = memoryRefStore(() => this.now);
  #id = "";
  #packs = 0;

  async make(visibility: "private" | "public" = "private"): Promise<this> {
    // Its first branch is to be deleted, which HEAD can't be.
    const made = await this.store.create({ ...CREATION, visibility, headChosen: true });
    if (made.kind !== "created") throw new Error(made.kind);
    this.#id = made.record.id;
    return this;
  }

  /** Pushes a branch and deletes it again, each a second later; gives the moment at which it was there. */
  async secret(name: string): Promise<number> {
    const push = async (updates: ReturnType<typeof create>[]): Promise<void> => {
      this.now += 1000;
      const asked = { id: this.#id, updates, atomic: false, actor: "t", pusher: {}, signed: false, pushOptions: [] };
      await this.store.commitPush(asked);
    };
    await push([create(name, oid(1))]);
    const there = this.now;
    await push([remove(name, oid(1))]);
    this.now += 1000;
    return there;
  }

  /** Syncs a branch, and drops it again; gives the moment at which it was there. */
  async sync(name: string): Promise<number> {
    const { mirror } = this.store.database;
    const move = async (updates: ReturnType<typeof create>[]): Promise<void> => {
      this.now += 1000;
      const packName = `pack-${++this.#packs}`;
      mirror.begin(packName, this.now);
      const ended = await mirror.end(
        { id: this.#id, packName, end: { kind: "synced" }, isClean: true, updates, bytes: 0, objects: 0 },
        { now: this.now, jitter: 0 },
      );
      if (ended.kind !== "done") throw new Error(ended.kind);
    };
    await move([create(name, oid(2))]);
    const there = this.now;
    await move([remove(name, oid(2))]);
    this.now += 1000;
    return there;
  }

  follow(upstream: string): void {
    this.now += 1000;
    const settings: MirrorSettings = {
      upstream,
      interval: 0,
      fetchThrough: 0,
      refspecs: ["+refs/heads/*:refs/heads/*"],
      policy: "follow",
      lfs: "requests",
      fsck: { ignore: [], skip: [] },
    };
    this.store.database.mirror.configure({ settings, login: "keep", hook: "keep" }, this.now);
  }

  /** Whether a moment may be read by everybody, and by those who could read the repository while it was private. */
  async shows(at: number): Promise<[anybody: boolean, reader: boolean]> {
    const record = await this.store.describe();
    if (record === undefined) throw new Error("no repository");
    const shows = (needsPublic: boolean): boolean => showsMoment(record, at, { needsPublic, now: at });
    return [shows(true), shows(false)];
  }

  async namesAt(at: number, publicOnly = false): Promise<string[]> {
    const answer = await this.store.open({ refPrefixes: [], at, publicOnly });
    return answer.kind === "found" ? [...decodeRefRows(answer.refs, 20)].map(({ name }) => name) : [];
  }

  async beginning(needsPublic: boolean): Promise<number> {
    return logBeginning((await this.store.describe()) ?? {}, needsPublic).seq;
  }
}

it("is nothing that came before the repository was a mirror, nor of an upstream before", async () => {
  const timed = await new Timed().make("public");
  const pushed = await timed.secret("refs/heads/secret");
  expect(await timed.shows(pushed)).toEqual([false, false]);
  timed.follow("https://example.com/a.git");
  expect(await timed.shows(pushed)).toEqual([false, false]);
  expect(await timed.namesAt(pushed)).toEqual([]);
  const first = await timed.sync("refs/heads/first");
  expect(await timed.shows(first)).toEqual([true, true]);
  expect(await timed.namesAt(first)).toEqual(["refs/heads/first"]);
  expect(await timed.beginning(false)).toBe(2);
  // The same upstream goes on; another begins anew.
  timed.follow("https://example.com/a.git");
  expect(await timed.shows(first)).toEqual([true, true]);
  timed.follow("https://example.com/b.git");
  expect(await timed.shows(first)).toEqual([false, false]);
  expect(await timed.namesAt(first)).toEqual([]);
  // Made an ordinary repository, pushed to, and a mirror once more.
  const second = await timed.sync("refs/heads/second");
  timed.store.database.mirror.promote();
  const between = await timed.secret("refs/heads/between");
  timed.follow("https://example.com/b.git");
  for (const at of [pushed, first, second, between]) expect(await timed.shows(at)).toEqual([false, false]);
  expect(await timed.shows(timed.now)).toEqual([true, true]);
  expect(await timed.beginning(true)).toBe(8);
});

it("is for those who read it because it is public what came since it was", async () => {
  const timed = await new Timed().make();
  timed.follow("https://example.com/a.git");
  const hidden = await timed.sync("refs/heads/private-times");
  await timed.store.change({ description: "still private" });
  await timed.store.change({ visibility: "public" });
  expect(await timed.shows(hidden)).toEqual([false, true]);
  expect([await timed.namesAt(hidden, true), await timed.namesAt(hidden)]).toEqual([[], ["refs/heads/private-times"]]);
  expect([await timed.beginning(true), await timed.beginning(false)]).toEqual([2, 0]);
  const shown = await timed.sync("refs/heads/public-times");
  expect(await timed.shows(shown)).toEqual([true, true]);
  // What is public already does not become so.
  await timed.store.change({ visibility: "public" });
  expect(await timed.shows(shown)).toEqual([true, true]);
  await timed.store.change({ visibility: "private" });
  timed.now += 1000;
  await timed.store.change({ visibility: "public" });
  expect(await timed.shows(shown)).toEqual([false, true]);
});

it("is nothing from before a mark, also where the clock went back", async () => {
  const timed = await new Timed().make("public");
  await timed.secret("refs/heads/secret");
  timed.now -= 3_600_000;
  timed.follow("https://example.com/a.git");
  expect(await timed.namesAt(timed.now)).toEqual([]);
});

it("is of a repository of an earlier build what came since its last push, where that is all that is known", async () => {
  const rows = [
    "INSERT INTO repository VALUES (1, 'id', 'sha1', 'public', 'refs/heads/main', '', 0, 5, 6, 2, 1, NULL, 0)",
    "INSERT INTO pushes (actor, at, options) VALUES ('operator', 6, '[]'), ('mirror', 8, '[]')",
    ...[1, 2].map(
      (push) =>
        `INSERT INTO ref_log (push, name, old, new, forward) VALUES (${push}, 'refs/heads/main', x'00', x'11', 0)`,
    ),
    `INSERT INTO mirror (one, upstream, interval, fetch_through, refspecs, policy, fsck_ignore, fsck_skip, failures, asked, bytes, objects)
      VALUES (1, 'https://example.com/a.git', 0, 0, '', 'follow', '', '', 0, 0, 0, 0)`,
  ];
  const { opened } = wake(nodeSql(), "repository", [...statementsOf("repository", 6), ...rows]);
  expect(opened).toMatchObject({ record: { publicSince: { seq: 2, at: 8 }, mirrorSince: { seq: 1, at: 6 } } });
});
