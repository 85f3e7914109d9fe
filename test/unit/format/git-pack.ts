/** Packs that C git made, for the tests of this folder. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf } from "../../support/small-parent.ts";

/** Runs git without the machine's configuration. Returns its output. */
export function git(cwd: string, args: readonly string[], input?: Uint8Array | string): Buffer {
  return outputOf({
    program: "git",
    args,
    cwd,
    input: input ?? "",
    env: {
      PATH: process.env["PATH"],
      HOME: cwd,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "A U Thor",
      GIT_AUTHOR_EMAIL: "author@example.com",
      GIT_AUTHOR_DATE: "1700000000 +0200",
      GIT_COMMITTER_NAME: "C O Mitter",
      GIT_COMMITTER_EMAIL: "committer@example.com",
      GIT_COMMITTER_DATE: "1700000100 -0330",
    },
  });
}

/** One object of a pack, as `git verify-pack -v` lists it. */
export type ListedEntry = { oid: string; type: string; size: number; bytesInPack: number; offset: number };

/** A pack that git made, with the index files that git made for it. */
export type GitPack = {
  dir: string;
  packPath: string;
  pack: Uint8Array;
  index: Uint8Array;
  reverse: Uint8Array;
  entries: ListedEntry[];
};

/** Makes a temporary directory, which the caller removes. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "thinpack-format-"));
}

/** Makes a repository of a few commits with deltas in it, and packs it. */
export function makeGitPack(objectFormat: "sha1" | "sha256"): GitPack {
  const dir = temporaryDirectory();
  git(dir, ["init", "-q", "--object-format", objectFormat, "-b", "main", "."]);
  for (let round = 0; round < 12; round++) {
    mkdirSync(join(dir, "src"), { recursive: true });
    for (let file = 0; file < 8; file++) {
      const lines = Array.from({ length: 200 }, (_, line) =>
        createHash("sha1")
          .update(`${file} ${line} ${line === round * 7 ? round : ""}`)
          .digest("hex"),
      );
      writeFileSync(join(dir, "src", `file${file}.txt`), lines.join("\n"));
    }
    git(dir, ["add", "-A"]);
    git(dir, ["commit", "-q", "-m", `round ${round}`]);
  }
  git(dir, ["tag", "-a", "-m", "a tag", "v1"]);
  git(dir, ["repack", "-adfq", "--depth=20"]);
  const packs = join(dir, ".git", "objects", "pack");
  const stem =
    readdirSync(packs)
      .find((name) => name.endsWith(".pack"))
      ?.slice(0, -".pack".length) ?? "";
  const packPath = join(packs, `${stem}.pack`);
  git(dir, ["index-pack", "--rev-index", "-o", join(dir, "made.idx"), packPath]);
  return {
    dir,
    packPath,
    pack: readFileSync(packPath),
    index: readFileSync(join(dir, "made.idx")),
    reverse: readFileSync(join(dir, "made.rev")),
    entries: listEntries(dir, packPath),
  };
}

function listEntries(dir: string, packPath: string): ListedEntry[] {
  const entries: ListedEntry[] = [];
  for (const line of git(dir, ["verify-pack", "-v", packPath]).toString().split("\n")) {
    const match = /^([0-9a-f]{40,64}) (\w+) +(\d+) (\d+) (\d+)/.exec(line);
    if (!match) continue;
    const [, oid = "", type = "", size, bytesInPack, offset] = match;
    entries.push({ oid, type, size: Number(size), bytesInPack: Number(bytesInPack), offset: Number(offset) });
  }
  return entries.sort((a, b) => a.offset - b.offset);
}

/** Removes a directory of {@link makeGitPack} or {@link temporaryDirectory}. */
export function removeDirectory(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
