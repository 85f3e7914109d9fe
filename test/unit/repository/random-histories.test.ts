/**
 * Nothing that no ref reaches comes out, and nothing from before the caller's right to see it: random pushes, force-pushes, deletions
 * and changes of settings, and what every door shows after them. `LONG=1` makes a thousand histories.
 *
 * @packageDocumentation
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { RECENT_TIME } from "../../../src/refs/recent-values.ts";
import { decodeRefRows } from "../../../src/refs/ref-rows.ts";
import { logBeginning } from "../../../src/refs/visible-log.ts";
import type { MirrorSettings } from "../../../src/refs/mirror-store.ts";
import type { RefUpdate } from "../../../src/refs/ref-update.ts";
import { allReachable, showsMoment, wholePacks } from "../../../src/repository/view.ts";
import { serveReceivePack } from "../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../src/service/serve-v2.ts";
import { CREATION, oid } from "../../suites/ref-store.ts";
import {
  buildPack,
  commitOf,
  insertingDelta,
  objectId,
  pushBody,
  type RawEntry,
  treeOf,
  ZERO,
} from "../../support/git-raw.ts";
import { memoryRefStore } from "../../support/memory-ref-store.ts";
import { packNames } from "../../support/pack-names.ts";
import { pktBytes } from "../../support/pkt.ts";
import { pseudoRandom } from "../../support/store.ts";
import { band, MemoryService, NEW_REPOSITORY } from "../service/memory-service.ts";

const HISTORIES = process.env["LONG"] === undefined ? 20 : 1000;
const STEPS = 14;
const BRANCHES = 4;
const MISSING = "12".repeat(20);

type Commit = {
  readonly oid: string;
  readonly parents: readonly string[];
  readonly tree: string;
  readonly blob: string;
};

/** A repository, and what is known of it without asking it. */
class History {
  readonly host = new MemoryService();
  readonly refs = new Map<string, string>();
  readonly commits = new Map<string, Commit>();
  readonly #blobs = new Map<string, string>();
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = pseudoRandom(seed);
  }

  /** Everything that a ref reaches. */
  get reachable(): Set<string> {
    const reached = new Set<string>();
    const stack = [...this.refs.values()];
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      const commit = this.commits.get(name);
      if (commit === undefined || reached.has(name)) continue;
      for (const each of [name, commit.tree, commit.blob]) reached.add(each);
      stack.push(...commit.parents);
    }
    return reached;
  }

  /** Makes a commit, as entries of a pack. Now and then its blob is a delta on one that is stored, whether it is reached or not. */
  #commit(parents: readonly string[]): RawEntry[] {
    const number = this.commits.size;
    const text = `content ${number}`;
    const blob = objectId("blob", text);
    const tree = treeOf(["100644", "file", blob]);
    const commit = commitOf(
      objectId("tree", tree),
      parents,
      `author A <a@b> ${number + 1} +0000\ncommitter A <a@b> ${number + 1} +0000`,
    );
    const base = [...this.#blobs.keys()].at(this.#random(this.#blobs.size + 1));
    const isThin = base !== undefined && this.#random(3) === 0;
    const entry: RawEntry = isThin
      ? { type: "ref-delta", base, content: insertingDelta(this.#blobs.get(base)?.length ?? 0, text) }
      : { type: "blob", content: text };
    this.#blobs.set(blob, text);
    const made = { oid: objectId("commit", commit), parents, tree: objectId("tree", tree), blob };
    this.commits.set(made.oid, made);
    return [{ type: "commit", content: commit }, { type: "tree", content: tree }, entry];
  }

  /** Pushes new commits on some commit that a ref reaches, or on none, and sets a branch to the last; or moves or deletes a branch. */
  async step(): Promise<void> {
    const name = `refs/heads/b${this.#random(BRANCHES)}`;
    const old = this.refs.get(name);
    const known = [...this.reachable].filter((each) => this.commits.has(each));
    const type = this.#random(6);
    if (type === 0 && old !== undefined) return await this.#push(name, old, ZERO, undefined);
    const start = known.at(this.#random(known.length + 1));
    if (type === 1 && start !== undefined) return await this.#push(name, old, start, undefined);
    const entries: RawEntry[] = [];
    let tip = start;
    for (let more = 1 + this.#random(3); more > 0; more--) {
      entries.push(...this.#commit(tip === undefined ? [] : [tip]));
      tip = [...this.commits.keys()].at(-1);
    }
    await this.#push(name, old, tip ?? ZERO, buildPack(entries));
  }

  async #push(name: string, old: string | undefined, to: string, pack: Buffer | undefined): Promise<void> {
    if (old === to || (old === undefined && to === ZERO)) return;
    const body = pushBody([{ name, old: old ?? ZERO, new: to }], pack ?? (to === ZERO ? undefined : buildPack([])));
    const { body: report } = await this.host.run(serveReceivePack, body, { create: NEW_REPOSITORY });
    if (report.includes("deletion of the current branch prohibited")) return;
    if (!report.includes(`ok ${name}`)) throw new Error(JSON.stringify(report.toString("latin1")));
    if (to === ZERO) this.refs.delete(name);
    else this.refs.set(name, to);
  }

  async fetch(...lines: string[]): Promise<Buffer> {
    const head = ["command=fetch", "object-format=sha1", "0001", "ofs-delta", "no-progress"];
    return (await this.host.run(serveV2, pktBytes(...head, ...lines, "0000"))).body;
  }
}

/** A clone has what is reachable, and the files that a dumb client may have hold nothing else. */
async function checkObjects(history: History): Promise<void> {
  const { host, refs, reachable } = history;
  const wants = [...new Set(refs.values())].map((tip) => `want ${tip}`);
  if (wants.length > 0) {
    const names = packNames(band(await history.fetch(...wants, "done"), 1));
    expect(new Set(names)).toEqual(reachable);
    expect(names).toHaveLength(reachable.size);
  }
  const snapshot = await host.refs.open({ packs: true });
  if (snapshot.kind === "missing") return;
  const dumb = wholePacks(snapshot).flatMap(({ name }) =>
    packNames(Buffer.from(host.storage.files.get(`${name}.pack`) ?? [])),
  );
  expect(dumb.filter((name) => !reachable.has(name))).toEqual([]);
  if (allReachable(snapshot)) expect(new Set(dumb)).toEqual(reachable);
}

/** Whoever names what is not reachable gets what one gets who names nothing. */
async function checkNames(history: History): Promise<void> {
  const { refs, commits, reachable } = history;
  const [want] = refs.values();
  const gone = [...commits.values()].filter((commit) => !reachable.has(commit.oid)).slice(-2);
  if (want === undefined) return;
  // What refs had within the last minute may be wanted.
  history.host.now += 2 * RECENT_TIME;
  for (const commit of gone) {
    for (const name of [commit.oid, commit.tree, commit.blob].filter((each) => !reachable.has(each))) {
      expect((await history.fetch(`want ${name}`, "done")).toString("latin1")).toContain("not our ref");
      const ask = async (lines: (oid: string) => string[]): Promise<void> =>
        expect(await history.fetch(`want ${want}`, "thin-pack", ...lines(name))).toEqual(
          await history.fetch(`want ${want}`, "thin-pack", ...lines(MISSING)),
        );
      await ask((each) => [`have ${each}`]);
      await ask((each) => [`have ${each}`, `shallow ${each}`, "deepen 2", "done"]);
    }
  }
}

it(`never shows an unreachable object, in ${HISTORIES} histories`, { timeout: 60_000 + HISTORIES * 2000 }, async () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const history = new History(seed);
    for (let step = 0; step < STEPS; step++) {
      await history.step();
      if (step % 5 === 4) await checkObjects(history);
    }
    await checkObjects(history);
    await checkNames(history);
    expect(history.commits.size).toBeGreaterThan(0);
  }
});

