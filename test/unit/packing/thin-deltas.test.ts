/**
 * Small fetches: how large they are beside C git's, from a pack in which the newest versions lie whole.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { linear, project } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore } from "../../support/store.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

function newRepository(): GitRepository {
  const repository = new GitRepository();
  repositories.push(repository);
  return repository;
}

describe("a fetch of one commit", () => {
  it.each([
    { title: "few large files", stream: linear(30) },
    { title: "wide directories", stream: project(8) },
  ])("is at most 1.5 times what C git sends, of $title", async ({ stream }) => {
    const source = newRepository();
    source.import(stream);
    const store = new TestStore();
    const tip = source.oid("main");
    const before = source.oid("main~");
    await store.push(source.pack([tip]), [tip]);
    store.refs.set("refs/heads/main", { oid: tip });
    const best = source.pack([tip, `^${before}`], "--thin", "--delta-base-offset");
    for (const isSlow of [false, true]) {
      const pack = await store.fetch({ wants: [tip], haves: [before], thinPack: true, ofsDelta: true, isSlow });
      expect(pack.length).toBeLessThanOrEqual(1.5 * best.length);
      const client = newRepository();
      client.git(["index-pack", "--stdin"], source.pack([before]));
      client.git(["index-pack", "--stdin", "--fix-thin", "--strict"], pack);
      expect(client.objects(tip)).toEqual(source.objects(tip));
    }
  });

  it("has no deltas on what the client has where the client takes no thin packs", async () => {
    const source = newRepository();
    source.import(linear(30));
    const store = new TestStore();
    const tip = source.oid("main");
    const before = source.oid("main~");
    await store.push(source.pack([tip]), [tip]);
    store.refs.set("refs/heads/main", { oid: tip });
    const pack = await store.fetch({ wants: [tip], haves: [before], thinPack: false, ofsDelta: true });
    expect(newRepository().tryIndex(pack).idx).toBeDefined();
  });
});
