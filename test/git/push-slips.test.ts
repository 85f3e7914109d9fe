/** Histories with the slips of old programs: what of them is let pass, what is said of it, and how a repository is set. */
import { expect, it } from "vitest";
import { refsAt, withToken } from "../support/git-client.ts";
import { onEveryHost, type Journey } from "../support/git-hosts.ts";
import { send } from "../support/git-raw.ts";

const PERSON = "A <a@example.com> 1 +0000";

/** Makes a branch `main` of one commit for each author, the root's tree being as given. */
async function history({ git }: Journey, authors: readonly string[], tree?: (blob: string) => Buffer): Promise<string> {
  const cwd = await git.init("slips");
  const blob = await git.ok(["hash-object", "-w", "--stdin"], { cwd, input: "x" });
  const input = tree?.(blob) ?? "";
  const root = await git.ok(["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], { cwd, input });
  let tip = "";
  for (const author of authors) {
    const parent = tip === "" ? "" : `parent ${tip}\n`;
    const text = `tree ${root}\n${parent}author ${author}\ncommitter ${PERSON}\n\nx\n`;
    tip = await git.ok(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], { cwd, input: text });
  }
  await git.ok(["update-ref", "refs/heads/main", tip], { cwd });
  return cwd;
}

const entry = (mode: string, name: string, blob: string): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(blob, "hex")]);

/** Gives what the server said of objects. */
const warningsIn = (stderr: string): string[] =>
  stderr.split("\n").flatMap((line) => /^remote: (warning: .*?)\s*$/.exec(line)?.[1] ?? []);

onEveryHost("slips that harm nobody", (journey) => {
  it.each([
    ["badTimezone", "A <a@example.com> 1 +051800", "invalid author/committer line - bad time zone"],
    ["badDate", "A <a@example.com> x +0000", "invalid author/committer line - bad date"],
    // An identity without a closing bracket.
    ["badEmail", "A <a 1 +0000", "invalid author/committer line - bad email"],
    [
      "badDateOverflow",
      "A <a@b> 99999999999999999999 +0000",
      "invalid author/committer line - date causes integer overflow",
    ],
    ["missingSpaceBeforeDate", "A <a@example.com>", "invalid author/committer line - missing space before date"],
    [
      "missingSpaceBeforeEmail",
      "A<a@example.com> 1 +0000",
      "invalid author/committer line - missing space before email",
    ],
    ["zeroPaddedDate", "A <a@example.com> 01 +0000", "invalid author/committer line - zero-padded date"],
  ])("bring a warning: %s", async (id, author, text) => {
    const { git } = journey;
    const cwd = await history(journey, [author]);
    const url = await journey.create();
    const pushed = await git.git(["push", "-q", url, "main"], { cwd });
    const tip = await git.ok(["rev-parse", "main"], { cwd });
    expect(pushed).toMatchObject({ code: 0 });
    expect(warningsIn(pushed.stderr)).toEqual([`warning: object ${tip}: ${id}: ${text}`]);
    expect(await refsAt(git, url)).toEqual([`refs/heads/main ${tip}`]);
  });

  it("are warned of: modes with a zero in front", async () => {
    const { git } = journey;
    const cwd = await history(journey, [PERSON], (blob) => entry("0100644", "file", blob));
    const url = await journey.create();
    const pushed = await git.git(["push", "-q", url, "main"], { cwd });
    const tree = await git.ok(["rev-parse", "main^{tree}"], { cwd });
    expect(warningsIn(pushed.stderr)).toEqual([
      `warning: object ${tree}: zeroPaddedFilemode: contains zero-padded file modes`,
    ]);
    const copy = git.fresh("copy");
    await git.ok(["clone", "-q", url, copy]);
    expect(await git.ok(["show", "HEAD:file"], { cwd: copy })).toBe("x");
  });

  it.each([
    ["hasDotgit", (blob: string) => entry("100644", ".git", blob)],
    ["fullPathname", (blob: string) => entry("100644", "a/b", blob)],
    ["nullSha1", () => entry("160000", "a", "0".repeat(40))],
    ["duplicateEntries", (blob: string) => Buffer.concat([entry("100644", "a", blob), entry("100644", "a", blob)])],
    ["treeNotSorted", (blob: string) => Buffer.concat([entry("100644", "b", blob), entry("100644", "a", blob)])],
    ["gitmodulesSymlink", (blob: string) => entry("120000", ".gitmodules", blob)],
  ])("are not what can harm: %s refuses the push", async (id, tree) => {
    const { git } = journey;
    const cwd = await history(journey, ["A <a@example.com> x +0000"], tree);
    const url = await journey.create();
    const pushed = await git.git(["push", "-q", url, "main"], { cwd });
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain(`: ${id}: `);
    expect(await refsAt(git, url)).toEqual([]);
  });
});

