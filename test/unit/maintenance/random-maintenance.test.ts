/**
 * Maintenance between random pushes, deletions, rewrites, failures and purges, with a model beside it that says what the refs
 * are. `LONG=1` plays 200 games.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";
import { makeHistory } from "../../support/random-history.ts";
import { pseudoRandom } from "../../support/store.ts";

const GAMES = process.env["LONG"] === "1" ? 200 : 4;
const TURNS = 30;
const COMMITS = 30;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** One game. */
class Game {
  readonly source = new GitRepository();
  readonly bed: MaintainedBed;
  readonly random: (below: number) => number;
  /** What the refs are. */
  readonly model = new Map<string, string>();
  readonly #commits: string[];

  constructor(seed: number) {
    makeHistory(this.source, seed, { commits: COMMITS });
    this.bed = new MaintainedBed(this.source);
    this.random = pseudoRandom(seed + 1);
    this.#commits = Array.from({ length: COMMITS }, (_, i) => this.source.oid(`c${i}`));
  }

  #ref(): string {
    return `refs/heads/r${this.random(4)}`;
  }

  async #begin(): Promise<() => Promise<void>> {
    const name = this.#ref();
    const to = this.#commits[this.random(COMMITS)] ?? "";
    const land = await this.bed.beginSet(name, to);
    return async () => {
      if (await land()) this.model.set(name, to);
    };
  }

  async #delete(): Promise<void> {
    const name = this.#ref();
    if (!this.model.has(name)) return;
    if (await this.bed.delete(name)) this.model.delete(name);
  }

  /** Does a step, while something else happens, or with a storage that fails. */
  async #step(): Promise<void> {
    const { bed } = this;
    const id = await bed.id();
    const { maintained } = bed;
    switch (this.random(4)) {
      case 0: {
        const { storage } = failingAt(bed.packs.counted(), this.random(20));
        await maintain(bed.on(storage), id);
        return;
      }
      case 1: {
        // A push that was checked before lands before the catalog takes what the step made.
        const land = await this.#begin();
        let landed: Promise<void> | undefined;
        const replacePacks: typeof bed.refs.replacePacks = async (request) => {
          await (landed ??= land());
          return await bed.refs.replacePacks(request);
        };
        await maintain({ ...maintained, catalog: { replacePacks } }, id);
        await (landed ??= land());
        return;
      }
      case 2: {
        // A push that was checked before lands after the catalog has taken it.
        const land = await this.#begin();
        await maintain(maintained, id);
        await land();
        return;
      }
      default:
        await Promise.all([maintain(maintained, id), maintain(maintained, id)]);
    }
  }

  /** Deletes the files whose leases have ended, as the alarm does. */
  async #sweep(): Promise<void> {
    const { bed } = this;
    for (const name of bed.refs.database.dueWork(bed.now).expiredPacks) {
      await bed.packs.storage.deletePack(name);
      bed.refs.database.abandonPush(name);
    }
  }

  async turn(): Promise<void> {
    const choice = this.random(12);
    if (choice < 4) await (await this.#begin())();
    else if (choice < 5) await this.#delete();
    else if (choice < 9) await this.#step();
    else if (choice < 10) this.bed.now += [MINUTE, 11 * MINUTE, DAY + MINUTE, 15 * DAY][this.random(4)] ?? 0;
    else if (choice < 11) await this.#sweep();
    else await this.bed.refs.askForMaintenance(this.random(3) === 0);
  }

  /** What a clone of everything has, by C git; and that of the model. */
  async compared(): Promise<{ cloned: string[]; expected: string[] }> {
    const { bed, source } = this;
    const { packs, current } = await bed.values();
    const tips = [...new Set(current.values())];
    bed.packs.forget();
    bed.packs.packs = [...packs];
    bed.packs.refs.clear();
    for (const [name, oid] of current) bed.packs.refs.set(name, { oid });
    const expected = source.objects(...new Set(this.model.values()));
    const client = new GitRepository();
    try {
      client.git(["index-pack", "--stdin", "--strict"], await bed.packs.fetch({ wants: tips }));
      return { cloned: client.objects(...tips), expected };
    } finally {
      client.dispose();
    }
  }

  /** The objects that readers are told of, or could find files of, though no ref reaches them. */
  async leftAfterPurge(): Promise<string[]> {
    const { bed, source } = this;
    await bed.refs.askForMaintenance(true);
    await bed.settle();
    await this.#sweep();
    const kept = new Set(source.objects(...new Set(this.model.values())));
    const stored = [...bed.packs.storage.files].filter(([name]) => name.endsWith(".idx"));
    const listed = stored.flatMap(([, bytes]) => source.lines(["show-index"], bytes));
    return listed.map((line) => line.split(" ")[1] ?? "").filter((oid) => !kept.has(oid));
  }
}

describe("maintenance between random changes", () => {
  it.each(Array.from({ length: GAMES }, (_, i) => i + 1))("loses nothing and leaks nothing, game %i", async (seed) => {
    const game = new Game(seed);
    try {
      await game.bed.set("refs/heads/r0", game.source.oid("c5"));
      game.model.set("refs/heads/r0", game.source.oid("c5"));
      for (let turn = 0; turn < TURNS; turn++) {
        await game.turn();
        expect((await game.bed.values()).current).toEqual(game.model);
        if (turn % 6 !== 5 || game.model.size === 0) continue;
        const { cloned, expected } = await game.compared();
        expect(cloned).toEqual(expected);
      }
      if (game.model.size === 0) return;
      expect(await game.leftAfterPurge()).toEqual([]);
      const { cloned, expected } = await game.compared();
      expect(cloned).toEqual(expected);
    } finally {
      game.source.dispose();
    }
  });
});
