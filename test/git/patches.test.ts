/**
 * Patches that the API commits, against what `git apply` makes of them.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { apiClient } from "../support/api-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";

/** Commits, and pairs of a commit and a patch of another one. */
const COMMITS = 14;
const PAIRS = 24;
/** Lines of a text file. */
const LINES = 400;

/** Numbers that look like random ones. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** What a history is made of: a file that changes in many places, and one of each kind. */
function change(cwd: string, round: number, random: (below: number) => number): void {
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), content);
  };
  const lines = Array.from({ length: LINES }, (_, at) => `line ${at}`);
  if (round > 0) lines.splice(0, LINES, ...readFileSync(join(cwd, "text.txt"), "utf8").split("\n"));
  for (let times = 0; times < 2; times++) lines.splice(random(lines.length), random(3), `round ${round}`, `${times}`);
  write("text.txt", lines.join("\n") + (round % 3 === 0 ? "\n" : ""));
  write("data.bin", noise(3000 + round, 7));
  if (round === 2) write("with space/ünï.txt", "a\r\nb\r\n");
  if (round === 3) renameSync(join(cwd, "with space/ünï.txt"), join(cwd, "moved.txt"));
  if (round === 4) chmodSync(join(cwd, "moved.txt"), 0o755);
  if (round === 5) symlinkSync("text.txt", join(cwd, "link"));
  if (round === 6) rmSync(join(cwd, "moved.txt"));
  if (round === 7) write("empty", "");
  if (round === 8) write("small.bin", Uint8Array.of(0, 1, 2, 255));
  if (round === 9) rmSync(join(cwd, "small.bin"));
  if (round === 10) write("deep/er/file", `${"x\n".repeat(20)}end`);
}

