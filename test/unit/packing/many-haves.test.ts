/**
 * Fetches of clients that name more commits than are read of them.
 *
 * @module-tag thorough
 */
import { expect, it } from "vitest";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore } from "../../support/store.ts";

const COMMITS = 10_100;

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
