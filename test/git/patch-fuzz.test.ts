/**
 * Patches with a line or two changed, against `git apply`: the same verdict, and the same tree. Where we differ on
 * purpose, git takes what is not whole, and we refuse it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { noise } from "../support/git-fixtures.ts";
import { onEveryHost, pushedRepository } from "../support/git-hosts.ts";

/** Patches that are tried, and the seed that chooses them: `PATCHES` and `PATCH_SEED` choose others. */
const PATCHES = Number(process.env["PATCHES"] ?? 250);
const SEED = Number(process.env["PATCH_SEED"] ?? 1);

/** What we refuse although git takes it, by what we say. */
const ON_PURPOSE: readonly (readonly [RegExp, string])[] = [
  [/a line that belongs to no hunk/, "git applies a part of the file, and passes over the rest of its lines"],
  [/a file without "diff --git"/, "the patch is not git's, or a line has cut the file off from its head"],
  [/nothing changes above this line/, "git passes over a head whose next line is none of a head"],
  [/this is no mode that a file may have/, "git makes a file or a submodule of any number"],
  [/the patch makes the file twice/, "git keeps the last, whatever the first has said"],
  [/the patch changes the file above, and deletes it here/, "git leaves the changed file"],
  [/the file exists already/, "git overwrites it where the names differ and no line says that it is a rename"],
  [/a binary file without its content/, "git takes the content from its own objects if it has them"],
];

function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

const lines = (count: number, word: string): string[] => Array.from({ length: count }, (_, at) => `${word} ${at}`);
const file = (rows: readonly string[]): string => `${rows.join("\n")}\n`;

/** The files that patches are made of, and applied to. */
const BASE: Readonly<Record<string, string | Uint8Array>> = {
  "text.txt": file(lines(60, "line")),
  "other.txt": file(lines(30, "other")),
  "no-end.txt": lines(20, "end").join("\n"),
  "dir/deep.txt": file(lines(12, "deep")),
  "blank.txt": "a\n\nb\n\n\nc\n\nd\n",
  "data.bin": noise(70, 3),
  empty: "",
  "with space.txt": "one\ntwo\n",
  "ünï.txt": "ü\n",
};

type Change = (write: (path: string, content: string | Uint8Array) => void, cwd: string) => void;

function edited(rows: readonly string[], places: readonly number[]): string {
  return file(rows.map((row, at) => (places.includes(at) ? `${row} changed` : row)));
}

const CHANGES: readonly Change[] = [
  (write) => write("text.txt", edited(lines(60, "line"), [5, 20, 35])),
  (write) => {
    write("text.txt", edited(lines(60, "line"), [0, 59]));
    write("other.txt", edited(lines(30, "other"), [15]));
    write("no-end.txt", file(lines(20, "end")));
  },
  (write, cwd) => {
    unlinkSync(join(cwd, "text.txt"));
    write("moved/text.txt", edited(lines(60, "line"), [30]));
    write("copy.txt", edited(lines(30, "other"), [3]));
    write("other.txt", edited(lines(30, "other"), [28]));
  },
  (write, cwd) => {
    unlinkSync(join(cwd, "blank.txt"));
    unlinkSync(join(cwd, "empty"));
    write("new.txt", "new\n");
    write("also-empty", "");
    symlinkSync("text.txt", join(cwd, "link"));
    write("data.bin", noise(70, 4));
    write("small.bin", Uint8Array.of(0, 1, 2, 255));
  },
  (write) => {
    write("with space.txt", "one\nthree\n");
    write("ünï.txt", "ü\nü");
    write("blank.txt", "a\n\nb\n\nx\n\nc\n\nd\n");
    write("dir/deep.txt", file(lines(12, "deep").slice(2)));
  },
];

/** Lines that are put in or take another's place. */
const STRANGE = [
  "junk",
  "",
  " ",
  "+",
  "-",
  " line 7",
  "+added",
  "-- ",
  "\\ No newline at end of file",
  "@@ -1 +1 @@",
  "@@ -0,0 +1 @@",
  "old mode 100644",
  "new mode 100755",
  "new mode 644",
  "new mode 170000",
  "new mode 0",
  "new mode 120777",
  "new mode 160000",
  "new file mode 100600",
  "deleted file mode 100644",
  "rename from text.txt",
  "rename to other.txt",
  "copy from other.txt",
  "copy to third.txt",
  "--- a/text.txt",
  "+++ b/text.txt",
  "--- /dev/null",
  "+++ /dev/null",
  "index 1234567..89abcde 100644",
  "diff --git a/text.txt b/text.txt",
  "GIT binary patch",
  "literal 3",
];

