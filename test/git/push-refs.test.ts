/** Every kind of ref, and every way of `git push` to say which. */
import { describe, expect, it } from "vitest";
import { refsAt, refsOf } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { byEveryDoor, isWhole, onEveryHost } from "../support/git-hosts.ts";
import { buildPack, pushBody, reportLines, send } from "../support/git-raw.ts";

byEveryDoor(onEveryHost, "pushes of refs", (journey) => {
  async function working(): Promise<{ cwd: string; url: string; tip: string }> {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(5));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", url, cwd]);
    return { cwd, url, tip: await git.ok(["rev-parse", "HEAD"], { cwd }) };
  }

  it("may create any ref below refs/", async () => {
    const { git } = journey;
    const { cwd, url, tip } = await working();
    const names = ["refs/notes/review", "refs/pull/1/head", "refs/for/main", "refs/changes/01/1/1", "refs/meta/config"];
    await git.ok(["push", "-q", "origin", ...names.map((name) => `HEAD:${name}`)], { cwd });
    expect(await refsAt(git, url)).toEqual([...names, "refs/heads/main"].map((name) => `${name} ${tip}`).toSorted());
    await git.ok(["push", "-q", "origin", "HEAD:refs/heads/refs/heads/odd", "HEAD:refs/tags/a/b@c"], { cwd });
    await git.ok(["push", "-q", "origin", ...names.map((name) => `:${name}`)], { cwd });
    expect((await refsAt(git, url)).map((ref) => ref.split(" ")[0])).toEqual([
      "refs/heads/main",
      "refs/heads/refs/heads/odd",
      "refs/tags/a/b@c",
    ]);
  });

  it("may bring notes, and trees and blobs under tags", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    await git.ok(["notes", "add", "-m", "a note"], { cwd });
    await git.ok(["tag", "tree", "HEAD^{tree}"], { cwd });
    const blob = await git.ok(["hash-object", "-w", "--stdin"], { cwd, input: "only here\n" });
    await git.ok(["tag", "blob", blob], { cwd });
    await git.ok(["push", "-q", "origin", "refs/notes/*", "refs/tags/*"], { cwd });
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, copy]);
    await git.fsck(copy);
    expect(await git.ok(["notes", "show", "main"], { cwd: copy })).toBe("a note");
    expect(await git.ok(["cat-file", "blob", "blob"], { cwd: copy })).toBe("only here");
  });

  it("may follow tags, push all branches, and prune", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    await git.ok(["tag", "-a", "-m", "old", "v0", "HEAD~2"], { cwd });
    await git.ok(["tag", "light"], { cwd });
    await git.commit(cwd, "new.txt", "new\n");
    await git.ok(["tag", "-a", "-m", "new", "v1"], { cwd });
    await git.ok(["branch", "side", "HEAD~1"], { cwd });
    await git.ok(["push", "-q", "--all", "--follow-tags", "origin"], { cwd });
    const annotated = (await refsOf(git, cwd, "refs/tags")).filter((ref) => !ref.includes("light"));
    expect(await refsAt(git, url)).toEqual([...(await refsOf(git, cwd, "refs/heads")), ...annotated].toSorted());
    await git.ok(["branch", "-q", "-D", "side"], { cwd });
    await git.ok(["push", "-q", "--prune", "origin", "refs/heads/*:refs/heads/*"], { cwd });
    expect(await refsAt(git, url)).toEqual([...(await refsOf(git, cwd, "refs/heads")), ...annotated].toSorted());
  });

  it("may delete many at once, and are told of one that does not exist", async () => {
    const { git } = journey;
    const { cwd, url, tip } = await working();
    const names = Array.from({ length: 50 }, (_, i) => `refs/heads/b${i}`);
    await git.ok(["push", "-q", "origin", ...names.map((name) => `HEAD:${name}`)], { cwd });
    await git.ok(["push", "-q", "--delete", "origin", ...names], { cwd });
    expect(await refsAt(git, url)).toEqual([`refs/heads/main ${tip}`]);
    const absent = await git.git(["push", "--delete", "origin", "b1"], { cwd });
    expect(absent.stderr).toContain("remote ref does not exist");
    const full = await git.git(["push", "origin", ":refs/heads/b1"], { cwd });
    expect(full).toMatchObject({ code: 0, stderr: expect.stringContaining("warning: deleting a non-existent ref") });
  });

  // The names are sent over HTTP whichever way git comes, and what the client itself refuses is refused as here.
  if (!isWhole(journey)) return;

  it.each(["HEAD", "main", "refs", "refs/stash", "refs/heads/../x", "refs/heads/a.lock", "../refs/heads/x", "config"])(
    "makes no ref of the name %s",
    async (name) => {
      const { git } = journey;
      const { url, tip } = await working();
      const before = await refsAt(git, url);
      const answer = await send(`${url}/git-receive-pack`, {
        method: "POST",
        headers: { "Content-Type": "application/x-git-receive-pack-request" },
        body: pushBody([{ name, new: tip }], buildPack([]), "report-status-v2"),
      });
      expect(answer.status).toBe(200);
      expect(reportLines(answer.body)).toEqual(["unpack ok", `ng ${name} funny refname`]);
      expect(await refsAt(git, url)).toEqual(before);
    },
  );

  describe("the client's own safeguards", () => {
    it("hold with --force-with-lease and an explicit value", async () => {
      const { git } = journey;
      const { cwd, url, tip } = await working();
      await git.ok(["commit", "-q", "--amend", "--allow-empty", "-m", "amended"], { cwd });
      const wrong = await git.git(["push", `--force-with-lease=main:${"1".repeat(40)}`, "origin", "main"], { cwd });
      expect(wrong.stderr).toContain("stale info");
      await git.ok(["push", "-q", `--force-with-lease=main:${tip}`, "origin", "main"], { cwd });
      // An empty value: the ref must not be there.
      const there = await git.git(["push", "--force-with-lease=main:", "origin", "main~:main"], { cwd });
      expect(there.stderr).toContain("stale info");
      await git.ok(["push", "-q", "--force-with-lease=new:", "origin", "HEAD:new"], { cwd });
      const gone = await git.git(["push", `--force-with-lease=new:${tip}`, "origin", ":new"], { cwd });
      expect(gone.stderr).toContain("stale info");
      expect(await refsAt(git, url)).toHaveLength(2);
    });

    it("hold with --atomic and --force-if-includes", async () => {
      const { git } = journey;
      const { cwd, url } = await working();
      const other = git.fresh();
      await git.ok(["clone", "-q", url, other]);
      await git.commit(other, "theirs.txt", "theirs\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: other });
      await git.ok(["fetch", "-q"], { cwd });
      await git.ok(["commit", "-q", "--amend", "--allow-empty", "-m", "amended"], { cwd });
      const push = ["push", "--atomic", "--force-with-lease", "--force-if-includes", "origin", "main", "HEAD:x"];
      const refused = await git.git(push, { cwd });
      expect(refused.stderr).toContain("remote ref updated since checkout");
      expect(await refsAt(git, url)).toHaveLength(1);
    });
  });
});

