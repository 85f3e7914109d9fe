/**
 * Archives and files of any size out of a small memory, against what git makes of the same trees.
 *
 * @module-tag thorough
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ArchiveFormat, writeArchive } from "../../../src/browse/archive.ts";
import { cutPieces, openBlob } from "../../../src/browse/blob.ts";
import { ArchivePaths } from "../../../src/browse/archive-paths.ts";
import { archiveEntries } from "../../../src/browse/archive-entries.ts";
import { ArchiveLimits } from "../../../src/browse/archive-limits.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore, TINY } from "../../support/store.ts";

const KIB = 1024;

function noise(size: number, seed: number): Uint8Array {
  const random = pseudoRandom(seed);
  return Uint8Array.from({ length: size }, () => random(256));
}

async function sessionOf(store: TestStore): Promise<BrowseSession> {
  return await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe("an archive and a download of large files", () => {
  const git = new GitRepository();
  const store = new TestStore(TINY);
  const contents = {
    noise: noise(3_000_000, 7),
    text: Buffer.from("the same line again and again\n".repeat(100_000)),
    "just fits": noise(160 * KIB, 8),
    "just not": noise(160 * KIB + 1, 9),
    small: Buffer.from("small\n"),
  };
  let commit = "";

  beforeAll(async () => {
    const lines = Object.entries(contents).map(([name, bytes]) => {
      return `100644 blob ${git.text(["hash-object", "-w", "--stdin"], bytes)}\t${name}`;
    });
    const tree = git.text(["mktree"], `${lines.join("\n")}\n`);
    commit = git.text(["commit-tree", "-m", "large", tree]);
    git.git(["update-ref", "refs/heads/main", commit]);
    // large blobs as they come: the ingest of this layout would take deltas, too
    const record = await store.push(git.pack(["--all"], "--window=0"), [commit]);
    store.packs = [{ ...record, marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  it.each(Object.keys(contents) as (keyof typeof contents)[])("reads %s whole, and in any part", async (name) => {
    const bytes = Buffer.from(contents[name]);
    const oid = rawName(git.oid(`main:${name}`));
    const session = await sessionOf(store);
    const blob = await openBlob(session, oid);
    expect(blob.size).toBe(bytes.length);
    expect(blob.isHeld).toBe(bytes.length <= session.graph.inflating.wholeBytes);
    expect((await joined(blob.pieces)).equals(bytes)).toBe(true);
    const at = bytes.length >> 1;
    for (const [offset, length] of [
      [0, 1],
      [at, bytes.length - at],
      [at - 1, 2],
      [bytes.length - 1, 1],
      [0, 0],
    ] as const) {
      const part = cutPieces((await openBlob(session, oid)).pieces, offset, length);
      expect((await joined(part)).equals(bytes.subarray(offset, offset + length))).toBe(true);
    }
    session.close();
  });

  it.each(["tar", "tar.gz", "zip"] as const)("writes a %s with them, in pieces", async (format) => {
    const pieces: Buffer[] = [];
    const session = await sessionOf(store);
    const request = { tree: rawName(git.oid("main^{tree}")), commit: rawName(commit), prefix: "" };
    await writeArchive(session, request, format, { write: async (bytes) => void pieces.push(Buffer.from(bytes)) });
    session.close();
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(300 * KIB);
    const archive = Buffer.concat(pieces);
    if (format === "zip") expect(unzipped(archive)).toEqual(sizesAndSums());
    else expect((format === "tar" ? archive : gunzipSync(archive)).equals(git.git(["archive", "main"]))).toBe(true);
  });

  it("costs one read per large file", async () => {
    store.forget();
    const session = await sessionOf(store);
    await joined((await openBlob(session, rawName(git.oid("main:noise")))).pieces);
    session.close();
    expect(store.cost.reads).toBeGreaterThan(0);
    expect(store.cost.reads).toBeLessThanOrEqual(3);
  });

  /** What python finds in a zip file, once it has checked it. */
  function unzipped(archive: Buffer): string[] {
    const directory = mkdtempSync(join(tmpdir(), "thinpack-zip-"));
    const file = join(directory, "a.zip");
    writeFileSync(file, archive);
    const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist(): print(i.filename, i.file_size, hash(z.read(i)) != 0)
`;
    const told = execFileSync("python3", ["-c", script, file]).toString().trim().split("\n");
    rmSync(directory, { recursive: true });
    return told.map((line) => line.replace(/ True$/, ""));
  }

  function sizesAndSums(): string[] {
    return git.lines(["ls-tree", "-l", "main"]).map((line) => {
      const [, size = "", name = ""] = /^\S+ \S+ \S+ +(\d+)\t(.*)$/.exec(line) ?? [];
      return `${name} ${size}`;
    });
  }
});

describe("an archive of many files", () => {
  const git = new GitRepository();
  const store = new TestStore({ ringBytes: 2 * KIB * KIB });
  const FILES = 3000;

  beforeAll(async () => {
    const lines = ["commit refs/heads/main", "committer A <a@example.com> 1700000000 +0000", "data 0"];
    for (let i = 0; i < FILES; i++) {
      const text = `file ${i}\n`.repeat((i % 40) + 1);
      lines.push(`M 100${i % 3 === 0 ? 755 : 644} inline d${i % 17}/e${i % 23}/f${i}`, `data ${text.length}`, text);
    }
    git.git(["fast-import", "--quiet"], `${lines.join("\n")}\n`);
    const record = await store.push(git.pack(["--all"]), git.tips());
    store.packs = [{ ...record, marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  it.each([
    ["tar", 12],
    ["zip", 12],
  ] as const)("makes a %s in at most %i reads", async (format: ArchiveFormat, reads) => {
    store.forget();
    store.makeRemote();
    const session = await sessionOf(store);
    const commit = git.oid("main");
    const pieces: Buffer[] = [];
    await writeArchive(
      session,
      { tree: rawName(git.oid("main^{tree}")), commit: rawName(commit), prefix: "" },
      format,
      {
        write: async (bytes) => void pieces.push(Buffer.from(bytes)),
      },
    );
    session.close();
    if (format === "tar") expect(Buffer.concat(pieces).equals(git.git(["archive", "main"]))).toBe(true);
    expect(store.cost.reads).toBeGreaterThan(0);
    expect(store.cost.reads).toBeLessThanOrEqual(reads);
  });
});

describe("an archive of large files that are stored as deltas", () => {
  it("has them whole, and small files with a large base too", async () => {
    const git = new GitRepository();
    const store = new TestStore(TINY);
    const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `line ${i} of a large file\n`).join(""));
    const contents = [text, Buffer.concat([text, Buffer.from("one more line\n")]), text.subarray(400_000, 500_000)];
    for (const [number, content] of contents.entries()) {
      git.git(["update-ref", `refs/tags/blob${number}`, git.text(["hash-object", "-w", "--stdin"], content)]);
    }
    const record = await store.push(git.pack(["--all"], "--window=10"), git.tips());
    store.packs = [{ ...record, marked: true }];
    const session = await sessionOf(store);
    let deltas = 0;
    for (const [number, content] of contents.entries()) {
      const oid = rawName(git.oid(`blob${number}`));
      const { pieces, size } = await openBlob(session, oid);
      expect(size).toBe(content.length);
      expect((await joined(pieces)).equals(content)).toBe(true);
      deltas += (await session.graph.reader.chainOf(oid)).entries.length - 1;
    }
    session.close();
    git.dispose();
    expect(deltas).toBeGreaterThan(0);
  });
});

describe("an archive of wide directories within each other", () => {
  it("is refused before it takes all memory", async () => {
    const git = new GitRepository();
    const store = new TestStore();
    const blob = git.text(["hash-object", "-w", "--stdin"], "x");
    const wide = Array.from({ length: 3200 }, (_, i) => `100644 blob ${blob}\tf${"name".repeat(250)}${i}`).join("\n");
    let tree = "";
    const trees: string[] = [];
    for (let depth = 0; depth < 9; depth++) {
      const below = tree === "" ? "" : `040000 tree ${tree}\tz\n`;
      tree = git.text(["mktree", "--missing"], `${wide}\n${below}`);
      trees.push(tree);
    }
    git.git(["update-ref", "refs/tags/deep", tree]);
    const record = await store.push(git.pack(["--all"]), [tree]);
    store.packs = [{ ...record, marked: true }];
    // Beside what is tested, no limit is met.
    const limits = new ArchiveLimits({
      answer: { ...store.answer(rawName("")), packs: [{ ...record, objects: 1e6 }] },
    });
    const count = async (from: string): Promise<number> => {
      const session = await sessionOf(store);
      let entries = 0;
      try {
        for await (const _ of archiveEntries(session, rawName(from), limits, new ArchivePaths([]))) entries++;
      } finally {
        session.close();
      }
      return entries;
    };
    await expect(count(tree)).rejects.toThrow(LimitExceeded);
    expect(await count(trees[1] ?? "")).toBe(6401);
    git.dispose();
  });
});