/** Returns a patch in which something is changed. */
function mutated(text: string, random: (below: number) => number): string {
  const rows = text.split("\n");
  const at = random(rows.length);
  const row = rows[at] ?? "";
  const strange = STRANGE[random(STRANGE.length)] ?? "";
  const heads = rows.flatMap((line, index) => (line.startsWith("diff --git ") ? [index] : []));
  const head = heads[random(heads.length)] ?? 0;
  const end = heads.find((index) => index > head) ?? rows.length - 1;
  const ways: (() => void)[] = [
    () => void rows.splice(at, 1),
    () => void rows.splice(at, 0, row),
    () => void rows.splice(at, 0, strange),
    () => void rows.splice(at, 1, strange),
    () => void rows.splice(at, 2, ...rows.slice(at, at + 2).toReversed()),
    () => void rows.splice(at, 1, row.slice(1)),
    () =>
      void rows.splice(
        at,
        1,
        row.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)),
      ),
    () => void rows.splice(at, 1, row.replace(/[a-z]/, "q")),
    () => void rows.splice(head + 1 + random(6), 0, strange),
    () => void rows.splice(head + 1 + random(6), 1),
    () => void rows.splice(rows.length - 1, 0, ...rows.slice(head, end)),
    () => void rows.splice(0, 0, ...rows.splice(head, end - head)),
    () => void rows.splice(at),
    () =>
      rows.forEach((line, index) => line.startsWith("@@ ") && random(2) === 0 && rows.splice(index, 1, line.slice(1))),
  ];
  ways[random(ways.length)]?.();
  return rows.join("\n");
}

onEveryHost(
  "changed patches by the API",
  (journey) => {
    let cwd: string;
    let path: string;
    const seeds: string[] = [];
    const write = (name: string, content: string | Uint8Array): void => {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), content);
    };
    beforeAll(async () => {
      const { git } = journey;
      cwd = await git.init();
      for (const [name, content] of Object.entries(BASE)) write(name, content);
      await git.ok(["add", "-A"], { cwd });
      await git.ok(["commit", "-q", "-m", "base"], { cwd });
      ({ path } = await pushedRepository(journey, cwd));
      const scratch = mkdtempSync(join(tmpdir(), "objects-"));
      // What patches make is in no store of git's own: it would not look at the patch then.
      const env = { GIT_OBJECT_DIRECTORY: scratch, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(cwd, ".git/objects") };
      for (const change of CHANGES) {
        change(write, cwd);
        await git.ok(["add", "-A"], { cwd, env });
        for (const args of [["-M"], ["-C", "--full-index"], ["--no-renames", "-U1"]])
          seeds.push((await git.bytes(["diff", "--binary", "--cached", ...args], { cwd, env })).toString("latin1"));
        await git.ok(["reset", "-q", "--hard"], { cwd, env });
      }
      rmSync(scratch, { recursive: true });
    });

    /** Returns the tree that git makes of a patch, or what it says. */
    const byGit = async (patch: string): Promise<{ readonly tree?: string; readonly said: string }> => {
      const scratch = mkdtempSync(join(tmpdir(), "objects-"));
      try {
        copyFileSync(join(cwd, ".git/index"), join(scratch, "index"));
        writeFileSync(join(scratch, "patch"), patch, "latin1");
        const env = {
          GIT_INDEX_FILE: join(scratch, "index"),
          GIT_OBJECT_DIRECTORY: scratch,
          GIT_ALTERNATE_OBJECT_DIRECTORIES: join(cwd, ".git/objects"),
        };
        const applied = await journey.git.git(["apply", "--cached", join(scratch, "patch")], { cwd, env });
        if (applied.code !== 0) return { said: applied.stderr };
        return { tree: await journey.git.ok(["write-tree"], { cwd, env }), said: applied.stderr };
      } finally {
        rmSync(scratch, { recursive: true });
      }
    };
    const byUs = async (patch: string): Promise<{ readonly tree?: string; readonly said: string }> => {
      const query = new URLSearchParams({
        branch: "x",
        base: "main",
        message: "m",
        allow_empty: "true",
        dry_run: "true",
      });
      const answer = await fetch(`${journey.base}/api/v1${path}/commits?${query.toString()}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${journey.token}`, "Content-Type": "text/x-patch" },
        body: Buffer.from(patch, "latin1"),
      });
      const body: { readonly tree?: string; readonly detail?: string } = JSON.parse(await answer.text());
      expect([200, 422]).toContain(answer.status);
      return answer.status === 200 && body.tree !== undefined
        ? { tree: body.tree, said: "" }
        : { said: body.detail ?? "" };
    };

    it("are applied as git applies them, or refused", async () => {
      const random = numbers(SEED);
      const wrong: string[] = [];
      const met = new Map<string, number>();
      for (let round = 0; round < PATCHES; round++) {
        let patch = seeds[random(seeds.length)] ?? "";
        if (random(6) === 0) patch += seeds[random(seeds.length)] ?? "";
        for (let times = 1 + random(2); times > 0; times--) patch = mutated(patch, random);
        const [git, ours] = [await byGit(patch), await byUs(patch)];
        const verdict = git.tree === ours.tree ? (git.tree === undefined ? "both refuse" : "same tree") : "differ";
        met.set(verdict, 1 + (met.get(verdict) ?? 0));
        // A binary file that is broken ends the patch for git: it applies the files before it.
        const isCutByGit = /corrupt binary patch|unrecognized binary patch/.test(git.said);
        const isOnPurpose = isCutByGit || ON_PURPOSE.some(([said]) => said.test(ours.said));
        if (verdict === "differ" && (ours.tree !== undefined || !isOnPurpose))
          wrong.push(JSON.stringify({ git, ours, round, patch }));
      }
      expect(wrong.join("\n\n")).toBe("");
      expect(met.get("same tree")).toBeGreaterThan(PATCHES / 10);
      expect(met.get("both refuse")).toBeGreaterThan(PATCHES / 10);
    });
  },
  ["thinpack"],
);
