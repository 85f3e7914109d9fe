/**
 * Commits as mails, against those of git.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { commitMail, seriesMails } from "../../../src/browse/commit-mail.ts";
import { DEFAULT_OPTIONS } from "../../../src/diff/line-diff.ts";
import { commitTrees } from "../../support/changed-trees.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

const PAIRS = 40;

/** Who wrote a commit and when, and its message. */
const COMMITS: readonly (readonly [author: string, message: string])[] = [
  ["A U Thor <author@example.com> 1700000000 +0200", "short\n"],
  ["Jörg Müller <j@example.com> 1234567890 -0330", "Zweite Änderung\n\nmit Text   \n\n\n- und mehr ü\n\n"],
  ['Doe, J. "Jo" <j@example.com> 1 +0000', `a subject that goes on ${"and on ".repeat(20)}\nover two lines\n\nbody\n`],
  [
    "名前のとても長い人の名前のとても長い人の名前 <n@example.com> 1700000000 +0900",
    `${"日本語の件名です".repeat(8)}\n`,
  ],
  [
    `${"Long Name ".repeat(9)} <${"long".repeat(12)}@example.com> 1700000000 +0000`,
    "\n\n  indented =?subject?=\nnext\n",
  ],
  ["=?x?= <x@example.com> 1700000000 +0000", "tab\tin a subject_with underscore\n\nFrom here\n---\nmore\n"],
  ["A <a@example.com> 1700000000 +0000", `${"x".repeat(100)} ${"y".repeat(70)} z\n`],
  ["A <a@example.com> 1700000000 +0000", ""],
];

/** Returns a mail without the content of binary files: git deflates with another level, and makes a delta where that is smaller. */
function withoutContent(mail: string): string {
  return mail.replaceAll(/GIT binary patch\n(?:(?:literal|delta) \d+\n(?:[A-Za-z][^ \n]+\n)*\n){2}/g, "BINARY\n");
}

describe("the mail of a commit", () => {
  const git = new GitRepository();
  const store = new TestStore();

  beforeAll(async () => {
    commitTrees(git, pseudoRandom(8), { count: PAIRS, moves: true });
    const parts = COMMITS.flatMap(([author, message], number) => [
      `commit refs/tags/mail${number}\nauthor ${author}\ncommitter C <c@example.com> 1700000000 +0000\n`,
      `data ${Buffer.byteLength(message)}\n${message}\nfrom refs/tags/before${number}\nM 100644 inline a-file\ndata 2\nx\n\n`,
    ]);
    const series = Array.from({ length: 13 }, (_, i) => {
      const merged = i === 7 ? "merge refs/tags/mail0\n" : "";
      const subject = `series ${i}`;
      return (
        `commit refs/tags/series${i}\ncommitter C <c@example.com> ${1_700_000_000 + i} +0000\ndata ${subject.length}\n${subject}\n` +
        `${i === 0 ? "" : `from refs/tags/series${i - 1}\n`}${merged}M 100644 inline numbers\ndata 3\n${10 + i}\n\n`
      );
    });
    git.git(["fast-import", "--quiet", "--force"], parts.join("") + series.join(""));
    store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  const mailOf = async (revision: string): Promise<Buffer> => {
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    try {
      const name = rawName(git.oid(revision));
      const [after, parent] = [
        git.oid(`${revision}^{tree}`),
        git.run(["rev-parse", "-q", "--verify", `${revision}^^{tree}`]),
      ];
      const before = parent.ok ? rawName(parent.stdout.toString().trim()) : undefined;
      const pieces: Uint8Array[] = [];
      for await (const piece of commitMail(session, { name, before, after: rawName(after) }, DEFAULT_OPTIONS))
        pieces.push(piece);
      return Buffer.concat(pieces);
    } finally {
      session.close();
    }
  };

  const byGit = (revision: string, ...options: string[]): string =>
    git
      .git(["format-patch", "-1", "--stdout", "--full-index", "--always", "--signature=thinpack", ...options, revision])
      .toString("latin1");

  it.each(COMMITS.map((_, number) => number))("has the head of git format-patch, commit %i", async (number) => {
    expect((await mailOf(`mail${number}`)).toString("latin1")).toBe(byGit(`mail${number}`));
  });

  it("is one of a series as git format-patch numbers it, oldest first and without merges", async () => {
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    const ends = { from: rawName(git.oid("series0")), to: rawName(git.oid("series12")) };
    const pieces: Uint8Array[] = [];
    for await (const piece of seriesMails(session, ends, DEFAULT_OPTIONS)) pieces.push(piece);
    session.close();
    const options = ["--stdout", "--full-index", "--always", "--signature=thinpack"];
    const expected = git.git(["format-patch", ...options, "series0..series12"]).toString("latin1");
    expect(expected).toMatch(/Subject: \[PATCH 0\d\/1\d\] series 1\n/);
    expect(expected).not.toContain("series 7\n");
    // That git takes the binary files is shown below.
    expect(withoutContent(Buffer.concat(pieces).toString("latin1"))).toBe(withoutContent(expected));
  });

  it("has the statistics, the summary and the patch of git format-patch", async () => {
    let binary = 0;
    for (let number = 0; number < PAIRS; number++) {
      for (const revision of [`before${number}`, `after${number}`]) {
        const mail = (await mailOf(revision)).toString("latin1");
        const expected = byGit(revision);
        binary += expected.split("GIT binary patch").length - 1;
        expect(withoutContent(mail)).toBe(withoutContent(expected));
      }
    }
    expect(binary).toBeGreaterThan(10);
  });

  it("is a patch that git applies, with binary files", async () => {
    for (let number = 0; number < PAIRS; number++) {
      const index = { GIT_INDEX_FILE: `${git.dir}/applied${number}` };
      git.git(["read-tree", `before${number}`], "", index);
      git.git(["apply", "--cached", "--whitespace=nowarn", "--allow-empty"], await mailOf(`after${number}`), index);
      expect(git.git(["write-tree"], "", index).toString().trim()).toBe(git.oid(`after${number}^{tree}`));
    }
  });
});
