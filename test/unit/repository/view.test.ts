/** Which packs may be handed out as they lie in the bucket, and what the search for what refs reach takes. */
import { afterAll, describe, expect, it } from "vitest";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import type { Kernels } from "../../../src/kernel/kernel-pool.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { allReachable, reachedByRefs, wholePacks } from "../../../src/repository/view.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { rawName, TestStore } from "../../support/store.ts";

function pack(name: string, about: Partial<PackRecord> = {}): PackRecord {
  return {
    name,
    checksum: name.repeat(40),
    objects: 3,
    ownObjects: 3,
    packBytes: 100,
    ownBytes: 80,
    indexBytes: 1100,
    indexHead: new Uint8Array(0),
    marked: true,
    source: "receive",
    createdAt: 0,
    ...about,
  };
}

const namesOf = (packs: readonly PackRecord[]): string => packs.map(({ name }) => name).join("");

describe("wholePacks", () => {
  it("returns all packs while everything is reachable, also completed ones and tip packs", () => {
    const packs = [pack("a"), pack("b", { objects: 5 }), pack("c", { source: "copy" })];
    expect(allReachable({ packs })).toBe(true);
    expect(namesOf(wholePacks({ packs }))).toBe("abc");
  });

  it("returns only packs whose mark covers all their objects if some pack lacks the mark", () => {
    const packs = [
      pack("a"),
      pack("b", { marked: false }),
      // What was appended may be what only the second pack had, and the copy may be of a tip that was forced away.
      pack("c", { objects: 4 }),
      pack("d", { source: "copy" }),
      pack("e", { source: "mirror" }),
      // The pack of a slice, which no ref reaches yet.
      pack("f", { source: "mirror", marked: false }),
    ];
    expect(namesOf(wholePacks({ packs }))).toBe("ae");
  });
});

describe("the search for what refs reach", () => {
  const git = new GitRepository();
  afterAll(() => git.dispose());

  it.each([false, true])(
    "has one kernel beside the request's own at most, where refs have moved: %s",
    async (hasMoved) => {
      git.import(linear(6));
      const store = new TestStore();
      store.packs = [await store.push(git.pack(["main"]))];
      const repository = store.repository();
      let [lent, most] = [0, 0];
      const counted = async (kernel: ReturnType<Kernels["lend"]>): ReturnType<Kernels["lend"]> => {
        most = Math.max(most, ++lent);
        return await kernel;
      };
      const kernels: Kernels = {
        lend: async (size) => await counted(store.kernels.lend(size)),
        lendAgain: async (size) => await counted(store.kernels.lendAgain(size)),
        lendSmall: async (size) => await counted(store.kernels.lendSmall(size)),
        lendTable: async (size) => await counted(store.kernels.lendTable(size)),
        giveBack: (kernel) => {
          lent--;
          store.kernels.giveBack(kernel);
        },
      };
      store.refs.set("refs/heads/main", { oid: git.oid("main") });
      const answer = store.answer(new Uint8Array(0));
      const open = async () => ({ ...answer, version: answer.version + (hasMoved ? 1 : 0) });
      const session = await BrowseSession.open({ ...repository, kernels, refs: { ...repository.refs, open } }, answer);
      const { database } = session.graph;
      const searched = { answer, database, graph: session.graph, reached: session.reached };
      const names = ["main", "main^{tree}", "main~2^{tree}"].map((name) => rawName(git.oid(name)));
      expect(await reachedByRefs(session.repository, searched, names)).toEqual([true, true, true]);
      session.close();
      expect([most, lent]).toEqual([2, 0]);
    },
  );
});