onEveryHost(
  "patches by the API",
  (journey) => {
    let cwd: string;
    let path: string;
    /** Oldest first. */
    const commits: string[] = [];
    const api = () => apiClient(journey.base, journey.token);
    const type = { "Content-Type": "text/x-patch" };
    beforeAll(async () => {
      const { git } = journey;
      cwd = await git.init();
      const random = numbers(1);
      for (let round = 0; round < COMMITS; round++) {
        change(cwd, round, random);
        await git.ok(["add", "-A"], { cwd });
        await git.ok(["commit", "-q", "-m", `round ${round}`], { cwd });
        commits.push(await git.head(cwd));
      }
      const url = await journey.create();
      await git.ok(["push", "-q", url, "main"], { cwd });
      path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
    });
    const post = (patch: string, base: string, branch: string) => {
      const query = new URLSearchParams({ branch, base, message: "patched", allow_empty: "true" });
      return api()("POST", `${path}/commits?${query.toString()}`, patch, type);
    };
    const treeAt = async (rev: string): Promise<string> =>
      await journey.git.ok(["rev-parse", `${rev}^{tree}`], { cwd });

    it("give the tree of the commit that they were made of", async () => {
      for (let at = 1; at < COMMITS; at++) {
        const [before = "", after = ""] = commits.slice(at - 1, at + 1);
        const args =
          at % 2 === 0
            ? ["format-patch", "--stdout", "--binary", "-1", after]
            : ["diff", "--binary", "-M", before, after];
        const patch = (await journey.git.bytes(args, { cwd })).toString("utf8");
        const made = await post(patch, before, `of/${at}`);
        expect(made).toMatchObject({ status: 201, body: { tree: await treeAt(after) } });
      }
    });

    it("apply elsewhere as with git apply, or not at all", async () => {
      const { git } = journey;
      const random = numbers(5);
      const verdicts = new Set<boolean>();
      for (let pair = 0; pair < PAIRS; pair++) {
        const of = 1 + random(COMMITS - 1);
        const onto = Math.max(0, of - 1 - random(4));
        const [before = "", after = "", base = ""] = [commits[of - 1], commits[of], commits[onto]];
        const patch = await git.bytes(["diff", "--binary", before, after, "--", ".", ":!data.bin"], { cwd });
        const env = { GIT_INDEX_FILE: join(cwd, ".git", `index-${pair}`) };
        await git.ok(["read-tree", base], { cwd, env });
        const applied = await git.git(["apply", "--cached", "-"], { cwd, env, input: patch.toString("utf8") });
        const made = await post(patch.toString("utf8"), base, `onto/${pair}`);
        const what = `${of} onto ${onto}: ${applied.stderr} ${JSON.stringify(made.body)}`;
        expect({ what, isMade: made.status === 201 }).toEqual({ what, isMade: applied.code === 0 });
        if (applied.code === 0) expect(made.body["tree"]).toBe(await git.ok(["write-tree"], { cwd, env }));
        else expect(made.body).toMatchObject({ status: 422, code: "patch_does_not_apply" });
        verdicts.add(applied.code === 0);
      }
      expect(verdicts).toEqual(new Set([true, false]));
    });

    it("give the tree of the last commit where they are a series of mails", async () => {
      const [first = "", last = ""] = [commits[0], commits.at(-1)];
      const args = ["format-patch", "--stdout", "--binary", "-M", `${first}..${last}`];
      const series = (await journey.git.bytes(args, { cwd })).toString("utf8");
      expect(await post(series, first, "series")).toMatchObject({ status: 201, body: { tree: await treeAt(last) } });
    });

    it("are refused if a part of them would be passed over", async () => {
      const [base = ""] = commits;
      const head = "diff --git a/text.txt b/text.txt\n";
      const names = "--- a/text.txt\n+++ b/text.txt\n";
      const hunk = (at: number): string =>
        `@@ -${at},3 +${at},3 @@\n line ${at - 1}\n-line ${at}\n+x\n line ${at + 1}\n`;
      const whole = `${head}index 1234567..89abcde 100644\n${names}${hunk(5)}${hunk(20)}`;
      expect(await post(whole, base, "whole")).toMatchObject({ status: 201 });
      const broken = [
        whole.replace(" line 6\n", " line 6\n line 6\n"),
        whole.replace("@@ -20", "@ -20"),
        whole.replace("--- a/text.txt", "junk\n--- a/text.txt"),
        `--- a/link\n+++ b/link\n${hunk(5)}${whole}`,
        `${head}old mode 100644\nnew mode 644\n${names}${hunk(5)}`,
        `${head}old mode 100644\nnew mode 160000\n`,
        `${head}old mode 100644\nnew mode 0\n`,
        `diff --git a/n b/n\nnew file mode 170000\n`,
        `${head}similarity index 90%\n`,
        whole.replace("index", "rename from text.txt\nrename to moved\nindex"),
      ];
      for (const patch of broken)
        expect({ patch, ...(await post(patch, base, "y")) }).toMatchObject({ patch, status: 422 });
    });

    it("name the hunk that does not apply, and what is wrong with a patch", async () => {
      const [base = ""] = commits;
      const hunk = "@@ -1,2 +1,2 @@\n line 0\n-nothing\n+something\n";
      const patch = `diff --git a/text.txt b/text.txt\n--- a/text.txt\n+++ b/text.txt\n${hunk}`;
      expect(await post(patch, base, "x")).toMatchObject({
        status: 422,
        body: { hunk: 1, path: "text.txt", file: 0, line: 1 },
      });
      expect(await post(patch.slice(0, -15), base, "x")).toMatchObject({ status: 422, body: { code: "bad_patch" } });
      expect(await post("no patch at all", base, "x")).toMatchObject({ status: 422, body: { code: "bad_patch" } });
      const evil = patch.replaceAll("text.txt", ".git/config").replace("--- a/.git/config", "--- /dev/null");
      expect(await post(evil, base, "x")).toMatchObject({ status: 422, body: { code: "patch_does_not_apply" } });
      const { body } = await api()("GET", `${path}/refs?prefix=refs/heads/x`);
      expect(body["refs"]).toEqual([]);
    });
  },
  ["thinpack"],
);
