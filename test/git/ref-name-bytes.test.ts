/** Names of refs that are bytes and not UTF-8: they are pushed, listed, cloned, mirrored, exported and shown like others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import type { GitSandbox } from "../support/git-client.ts";
import { exportRepository } from "../support/export.ts";
import { MirrorBed } from "../support/upstreams.ts";

/** In the order of their bytes. The fifth sorts before the sixth as bytes, and after it in any order of characters. */
const NAMES = [
  "refs/heads/a%E9",
  "refs/heads/caf\u00c3\u00a9",
  "refs/heads/caf\u00e9",
  "refs/heads/main",
  "refs/heads/\u00e9x",
  "refs/heads/\u00e9\u0080\u0080",
  "refs/heads/\u00ff/\u0080",
  "refs/tags/\u00c0\u00af",
];
/** The same names as the API shows them. */
const SHOWN = [
  "refs/heads/a%E9",
  "refs/heads/café",
  "refs/heads/caf\\%E9",
  "refs/heads/main",
  "refs/heads/\\%E9x",
  "refs/heads/\u9000",
  "refs/heads/\\%FF/\\%80",
  "refs/tags/\\%C0\\%AF",
];

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** Makes a repository with refs of these names, each at a commit of its own, and HEAD at a name that is not UTF-8. */
async function sourceOf(git: GitSandbox): Promise<string> {
  const source = await importFixture(git, "names", linear(12));
  const others = NAMES.filter((name) => name !== "refs/heads/main");
  const lines = others.map((name, index) => `create ${name} main~${index}\n`).join("");
  await git.ok(["update-ref", "--stdin"], { cwd: source, input: bytes(lines) });
  return source;
}

async function refsIn(git: GitSandbox, directory: string): Promise<string[]> {
  const format = "%(objectname) %(refname)";
  const listed = await git.bytes(["for-each-ref", `--format=${format}`], { cwd: directory });
  return listed.toString("latin1").trimEnd().split("\n");
}

/** The refs that a remote lists, in its own order. */
async function refsAt(git: GitSandbox, url: string, ...options: string[]): Promise<string[]> {
  const listed = (await git.bytes([...options, "ls-remote", "--refs", url])).toString("latin1");
  return listed
    .trimEnd()
    .split("\n")
    .map((line) => line.replace("\t", " "));
}

onEveryHost("names of refs that are not UTF-8", (journey) => {
  async function pushed(): Promise<{ source: string; url: string }> {
    const { git } = journey;
    const source = await sourceOf(git);
    const url = await journey.create("names");
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    return { source, url };
  }

  it("are pushed, and listed in the order of their bytes, in every version", async () => {
    const { git } = journey;
    const { source, url } = await pushed();
    const refs = await refsIn(git, source);
    expect(refs.flatMap((line) => line.split(" ")[1] ?? [])).toEqual(NAMES);
    for (const version of [0, 1, 2]) {
      expect(await refsAt(git, url, "-c", `protocol.version=${version}`)).toEqual(refs);
    }
  });

  it("are cloned, fetched by name, moved and deleted", async () => {
    const { git } = journey;
    const { source, url } = await pushed();
    for (const version of [0, 2]) {
      const clone = git.fresh();
      await git.ok(["-c", `protocol.version=${version}`, "clone", "-q", "--mirror", url, clone]);
      await git.fsck(clone);
      expect(await refsIn(git, clone)).toEqual(await refsIn(git, source));
    }
    const narrow = await git.init();
    const config = `[remote "origin"]\n\turl = ${url}\n\tfetch = +refs/heads/caf\u00e9:refs/heads/one\n`;
    writeFileSync(join(narrow, ".git", "config"), bytes(config), { flag: "a" });
    await git.ok(["fetch", "-q", "--no-tags"], { cwd: narrow });
    expect(await git.ok(["rev-parse", "one"], { cwd: narrow })).toBe(
      await git.ok(["rev-parse", "main~2"], { cwd: source }),
    );
    const moves = "update refs/heads/caf\u00e9 main\ndelete refs/heads/\u00ff/\u0080\n";
    await git.ok(["update-ref", "--stdin"], { cwd: source, input: bytes(moves) });
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    expect(await refsAt(git, url)).toEqual(await refsIn(git, source));
  });
});

