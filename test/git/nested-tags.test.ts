/** Tags of tags of tags, as the real client pushes, lists and fetches them. */
import { expect, it } from "vitest";
import { onEveryHost } from "../support/git-hosts.ts";

const CHAIN = 5000;
const WHO = "A U Thor <author@example.com> 1700000000 +0000";

/** A history for `git fast-import`: one commit, and a chain of annotated tags, `n1` of that commit. */
function chain(length: number): string {
  const text = [`commit refs/heads/main\nmark :1\ncommitter ${WHO}\ndata 4\none\n`];
  for (let at = 1; at <= length; at++) {
    text.push(`tag n${at}\nmark :${at + 1}\nfrom :${at}\ntagger ${WHO}\ndata 4\ntag\n`);
  }
  return text.join("\n");
}

onEveryHost("a long chain of nested tags", (journey) => {
  const source = async (): Promise<{ cwd: string; commit: string }> => {
    const { git } = journey;
    const cwd = await git.init("source");
    await git.ok(["fast-import", "--quiet"], { cwd, input: chain(CHAIN) });
    return { cwd, commit: await git.ok(["rev-parse", "main"], { cwd }) };
  };

  const peeledAt = async (url: string, tag: string): Promise<string | undefined> => {
    const listed = await journey.git.ok(["ls-remote", url, `refs/tags/${tag}^{}`]);
    return listed.split("\t")[0];
  };

  it("is pushed by its last tag alone, and comes back", async () => {
    const { git } = journey;
    const { cwd, commit } = await source();
    const url = await journey.create();
    await git.ok(["push", "-q", url, `n${CHAIN}`], { cwd });
    expect(await peeledAt(url, `n${CHAIN}`)).toBe(commit);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--bare", url, copy]);
    expect(await git.ok(["rev-parse", `n${CHAIN}^{commit}`], { cwd: copy })).toBe(commit);
    await git.fsck(copy);
  });

  it("continues a chain that is there", async () => {
    const { git } = journey;
    const { cwd, commit } = await source();
    const url = await journey.create();
    await git.ok(["push", "-q", url, "n100"], { cwd });
    await git.ok(["push", "-q", url, `n${CHAIN}`], { cwd });
    expect(await peeledAt(url, `n${CHAIN}`)).toBe(commit);
  });

  it("is pushed from a tag in its middle to a repository that lacks the beginning", async () => {
    const { git } = journey;
    const { cwd, commit } = await source();
    const url = await journey.create();
    await git.ok(["push", "-q", url, `n${CHAIN}`], { cwd });
    // What is in the middle is stored, and no ref names it.
    await git.ok(["push", "-q", url, "n2500:refs/tags/middle", "main"], { cwd });
    expect(await peeledAt(url, "middle")).toBe(commit);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--depth=1", "--single-branch", url, copy]);
    await git.ok(["fetch", "-q", "origin", "tag", "middle"], { cwd: copy });
    expect(await git.ok(["rev-parse", "middle^{commit}"], { cwd: copy })).toBe(commit);
  });
});