onEveryHost(
  "what is kept of pushes",
  (journey) => {
    it("shows who moved what, with the push's options", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(5));
      const url = await journey.create();
      await git.ok(["push", "-q", "-o", "ci.skip", "-o", "title=a b", url, "main", "main~2:refs/heads/topic"], {
        cwd: source,
      });
      await git.ok(["push", "-q", url, ":topic"], { cwd: source });
      const api = url.replace(/\/(acme\/[^/]+)\.git$/, "/api/v1/repos/$1");
      const answer = await send(`${api}/reflog`);
      expect(answer.status).toBe(200);
      const tip = await git.ok(["rev-parse", "main"], { cwd: source });
      const topic = await git.ok(["rev-parse", "main~2"], { cwd: source });
      const zero = "0".repeat(40);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        pushes: [
          { push_options: [], certificate: null, updates: [{ ref: "refs/heads/topic", old: topic, new: zero }] },
          {
            actor: "operator",
            push_options: ["ci.skip", "title=a b"],
            updates: [
              { ref: "refs/heads/topic", old: zero, new: topic },
              { ref: "refs/heads/main", old: zero, new: tip },
            ],
          },
        ],
      });
      const page = await send(`${api}/reflog?limit=1&ref=refs%2Fheads%2Ftopic`);
      const { cursor, pushes } = JSON.parse(page.body.toString()) as { cursor: string; pushes: unknown[] };
      expect(pushes).toHaveLength(1);
      const next = await send(`${api}/reflog?limit=1&ref=refs%2Fheads%2Ftopic&cursor=${cursor}`);
      expect(JSON.parse(next.body.toString())).toMatchObject({ pushes: [{ push_options: ["ci.skip", "title=a b"] }] });
      for (const bad of ["limit=0", "limit=101", "limit=x", "cursor=-1", "cursor=1e3", "limit=1.5"]) {
        expect(await send(`${api}/reflog?${bad}`)).toMatchObject({ status: 422 });
      }
      for (const id of ["1", "0", "x", "99999999999999999999"]) {
        expect(await send(`${api}/push-certificates/${id}`)).toMatchObject({ status: 404 });
      }
      expect((await send(`${api.replace(/git:[^@]*@/, "")}/reflog`)).status).toBe(401);
      expect((await send(`${api}-missing/reflog`)).status).toBe(404);
    });
  },
  ["thinpack"],
);
