/**
 * Merges, cherry-picks and reverts by the API, against what git makes of the same.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startCommand } from "../support/command.ts";
import { exportRepository } from "../support/export.ts";
import { inEveryFormat, pushedRepository } from "../support/git-hosts.ts";

const PERSON = { name: "C O Mitter", email: "committer@example.com", date: "1700000000 +0200" };
const LINES = Array.from({ length: 20 }, (_, number) => `line ${number}`);

/** Returns the file with some lines changed. */
function text(changes: Readonly<Record<number, string>> = {}): string {
  return LINES.map((line, number) => `${changes[number] ?? line}\n`).join("");
}

inEveryFormat(
  "merges by the API",
  (journey) => {
    let api: ApiClient;
    let source: string;
    beforeAll(async () => {
      api = apiClient(journey.base, journey.token);
      const { git } = journey;
      source = await git.init("merged");
      const on = async (branch: string, from: string): Promise<void> => {
        await git.ok(["checkout", "-q", "-b", branch, from], { cwd: source });
      };
      await git.commit(source, "file", text(), "base");
      await git.commit(source, "moved/one", `${text()}one\n`, "a directory");
      await on("topic", "main");
      await git.commit(source, "file", text({ 2: "topic" }), "a change at the beginning");
      await git.ok(["mv", "moved/one", "renamed"], { cwd: source });
      await git.ok(["commit", "-q", "-m", "a move"], { cwd: source });
      await on("clash", "main");
      await git.commit(source, "file", text({ 2: "clash" }), "a change of the same line");
      await on("other", "main");
      await git.commit(source, "file", text({ 15: "other" }), "a change at the end");
      await git.commit(source, "moved/one", `${text({ 4: "edited" })}one\n`, "an edit of the moved file");
      await git.ok(["checkout", "-q", "main"], { cwd: source });
    });

    const pushed = async (): Promise<{ path: string; url: string }> =>
      await pushedRepository(journey, source, ["main", "topic", "clash", "other"]);
    const oid = async (revision: string, cwd = source): Promise<string> =>
      await journey.git.ok(["rev-parse", revision], { cwd });
    /** Clones, has git check the clone, and returns it. */
    const cloned = async (url: string): Promise<string> => {
      const { git } = journey;
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
      return clone;
    };
    /** Exports the repository, and has git check what lies in the bucket. */
    const exported = async (path: string): Promise<void> => {
      const directory = join(journey.git.fresh(), "bare");
      await exportRepository(`${journey.base}/api/v1${path}`, journey.token, directory);
      await journey.git.ok(["--git-dir", directory, "fsck", "--full", "--strict"]);
    };
    /** Does something with git on a branch of its own, and returns the commit that it comes to. */
    const byGit = async (from: string, ...args: readonly string[]): Promise<string> => {
      const { git } = journey;
      await git.ok(["checkout", "-q", "--detach", from], { cwd: source });
      await git.ok(args, { cwd: source, env: { GIT_MERGE_AUTOEDIT: "no" } });
      const made = await oid("HEAD");
      await git.ok(["checkout", "-q", "main"], { cwd: source });
      return made;
    };

    it("give the tree of git merge, with files that were moved", async () => {
      const { path, url } = await pushed();
      const tree = await oid(`${await byGit("topic", "merge", "-q", "--no-ff", "other")}^{tree}`);
      const asked = { base: "topic", head: "other", committer: PERSON, author: PERSON };
      const tried = await api("POST", `${path}/merges`, { ...asked, dry_run: true });
      expect(tried).toMatchObject({ status: 200, body: { tree, branch: "topic" } });
      const made = await api("POST", `${path}/merges`, { ...asked, expected_base: await oid("topic") });
      expect(made).toMatchObject({
        status: 201,
        body: { tree, oid: tried.body["oid"], parents: [await oid("topic"), await oid("other")] },
      });
      const clone = await cloned(url);
      expect(await oid("origin/topic", clone)).toBe(made.body["oid"]);
      const shown = await journey.git.ok(["log", "-1", "--format=%s%n%cn <%ce> %cd", "--date=raw", "origin/topic"], {
        cwd: clone,
      });
      expect(shown).toBe("Merge branch 'other' into topic\nC O Mitter <committer@example.com> 1700000000 +0200");
      expect(await api("POST", `${path}/merges`, asked)).toMatchObject({ status: 200, body: { status: "up-to-date" } });
      await exported(path);
    });

    it("bring several merge bases together first, as git does", async () => {
      const { git } = journey;
      const url = await journey.create();
      const path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
      const work = await git.init("crossed");
      const settle = async (from: string, other: string, lines: Readonly<Record<number, string>>): Promise<void> => {
        await git.ok(["checkout", "-q", from], { cwd: work });
        await git.git(["merge", "-q", other], { cwd: work });
        await git.commit(work, "file", text(lines), `${other} into ${from}`);
      };
      const start = async (branch: string, lines: Readonly<Record<number, string>>): Promise<string> => {
        await git.ok(["checkout", "-q", "-b", branch, "main"], { cwd: work });
        return await git.commit(work, "file", text(lines), branch);
      };
      await git.commit(work, "file", text(), "base");
      const [left, right] = [await start("left", { 5: "left" }), await start("right", { 5: "right" })];
      await settle("left", right, { 5: "left and right" });
      await settle("right", left, { 5: "left and right", 9: "more" });
      await git.commit(work, "file", text({ 5: "left and right", 1: "then" }), "at last");
      expect((await git.ok(["merge-base", "--all", "left", "right"], { cwd: work })).split("\n")).toHaveLength(2);
      await git.ok(["push", "-q", url, "left", "right"], { cwd: work });
      const run = await git.git(["merge-tree", "--write-tree", "--no-messages", "left", "right"], { cwd: work });
      const answer = await api("POST", `${path}/merges`, { base: "left", head: "right", materialise: "marked" });
      const clone = await cloned(url);
      const made = answer.status === 409 ? "origin/marked" : "origin/left";
      expect([answer.status, await oid(`${made}^{tree}`, clone)]).toEqual([
        run.code === 0 ? 201 : 409,
        run.stdout.split("\n")[0],
      ]);
      await exported(path);
    });

    it("squash into one commit, and move forward only where they are asked to", async () => {
      const { path, url } = await pushed();
      const ff = { base: "main", head: "topic", strategy: "ff-only" };
      expect(await api("POST", `${path}/merges`, ff)).toMatchObject({ status: 201, body: { oid: await oid("topic") } });
      expect(await api("POST", `${path}/merges`, { ...ff, head: "other" })).toMatchObject({
        status: 409,
        body: { code: "not_forward" },
      });
      const squashed = await api("POST", `${path}/merges`, {
        base: "main",
        head: "refs/heads/other",
        strategy: "squash",
      });
      expect(squashed).toMatchObject({ status: 201, body: { parents: [await oid("topic")] } });
      const tree = await oid(`${await byGit("topic", "merge", "-q", "other")}^{tree}`);
      const clone = await cloned(url);
      expect(await oid("origin/main^{tree}", clone)).toBe(tree);
      const message = await journey.git.ok(["log", "-1", "--format=%B", "origin/main"], { cwd: clone });
      expect(message.trim()).toBe("Squash branch 'other'\n\n* a change at the end\n* an edit of the moved file");
    });

    it("make the commits again, as git rebase does", async () => {
      const { path, url } = await pushed();
      const made = await api("POST", `${path}/merges`, { base: "topic", head: "other", strategy: "rebase" });
      expect(made).toMatchObject({ status: 201, body: { commits: [expect.anything(), expect.anything()] } });
      const rebased = await byGit("other", "rebase", "-q", "topic");
      const clone = await cloned(url);
      await journey.git.ok(["branch", "-q", "-f", "rebased", rebased], { cwd: source });
      const expected = await journey.git.ok(["log", "--format=%T %an %ae %ad %B", "main..rebased"], { cwd: source });
      expect(
        await journey.git.ok(["log", "--format=%T %an %ae %ad %B", "origin/main..origin/topic"], { cwd: clone }),
      ).toBe(expected);
    });

    it("leave out what the branch has in other commits, as git rebase does", async () => {
      const { git } = journey;
      const url = await journey.create();
      const path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
      const work = await git.init("picked");
      const commit = async (file: string, content: string | Buffer, message: string): Promise<string> => {
        writeFileSync(join(work, file), content);
        await git.ok(["add", "-A"], { cwd: work });
        await git.ok(["commit", "-q", "-m", message], { cwd: work });
        return await oid("HEAD", work);
      };
      const binary = (last: number): Buffer => Buffer.from([1, 0, 2, 0, last]);
      for (const file of ["file", "spaced", "own"]) await commit(file, text(), `adds ${file}`);
      await commit("binary", binary(1), "adds a binary");
      await commit("gone", "gone\n", "adds what goes");
      await git.ok(["branch", "head"], { cwd: work });
      await git.ok(["checkout", "-q", "head"], { cwd: work });
      const picked = [
        await commit("file", text({ 10: "changed" }), "a change"),
        await commit("new", "new\n", "a new file"),
        await commit("binary", binary(2), "a binary change"),
      ];
      await git.ok(["rm", "-q", "gone"], { cwd: work });
      await git.ok(["commit", "-q", "-m", "a deletion"], { cwd: work });
      picked.push(await oid("HEAD", work));
      await commit("spaced", text({ 8: "one two" }), "a change but for white space");
      await commit("own", text({ 3: "own" }), "its own");
      await commit("own", text({ 3: "own", 14: "more" }), "more of its own");
      await git.ok(["commit", "-q", "--allow-empty", "-m", "empty from the start"], { cwd: work });
      await git.ok(["checkout", "-q", "main"], { cwd: work });
      await commit("file", `first\n${text()}`, "moves all lines down");
      await git.ok(["cherry-pick", ...picked], { cwd: work });
      await commit("spaced", text({ 8: "onetwo" }), "the same, closer");
      // Each of these would be in conflict with what is left out, or be undone by it.
      await commit("file", `first\n${text({ 10: "and changed again" })}`, "goes on");
      await commit("binary", binary(3), "goes on with the binary");
      await commit("gone", "back\n", "brings it back");
      await git.ok(["rm", "-q", "new"], { cwd: work });
      await git.ok(["commit", "-q", "-m", "takes the new file away"], { cwd: work });
      await commit("spaced", text({ 8: "three" }), "goes on with the spaced one");
      await git.ok(["push", "-q", url, "main", "head"], { cwd: work });
      const made = await api("POST", `${path}/merges`, { base: "main", head: "head", strategy: "rebase" });
      expect(made.status).toBe(201);
      const [before, clone] = [await oid("main", work), await cloned(url)];
      await git.ok(["checkout", "-q", "head"], { cwd: work });
      await git.ok(["rebase", "-q", "main"], { cwd: work });
      const format = "--format=%T %an %s";
      const expected = await git.ok(["log", format, `${before}..head`], { cwd: work });
      expect(expected.split("\n")).toHaveLength(3);
      expect(await git.ok(["log", format, `${before}..origin/main`], { cwd: clone })).toBe(expected);
    });

    it("are refused by their number before their changes are compared", async () => {
      const { git } = journey;
      const work = await git.init("many");
      await git.commit(work, "base", "base\n", "base");
      await git.commit(work, "picked", "picked\n", "a change");
      await git.ok(["branch", "head"], { cwd: work });
      await git.ok(["reset", "-q", "--hard", "main~1"], { cwd: work });
      await git.commit(work, "own", "own\n", "its own");
      await git.ok(["cherry-pick", "head"], { cwd: work });
      await git.ok(["checkout", "-q", "head"], { cwd: work });
      await git.emptyCommits(work, 1000, "empty");
      const { path } = await pushedRepository(journey, work, ["main", "head"]);
      // One of 1001 is there already.
      expect(await api("POST", `${path}/merges`, { base: "main", head: "head", strategy: "rebase" })).toMatchObject({
        status: 413,
        body: { detail: expect.stringContaining("more than 1000 commits") },
      });
    });

    it("tell conflicts as git merge-tree does, and write nothing", async () => {
      const { path, url } = await pushed();
      const { git } = journey;
      const run = await git.git(["merge-tree", "--write-tree", "-z", "--no-messages", "topic", "clash"], {
        cwd: source,
      });
      const [tree = "", ...files] = run.stdout.split("\0").filter(Boolean);
      const answer = await api("POST", `${path}/merges`, { base: "topic", head: "clash" });
      expect(answer).toMatchObject({ status: 409, body: { code: "merge_conflict", conflict_count: 1 } });
      const conflicts = answer.body["conflicts"] as {
        path: string;
        stages: { stage: number; mode: string; oid: string }[];
      }[];
      const stages = conflicts.flatMap(({ path: name, stages: all }) =>
        all.map(({ stage, mode, oid: object }) => `${mode} ${object} ${stage}\t${name}`),
      );
      expect(stages).toEqual(files);
      const content = `${await git.ok(["cat-file", "blob", `${tree}:file`], { cwd: source })}\n`;
      expect(content).toContain("<<<<<<< topic\n");
      expect(conflicts).toMatchObject([{ kind: "contents", content, encoding: "utf-8" }]);
      expect(await git.ok(["ls-remote", url, "topic"])).toContain(await oid("topic"));
      const favoured = await api("POST", `${path}/merges`, {
        base: "topic",
        head: "clash",
        favor: "theirs",
        dry_run: true,
      });
      const merged = await byGit("topic", "merge", "-q", "--no-ff", "-X", "theirs", "clash");
      expect(favoured).toMatchObject({ status: 200, body: { tree: await oid(`${merged}^{tree}`) } });
    });

    it("commit the markers to a new branch where that is asked for", async () => {
      const { path, url } = await pushed();
      const { git } = journey;
      const asked = { base: "topic", head: "clash", materialise: "conflicts/one" };
      const run = await git.git(["merge-tree", "--write-tree", "--no-messages", "topic", "clash"], { cwd: source });
      const key = { "Idempotency-Key": "once" };
      const answer = await api("POST", `${path}/merges`, asked, key);
      expect(answer).toMatchObject({ status: 409, body: { materialised: { branch: "conflicts/one" } } });
      expect(await api("POST", `${path}/merges`, asked, key)).toMatchObject({
        status: 409,
        body: { materialised: answer.body["materialised"] },
      });
      expect(await api("POST", `${path}/merges`, asked)).toMatchObject({ status: 409, body: { code: "stale" } });
      const clone = await cloned(url);
      expect(await oid("origin/conflicts/one^{tree}", clone)).toBe(run.stdout.split("\n")[0]);
      expect(await oid("origin/conflicts/one^2", clone)).toBe(await oid("clash"));
      expect(await oid("origin/topic", clone)).toBe(await oid("topic"));
    });

    it("bring single commits over and take them back, as git does", async () => {
      const { path, url } = await pushed();
      const commits = [await oid("other~1"), await oid("other")];
      const picked = await api("POST", `${path}/cherry-picks`, {
        branch: "topic",
        commits,
        expected_head: await oid("topic"),
      });
      const expected = await byGit("topic", "cherry-pick", ...commits);
      expect(picked).toMatchObject({ status: 201, body: { tree: await oid(`${expected}^{tree}`) } });
      const again = await api("POST", `${path}/cherry-picks`, { branch: "topic", commits });
      expect(again).toMatchObject({ status: 422, body: { code: "nothing_changed", commit: commits[0] } });
      const clash = await api("POST", `${path}/cherry-picks`, { branch: "topic", commits: ["clash"] });
      expect(clash).toMatchObject({ status: 409, body: { code: "merge_conflict", commit: await oid("clash") } });
      const clone = await cloned(url);
      const log = async (revision: string, cwd: string): Promise<string> =>
        await journey.git.ok(["log", "-3", "--format=%T %an %ae %ad %B", revision], { cwd });
      expect(await log("origin/topic", clone)).toBe(await log(expected, source));
      const reverted = await api("POST", `${path}/reverts`, {
        branch: "topic",
        commits: [picked.body["oid"]],
        author: PERSON,
      });
      await journey.git.ok(["fetch", "-q"], { cwd: clone });
      await journey.git.ok(["checkout", "-q", "--detach", String(picked.body["oid"])], { cwd: clone });
      await journey.git.ok(["revert", "--no-edit", "HEAD"], { cwd: clone });
      expect(reverted).toMatchObject({ status: 201, body: { tree: await oid("HEAD^{tree}", clone) } });
      const message = async (revision: string): Promise<string> =>
        await journey.git.ok(["log", "-1", "--format=%B", revision], { cwd: clone });
      expect(await message("origin/topic")).toBe(await message("HEAD"));
    });

    it("follow the attributes of the branch that is merged into", async () => {
      const { git } = journey;
      const url = await journey.create();
      const path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
      const work = await git.init("attributes");
      const names = ["union.txt", "binary.txt", "macro.txt", "deep/long.txt", "deep/plain.txt"];
      const write = async (branch: string, from: string, change: string): Promise<void> => {
        await git.ok(["checkout", "-q", "-b", branch, ...(from === "" ? [] : [from])], { cwd: work });
        for (const name of names) await git.commit(work, name, text(change === "" ? {} : { 3: change }));
      };
      await git.commit(work, "deep/.gitattributes", "long.txt conflict-marker-size=12\n");
      await git.commit(work, ".gitattributes", "union* merge=union\nbinary* -merge\nmacro* binary\n");
      await write("base", "", "");
      await write("ours", "base", "ours");
      await write("theirs", "base", "theirs");
      await git.ok(["push", "-q", url, "ours", "theirs"], { cwd: work });
      await git.ok(["checkout", "-q", "ours"], { cwd: work });
      const run = await git.git(
        ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "ours", "theirs"],
        { cwd: work },
      );
      const [tree = "", ...conflicted] = run.stdout.split("\0").filter(Boolean);
      const answer = await api("POST", `${path}/merges`, { base: "ours", head: "theirs", materialise: "marked" });
      const conflicts = answer.body["conflicts"] as { path: string; kind: string }[];
      expect(conflicts.map(({ path: name }) => name)).toEqual(conflicted);
      expect(conflicts.map(({ kind }) => kind)).toEqual(["binary", "contents", "contents", "binary"]);
      const clone = await cloned(url);
      expect(await oid("origin/marked^{tree}", clone)).toBe(tree);
    });

    it("are for those who may push, and by the rules of a push", async () => {
      const { path } = await pushed();
      const asked = { base: "main", head: "topic" };
      expect(await apiClient(journey.base)("POST", `${path}/merges`, asked)).toMatchObject({ status: 401 });
      const rule = { pattern: "refs/heads/main", require_signed: true };
      const rules = await api("PATCH", path, { protected: [rule] });
      expect(rules.status).toBe(200);
      expect(await api("POST", `${path}/merges`, { ...asked, dry_run: true })).toMatchObject({ status: 403 });
      expect(await api("POST", `${path}/merges`, asked)).toMatchObject({ status: 403, body: { code: "rule" } });
      await api("PATCH", path, { protected: [], read_only: true });
      expect(await api("POST", `${path}/reverts`, { branch: "main", commits: ["main"] })).toMatchObject({
        status: 403,
      });
    });

    it("take no commit that no ref reaches, though its name is known", async () => {
      const { path, url } = await pushed();
      const { git } = journey;
      const [clash, other] = [await oid("clash"), await oid("other~1")];
      const asked = { base: "topic", head: clash, dry_run: true };
      const told = { status: 409, body: { code: "merge_conflict" } };
      expect(await api("POST", `${path}/merges`, asked)).toMatchObject(told);
      await git.ok(["push", "-q", url, ":clash"], { cwd: source });
      const missing = await api("POST", `${path}/merges`, asked);
      expect(missing).toMatchObject({ status: 422 });
      const unknown = await api("POST", `${path}/merges`, { ...asked, head: "1".repeat(clash.length) });
      expect(missing.body).toEqual(unknown.body);
      for (const action of ["cherry-picks", "reverts"]) {
        const picks = { branch: "topic", commits: [other, clash], dry_run: true };
        expect(await api("POST", `${path}/${action}`, picks)).toMatchObject({
          status: 422,
          body: { detail: `${clash} names no commit here.` },
        });
      }
      expect(await api("POST", `${path}/merges`, { ...asked, head: other })).toMatchObject({ status: 200 });
    });

    it("are made by the command", async () => {
      const { path, url } = await pushed();
      const name = path.replace("/repos/", "");
      const env = { THINPACK_BASE: journey.base, THINPACK_TOKEN: journey.token };
      const run = async (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
        await startCommand(journey.git, args, { env }).ended;
      const picked = await run("cherry-pick", name, "other~1", "-b", "topic");
      expect(picked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^topic is at [0-9a-f]+\n$/) });
      const tried = await run("merge", name, "other", "--into", "topic", "--dry-run");
      expect(tried).toMatchObject({ code: 0, stdout: expect.stringMatching(/^topic would be at/) });
      expect(await run("merge", name, "clash", "--into", "topic")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("There is a conflict: file (contents); nothing was written."),
      });
      expect(await run("revert", name, "topic", "-b", "topic")).toMatchObject({ code: 0 });
      expect(await run("merge", name, "main", "--into", "topic")).toMatchObject({
        code: 0,
        stdout: "already up to date\n",
      });
      await cloned(url);
    });

    it("refuse what can't be merged, in words", async () => {
      const { path } = await pushed();
      const merge = async (body: object): Promise<unknown> => await api("POST", `${path}/merges`, body);
      expect(await merge({ base: "nothing", head: "topic" })).toMatchObject({ status: 404 });
      expect(await merge({ base: "main", head: "nothing" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: await oid("main^{tree}") })).toMatchObject({ status: 422 });
      expect(await merge({ base: "a..b", head: "topic" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "1".repeat(journey.format.hexSize - 1) })).toMatchObject({
        status: 422,
      });
      expect(await merge({ base: "main", head: "\ud800" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "x".repeat(100_000) })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "topic", materialise: "a..b" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "topic", message: " " })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "topic", strategy: "octopus" })).toMatchObject({ status: 422 });
      expect(await merge({ base: "main", head: "topic", expected_base: await oid("topic") })).toMatchObject({
        status: 409,
        body: { code: "stale", current: await oid("main") },
      });
      await api("POST", `${path}/merges`, { base: "topic", head: "other" });
      const merged = await api("POST", `${path}/cherry-picks`, { branch: "main", commits: ["topic"] });
      expect(merged).toMatchObject({ status: 422, body: { code: "needs_mainline" } });
      const third = await api("POST", `${path}/cherry-picks`, { branch: "main", commits: ["topic"], mainline: 3 });
      expect(third).toMatchObject({ status: 422, body: { code: "no_such_parent" } });
      const first = await api("POST", `${path}/cherry-picks`, {
        branch: "main",
        commits: ["topic"],
        mainline: 2,
        dry_run: true,
      });
      expect(first).toMatchObject({ status: 200 });
    });
  },
  ["thinpack"],
);
