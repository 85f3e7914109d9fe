/**
 * Verdicts on commits, tags and trees, each compared with git's.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { fsckAttachedBlob } from "../../../src/object/fsck-blob.ts";
import type { FsckFinding } from "../../../src/object/fsck-rule.ts";
import { fsckTree, type AttachedFile } from "../../../src/object/fsck-tree.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { GitReferee, type RawObject } from "./git-verdict.ts";
import { encodeTree, fsckObject } from "../../support/objects.ts";
import { finished } from "../../support/finished.ts";

const sha1 = objectFormat("sha1");
const referee = new GitReferee();
afterAll(() => {
  referee.dispose();
});

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const printed = (finding: FsckFinding | undefined): string | undefined => finding && `${finding.id}: ${finding.text}`;

type Verdict = { rejected: boolean; message: string | undefined; why: string };

/** What we say and what git says, to be equal: whether it is refused, and for what first. */
function verdicts(objects: readonly RawObject[], finding: FsckFinding | undefined): { ours: Verdict; gits: Verdict } {
  const git = referee.judge(objects);
  const message = printed(finding);
  return {
    ours: { rejected: finding !== undefined, message, why: git.stderr },
    // What git can't even parse it refuses without a message of fsck.
    gits: { rejected: git.rejected, message: git.messages[0] ?? (git.rejected ? message : undefined), why: git.stderr },
  };
}

const NAME = "8d1e8e6dbc8e5d7d4f2f1a0e3b2c1d0e9f8a7b6c";
const PARENT = NAME.replaceAll("8", "7");
const GOOD = "A U Thor <a@example.com> 1700000000 +0100";

describe("fsckCommit", () => {
  const commit = (author: string, committer = GOOD): string =>
    `tree ${NAME}\nparent ${PARENT}\nauthor ${author}\ncommitter ${committer}\n\nmessage\n`;

  const identities = [
    GOOD,
    " <> 0 +0000",
    "a <b> 1 -9999",
    "",
    "A U Thor",
    "A U Thor a@example.com",
    "<a@example.com> 1 +0000",
    "A<a@example.com> 1 +0000",
    "A> <a@example.com> 1 +0000",
    "A <a@example.com 1 +0000",
    "A <a<b>@example.com> 1 +0000",
    "A <a@example.com>1 +0000",
    "A <a@example.com>",
    "A <a@example.com> ",
    "A <a@example.com> x",
    "A <a@example.com> 01 +0000",
    "A <a@example.com> 0 +0000",
    "A <a@example.com> 00 +0000",
    "A <a@example.com> 1",
    "A <a@example.com> 1 ",
    "A <a@example.com> 1x +0000",
    "A <a@example.com> 1  +0000",
    "A <a@example.com>  1 +0000",
    "A <a@example.com> \t1 +0000",
    "A <a@example.com> 9223372036854775807 +0000",
    "A <a@example.com> 9223372036854775808 +0000",
    "A <a@example.com> 18446744073709551616 +0000",
    "A <a@example.com> 99999999999999999999999 +0000",
    "A <a@example.com> 1 0000",
    "A <a@example.com> 1 +000",
    "A <a@example.com> 1 +00000",
    "A <a@example.com> 1 +00a0",
    "A <a@example.com> 1 +0000 ",
    "A <a@example.com>> 1 +0000",
    "A \xff <\xfe> 1 +0000",
  ];
  it.each(identities.flatMap((who) => [commit(who), commit(GOOD, who)]))("judges %j as git does", (text) => {
    const bytes = latin1(text);
    const { ours, gits } = verdicts([{ type: "commit", bytes }], fsckObject("commit", bytes, sha1));
    expect(ours).toEqual(gits);
  });

  const head = `tree ${NAME}\n`;
  const people = `author ${GOOD}\ncommitter ${GOOD}\n`;
  it.each([
    "",
    "\n",
    "\n\n",
    "tree",
    head,
    `${head}${people}`,
    `${head}${people}\n`,
    `${head}${people}no blank line`,
    `${head}${people}no blank line\n`,
    `${head}${people}gpgsig -----BEGIN\n more\n\nmessage`,
    `${head}${people}\nmess\0age`,
    `${head}${people}he\0ader\n\nmessage`,
    `\0${head}${people}\n`,
    `${head}${people}\n\0`,
    `tree ${NAME.toUpperCase()}\n${people}\n`,
    `tree ${NAME}0\n${people}\n`,
    `tree ${NAME.slice(1)}\n${people}\n`,
    `tree ${NAME.slice(1)}g\n${people}\n`,
    `tree ${NAME} \n${people}\n`,
    `Tree ${NAME}\n${people}\n`,
    `${people}\n`,
    `${head}parent ${PARENT.slice(1)}\n${people}\n`,
    `${head}parent ${PARENT}x\n${people}\n`,
    `${head}parent \n${people}\n`,
    `${head}parent ${PARENT}\nparent ${PARENT}\n${people}\n`,
    `${head}${people}parent ${PARENT}\n\n`,
    `${head}author ${GOOD}\n${people}\n`,
    `${head}committer ${GOOD}\n\n`,
    `${head}author ${GOOD}\n\n`,
    `${head}author ${GOOD}\nauthor ${GOOD}\n\n`,
    `${head}junk\n${people}\n`,
    `${head}author ${GOOD}\njunk\ncommitter ${GOOD}\n\n`,
    `${head}author ${GOOD}\ncommitter ${GOOD}\ncommitter ${GOOD}\n\n`,
  ])("judges %j as git does", (text) => {
    const bytes = latin1(text);
    const { ours, gits } = verdicts([{ type: "commit", bytes }], fsckObject("commit", bytes, sha1));
    expect(ours).toEqual(gits);
  });

  it("is as strict about the date as git is since 2.54; older ones took what strtoumax takes", () => {
    for (const date of ["+5", "-0", "\v5"]) {
      const bytes = latin1(commit(`A <a@example.com> ${date} +0000`));
      expect(fsckObject("commit", bytes, sha1)?.id).toBe("badDate");
    }
  });

  it("takes the length of object names from the object format", () => {
    const sha256 = objectFormat("sha256");
    const long = latin1(commit(GOOD).replaceAll(/[0-9a-f]{40}/g, NAME + NAME.slice(0, 24)));
    expect(fsckObject("commit", long, sha256)).toBeUndefined();
    expect(fsckObject("commit", long, sha1)?.id).toBe("badTreeSha1");
    expect(fsckObject("commit", latin1(commit(GOOD)), sha256)?.id).toBe("badTreeSha1");
  });
});