onEveryHost(
  "slips and the settings of a repository",
  (journey) => {
    const api = async (url: string, change?: unknown): Promise<{ status: number; fsck: unknown }> => {
      const { origin, pathname } = new URL(url);
      const target = `${origin}/api/v1/repos${pathname.replace(/\.git$/, "")}`;
      const answer = await send(withToken(target, journey.token), {
        method: change === undefined ? "GET" : "PATCH",
        headers: { "Content-Type": "application/json" },
        ...(change === undefined ? {} : { body: Buffer.from(JSON.stringify(change)) }),
      });
      const shown = JSON.parse(answer.body.toString()) as { fsck?: unknown };
      return { status: answer.status, fsck: shown.fsck };
    };

    it("a strict repository refuses slips, and tells how to accept them", async () => {
      const { git } = journey;
      const cwd = await history(journey, ["A <a@example.com> 1 +051800"]);
      const url = await journey.create();
      const push = async (): Promise<{ code: number; stderr: string }> => await git.git(["push", url, "main"], { cwd });
      expect(await api(url)).toEqual({ status: 200, fsck: { strict: false, ignore: [], skip: [] } });
      expect((await api(url, { fsck: { strict: true } })).fsck).toEqual({ strict: true, ignore: [], skip: [] });
      const refused = await push();
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/remote: fatal: object [0-9a-f]{40}: badTimezone: /);
      expect(refused.stderr).toContain("thinpack repo set <tenant>/<name> --fsck-ignore badTimezone");
      // What is not given stays.
      expect((await api(url, { fsck: { ignore: ["badTimezone"] } })).fsck).toEqual({
        strict: true,
        ignore: ["badTimezone"],
        skip: [],
      });
      const taken = await push();
      expect(taken.code).toBe(0);
      expect(warningsIn(taken.stderr)).toEqual([]);
    });

    it("a repository accepts a harmful object only by its name", async () => {
      const { git } = journey;
      const cwd = await history(journey, [PERSON], (blob) => entry("100644", ".git", blob));
      const url = await journey.create();
      const tree = await git.ok(["rev-parse", "main^{tree}"], { cwd });
      const refused = await git.git(["push", url, "main"], { cwd });
      expect(refused.stderr).toContain(`--fsck-skip ${tree}`);
      for (const ignore of ["hasDotgit", "duplicateEntries", "treeNotSorted", "nullSha1", "gitmodulesUrl"]) {
        expect((await api(url, { fsck: { ignore: [ignore] } })).status).toBe(422);
      }
      expect((await api(url, { fsck: { skip: ["abc"] } })).status).toBe(422);
      expect((await api(url, { fsck: { skip: [tree] } })).status).toBe(200);
      expect((await git.git(["push", "-q", url, "main"], { cwd })).code).toBe(0);
    });

    it("a tree stored as a delta on a skipped one is judged by itself", async () => {
      const { git } = journey;
      const names = Array.from({ length: 40 }, (_, at) => `file${10 + at}`);
      const treeOf = (list: readonly string[]) => (blob: string) =>
        Buffer.concat([entry("100644", ".git", blob), ...list.map((name) => entry("100644", name, blob))]);
      const cwd = await history(journey, [PERSON], treeOf(names));
      const blob = await git.ok(["rev-parse", "main:file10"], { cwd });
      const skipped = await git.ok(["rev-parse", "main^{tree}"], { cwd });
      const write = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
      const later = await git.ok(write, { cwd, input: treeOf(names.slice(1))(blob) });
      const text = `tree ${later}\nparent ${await git.ok(["rev-parse", "main"], { cwd })}\nauthor ${PERSON}\ncommitter ${PERSON}\n\nx\n`;
      const tip = await git.ok(["hash-object", "-t", "commit", "-w", "--stdin"], { cwd, input: text });
      await git.ok(["update-ref", "refs/heads/main", tip], { cwd });
      await git.ok(["repack", "-adfq"], { cwd });
      // The pack that is pushed has the smaller tree as a delta on the larger one.
      const stored = await git.ok(["cat-file", "--batch-check=%(deltabase)"], { cwd, input: later });
      expect(stored).toBe(skipped);

      const url = await journey.create();
      expect((await api(url, { fsck: { skip: [skipped] } })).status).toBe(200);
      const refused = await git.git(["push", "-q", url, "main"], { cwd });
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(`object ${later}: hasDotgit: `);
      expect((await api(url, { fsck: { skip: [skipped, later] } })).status).toBe(200);
      expect((await git.git(["push", "-q", url, "main"], { cwd })).code).toBe(0);
    });

    it("a tree that comes as a delta on one that was skipped before is judged by itself", async () => {
      const { git } = journey;
      const names = Array.from({ length: 40 }, (_, at) => `file${10 + at}`);
      const treeOf = (list: readonly string[]) => (blob: string) =>
        Buffer.concat([entry("100644", ".git", blob), ...list.map((name) => entry("100644", name, blob))]);
      const cwd = await history(journey, [PERSON], treeOf(names));
      const blob = await git.ok(["rev-parse", "main:file10"], { cwd });
      const skipped = await git.ok(["rev-parse", "main^{tree}"], { cwd });
      const url = await journey.create();
      expect((await api(url, { fsck: { skip: [skipped] } })).status).toBe(200);
      expect((await git.git(["push", "-q", url, "main"], { cwd })).code).toBe(0);
      expect((await api(url, { fsck: { skip: [] } })).status).toBe(200);
      // Only what differs from the stored tree is sent: the pack is thin.
      const write = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
      const later = await git.ok(write, { cwd, input: treeOf(names.slice(1))(blob) });
      const text = `tree ${later}\nparent ${await git.ok(["rev-parse", "main"], { cwd })}\nauthor ${PERSON}\ncommitter ${PERSON}\n\nx\n`;
      const tip = await git.ok(["hash-object", "-t", "commit", "-w", "--stdin"], { cwd, input: text });
      await git.ok(["update-ref", "refs/heads/main", tip], { cwd });
      const refused = await git.git(["push", "-q", url, "main"], { cwd });
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(`object ${later}: hasDotgit: `);
    });

    it("the setting is shown to callers that may write, and to no others", async () => {
      const url = await journey.create("open", { visibility: "public" });
      const { origin, pathname } = new URL(url);
      const answer = await send(`${origin}/api/v1/repos${pathname.replace(/\.git$/, "")}`, { method: "GET" });
      expect(JSON.parse(answer.body.toString())).not.toHaveProperty("fsck");
      expect((await api(url)).fsck).toBeDefined();
    });

    it("many slips are reported in few lines", async () => {
      const { git } = journey;
      const authors = Array.from({ length: 50 }, (_, at) => `A${at} <a@example.com> 1 +051800`);
      const cwd = await history(journey, authors);
      const url = await journey.create();
      const pushed = await git.git(["push", "-q", url, "main"], { cwd });
      const warnings = warningsIn(pushed.stderr);
      expect(warnings).toHaveLength(21);
      expect(warnings.at(-1)).toBe("warning: and 30 more like these");
    });
  },
  ["thinpack"],
);
