/**
 * Objects that are made one by one in GitHub's way, and the ref that then names them, against what git makes of the same.
 *
 * @packageDocumentation
 */
import { Octokit } from "@octokit/rest";
import { expect, it, beforeAll } from "vitest";
import { apiClient } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat } from "../support/git-hosts.ts";

const WHO = { name: "A U Thor", email: "author@example.com", date: "2023-11-15T00:13:20+02:00" };
const quiet = (): undefined => undefined;

inEveryFormat(
  "objects by the facade",
  (journey) => {
    let octokit: Octokit;
    let source: string;
    let head: string;
    beforeAll(async () => {
      octokit = new Octokit({
        baseUrl: `${journey.base}/api/v3`,
        auth: journey.token,
        log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      });
      source = await importFixture(journey.git, "source", linear(4));
      head = (await journey.git.ok(["rev-parse", "main"], { cwd: source })).trim();
    });
    const pushed = async (): Promise<{ owner: string; repo: string; url: string }> => {
      const url = await journey.create();
      await journey.git.ok(["push", "-q", url, "main"], { cwd: source });
      const [owner = "", repo = ""] = new URL(url).pathname.replace(/^\/|\.git$/g, "").split("/");
      return { owner, repo, url };
    };
    const status = async (promise: Promise<unknown>): Promise<number> =>
      await promise.then(
        () => 200,
        (error: unknown) => (error as { status: number }).status,
      );

    it("become a commit of several files, as git makes it, when a ref is moved to it", async () => {
      const { git } = journey;
      const { url, ...at } = await pushed();
      const blob = await octokit.rest.git.createBlob({ ...at, content: "large\n".repeat(1000) });
      const entry = { mode: "100644", type: "blob" } as const;
      const tree = await octokit.rest.git.createTree({
        ...at,
        base_tree: (await git.ok(["rev-parse", "main^{tree}"], { cwd: source })).trim(),
        tree: [
          { ...entry, path: "a/b/new.txt", content: "new\n" },
          { ...entry, path: "large.txt", sha: blob.data.sha },
          { path: "run.sh", mode: "100755", type: "blob", content: "#!/bin/sh\n" },
          { path: "link", mode: "120000", type: "blob", content: "run.sh" },
        ],
      });
      const order = { ...at, message: "by the facade", tree: tree.data.sha, parents: [head], author: WHO };
      const commit = await octokit.rest.git.createCommit(order);
      expect(commit).toMatchObject({ status: 201, data: { parents: [{ sha: head }], message: "by the facade" } });
      // Nothing is there yet.
      expect(await status(octokit.rest.git.getCommit({ ...at, commit_sha: commit.data.sha }))).toBe(404);
      const tag = await octokit.rest.git.createTag({
        ...at,
        tag: "v1",
        message: "one",
        object: commit.data.sha,
        type: "commit",
        tagger: WHO,
      });
      await octokit.rest.git.updateRef({ ...at, ref: "heads/main", sha: commit.data.sha });
      await octokit.rest.git.createRef({ ...at, ref: "refs/tags/v1", sha: tag.data.sha });
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      await git.fsck(clone);
      const env = {
        GIT_AUTHOR_DATE: WHO.date,
        GIT_COMMITTER_DATE: WHO.date,
        GIT_COMMITTER_NAME: WHO.name,
        GIT_COMMITTER_EMAIL: WHO.email,
      };
      const expected = await git.ok(["commit-tree", "-p", head, "-m", "by the facade", tree.data.sha], {
        cwd: clone,
        env,
      });
      expect(expected.trim()).toBe(commit.data.sha);
      expect(await git.ok(["diff", "--raw", "--abbrev=1", "--no-renames", "HEAD~", "HEAD"], { cwd: clone })).toMatch(
        /^:000000 100644 .* A\ta\/b\/new\.txt\n:000000 100644 .* A\tlarge\.txt\n:000000 120000 .* A\tlink\n:000000 100755 .* A\trun\.sh$/,
      );
      expect(await git.ok(["cat-file", "tag", "v1"], { cwd: clone })).toContain(
        "tagger A U Thor <author@example.com> 1700000000 +0200",
      );
    });

    it("change files below directories that are there, as deep as they lie", async () => {
      const { git } = journey;
      const { url, ...at } = await pushed();
      const deep = git.fresh();
      await git.ok(["clone", "-q", url, deep]);
      for (const path of ["a/b/c/old", "a/b/keep", "a/x/y/only", "d/e"]) await git.commit(deep, path, `${path}\n`);
      await git.ok(["push", "-q", "origin", "main"], { cwd: deep });
      const base = (await git.ok(["rev-parse", "main^{tree}"], { cwd: deep })).trim();
      const file = { mode: "100644", type: "blob" } as const;
      const tree = await octokit.rest.git.createTree({
        ...at,
        base_tree: base,
        tree: [
          { ...file, path: "a/b/c/new", content: "new\n" },
          { ...file, path: "a/b/c/old", sha: null },
          { ...file, path: "a/x/y/only", sha: null },
          { ...file, path: "a/b/none/at/all", sha: null },
        ],
      });
      await git.ok(["rm", "-q", "a/b/c/old", "a/x/y/only"], { cwd: deep });
      await git.commit(deep, "a/b/c/new", "new\n");
      expect(tree.data.sha).toBe((await git.ok(["rev-parse", "main^{tree}"], { cwd: deep })).trim());
      const same = await octokit.rest.git.createTree({
        ...at,
        base_tree: base,
        tree: [{ ...file, path: "a/b/none/at/all", sha: null }],
      });
      expect(same.data.sha).toBe(base);
    });

    it("are stacked: trees on trees, and commits on commits, that nothing names yet", async () => {
      const { git } = journey;
      const { url, ...at } = await pushed();
      const file = { mode: "100644", type: "blob", path: "f" } as const;
      const inner = await octokit.rest.git.createTree({
        ...at,
        tree: [
          { ...file, content: "one" },
          { ...file, path: "gone/deep", content: "x" },
        ],
      });
      const outer = await octokit.rest.git.createTree({
        ...at,
        tree: [{ path: "sub", mode: "040000", type: "tree", sha: inner.data.sha }],
      });
      const next = await octokit.rest.git.createTree({
        ...at,
        base_tree: outer.data.sha,
        tree: [
          { ...file, path: "sub/f", content: "two" },
          { ...file, path: "sub/gone/deep", sha: null },
        ],
      });
      const first = await octokit.rest.git.createCommit({ ...at, message: "1", tree: outer.data.sha, parents: [head] });
      const second = await octokit.rest.git.createCommit({
        ...at,
        message: "2",
        tree: next.data.sha,
        parents: [first.data.sha],
      });
      // It moves forward, through commits that are only kept.
      await octokit.rest.git.updateRef({ ...at, ref: "heads/main", sha: second.data.sha });
      const aside = await octokit.rest.git.createCommit({ ...at, message: "aside", tree: outer.data.sha, parents: [] });
      expect(await status(octokit.rest.git.updateRef({ ...at, ref: "heads/main", sha: aside.data.sha }))).toBe(422);
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      await git.fsck(clone);
      expect(await git.ok(["ls-tree", "-r", "--name-only", "HEAD"], { cwd: clone })).toBe("sub/f");
      expect(await git.ok(["show", "HEAD:sub/f"], { cwd: clone })).toBe("two");
      expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: clone })).toBe("6");
    });

    it("are refused before they are made where git refuses them", async () => {
      const { url: _, ...at } = await pushed();
      const [gitlink, tree] = ["160000", "040000"];
      for (const entry of [
        ...["nothex", "", "abcd", "0".repeat(head.length), head.length === 40 ? "1".repeat(64) : "1".repeat(40)].map(
          (sha) => ({ mode: gitlink, sha }),
        ),
        { mode: gitlink, sha: "g".repeat(head.length) },
        { mode: gitlink, content: "x" },
        { mode: tree, content: "x" },
        { mode: "100644", content: "x", sha: head },
        { mode: tree, sha: head },
        { mode: gitlink, sha: head, path: ".gitattributes" },
        { mode: "100644", content: "x", path: "a/.GIT/config" },
      ]) {
        const order = { ...at, tree: [{ path: "sub", ...entry } as { path: string; mode: "160000"; sha: string }] };
        expect([entry, await status(octokit.rest.git.createTree(order))]).toEqual([entry, 422]);
      }
      const sha = head.toUpperCase();
      const made = await octokit.rest.git.createTree({ ...at, tree: [{ path: "sub", mode: "160000", sha }] });
      const input = `160000 commit ${head}\tsub\n`;
      expect(made.data.sha).toBe(await journey.git.ok(["mktree", "--missing"], { cwd: source, input }));
    });

    it("are refused before they are made where they are more than can be kept", async () => {
      const { url: _, ...at } = await pushed();
      const sha = (await journey.git.ok(["rev-parse", "main:VERSION"], { cwd: source })).trim();
      const file = { mode: "100644", type: "blob", sha } as const;
      const nested = (count: number, depth: number): string[] =>
        Array.from({ length: count }, (__, number) => `${number}/${"d/".repeat(depth - 1)}f`);
      const make = async (paths: readonly string[]): Promise<number> =>
        await status(octokit.rest.git.createTree({ ...at, tree: paths.map((path) => ({ ...file, path })) }));
      expect(await make(nested(3, 2000))).toBe(422);
      expect(await make(nested(19, 100))).toBe(200);
    });

    it("are as they were where what is not there is taken away", async () => {
      const { url: _, ...at } = await pushed();
      const [tree = ""] = (await journey.git.ok(["rev-parse", "main^{tree}"], { cwd: source })).split("\n");
      const gone = ["no/such/directory/f", "src/no/f", "VERSION/f", "f"];
      const made = await octokit.rest.git.createTree({
        ...at,
        base_tree: tree,
        tree: gone.map((path) => ({ mode: "100644", type: "blob", path, sha: null }) as const),
      });
      expect(made.data.sha).toBe(tree);
    });

    it("are commits of up to a hundred parents, which move a branch forward if one of these has it", async () => {
      const { git } = journey;
      const { url, ...at } = await pushed();
      const [tree = ""] = (await git.ok(["rev-parse", "main^{tree}"], { cwd: source })).split("\n");
      const sides: string[] = [];
      for (let side = 0; side < 99; side++) {
        const made = await git.ok(["commit-tree", "-p", "main~3", "-m", `side ${side}`, tree], { cwd: source });
        sides.push(made.trim());
      }
      await git.ok(["push", "-q", url, ...sides.map((oid, side) => `${oid}:refs/heads/side-${side}`)], { cwd: source });
      const commit = async (...parents: string[]): Promise<string> =>
        (await octokit.rest.git.createCommit({ ...at, message: "octopus", tree, parents })).data.sha;
      const move = async (sha: string): Promise<number> =>
        await status(octokit.rest.git.updateRef({ ...at, ref: "heads/main", sha }));
      expect(await move(await commit(...sides))).toBe(422);
      const next = (await git.ok(["commit-tree", "-p", "main", "-m", "next", tree], { cwd: source })).trim();
      await git.ok(["push", "-q", url, `${next}:refs/heads/next`], { cwd: source });
      const octopus = await commit(...sides, next);
      expect(await move(octopus)).toBe(200);
      expect(await status(commit(...sides, next, octopus))).toBe(422);
    });

    it("are brought in together, as many bytes as are kept", async () => {
      const { git } = journey;
      const { url, ...at } = await pushed();
      const file = { mode: "100644", type: "blob" } as const;
      // Together with the trees and the commit they have nearly the 32 MiB that may be kept, which no single call carries.
      const content = (name: string): string => name.padEnd(1024 * 1024 - (name === "d1" ? 2500 : 0), "\nline");
      const parts: { path: string; mode: "040000"; type: "tree"; sha: string }[] = [];
      for (const part of ["a", "b", "c", "d"]) {
        const names = Array.from({ length: part === "d" ? 2 : 10 }, (__, number) => `${part}${number}`);
        const made = await octokit.rest.git.createTree({
          ...at,
          tree: names.map((path) => ({ ...file, path, content: content(path) })),
        });
        parts.push({ path: part, mode: "040000", type: "tree", sha: made.data.sha });
      }
      const tree = await octokit.rest.git.createTree({ ...at, tree: parts });
      const commit = await octokit.rest.git.createCommit({ ...at, message: "x", tree: tree.data.sha, parents: [head] });
      await octokit.rest.git.updateRef({ ...at, ref: "heads/main", sha: commit.data.sha });
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      await git.fsck(clone);
      expect((await git.ok(["ls-tree", "-r", "--name-only", "HEAD"], { cwd: clone })).split("\n")).toHaveLength(32);
    });

    it("are refused where they name what is not here, or what git allows in no tree", async () => {
      const { url: _, ...at } = await pushed();
      const none = "1".repeat(journey.format.hexSize);
      const file = { mode: "100644", type: "blob", path: "f" } as const;
      for (const tree of [
        [{ ...file, sha: none }],
        [{ ...file, sha: head }],
        [{ ...file, path: ".git/config", content: "x" }],
        [{ ...file, path: "../x", content: "x" }],
        [{ ...file, path: "", content: "x" }],
        [{ ...file }],
      ]) {
        expect([tree, await status(octokit.rest.git.createTree({ ...at, tree }))]).toEqual([tree, 422]);
      }
      expect(await status(octokit.rest.git.createTree({ ...at, base_tree: none, tree: [] }))).toBe(422);
      expect(await status(octokit.rest.git.createCommit({ ...at, message: "x", tree: none }))).toBe(422);
      expect(await status(octokit.rest.git.createCommit({ ...at, message: "x", tree: head }))).toBe(422);
      const empty = await octokit.rest.git.createTree({ ...at, tree: [] });
      expect(
        await status(octokit.rest.git.createCommit({ ...at, message: "x", tree: empty.data.sha, parents: [none] })),
      ).toBe(422);
      expect(await status(octokit.rest.git.createCommit({ ...at, message: " ", tree: empty.data.sha }))).toBe(422);
      const large = { ...file, content: "x".repeat(1024 * 1024 + 1) };
      expect(await status(octokit.rest.git.createTree({ ...at, tree: [large] }))).toBe(422);
      const api = apiClient(journey.base, journey.token);
      const path = `/repos/${at.owner}/${at.repo}`;
      await api("PATCH", path, { protected: [{ pattern: "main", pushers: [], allow_force_push: false }] });
      const rooted = await octokit.rest.git.createCommit({ ...at, message: "x", tree: empty.data.sha });
      expect((await api("PUT", `${path}/refs/heads/main`, { oid: rooted.data.sha })).status).toBe(409);
    });
  },
  ["thinpack"],
);
