/** Blobs that nobody may hold whole. */
import { expect, it } from "vitest";
import { FixtureStream, importFixture, noise } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";

const LARGE = 20_000_000;

onEveryHost("large blobs", (journey) => {
  it("are sent without the blob on which they are stored as a delta", async () => {
    const { git } = journey;
    const content = noise(LARGE);
    const stream = new FixtureStream();
    stream.commit("refs/heads/main", [{ path: "large.bin", content }]);
    stream.commit("refs/heads/other", [
      { path: "large.bin", content: Buffer.concat([content.subarray(9_000_000), content.subarray(0, 8_000_000)]) },
    ]);
    const source = await importFixture(git, "source", stream);
    await git.ok(["repack", "-q", "-adf", "--window-memory=0"], { cwd: source });
    const baseOf = async (branch: string): Promise<string> =>
      await git.ok(["cat-file", "--batch-check=%(deltabase)"], { cwd: source, input: `${branch}:large.bin\n` });
    const branches = ["main", "other"];
    const bases = await Promise.all(branches.map(baseOf));
    expect(bases.filter((base) => /[1-9a-f]/.test(base))).toHaveLength(1);

    const url = await journey.create();
    await git.ok(["push", "-q", "--all", url], { cwd: source });
    for (const branch of branches) {
      const copy = git.fresh();
      await git.ok(["clone", "-q", "--bare", "--single-branch", "--branch", branch, url, copy]);
      await git.fsck(copy);
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
        await git.ok(["rev-parse", branch], { cwd: source }),
      );
      expect(await git.ok(["rev-list", "--all", "--objects", "--count"], { cwd: copy })).toBe("3");
    }
  });
});
