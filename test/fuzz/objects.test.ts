/**
 * Commits, trees, tags and `.gitmodules` with a few bytes changed: what fsck passes can be parsed, and nothing is
 * thrown.
 */
import { assert, property } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCommit } from "../../src/object/commit.ts";
import { readConfigInParts } from "../../src/object/config-syntax.ts";
import { fsckGitattributes, fsckGitmodules } from "../../src/object/fsck-blob.ts";
import { objectFormat } from "../../src/object/object-id.ts";
import { parseTag } from "../../src/object/tag.ts";
import { everything } from "../support/git-fixtures.ts";
import { GitRepository } from "../support/git-repository.ts";
import { almost, fuzzRuns, tryTo } from "../support/fuzzing.ts";
import { encodeTree, fsckObject, readTreeEntries } from "../support/objects.ts";
import { finished } from "../support/finished.ts";

const format = objectFormat("sha1");
const TOKENS = [
  "tree ",
  "parent ",
  "author ",
  "committer ",
  "tagger ",
  "object ",
  "type commit\n",
  "encoding x\n",
  "gpgsig -\n ",
  "100644 ",
  "40000 ",
  "120000 ",
  ".git\0",
  "..\0",
  "\n",
  "\0",
  "<",
  ">",
  " ",
  "9".repeat(20),
  "-0000",
  '[submodule "',
  '"]',
  "\\",
  '"',
  "#",
  "path = ",
  "url = -x",
  "\r\n",
  "\ufeff",
];

describe("almost valid objects", () => {
  let git: GitRepository;
  const seeds: Record<"commit" | "tree" | "tag" | "blob", Uint8Array[]> = { commit: [], tree: [], tag: [], blob: [] };
  beforeAll(() => {
    git = new GitRepository();
    git.import(everything());
    const object = (type: keyof typeof seeds, name: string): void => {
      seeds[type].push(new Uint8Array(git.git(["cat-file", type, name])));
    };
    for (const name of ["main", "side", "main~1"]) object("commit", name);
    for (const name of ["main^{tree}", "side^{tree}"]) object("tree", name);
    for (const name of ["v1.0", "v1.0-signed-off"]) object("tag", name);
    object("blob", "main:.gitmodules");
  });
  afterAll(() => git.dispose());

  it.each(["commit", "tree", "tag"] as const)("are parsed, if they are a %s that fsck passes", (type) => {
    const reads = {
      commit: (bytes: Uint8Array): unknown => parseCommit(bytes, format),
      tag: (bytes: Uint8Array): unknown => parseTag(bytes, format),
      tree: (bytes: Uint8Array): unknown => {
        const entries = [...readTreeEntries(bytes, format)];
        // Modes that git never writes are passed, as in git, and are encoded as others.
        expect([...readTreeEntries(encodeTree(entries, format), format)]).toHaveLength(entries.length);
        return entries;
      },
    };
    assert(
      property(almost(seeds[type], TOKENS), (bytes) => {
        const finding = fsckObject(type, bytes, format);
        const read = tryTo(() => reads[type](bytes), "ObjectRejected");
        if (finding === undefined) expect(read).toBeDefined();
      }),
      fuzzRuns(1500),
    );
  });

  it("are read by the config parser and the checks of special files without an error", () => {
    assert(
      property(almost(seeds.blob, TOKENS), (bytes) => {
        const seen: string[] = [];
        finished(readConfigInParts(bytes, ({ section, key }) => seen.push(`${section?.name}.${key}`)));
        for (const finding of [finished(fsckGitmodules(bytes)), fsckGitattributes(bytes)])
          expect(finding?.text).not.toBe("");
      }),
      fuzzRuns(1500),
    );
  });
});