/** A mirror that is moved, turned into something else, hidden and shown, and where its log may be seen from. */
class Settings {
  now = 1_700_000_000_000;
  readonly store = memoryRefStore(() => this.now);
  readonly refs = new Map<string, string>();
  /** By moment, the refs that there were, in what span of right: it ends with each change that a caller may not see behind. */
  readonly past: { readonly at: number; readonly refs: string[]; readonly mirror: number; readonly anybody: number }[] =
    [];
  mirror = -1;
  anybody = 0;
  #visibility: "private" | "public" = "private";
  #upstream = "";
  #id = "";
  #spans = 1;
  #packs = 0;
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = pseudoRandom(seed);
  }

  async make(): Promise<void> {
    const made = await this.store.create(CREATION);
    if (made.kind !== "created") throw new Error(made.kind);
    this.#id = made.record.id;
  }

  async step(): Promise<void> {
    this.now += 1 + this.#random(3);
    const type = this.#random(10);
    if (type === 0) await this.#show(this.#visibility === "public" ? "private" : "public");
    else if (type === 1) this.#follow(`https://example.com/${this.#random(2)}.git`);
    else if (type === 2 && this.mirror >= 0) this.#promote();
    else await this.#move();
    this.now += 1;
    const refs = [...this.refs].map(([name, value]) => `${name} ${value}`).toSorted();
    this.past.push({ at: this.now, refs, mirror: this.mirror, anybody: this.anybody });
  }

  async #show(visibility: "private" | "public"): Promise<void> {
    await this.store.change({ visibility });
    this.#visibility = visibility;
    this.anybody = this.#spans++;
  }

  #follow(upstream: string): void {
    const settings: MirrorSettings = {
      upstream,
      interval: 0,
      fetchThrough: 0,
      refspecs: ["+refs/*:refs/*"],
      policy: "follow",
      lfs: "requests",
      fsck: { ignore: [], skip: [] },
    };
    const answer = this.store.database.mirror.configure({ settings, login: "keep", hook: "keep" }, this.now);
    if (answer.kind !== "configured") return;
    if (this.mirror < 0 || this.#upstream !== upstream) this.mirror = this.#spans++;
    this.#upstream = upstream;
  }

  #promote(): void {
    this.store.database.mirror.promote();
    this.mirror = -1;
  }

  async #move(): Promise<void> {
    const name = `refs/heads/b${this.#random(3)}`;
    const oldOid = this.refs.get(name) ?? ZERO;
    const newOid = oldOid !== ZERO && this.#random(2) === 0 ? ZERO : oid(this.#random(1000) + 1);
    const updates: RefUpdate[] = [{ name, oldOid, newOid, forward: false }];
    if (this.mirror < 0) {
      const pushed = { id: this.#id, updates, atomic: false, actor: "t", pusher: {}, signed: false, pushOptions: [] };
      await this.store.commitPush(pushed);
    } else {
      const { mirror } = this.store.database;
      const packName = `pack-${++this.#packs}`;
      mirror.begin(packName, this.now);
      const asked = {
        id: this.#id,
        packName,
        end: { kind: "synced" },
        isClean: true,
        updates,
        bytes: 0,
        objects: 0,
      } as const;
      await mirror.end(asked, { now: this.now, jitter: 0 });
    }
    if (newOid === ZERO) this.refs.delete(name);
    else this.refs.set(name, newOid);
  }

  async refsAt(at: number, publicOnly: boolean): Promise<string[]> {
    const answer = await this.store.open({ refPrefixes: [], at, publicOnly });
    if (answer.kind === "missing") return [];
    const rows = decodeRefRows(answer.refs, 20);
    return Array.from(rows, ({ name, oid: value }) => `${name} ${Buffer.from(value).toString("hex")}`).toSorted();
  }
}

