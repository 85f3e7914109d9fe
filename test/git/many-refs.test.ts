/** Tens of thousands of refs, in and out. `LONG=1` takes a hundred thousand. */
import { describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { parsePkts, pktLines, post, pushBody, reportLines } from "../support/git-raw.ts";
import { openPush } from "../support/slow-push.ts";

const long = process.env["LONG"] !== undefined;

onEveryHost("many refs", (journey) => {
  // C git writes a file a ref, which is slow; a smaller number proves the test as well.
  const count = journey.host === "c git" ? 2_000 : long ? 100_000 : 50_000;

  it(`takes ${count} refs in one push and gives them back`, async () => {
    const { git } = journey;
    const stream = linear(20);
    for (let at = 0; at < count; at++)
      stream.reset(`refs/many/${String(at % 100).padStart(2, "0")}/ref-${at}`, `:${(at % 20) + 1}`);
    const source = await importFixture(git, "source", stream);
    await git.ok(["pack-refs", "--all"], { cwd: source });
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const refs = (await git.ok(["for-each-ref", "--format=%(objectname) %(refname)", "refs/many"], { cwd: source }))
      .split("\n")
      .map((line) => ({ name: line.slice(41), new: line.slice(0, 40) }));
    // A request of one's own: git's client takes time quadratic in the refs it pushes, a minute for ten thousand.
    const nothing = await git.bytes(["pack-objects", "--stdout", "-q"], { cwd: source, input: "" });
    const report = reportLines((await post(url, "receive-pack", pushBody(refs, nothing))).body);
    expect(report).toEqual(["unpack ok", ...refs.map(({ name }) => `ok ${name}`)]);

    // With a prefix that matches ten of them the answer is small.
    const request = pktLines("command=ls-refs", "0001", "peel", "symrefs", "ref-prefix refs/many/07/ref-100", "0000");
    const answer = await post(url, "upload-pack", request, { "Git-Protocol": "version=2" });
    const matching = Array.from({ length: count }, (_, at) => at).filter(
      (at) => at % 100 === 7 && String(at).startsWith("100"),
    );
    expect(parsePkts(answer.body)).toHaveLength(matching.length + 1);
    expect(answer.body.length).toBeLessThanOrEqual(2048);

    const all = await git.ok(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: source });
    for (const version of ["0", "1", "2"]) {
      const config = ["-c", `protocol.version=${version}`];
      const listed = await git.ok([...config, "ls-remote", url, "refs/many/*"]);
      expect(listed.split("\n")).toHaveLength(count);
      const copy = git.fresh();
      await git.ok([...config, "clone", "-q", "--mirror", url, copy]);
      expect(await git.ok(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: copy })).toBe(all);
      if (version === "2") await git.fsck(copy);
    }

    // One more among them, and half of them gone.
    await git.ok(["-c", "protocol.version=0", "push", "-q", url, "main:refs/many/07/late"], { cwd: source });
    await git.ok(
      ["push", "-q", url, "--delete", ...matching.map((at) => `refs/many/07/ref-${at}`), "refs/many/08/ref-8"],
      { cwd: source },
    );
    expect((await git.ok(["ls-remote", url, "refs/many/*"])).split("\n")).toHaveLength(count - matching.length);
  });
});

onEveryHost("at once", (journey) => {
  describe("eight pushes", () => {
    it("to eight branches all succeed", async () => {
      const { git } = journey;
      const url = await journey.create();
      const source = await importFixture(git, "source", linear(30));
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      const clones = await Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          const cwd = git.fresh();
          await git.ok(["clone", "-q", url, cwd]);
          await git.commit(cwd, `file-${at}.txt`, `${at}\n`.repeat(1000));
          return cwd;
        }),
      );
      const results = await Promise.all(
        clones.map((cwd, at) => git.git(["push", "-q", "origin", `main:branch-${at}`], { cwd })),
      );
      expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, ""]));
      const copy = git.fresh();
      await git.ok(["clone", "-q", "--mirror", url, copy]);
      await git.fsck(copy);
      expect((await git.ok(["for-each-ref", "refs/heads/branch-*"], { cwd: copy })).split("\n")).toHaveLength(8);
    });

    it("do not wait for an upload that is under way", async () => {
      const { git } = journey;
      const url = await journey.create();
      const source = await importFixture(git, "source", linear(30));
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      const tip = await git.ok(["rev-parse", "main~3"], { cwd: source });
      const pack = await git.bytes(["pack-objects", "--revs", "--stdout", "-q"], { cwd: source, input: `${tip}\n` });
      const slow = openPush(url, pushBody([{ name: "refs/heads/slow", new: tip }], pack));
      await slow.sendHalf();
      await git.ok(["push", "-q", url, "main:fast"], { cwd: source });
      expect(await refsAt(git, url)).toHaveLength(2);
      expect(reportLines(await slow.finish())).toEqual(["unpack ok", "ok refs/heads/slow"]);
      expect(await refsAt(git, url)).toHaveLength(3);
    });

    it("to one branch: one succeeds, and the others are told that the ref moved", async () => {
      const { git } = journey;
      const url = await journey.create();
      const source = await importFixture(git, "source", linear(5));
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      const clones = await Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          const cwd = git.fresh();
          await git.ok(["clone", "-q", url, cwd]);
          await git.commit(cwd, "same.txt", `${at}\n`);
          return cwd;
        }),
      );
      const results = await Promise.all(clones.map((cwd) => git.git(["push", "origin", "main"], { cwd })));
      expect(results.filter(({ code }) => code === 0)).toHaveLength(1);
      for (const { code, stderr } of results)
        expect(code === 0 || /! \[(?:remote )?rejected\]/.test(stderr)).toBe(true);
      const copy = git.fresh();
      await git.ok(["clone", "-q", "--mirror", url, copy]);
      await git.fsck(copy);
    });
  });
});
