import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { formatInfoPacks } from "../../../src/format/info-packs.ts";
import { formatPackedRefs, parsePackedRefs } from "../../../src/format/packed-refs.ts";
import { formatRepositoryConfig } from "../../../src/format/repository-config.ts";
import { git, makeGitPack, removeDirectory, temporaryDirectory, type GitPack } from "./git-pack.ts";

describe.each(["sha1", "sha256"] as const)("the files of a bare %s repository", (name) => {
  let made: GitPack;
  beforeAll(() => {
    made = makeGitPack(name);
  });
  afterAll(() => {
    removeDirectory(made.dir);
  });

  it("packed-refs is parsed, and is formatted as git pack-refs writes it", () => {
    git(made.dir, ["tag", "-a", "-m", "a tag of a tag", "v2", "v1"]);
    git(made.dir, ["branch", "side", "HEAD~3"]);
    git(made.dir, ["update-ref", "refs/heads/ünï", "HEAD~4"]);
    git(made.dir, ["pack-refs", "--all"]);
    const text = readFileSync(join(made.dir, ".git", "packed-refs"), "utf8");
    const refs = parsePackedRefs(text);
    expect(Buffer.concat([...formatPackedRefs(refs)]).toString()).toBe(text);
    const listed = git(made.dir, ["show-ref", "-d"]).toString().trim().split("\n");
    const ours = refs.flatMap((ref) => [
      `${toHex(ref.oid)} ${ref.name}`,
      ...(ref.peeled ? [`${toHex(ref.peeled)} ${ref.name}^{}`] : []),
    ]);
    expect(ours).toEqual(listed);
    expect(ours.length).toBeGreaterThan(refs.length);
  });

  it("info/packs is what git update-server-info writes", () => {
    git(made.dir, ["update-server-info"]);
    const packs = join(made.dir, ".git", "objects", "pack");
    const stems = readdirSync(packs).flatMap((file) => /^pack-(.*)\.pack$/.exec(file)?.[1] ?? []);
    expect(formatInfoPacks(stems)).toBe(readFileSync(join(made.dir, ".git", "objects", "info", "packs"), "utf8"));
  });

  it("config makes a directory a bare repository of this object format to git", () => {
    const dir = temporaryDirectory();
    try {
      git(dir, ["init", "-q", "--bare", "."]);
      writeFileSync(join(dir, "config"), formatRepositoryConfig(name, "acme/widgets"));
      const said = git(dir, ["rev-parse", "--show-object-format", "--is-bare-repository"]).toString();
      expect(said).toBe(`${name}\ntrue\n`);
      const version = git(dir, ["config", "core.repositoryformatversion"]).toString().trim();
      expect(version).toBe(name === "sha1" ? "0" : "1");
      expect(git(dir, ["config", "thinpack.repository"]).toString()).toBe("acme/widgets\n");
    } finally {
      removeDirectory(dir);
    }
  });
});

describe("parsePackedRefs", () => {
  it("refuses malformed lines", () => {
    for (const text of [
      `^${"0".repeat(40)}\n`,
      "refs/heads/x\n",
      "00 \n",
      "0 refs/heads/x\n",
      "00 refs/heads/x\n^0\n",
    ]) {
      expect(() => parsePackedRefs(text)).toThrow(CorruptStore);
    }
    expect(parsePackedRefs("")).toEqual([]);
  });
});
