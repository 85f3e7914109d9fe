/**
 * Fetches of clients that name very many commits.
 *
 * @module-tag thorough
 */
import { expect, it } from "vitest";
import { noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawNames, TestStore } from "../../support/store.ts";

const COMMITS = 10_100;

it("wants and haves in any order are read in the order in which they lie", async () => {
  const git = new GitRepository();
  const message = (at: number): string => Buffer.from(noise(900, at)).toString("base64");
  const stream = Array.from({ length: 2000 }, (_, at) =>
    [
      "commit refs/heads/main",
      `committer A <a@example.com> ${1_700_000_000 + at} +0000`,
      `data ${message(at).length}`,
      message(at),
    ].join("\n"),
  );
  git.git(["fast-import", "--quiet"], `${stream.join("\n")}\n`);
  const commits = git.text(["rev-list", "main"]).trim().split("\n");
  const random = pseudoRandom(7);
  const shuffled = commits.toSorted(() => random(3) - 1);
  // The cache holds a few of the blocks.
  const store = new TestStore({ cacheBytes: 8 * 65_536 });
  await store.push(git.pack(["--all"], "--window=0"), []);
  store.setRefs([`refs/heads/main ${commits[0] ?? ""}`]);
  const cost = async (oids: readonly string[]): Promise<number> => {
    store.forget();
    const session = await store.open(oids);
    await session.checkWants();
    await session.addCommon(rawNames(oids));
    session.close();
    return store.cost.reads;
  };
  const inOrder = await cost(commits);
  expect(await cost(shuffled)).toBe(inOrder);
  git.dispose();
});

it("a have that is too many to be read cuts the pack where the client has it", async () => {
  const git = new GitRepository();
  const stream = Array.from({ length: COMMITS }, (_, at) =>
    ["commit refs/heads/main", `committer A <a@example.com> ${1_700_000_000 + at} +0000`, "data 1", "x"].join("\n"),
  );
  git.git(["fast-import", "--quiet"], `${stream.join("\n")}\n`);
  const commits = git.text(["rev-list", "--reverse", "main"]).trim().split("\n");
  const tip = commits.at(-1) ?? "";
  const store = new TestStore();
  store.packs = [{ ...(await store.push(git.pack(["--all"]), [tip])), marked: true }];
  store.setRefs([`refs/heads/main ${tip}`]);
  const sent = async (haves: readonly string[]): Promise<number> =>
    (await store.fetch({ wants: [tip], haves })).readUInt32BE(8);
  // The oldest come first, so that the newest are not read.
  expect(await sent(commits.slice(0, COMMITS - 5))).toBe(5);
  expect(await sent(commits.slice(0, 10_000))).toBe(100);
  expect(await sent([...commits.slice(0, 10_000), tip])).toBe(0);
  git.dispose();
});