describe("a repository with a random history", () => {
  it(
    `shows no past and no event from before the right to see them, in ${HISTORIES} histories`,
    { timeout: 60_000 + HISTORIES * 500 },
    async () => {
      for (let seed = 1; seed <= HISTORIES; seed++) {
        const settings = new Settings(seed);
        await settings.make();
        for (let step = 0; step < 30; step++) await settings.step();
        const record = await settings.store.describe();
        if (record === undefined) throw new Error("no repository");
        for (const isAnybody of record.visibility === "public" ? [true, false] : [false]) {
          for (const { at, refs, ...then } of settings.past) {
            const mayBeSeen =
              settings.mirror >= 0 &&
              then.mirror === settings.mirror &&
              (!isAnybody || then.anybody === settings.anybody);
            expect(showsMoment(record, at, { needsPublic: isAnybody, now: at }), `seed ${seed}, ${at}`).toBe(mayBeSeen);
            if (mayBeSeen) expect(await settings.refsAt(at, isAnybody)).toEqual(refs);
            else if (at < logBeginning(record, isAnybody).at) expect(await settings.refsAt(at, isAnybody)).toEqual([]);
          }
          const { seq, at } = logBeginning(record, isAnybody);
          const told = settings.store.database.events().movesAfter(seq, 1000);
          expect(told.filter((move) => move.at < at)).toEqual([]);
        }
      }
    },
  );
});