describe("fsckTag", () => {
  const tag = (type: string, name: string, rest: string): string =>
    `object ${NAME}\ntype ${type}\ntag ${name}\n${rest}`;
  it.each([
    "",
    tag("commit", "v1", `tagger ${GOOD}\n\nmessage`),
    tag("tree", "v1", `tagger ${GOOD}\n\n`),
    tag("blob", "v1", `tagger ${GOOD}\n`),
    tag("tag", "v1.0 and more", `tagger ${GOOD}\n\n`),
    tag("commit", "no-tagger-at-all", "\nmessage\n"),
    tag("commit", "no-tagger-at-all", ""),
    tag("commit", "extra", `tagger ${GOOD}\nextra header\n\nmessage`),
    tag("commit", "bad..name", `tagger ${GOOD}\n\nmessage`),
    tag("commit", "bad-tagger", "tagger nobody\n\nmessage"),
    tag("commit", "bad-tagger", "tagger A <b> 01 +0000\n\nmessage"),
    tag("commit", "signed", `tagger ${GOOD}\ngpgsig-sha256 x\n y\n\nmessage`),
    tag("thing", "bad-type", `tagger ${GOOD}\n\nmessage`),
    tag("", "bad-type", `tagger ${GOOD}\n\nmessage`),
    tag("commitcommitcommitcommit", "bad-type", `tagger ${GOOD}\n\nmessage`),
    tag("commit", "un\0terminated", `tagger ${GOOD}\n\nmessage`),
    tag("commit", "nul-in-body", `tagger ${GOOD}\n\nmess\0age`),
    tag("commit", "unterminated", `tagger ${GOOD}`),
    `object ${NAME}\n\ntype commit\ntag x\ntagger ${GOOD}\n`,
    `object ${NAME}\ntype commit\n\ntag x\ntagger ${GOOD}\n`,
    `object ${NAME}\ntype commit\nTag x\ntagger ${GOOD}\n`,
    `object ${NAME}\ntag x\ntype commit\ntagger ${GOOD}\n\n`,
    `object ${NAME.slice(1)}\ntype commit\ntag x\ntagger ${GOOD}\n\n`,
    `object ${NAME}0\ntype commit\ntag x\ntagger ${GOOD}\n\n`,
    `type commit\nobject ${NAME}\ntag x\ntagger ${GOOD}\n\n`,
  ])("judges %j as git does", (text) => {
    const bytes = latin1(text);
    const { ours, gits } = verdicts([{ type: "tag", bytes }], fsckObject("tag", bytes, sha1));
    expect(ours).toEqual(gits);
  });
});

