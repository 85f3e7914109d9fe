/** Refs that an isolate remembers: no answer differs from one that was not remembered, and no two requests share one. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openWhole } from "../../../src/cloudflare/durable-refs.ts";
import { listKey, RecentRefs } from "../../../src/cloudflare/recent-refs.ts";
import { RepositoryDatabase } from "../../../src/durable/repository/repository-database.ts";
import type { SqlDatabase } from "../../../src/durable/sql/sql-database.ts";
import { BlockCache } from "../../../src/store/block-cache.ts";
import type { OpenAnswer, OpenRequest } from "../../../src/refs/ref-store.ts";
import { nodeSql } from "../../support/node-sql.ts";
import { create, CREATION, oid, remove } from "../../suites/ref-store.ts";

const NAMES = ["acme/one", "acme/two"] as const;
const MIB = 1024 * 1024;
const NOW = 1_700_000_000_000;

/** Repositories whose refs are read with and without a memory. Rows that are read are counted. */
class Bed {
  now = NOW;
  rows = 0;
  calls = 0;
  readonly cache = new BlockCache({ files: 14 * MIB, blocks: 0 });
  readonly recent = new RecentRefs(() => this.now, this.cache);
  readonly databases = new Map<string, RepositoryDatabase>();
  #ids = 0;

  database(name: string): RepositoryDatabase {
    const known = this.databases.get(name);
    if (known !== undefined) return known;
    const sql = nodeSql();
    const counting: SqlDatabase = {
      ...sql,
      rows: (statement, ...parameters) => {
        const rows = [...sql.rows(statement, ...parameters)];
        this.rows += rows.length;
        return rows;
      },
    };
    const made = new RepositoryDatabase(counting, () => `id${++this.#ids}`);
    this.databases.set(name, made);
    return made;
  }

  async plain(name: string, request: OpenRequest): Promise<OpenAnswer> {
    return await openWhole(request, async (after) => this.database(name).open(request, after));
  }

  async remembered(name: string, request: OpenRequest): Promise<OpenAnswer> {
    this.calls = 0;
    this.rows = 0;
    return await this.recent.open(name, request, {
      unlessSame: async (known) => {
        this.calls += 1;
        const database = this.database(name);
        return database.isAsKnown(request, known) ? { kind: "unchanged" } : database.open(request);
      },
      whole: async (first) => {
        let here = first;
        return await openWhole(request, async (after) => {
          const page = here;
          here = undefined;
          if (page === undefined) this.calls += 1;
          return page ?? this.database(name).open(request, after);
        });
      },
    });
  }

  async push(name: string, ref: string, value: number): Promise<void> {
    const begun = this.database(name).beginPush({ names: [ref], create: CREATION }, this.now);
    if (begun.kind !== "begun") throw new Error("not begun");
    const [from = ""] = begun.current;
    const update =
      value === 0 ? remove(ref, from) : { ...create(ref, oid(value)), ...(from === "" ? {} : { oldOid: from }) };
    const { id } = begun.record;
    const rest = { atomic: false, actor: "tester", pusher: {}, signed: false, pushOptions: [] };
    await this.database(name).commitPush({ id, updates: [update], ...rest }, () => this.now);
  }
}

const requests = fc.record(
  {
    refPrefixes: fc.array(fc.constantFrom("refs/heads/", "refs/tags/", "HEAD", "", "refs/heads/a\u0000", 'x","'), {
      maxLength: 3,
    }),
    publicOnly: fc.boolean(),
  },
  { requiredKeys: ["refPrefixes"] },
);
const names = fc.constantFrom(...NAMES);
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("ask" as const), names, requests) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("push" as const),
      names,
      fc.constantFrom("refs/heads/main", "refs/tags/v1", "refs/heads/b"),
      fc.nat(3),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant("change" as const),
      names,
      fc.constantFrom("private", "public", "b", "rules", "text"),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("remove" as const), names) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("wait" as const), fc.nat(10 * 60_000)) },
);

function changeTo(what: string): Parameters<RepositoryDatabase["change"]>[0] {
  if (what === "private" || what === "public") return { visibility: what };
  if (what === "b") return { head: "refs/heads/b" };
  if (what === "text") return { description: "another" };
  return { rules: [{ pattern: "main", allowForcePush: false, allowDeletion: false, requireSigned: false }] };
}

