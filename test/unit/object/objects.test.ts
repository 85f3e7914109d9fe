import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ObjectRejected } from "../../../src/bytes/failure.ts";
import { CommitLinks, parseCommit } from "../../../src/object/commit.ts";
import { formatIdentity, parseIdentity } from "../../../src/object/identity.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { parseTag, readTagLinks } from "../../../src/object/tag.ts";
import { isGitlink, isRegular, isSymlink, isTree } from "../../../src/object/tree.ts";
import { GitReferee } from "./git-verdict.ts";
import { compareTreeEntries, encodeTree, readCommitLinks, readTreeEntries } from "../../support/objects.ts";

const referees = { sha1: new GitReferee("sha1"), sha256: new GitReferee("sha256") };
afterAll(() => {
  for (const referee of Object.values(referees)) referee.dispose();
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const WHO = "A U Thor <a@example.com> 1700000000 +0100";

describe.each(["sha1", "sha256"] as const)("the parsers of git's objects, %s", (name) => {
  const format = objectFormat(name);
  const referee = referees[name];
  const write = (type: string, bytes: Uint8Array | string): string =>
    referee.git(["hash-object", "-t", type, "-w", "--literally", "--stdin"], bytes).toString().trim();

  it("reads a tree as git ls-tree shows it, and encodes it again", () => {
    const blob = write("blob", "x");
    const lines = [
      `100644 blob ${blob}\ta`,
      `100755 blob ${blob}\ta.b`,
      `120000 blob ${blob}\tlink`,
      `160000 commit ${"5".repeat(format.hexSize)}\tsub`,
      `040000 tree ${write("tree", "")}\ta0`,
      `100644 blob ${blob}\t\xE9\xFF`,
      `040000 tree ${write("tree", "")}\ta-dir`,
    ];
    const made = referee
      .git(["mktree", "-z", "--missing"], Buffer.from(`${lines.join("\0")}\0`, "latin1"))
      .toString()
      .trim();
    const bytes = referee.git(["cat-file", "tree", made]);
    const entries = [...readTreeEntries(bytes, format)];
    const shown = entries.map(
      ({ mode, type, oid, latin1Name }) => `${mode.toString(8).padStart(6, "0")} ${type} ${hex(oid)}\t${latin1Name}`,
    );
    const listed = referee.git(["ls-tree", "-z", made]).toString("latin1").split("\0").slice(0, -1);
    expect(shown).toEqual(listed);
    expect(hex(encodeTree(entries, format))).toBe(hex(bytes));
    expect(hex(encodeTree(entries.toReversed().sort(compareTreeEntries), format))).toBe(hex(bytes));
    const types = entries.map(({ mode }) => [isTree, isGitlink, isSymlink, isRegular].findIndex((is) => is(mode)));
    expect(new Set(types)).toEqual(new Set([0, 1, 2, 3]));
  });

  it("reads the links of a commit from the midst of other bytes", () => {
    const tree = write("tree", "");
    const parents = ["1", "2", "3", "4", "5", "6", "7"].map((message) =>
      referee.git(["-c", "user.name=A", "-c", "user.email=b", "commit-tree", tree, "-m", message]).toString().trim(),
    );
    const links = new CommitLinks(format);
    for (let count = parents.length; count >= 0; count--) {
      const some = parents.slice(0, count);
      const text = `tree ${tree}\n${some.map((p) => `parent ${p}\n`).join("")}author ${WHO}\ncommitter C <c> 17${count} -0000\n\nparent x\n`;
      const bytes = encode(`junk${text}parent ${tree}\n`);
      links.read(bytes, 4, 4 + text.length);
      expect(hex(links.nameOf(0))).toBe(tree);
      expect(Array.from({ length: links.parentCount }, (_, i) => hex(links.nameOf(i + 1)))).toEqual(some);
      expect(links.time).toBe(170 + count);
      const read = readCommitLinks(bytes, 4, 4 + text.length, format);
      expect({ tree: hex(read.tree), parents: read.parents.map(hex), time: read.time }).toEqual({
        tree,
        parents: some,
        time: 170 + count,
      });
    }
  });

  it("reads the committer's time as git log does, however broken the line", () => {
    const tree = write("tree", "");
    const committers = [
      "C <c> 1700000001 +0000",
      "C <c> 1700000002",
      "C <c>1700000003 +0000",
      "C <c>  \t1700000004x +0000",
      "C <c>> 1700000005 +0000",
      "C <c",
      "C",
      "",
      "C <c> x",
      "C <c> ",
      "<> 1700000006 +0000",
      "C <c> 0 +0000",
    ];
    const ours: number[] = [];
    const oids = committers.map((committer) => {
      const text = `tree ${tree}\nauthor ${WHO}\ncommitter ${committer}\n\nx\n`;
      ours.push(readCommitLinks(encode(text), 0, text.length, format).time);
      return write("commit", text);
    });
    // rev-list shows the time that it sorts by.
    const gits = oids.map((oid) =>
      Number(referee.git(["rev-list", "--timestamp", "-1", oid]).toString().split(" ")[0]),
    );
    // git 2.39 looks for the first ">" of the line, later ones for the last.
    gits[4] = 1700000005;
    expect(ours).toEqual(gits);
  });

  it("refuses the commits that git can't walk and reads those it can", () => {
    const tree = write("tree", "");
    const good = `tree ${tree}\nauthor ${WHO}\ncommitter ${WHO}\n\n`;
    const texts = [
      good,
      "",
      "tree",
      `tree ${tree}`,
      `tree ${tree}\n`,
      `tree ${tree.slice(1)}\n\n\n`,
      `tree ${tree.slice(1)}g\n${good}`,
      `\n${good}`,
      `tree ${tree}\nparent ${tree.slice(1)}\n${good}`,
      `tree ${tree}\nparent x\n`,
      `tree ${tree}\nparent`,
      `tree ${tree}\n\n`,
      `tree ${tree}\nparent \n`,
      `tree ${tree}\nauthor ${WHO}\n`,
      `tree ${tree}\nauthor ${WHO}\ncommitter ${WHO}`,
    ];
    for (const text of texts) {
      const oid = write("commit", text);
      const isRead = ((): boolean => {
        try {
          readCommitLinks(encode(text), 0, text.length, format);
          return true;
        } catch (error) {
          expect(error).toBeInstanceOf(ObjectRejected);
          return false;
        }
      })();
      // A commit of "tree <name>\n" alone is one byte too short for git and not for us: nothing can be lost by reading it.
      const expected = text === `tree ${tree}\n` || referee.succeeds(["rev-list", "-1", oid]);
      expect([text, isRead]).toEqual([text, expected]);
    }
  });

  it("parses a commit", () => {
    const tree = write("tree", "");
    const signed = `gpgsig -----BEGIN-----\n \n abc\n -----END-----\n`;
    const text = `tree ${tree}\nparent ${tree}\nauthor ${WHO}\ncommitter Ünï <c@d> 5 -0130\n${signed}x-other y\n\nsubject\n\nbody\n`;
    expect(parseCommit(encode(text), format)).toEqual({
      tree,
      parents: [tree],
      author: { name: "A U Thor", email: "a@example.com", time: 1700000000, zone: "+0100" },
      committer: { name: "Ünï", email: "c@d", time: 5, zone: "-0130" },
      headers: [
        { name: "gpgsig", value: "-----BEGIN-----\n\nabc\n-----END-----" },
        { name: "x-other", value: "y" },
      ],
      message: "subject\n\nbody\n",
    });
    const latin1 = Buffer.from(
      `tree ${tree}\nauthor J\xF6 <j> 1 +0000\ncommitter J <j> 1 +0000\nencoding ISO-8859-1\n\n\xE4\n`,
      "latin1",
    );
    expect(parseCommit(latin1, format)).toMatchObject({ author: { name: "Jö" }, message: "ä\n" });
    const unknown = encode(`tree ${tree}\nauthor ö\ncommitter\nencoding klingon\n\nä`);
    expect(parseCommit(unknown, format)).toMatchObject({
      author: undefined,
      committer: undefined,
      parents: [],
      message: "ä",
    });
    expect(() => parseCommit(encode("tree x\n\n"), format)).toThrow(ObjectRejected);
  });

  it("takes as parents only the headers right after the tree, as git does", () => {
    const tree = write("tree", "");
    const who = "author a <b> 1 +0000\ncommitter a <b> 1 +0000";
    const first = write("commit", `tree ${tree}\n${who}\n\n`);
    const late = `tree ${tree}\nparent ${first}\n${who}\nparent A <a@b> 1 +0000\n\nx`;
    const listed = referee.git(["log", "--no-walk", "--format=%P", write("commit", late)]);
    expect(listed.toString().trim()).toBe(first);
    expect(parseCommit(encode(late), format)).toMatchObject({
      parents: [first],
      headers: [{ name: "parent", value: "A <a@b> 1 +0000" }],
    });
  });

  it("reads and parses a tag that git made", () => {
    const blob = write("blob", "tagged");
    const made = referee.git(["mktag"], `object ${blob}\ntype blob\ntag v1\ntagger ${WHO}\n\nwhy\n`).toString().trim();
    const bytes = referee.git(["cat-file", "tag", made]);
    const links = readTagLinks(bytes, 0, bytes.length, format);
    expect([hex(links.object), links.type]).toEqual([blob, "blob"]);
    expect(parseTag(bytes, format)).toEqual({
      object: blob,
      type: "blob",
      name: "v1",
      tagger: { name: "A U Thor", email: "a@example.com", time: 1700000000, zone: "+0100" },
      message: "why\n",
    });
    const old = encode(`object ${blob}\ntype commit\ntag before-taggers\n\nx`);
    expect(parseTag(old, format)).toMatchObject({ tagger: undefined, type: "commit", message: "x" });
    for (const cut of [0, 10, 7 + format.hexSize, 60, bytes.indexOf("\ntag ")]) {
      expect(() => readTagLinks(bytes, 0, cut, format)).toThrow(ObjectRejected);
    }
  });
});

describe("parseIdentity", () => {
  it("returns the identity that formatIdentity was given", () => {
    const word = fc.stringMatching(/^[^<>\n\s\0](?:[^<>\n\0]*[^<>\n\s\0])?$/);
    const zone = fc.stringMatching(/^[+-][0-9]{4}$/);
    const identity = fc.record({ name: fc.oneof(word, fc.constant("")), email: word, time: fc.maxSafeNat(), zone });
    fc.assert(
      fc.property(identity, (who) => {
        expect(parseIdentity(formatIdentity(who))).toEqual(who);
      }),
    );
  });

  it.each([
    ["nobody", undefined],
    ["A <b", undefined],
    ["A <b>", { name: "A", email: "b", time: 0, zone: "+0000" }],
    ["A <b> 5", { name: "A", email: "b", time: 0, zone: "+0000" }],
    ["A<b>5 +1", { name: "A", email: "b", time: 5, zone: "+1" }],
    ["A <b>c> 5 -0800", { name: "A", email: "b", time: 5, zone: "-0800" }],
    ["<> 5 -0800", { name: "", email: "", time: 5, zone: "-0800" }],
  ])("is as lenient as git with %j", (line, expected) => {
    expect(parseIdentity(line)).toEqual(expected);
  });
});

describe("readTreeEntries", () => {
  const sha1 = objectFormat("sha1");
  it("refuses trees that git can't read", () => {
    const oid = "x".repeat(20);
    const texts = [
      `100644 a\0${oid.slice(1)}`,
      `100644 \0${oid}`,
      `10x644 a\0${oid}`,
      ` a\0${oid}`,
      `100644 a\0${oid}100644 b\0`,
      `100644 a${oid}`,
    ];
    for (const text of texts) expect(() => [...readTreeEntries(encode(text), sha1)]).toThrow(ObjectRejected);
    expect([...readTreeEntries(encode(""), sha1)]).toEqual([]);
  });
});