describe("fsckTree", () => {
  const OID = Buffer.from(NAME, "hex");
  const entry = (mode: string, name: string, oid: Uint8Array = OID): Buffer =>
    Buffer.concat([latin1(`${mode} ${name}\0`), oid]);
  const judge = (...entries: Uint8Array[]): { ours: Verdict; gits: Verdict } => {
    const bytes = new Uint8Array(Buffer.concat(entries));
    return verdicts([{ type: "tree", bytes }], fsckObject("tree", bytes, sha1));
  };
  const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

  const modes = [
    "100644",
    "100755",
    "120000",
    "40000",
    "160000",
    "100664",
    "100600",
    "040000",
    "0100644",
    "0",
    "1",
    "777",
  ];
  it.each([...modes, "10064", "100648", "10064a", " 100644", "", "-1", "1000000100644"])(
    "judges the mode %j as git does",
    (mode) => {
      const { ours, gits } = judge(entry(mode, "name"));
      expect(ours).toEqual(gits);
    },
  );

  const names = [
    "",
    ".",
    "..",
    "...",
    "a/b",
    "/",
    "a/",
    ".git",
    ".GIT",
    ".gIt",
    ".git.",
    ".git ",
    ".git . .",
    ".git...x",
    ".gitx",
    ".git\\",
    ".git\\x",
    ".git:x",
    ".git::$INDEX_ALLOCATION",
    "git~1",
    "GIT~1",
    "git~1.",
    "git~1 ",
    "git~1:x",
    "git~1\\x",
    "git~2",
    "git~10",
    "git~",
    "a\\.git",
    "a\\b\\.git",
    "a\\git~1",
    "a\\.gitx",
    "\\",
    "\\\\",
    "a\\",
    ".git\x7f",
    ".git\xff",
    ".git\xc2\xa0",
    "\xff.git",
    utf8(".g\u200cit"),
    utf8("\u200d.git"),
    utf8(".git\u200e"),
    utf8(".GI\ufeffT"),
    utf8(".g\u2010it"),
    utf8(".git\u206f\u202a"),
    utf8(".git\u206f\u2029"),
    utf8("\u206a.\u206bg\u206ci\u206dt\u206e"),
    utf8(".ğit"),
    ".g\xe2\x80it",
    ".git\xef\xbb\xbf",
    ".git\xe0\x80\x80",
    ".git\xed\xa0\x80",
    ".git\xef\xbf\xbe",
    ".git\xf4\x90\x80\x80",
    ".git\xf0\x9f\x98\x80",

    ".github",
    ".gitignore",
    ".git-x",
    "~",
    "git",
    "x".repeat(4096),
    "\xe2\x80\x8c.git",
    "..\\.git",
    ".git/x",
    ".git\r",
    ".gi",
    ".g",
    "g",
    "GIT~",
    "gi7eba~1x",
  ];
  it.each(names)("judges the name %j as git does", (name) => {
    for (const mode of ["100644", "40000"]) {
      const { ours, gits } = judge(entry(mode, name));
      expect(ours).toEqual(gits);
    }
  });

  const special = (["gitmodules", "gitattributes", "gitignore", "mailmap"] as const).flatMap((file) => {
    const short = file.slice(0, 6);
    const hash = { gitmodules: "gi7eba", gitattributes: "gi7d29", gitignore: "gi250a", mailmap: "maba30" }[file];
    return [
      `.${file}`,
      `.${file.toUpperCase()}`,
      `.${file} .`,
      `.${file}:x`,
      `.${file}\\`,
      `.${file}x`,
      utf8(`.${file}\u200c`),
      `${short}~1`,
      `${short.toUpperCase()}~4`,
      `${short}~5`,
      `${short}~1x`,
      `${short}~10`,
      `${short}~1. `,
      `${hash}~1`,
      `${hash}~9`,
      `${hash}~0`,
      `${hash.slice(0, 5)}~12`,
      `${hash.slice(0, 5)}~1`,
      `${hash.slice(0, 2)}~12345`,
      `~1234567`,
      `${hash.slice(0, 2)}~1234x`,
      `${hash}x~1`,
      `${hash.toUpperCase()}~2:x`,
      `a\\.${file}`,
      `a\\${short}~1`,
      `a\\${hash}~1`,
    ];
  });
  it.each(special)("judges a link, a tree, a gitlink and an unreadable file at %j as git does", (name) => {
    const inner: RawObject = { type: "tree", bytes: new Uint8Array(entry("100644", "x")) };
    for (const mode of ["120000", "40000", "160000"]) {
      const isTree = mode === "40000";
      const bytes = new Uint8Array(entry(mode, name, isTree ? referee.nameOf(inner) : OID));
      const { ours, gits } = verdicts(
        isTree ? [{ type: "tree", bytes }, inner] : [{ type: "tree", bytes }],
        fsckObject("tree", bytes, sha1),
      );
      expect(ours).toEqual(gits);
    }
    // The blob is bad whichever file it is: git finds it so exactly where we report it to be looked at.
    const blob: RawObject = { type: "blob", bytes: latin1(`[submodule "../x"]\nx\n${"x".repeat(3000)}`) };
    const tree: RawObject = { type: "tree", bytes: new Uint8Array(entry("100644", name, referee.nameOf(blob))) };
    const attached: [AttachedFile, number][] = [];
    expect(fsckTree(tree.bytes, sha1, (file, oidAt) => attached.push([file, oidAt]))).toBeUndefined();
    for (const [, oidAt] of attached) expect(oidAt).toBe(tree.bytes.length - sha1.rawSize);
    const found = attached
      .map(([file]) => finished(fsckAttachedBlob(file, blob.bytes)))
      .find((finding) => finding !== undefined);
    for (const objects of [
      [tree, blob],
      [blob, tree],
    ]) {
      const { ours, gits } = verdicts(objects, found);
      expect(ours).toEqual(gits);
    }
  });

  const file = (name: string): Buffer => entry("100644", name);
  const dir = (name: string): Buffer => entry("40000", name);
  it.each([
    ["sorted", [file("a"), file("b"), dir("c")]],
    ["unsorted", [file("b"), file("a")]],
    ["file before its dotted namesake", [file("a"), file("a.b")]],
    ["dir before its dotted namesake", [dir("a"), file("a.b")]],
    ["dir after its dotted namesake", [file("a.b"), dir("a")]],
    ["dir before a longer name", [dir("a"), file("a0")]],
    ["dir after a longer name", [file("a0"), dir("a")]],
    ["same file twice", [file("a"), file("a")]],
    ["same dir twice", [dir("a"), dir("a")]],
    ["file and dir beside each other", [file("a"), dir("a")]],
    ["dir and file beside each other", [dir("a"), file("a")]],
    ["file and dir apart", [file("a"), file("a.b"), dir("a")]],
    ["nested apart", [file("foo"), file("foo.bar"), file("foo.bar.baz"), dir("foo.bar"), dir("foo")]],
    ["nested, outer only", [file("foo"), file("foo.bar"), file("foo.bar.baz"), dir("foo")]],
    ["nested, inner only", [file("foo"), file("foo.bar"), file("foo.bar.baz"), dir("foo.bar"), file("foo1")]],
    ["nested without files", [file("foo.bar.baz"), dir("foo.bar"), dir("foo")]],
    ["apart and other names between", [file("a"), file("a!"), file("a-"), file("a-b"), file("a.b"), dir("a")]],
    ["null name", [entry("100644", "a", new Uint8Array(20))]],
    ["padded and unsorted", [entry("0100644", "b"), file("a")]],
    ["null and padded", [entry("0100644", "a", new Uint8Array(20))]],
    ["empty", []],
    ["cut", [file("a").subarray(0, -1)]],
    ["cut second", [file("a"), file("b").subarray(0, -1)]],
    ["no name", [latin1("100644 a")]],
    ["garbage", [latin1("garbage".repeat(10))]],
    ["trailing byte", [file("a"), new Uint8Array(1)]],
    ["no oid", [latin1("100644 a\0")]],
    ["mode alone", [latin1("100644"), new Uint8Array(21)]],
  ] as [string, Uint8Array[]][])("judges order and shape as git does: %s", (_, entries) => {
    const { ours, gits } = judge(...entries);
    expect(ours).toEqual(gits);
  });

  it("judges random orders of names that nearly collide as git does", () => {
    const pool = ["a", "a.", "a.b", "a-", "a-b", "a0", "ab", "b", "a!", "a!a"];
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    for (let round = 0; round < 120; round++) {
      const entries = Array.from({ length: 3 + random(5) }, () => ({
        mode: random(2) === 0 ? 0o100644 : 0o040000,
        name: latin1(pool[random(pool.length)] ?? "a"),
        oid: OID,
      }));
      const key = (e: (typeof entries)[number]): string =>
        Buffer.from(e.name).toString() + (e.mode === 0o040000 ? "/" : "");
      // Mostly sorted, since otherwise nothing but treeNotSorted would be seen.
      if (round % 6 !== 0) entries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
      const bytes = encodeTree(entries, sha1);
      const { ours, gits } = verdicts([{ type: "tree", bytes }], fsckObject("tree", bytes, sha1));
      expect(ours).toEqual(gits);
    }
  });

  it("refuses names that newer versions of git find excessive", () => {
    const bytes = new Uint8Array(entry("100644", "x".repeat(4097)));
    expect(printed(fsckObject("tree", bytes, sha1))).toBe("largePathname: contains excessively large pathname");
  });
});