onEveryHost(
  "names of refs that are not UTF-8, beyond the protocol",
  (journey) => {
    async function ask(url: string, path: string): Promise<Response> {
      const { origin, pathname } = new URL(url);
      const headers = { Authorization: `Bearer ${journey.token}` };
      return await fetch(`${origin}/api/v1/repos${pathname.replace(/\.git$/, "")}${path}`, { headers });
    }
    type Refs = { readonly refs: readonly { readonly name: string }[] };
    const names = async (answer: Response): Promise<string[]> =>
      (await answer.json<Refs>()).refs.map(({ name }) => name);
    async function pushed(): Promise<{ source: string; url: string }> {
      const { git } = journey;
      const source = await sourceOf(git);
      const url = await journey.create("names");
      await git.ok(["push", "-q", "--mirror", url], { cwd: source });
      return { source, url };
    }

    it("are shown with their bytes escaped, and found by them", async () => {
      const { git } = journey;
      const { source, url } = await pushed();
      expect(await names(await ask(url, "/refs"))).toEqual(SHOWN);
      expect(await names(await ask(url, "/refs?prefix=refs/heads/caf%C3"))).toEqual(["refs/heads/café"]);
      expect(await names(await ask(url, "/refs?prefix=refs/heads/%E9"))).toEqual([SHOWN[4], SHOWN[5]]);
      const oid = await git.ok(["rev-parse", "main~2"], { cwd: source });
      for (const asked of ["caf%E9", encodeURIComponent("caf\\%E9"), encodeURIComponent("refs/heads/caf\\%E9")]) {
        expect(await (await ask(url, `/commits?rev=${asked}&limit=1`)).json()).toMatchObject({ commits: [{ oid }] });
      }
      expect((await ask(url, "/commits?rev=caf%25E9")).status).toBe(404);
      type Log = { readonly pushes: readonly { readonly updates: readonly object[] }[] };
      const log = await (await ask(url, "/reflog?ref=refs/heads/caf%E9")).json<Log>();
      expect(log.pushes.flatMap(({ updates }) => updates)).toMatchObject([{ ref: "refs/heads/caf\\%E9", new: oid }]);
    });

    it("are the default branch, and match rules byte by byte", async () => {
      const { git } = journey;
      const { source, url } = await pushed();
      const { origin, pathname } = new URL(url);
      const patch = async (body: object): Promise<Response> =>
        await fetch(`${origin}/api/v1/repos${pathname.replace(/\.git$/, "")}`, {
          method: "PATCH",
          headers: { Authorization: `Bearer ${journey.token}`, "Content-Type": "application/json" },
          body: JSON.stringify(body),
        });
      expect((await patch({ default_branch: "caf\\%E9" })).status).toBe(200);
      for (const version of [0, 2]) {
        const clone = git.fresh();
        await git.ok(["-c", `protocol.version=${version}`, "clone", "-q", url, clone]);
        expect((await git.bytes(["symbolic-ref", "HEAD"], { cwd: clone })).toString("latin1")).toBe(
          "refs/heads/caf\u00e9\n",
        );
      }
      const wrong = ["caf\\%C3\\%A9", "caf\\%e9", "caf\\"];
      const answers = await Promise.all(wrong.map(async (name) => (await patch({ default_branch: name })).status));
      expect(answers).toEqual([422, 422, 422]);
      const protecting = await patch({ default_branch: "main", protected: [{ pattern: "caf\\%C3*" }] });
      expect(protecting.status).toBe(200);
      const moves = "delete refs/heads/caf\u00e9\ndelete refs/heads/caf\u00c3\u00a9\n";
      await git.ok(["update-ref", "--stdin"], { cwd: source, input: bytes(moves) });
      const refused = await git.git(["push", "--mirror", url], { cwd: source });
      expect(refused.stderr).toContain("prohibits deletion");
      const left = (await refsAt(git, url)).map((line) => line.slice(line.indexOf(" ") + 1));
      expect(left).toEqual(NAMES.filter((name) => name !== "refs/heads/caf\u00e9"));
    });

    it("are in the files for dumb clients, and in an export", async () => {
      const { git } = journey;
      const { source, url } = await pushed();
      const dumb = git.fresh();
      await git.ok(["clone", "-q", "--mirror", url, dumb], { env: { GIT_SMART_HTTP: "0" } });
      expect(await refsIn(git, dumb)).toEqual(await refsIn(git, source));
      const { origin, pathname } = new URL(url);
      const copy = git.fresh("copy");
      await exportRepository(`${origin}/api/v1/repos${pathname.replace(/\.git$/, "")}`, journey.token, copy);
      await git.fsck(copy);
      expect(await refsIn(git, copy)).toEqual(await refsIn(git, source));
    });
  },
  ["thinpack"],
);

describe("a mirror of an upstream with names that are not UTF-8", () => {
  const bed = new MirrorBed();
  beforeAll(() => bed.start());
  afterAll(() => bed.stop());

  it("has them all, from upstreams of either version, and by refspecs of bytes", async () => {
    const { git } = bed;
    const source = await sourceOf(git);
    const upstream = await bed.upstream(source);
    await git.ok(["push", "-q", "--mirror", upstream.pushUrl], { cwd: source });
    writeFileSync(join(upstream.directory, "HEAD"), bytes("ref: refs/heads/caf\u00e9\n"));
    for (const version of [2, 0]) {
      await git.ok(["config", "protocol.version", String(version)], { cwd: upstream.directory });
      const path = await bed.mirror(upstream.url);
      expect(await bed.settled(path)).toMatchObject({ last_error: null, left_out: null });
      expect(await refsAt(git, bed.url(path))).toEqual(await refsIn(git, source));
      const shown = await bed.api<{ default_branch: string }>("GET", path);
      expect(shown.body.default_branch).toBe("caf\\%E9");
    }
    const refspecs = ["+refs/heads/caf\\%C3*:refs/heads/one\\%C3*", "+refs/heads/\\%E9*:refs/heads/two*"];
    const some = await bed.mirror(upstream.url, { refspecs });
    expect(await bed.settled(some)).toMatchObject({ last_error: null, left_out: null });
    const names = (await refsAt(git, bed.url(some))).map((line) => line.slice(line.indexOf(" ") + 1));
    expect(names).toEqual(["refs/heads/one\u00c3\u00a9", "refs/heads/twox", "refs/heads/two\u0080\u0080"]);
  });

  it("says which refs it leaves out, and why", async () => {
    const { git } = bed;
    const source = await sourceOf(git);
    const upstream = await bed.upstream(source);
    await git.ok(["push", "-q", upstream.pushUrl, "main:refs/heads/twice/x", "main:refs/tags/x"], { cwd: source });
    const refspecs = ["+refs/heads/twice/*:refs/heads/*", "+refs/tags/*:refs/heads/*"];
    const path = await bed.mirror(upstream.url, { refspecs });
    const state = await bed.settled(path);
    expect(state).toMatchObject({
      last_error: null,
      left_out: {
        refs: 1,
        examples: ["refs/heads/x"],
        why: "One ref of the upstream is left out: another ref of the upstream has the same name here.",
      },
    });
  });
});
