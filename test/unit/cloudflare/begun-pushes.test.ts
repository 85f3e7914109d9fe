/** Which packs the question of a push names, by whose it is. */
import { expect, it } from "vitest";
import type { ReadingRight } from "../../../src/access/decide.ts";
import { durableRefs, type RepositoryStub } from "../../../src/cloudflare/durable-refs.ts";
import { PackMemory } from "../../../src/cloudflare/known-packs.ts";
import { readableRefs } from "../../../src/cloudflare/readable-refs.ts";
import { RecentRefs } from "../../../src/cloudflare/recent-refs.ts";
import { RequestCounters } from "../../../src/cloudflare/request-counters.ts";
import type { Visibility } from "../../../src/refs/ref-store.ts";
import { BlockCache } from "../../../src/store/block-cache.ts";
import { create, oid, packRecord, push } from "../../suites/ref-store.ts";
import { memoryRefStore } from "../../support/memory-ref-store.ts";

/** Begins a push as somebody, in an isolate that knows a pack. Gives what the question named. */
async function namedBy(right: ReadingRight, visibility: Visibility): Promise<readonly string[]> {
  const store = memoryRefStore(() => 1000);
  await push(store, [create("refs/heads/main", oid(1))], {
    pack: { ...packRecord("p"), indexHead: new Uint8Array(8) },
  });
  const found = await store.open({ packs: true });
  if (found.kind === "missing") throw new Error("missing");
  const known = new PackMemory(new BlockCache({ files: 65_536, blocks: 0 }));
  known.take(
    "acme/repo",
    { record: { id: found.record.id, visibility }, packs: found.packs, known: new Uint8Array() },
    { names: [], records: [] },
  );
  let named: readonly string[] = [];
  const stub = {
    beginPush: async (request: Parameters<RepositoryStub["beginPush"]>[0], knows: readonly string[] = []) => {
      named = knows;
      expect(request).not.toHaveProperty("asStranger");
      return store.database.beginPush(request, 1000, knows);
    },
  } as unknown as RepositoryStub;
  const counters = new RequestCounters();
  const refs = durableRefs(stub, {
    name: "acme/repo",
    counters,
    recent: new RecentRefs(() => 1000, new BlockCache({ files: 0, blocks: 0 })),
    known,
  });
  const reader = { right: async () => right, noteHidden: () => undefined, follow: async () => undefined };
  const begun = await readableRefs(refs, reader).beginPush({ names: ["refs/heads/main"] });
  expect(begun).toMatchObject({ kind: "begun", packs: [{ name: "p" }] });
  return named;
}

it.each(["none", "public"] as const)(
  "a push of somebody who may read %s repositories names no packs of a private one",
  async (right) => {
    expect(await namedBy(right, "private")).toEqual([]);
  },
);

it("a push to a public repository names its packs, and so does one of somebody who may read it", async () => {
  expect(await namedBy("public", "public")).toEqual(["p"]);
  expect(await namedBy("private", "private")).toEqual(["p"]);
});