describe("refs that an isolate remembers", () => {
  it("are what the repository says, after any steps and for any caller", { tags: "thorough" }, async () => {
    const run = fc.asyncProperty(fc.array(steps, { maxLength: 40 }), async (all) => {
      const bed = new Bed();
      for (const step of all) {
        if (step[0] === "push") await bed.push(step[1], step[2], step[3]);
        else if (step[0] === "change") bed.database(step[1]).change(changeTo(step[2]), bed.now);
        else if (step[0] === "remove") bed.database(step[1]).remove(bed.now);
        else if (step[0] === "wait") bed.now += step[1];
        else expect(await bed.remembered(step[1], step[2])).toEqual(await bed.plain(step[1], step[2]));
      }
    });
    await fc.assert(run, { numRuns: 300 });
  });

  it("have a key that no other repository, right or list of prefixes has", () => {
    const asked = fc.tuple(fc.string(), fc.record({ refPrefixes: fc.array(fc.string()), publicOnly: fc.boolean() }));
    fc.assert(
      fc.property(asked, asked, ([name, request], [otherName, other]) => {
        const isSame = JSON.stringify([name, request]) === JSON.stringify([otherName, other]);
        expect(listKey(name, request) === listKey(otherName, other)).toBe(isSame);
      }),
    );
    expect(listKey("a", { refPrefixes: [] })).toBe(
      listKey("a", { refPrefixes: [], publicOnly: false, pushSeed: false }),
    );
  });

  it.each<OpenRequest>([
    {},
    { refPrefixes: [], packs: true },
    { refPrefixes: [], wants: new Uint8Array(20) },
    { refPrefixes: [], at: 1 },
    { refPrefixes: [], pushSeed: true },
    { refPrefixes: [], lends: true },
    { refPrefixes: [], refNames: ["refs/heads/main"] },
    { refPrefixes: [], wantRefs: ["HEAD"] },
    { refPrefixes: [], recentSince: 1 },
    { refPrefixes: ["x".repeat(5000)] },
  ])("are not those of a request that asks for more: %#", (request) => {
    expect(listKey("acme/one", request)).toBeUndefined();
  });

  it("cost one call and one row while nothing changes, however many there are", async () => {
    const bed = new Bed();
    for (let n = 1; n <= 300; n++) await bed.push("acme/one", `refs/heads/b${n}`, n);
    const request = { refPrefixes: ["refs/heads/"] };
    await bed.remembered("acme/one", request);
    expect(bed.rows).toBeGreaterThan(300);
    expect(await bed.remembered("acme/one", request)).toEqual(await bed.plain("acme/one", request));
    await bed.remembered("acme/one", request);
    expect(bed).toMatchObject({ calls: 1, rows: 1 });
    await bed.push("acme/one", "refs/heads/b2", 0);
    await bed.remembered("acme/one", request);
    expect(bed.calls).toBe(1);
    expect(bed.rows).toBeGreaterThan(290);
  });

  it("lie in the cache where they are many, which may let go of them", async () => {
    const bed = new Bed();
    for (let n = 1; n <= 550; n++) await bed.push("acme/one", `refs/heads/${"x".repeat(2000)}${n}`, n);
    const request = { refPrefixes: ["refs/heads/"] };
    const plain = await bed.plain("acme/one", request);
    const rowsOf = ({ kind, ...answer }: OpenAnswer): Buffer =>
      Buffer.concat(kind === "found" && "refs" in answer ? answer.refs : []);
    await bed.remembered("acme/one", request);
    expect(bed.rows).toBeGreaterThan(550);
    expect(bed.recent.bytes).toBeLessThan(10_000);
    expect(rowsOf(await bed.remembered("acme/one", request))).toEqual(rowsOf(plain));
    expect(bed).toMatchObject({ calls: 1, rows: 1 });
    bed.cache.forget("");
    expect(rowsOf(await bed.remembered("acme/one", request))).toEqual(rowsOf(plain));
    expect(bed.rows).toBeGreaterThan(550);
    expect(bed.cache.byteLength).toBeGreaterThan(MIB);
    const before = bed.cache.byteLength;
    await bed.push("acme/one", "refs/heads/main", 1);
    const after = await bed.remembered("acme/one", request);
    expect(rowsOf(after).length).toBeGreaterThan(rowsOf(plain).length);
    // The list of the version before is gone.
    expect(bed.cache.byteLength - before).toBe(rowsOf(after).length - rowsOf(plain).length);
  });

  it("leave the cache its files, however many long lists are asked for", async () => {
    const bed = new Bed();
    const held = new Map<string, Uint8Array>();
    let most = 0;
    const recent = new RecentRefs(() => NOW, {
      get: (key) => held.get(key),
      set: (key, bytes) => {
        held.set(key, bytes);
        most = Math.max(
          most,
          [...held.values()].reduce((sum, { length }) => sum + length, 0),
        );
      },
      forget: (prefix) => {
        for (const key of held.keys()) if (key.startsWith(prefix)) held.delete(key);
      },
    });
    const rows = new Uint8Array(3 * MIB);
    let reads = 0;
    /** Asks for a list of 3 MiB. Returns whether it was read. */
    async function isRead(name: string, prefix: string): Promise<boolean> {
      const request = { refPrefixes: ["refs/heads/", prefix] };
      const answer = await bed.plain(name, request);
      if (answer.kind === "missing") throw new Error("no repository");
      const before = reads;
      await recent.open(name, request, {
        unlessSame: async () => ({ kind: "unchanged" }),
        whole: async () => {
          reads += 1;
          return { ...answer, refs: [rows] };
        },
      });
      return reads > before;
    }
    for (const name of NAMES) await bed.push(name, "refs/heads/main", 1);
    await isRead("acme/two", "refs/tags/");
    for (let n = 0; n < 20; n++) await isRead("acme/one", `refs/${n}`);
    expect(most).toBe(6 * MIB);
    // The lists of one repository give way to each other before they evict another's.
    expect(await isRead("acme/two", "refs/tags/")).toBe(false);
    expect(await isRead("acme/one", "refs/19")).toBe(false);
    expect(await isRead("acme/one", "refs/18")).toBe(true);
  });

  it("are bounded", async () => {
    const bed = new Bed();
    for (let n = 1; n <= 50; n++) await bed.push("acme/one", `refs/heads/${"x".repeat(2000)}${n}`, n);
    for (let n = 0; n < 200; n++) await bed.remembered("acme/one", { refPrefixes: [`refs/heads/`, `refs/${n}`] });
    expect(bed.recent.bytes).toBeGreaterThan(1e6);
    expect(bed.recent.bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  });
});
