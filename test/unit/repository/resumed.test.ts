/** A session that gave its kernel back while its client was slow, and has begun to answer, gets one before those that begin. */
import { afterAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { KernelPool } from "../../../src/kernel/kernel-pool.ts";
import { openFetchSession } from "../../../src/packing/pack-session.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { memoryBudget, settle } from "../../support/memory.ts";
import { KERNEL_MODULE, rawName, TestStore } from "../../support/store.ts";

const KIB = 1024;
const RING = 512 * KIB;
/** There is room for one kernel. */
const ROOM = 4 * KIB * KIB;

type Session = { awake(): Promise<void>; close(): void };

describe("a session whose client was slow", () => {
  const git = new GitRepository();
  afterAll(() => git.dispose());

  it.each(["browses", "fetches"])("goes before those that begin: it %s", async (does) => {
    git.import(linear(3));
    const store = new TestStore();
    store.packs = [await store.push(git.pack(["main"]))];
    store.refs.set("refs/heads/main", { oid: git.oid("main") });
    const budget = memoryBudget({ bytes: ROOM });
    const layout = { windowBytes: 64 * KIB, ringBytes: RING, smallRingBytes: RING, tableRingBytes: 64 * KIB };
    const pool = new KernelPool(KERNEL_MODULE, { ...layout, seed: () => [1, 2] }, budget);
    const memory = budget.open("begun");
    const repository = { ...store.repository(), memory, kernels: pool.for(memory) };
    const wants = rawName(git.oid("main"));
    const answer = store.answer(wants);
    let session: Session;
    if (does === "browses") {
      const browsing = await BrowseSession.open(repository, answer);
      browsing.parkWhileWaiting();
      await memory.whileClient(Promise.resolve(), true);
      session = browsing;
    } else {
      const fetching = await openFetchSession(repository, answer, { wants, isPlain: false });
      fetching.rest();
      session = fetching;
    }
    const granted: string[] = [];
    const begin = (name: string): Promise<Kernel> => {
      const kernel = pool.for(budget.open(name)).lend(20);
      void kernel.then(() => granted.push(name));
      return kernel;
    };
    const first = budget.open("first");
    const lent = await pool.for(first).lend(20);
    const second = begin("second");
    const awake = session.awake().then(() => granted.push("begun"));
    await settle();
    expect(granted).toEqual([]);
    pool.for(first).giveBack(lent);
    await awake;
    session.close();
    await second;
    expect(granted).toEqual(["begun", "second"]);
  });
});
