/** What an isolate remembers of names tells nobody more than they may know: a refusal asks for as much as a name that never was. */
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import type { ReadingRight } from "../../../src/access/decide.ts";
import { OrdinaryNames, readerRefs } from "../../../src/cloudflare/mirror-reader.ts";
import { MirrorSnapshots } from "../../../src/cloudflare/mirror-snapshots.ts";
import { RequestCounters } from "../../../src/cloudflare/request-counters.ts";
import { RepositoryDatabase } from "../../../src/durable/repository/repository-database.ts";
import type { OpenAnswer, RefStore } from "../../../src/refs/ref-store.ts";
import { nodeSql } from "../../support/node-sql.ts";
import { CREATION } from "../../suites/ref-store.ts";

const NOW = 1_700_000_000_000;
const STRANGER = "ip:192.0.2.1";
const MEMBER = "key:member";

/** Repositories without pointers, and readers of them in one isolate. */
class Bed {
  readonly #databases = new Map<string, RepositoryDatabase>();
  readonly #ordinary = new OrdinaryNames();
  #ids = 0;

  database(key: string): RepositoryDatabase {
    const known = this.#databases.get(key);
    if (known !== undefined) return known;
    const made = new RepositoryDatabase(nodeSql(), () => `id${++this.#ids}`);
    this.#databases.set(key, made);
    return made;
  }

  /** Lists the refs of a name. Returns the answer, and what it took. */
  async list(key: string, caller: string, right: ReadingRight): Promise<{ kind: string; took: object }> {
    const counters = new RequestCounters();
    const bucket = { get: async () => await Promise.resolve(null) };
    const snapshots = new MirrorSnapshots({ BUCKET: bucket, KV: {} } as unknown as ConstructorParameters<typeof MirrorSnapshots>[0], counters); // prettier-ignore
    const open: RefStore["open"] = async (request) =>
      await counters.run("do", async () => {
        const asked = right === "public" ? { ...request, publicOnly: true } : request;
        return await Promise.resolve(this.database(key).open(asked) as OpenAnswer);
      });
    const refs = readerRefs({ open } as RefStore, {
      key,
      snapshots,
      ordinary: this.#ordinary,
      caller,
      right: async () => await Promise.resolve(right),
      mayRead: async ({ visibility }) => await Promise.resolve(visibility === "public" || right === "private"),
      now: () => NOW,
      pacer: new Pacer(async () => undefined),
      freshen: async () => await Promise.resolve(false),
      later: () => undefined,
    });
    const { kind } = await refs.open({ refPrefixes: [] });
    return { kind, took: counters.counts() };
  }
}

describe("a name that was remembered to be no mirror", () => {
  it("asks for as much as one that never was, once it is private", async () => {
    const bed = new Bed();
    bed.database("acme/one").create({ ...CREATION, visibility: "public" }, NOW);
    expect((await bed.list("acme/one", STRANGER, "public")).kind).toBe("found");
    expect(await bed.list("acme/one", STRANGER, "public")).toMatchObject({ kind: "found", took: { r2r: 0, do: 1 } });
    bed.database("acme/one").change({ visibility: "private" }, NOW);
    const never = await bed.list("acme/none", STRANGER, "public");
    expect(never).toMatchObject({ kind: "missing", took: { r2r: 1, do: 1 } });
    for (let again = 0; again < 2; again++) expect(await bed.list("acme/one", STRANGER, "public")).toEqual(never);
  });

  it("asks for as much as one that never was, once it is gone, or the caller's right is", async () => {
    const bed = new Bed();
    for (const key of ["acme/one", "acme/two"]) {
      bed.database(key).create(CREATION, NOW);
      expect((await bed.list(key, MEMBER, "private")).kind).toBe("found");
      expect((await bed.list(key, MEMBER, "private")).took).toMatchObject({ r2r: 0, do: 1 });
    }
    bed.database("acme/one").remove(NOW);
    expect(await bed.list("acme/one", MEMBER, "private")).toEqual(await bed.list("acme/none", MEMBER, "private"));
    expect(await bed.list("acme/two", MEMBER, "public")).toEqual(await bed.list("acme/none", MEMBER, "public"));
  });
});
