/**
 * The commands that change a repository without a clone, run as people run them, and what git then sees.
 */
import { writeFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { type CommandOptions, startCommand } from "../support/command.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { makeSshKey } from "../support/signing-keys.ts";

onEveryHost(
  "commands that change a repository",
  (journey) => {
    let source: string;
    const run = async (
      args: readonly string[],
      options: CommandOptions = {},
    ): Promise<{ code: number; stdout: string; stderr: string }> =>
      await startCommand(journey.git, [...args, "--base", journey.base, "--token", journey.token], options).ended;
    const ok = async (args: readonly string[], options?: CommandOptions): Promise<string> => {
      const ran = await run(args, options);
      expect([ran.code, ran.stderr]).toEqual([0, ""]);
      return ran.stdout.trim();
    };
    beforeAll(async () => {
      source = await importFixture(journey.git, "source", linear(3));
    });
    const pushed = async (): Promise<{ name: string; url: string }> => {
      const url = await journey.create();
      await journey.git.ok(["push", "-q", url, "main"], { cwd: source });
      return { url, name: new URL(url).pathname.replace(/^\/|\.git$/g, "") };
    };
    const refs = async (url: string): Promise<string> => await journey.git.ok(["ls-remote", url], { cwd: source });

    it("make commits of files, of standard input and of patches", async () => {
      const { git } = journey;
      const { name, url } = await pushed();
      writeFileSync(git.path("hello.txt"), "hello\n");
      const said = await ok(
        [
          "commit",
          name,
          "-b",
          "main",
          "-m",
          "Say hello",
          "--add",
          "docs/hello.txt=hello.txt",
          "--add",
          "in.txt=-",
          "--author",
          "Ann <ann@example.com>",
        ],
        { input: "input\n" },
      );
      expect(said).toMatch(/^main is at [0-9a-f]{40}$/);
      const trial = await ok(["commit", name, "-b", "main", "-m", "x", "--delete", "in.txt", "--dry-run"]);
      expect(trial).toMatch(/^main would be at /);
      const work = git.fresh();
      await git.ok(["clone", "-q", url, work]);
      expect(await git.ok(["log", "-1", "--format=%an|%s"], { cwd: work })).toBe("Ann|Say hello");
      expect(await git.ok(["show", "HEAD:docs/hello.txt", "HEAD:in.txt"], { cwd: work })).toBe("hello\ninput");
      writeFileSync(`${work}/in.txt`, "changed\n");
      const patch = `${await git.ok(["diff", "--binary"], { cwd: work })}\n`;
      const moved = await ok(
        ["commit", name, "-b", "topic", "--start", "main", "-m", "Try it", "--patch", "-", "--json"],
        { input: patch },
      );
      const { oid, branch } = JSON.parse(moved) as { oid: string; branch: string };
      expect([branch, await refs(url)]).toEqual(["topic", expect.stringContaining(`${oid}\trefs/heads/topic`)]);
      await git.ok(["fetch", "-q", "origin"], { cwd: work });
      expect(await git.ok(["show", "origin/topic:in.txt"], { cwd: work })).toBe("changed");
      await ok([
        "commit",
        name,
        "-b",
        "topic",
        "-m",
        "Move",
        "--move",
        "in.txt=out.txt",
        "--executable",
        "docs/hello.txt",
        "--expected-head",
        oid,
      ]);
      await git.ok(["fetch", "-q", "origin"], { cwd: work });
      expect(await git.ok(["ls-tree", "-r", "origin/topic", "docs", "in.txt", "out.txt"], { cwd: work })).toMatch(
        /^100755 blob \w+\tdocs\/hello\.txt\n100644 blob \w+\tout\.txt$/,
      );
      const stale = await run([
        "commit",
        name,
        "-b",
        "topic",
        "-m",
        "x",
        "--delete",
        "out.txt",
        "--expected-head",
        oid,
      ]);
      expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining("is not what was expected") as string });
    });

    it("make, move and delete branches and tags, and point HEAD elsewhere", async () => {
      const { name, url } = await pushed();
      const [head = "", second = ""] = (await journey.git.ok(["rev-list", "main"], { cwd: source })).split("\n");
      expect(await ok(["branch", "set", name, "feature/x", "--at", "main~1", "--expected", "none"])).toBe(
        `feature/x is at ${second}`,
      );
      await ok(["branch", "set", name, "feature/x", "--at", "main"]);
      expect((await run(["branch", "set", name, "feature/x", "--at", "main~2"])).stderr).toContain(
        "would not move forward",
      );
      await ok(["branch", "set", name, "feature/x", "--at", "main~1", "--force"]);
      expect(await ok(["branch", "list", name])).toMatch(/^NAME +OID\nfeature\/x +\w+\nmain +\w+$/);
      expect(await ok(["branch", "default", name, "feature/x"])).toBe("HEAD points to feature/x");
      expect(await journey.git.ok(["ls-remote", "--symref", url, "HEAD"], { cwd: source })).toContain(
        "ref: refs/heads/feature/x\tHEAD",
      );
      await ok(["branch", "delete", name, "main", "--expected", head]);
      await ok(["tag", "create", name, "v1", "--at", "feature/x", "-m", "the first"]);
      expect(await refs(url)).toMatch(new RegExp(`${second}\\trefs/tags/v1\\^\\{\\}`));
      expect(await ok(["tag", "list", name])).toContain("v1");
      await ok(["tag", "delete", name, "v1"]);
      expect(await refs(url)).toBe(`${second}\tHEAD\n${second}\trefs/heads/feature/x`);
    });

    it("have the host sign, once there is a key", async () => {
      const { git } = journey;
      const { name, url } = await pushed();
      const tenant = name.split("/")[0] ?? "";
      const commit = ["commit", name, "-b", "main", "-m", "Signed", "--allow-empty", "--sign"];
      expect((await run(["key", "host", tenant])).code).not.toBe(0);
      expect((await run(commit)).stderr).toContain("has no signing key here");
      const made: unknown = JSON.parse(await ok(["key", "host", tenant, "--make", "--json"]));
      const { public_key: key } = made as { public_key: string };
      expect(await ok(["key", "host", tenant])).toContain(key);
      writeFileSync(git.path("signers"), `* ${key}\n`);
      await ok(commit);
      await ok(["branch", "set", name, "topic", "--at", "main", "--expected", "none"]);
      await ok(["commit", name, "-b", "topic", "-m", "More", "--allow-empty"]);
      await ok(["merge", name, "topic", "--into", "main", "--sign"]);
      await ok(["tag", "create", name, "v1", "--at", "main", "-m", "the first", "--sign"]);
      const work = git.fresh();
      await git.ok(["clone", "-q", url, work]);
      const trust = ["-c", `gpg.ssh.allowedSignersFile=${git.path("signers")}`];
      for (const args of [
        ["verify-commit", "main"],
        ["verify-commit", "main~"],
        ["verify-tag", "v1"],
      ])
        expect((await git.git([...trust, ...args], { cwd: work })).stderr).toMatch(/^Good "git" signature/);
      // A key of one's own, and a repository where everything is signed.
      const pair = makeSshKey(git, "ed25519");
      expect(await ok(["key", "host", tenant, "--set", pair.file])).toContain(pair.fingerprint);
      expect((await run(["key", "host", tenant, "--set", pair.file, "--make"])).code).toBe(2);
      expect((await run(["key", "host", tenant, "--set", `${pair.file}.pub`])).stderr).toContain("no armour");
      await ok(["repo", "set", name, "--sign", "on"]);
      await ok(["commit", name, "-b", "main", "-m", "Signed, too", "--allow-empty"]);
      await git.ok(["fetch", "-q"], { cwd: work });
      writeFileSync(git.path("signers"), `* ${pair.publicKey}`);
      const verified = await git.git([...trust, "verify-commit", "origin/main"], { cwd: work });
      expect(verified.stderr).toMatch(/^Good "git" signature/);
      await ok(["repo", "set", name, "--sign", "off"]);
      await ok(["key", "host", tenant, "--remove"]);
    });

    it("set statuses, and write notes that git reads", async () => {
      const { name, url } = await pushed();
      await ok([
        "status",
        "set",
        name,
        "main",
        "success",
        "--context",
        "ci/build",
        "--description",
        "All well",
        "--url",
        "https://ci.example/1",
      ]);
      expect(await ok(["status", "show", name, "main"])).toMatch(
        /^CONTEXT +STATE +DESCRIPTION +URL\nci\/build +success +All well +https:\/\/ci\.example\/1$/,
      );
      expect(await run(["status", "set", name, "main", "done", "--context", "x"])).toMatchObject({ code: 1 });
      await ok(["repo", "protect", name, "main", "--require-context", "ci/build"]);
      expect(await ok(["repo", "protect", name])).toContain("ci/build");
      const refused = await run(["commit", name, "-b", "main", "-m", "x", "--add", "x=-"], { input: "x" });
      expect(refused).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("status success in 'ci/build'") as string,
      });
      await ok(["notes", "add", name, "main", "-m", "Reviewed"]);
      expect((await run(["notes", "add", name, "main", "-m", "again"])).stderr).toContain("force takes its place");
      await ok(["notes", "append", name, "main", "-m", "twice"]);
      expect(await ok(["notes", "show", name, "main"])).toBe("Reviewed\n\ntwice");
      const { git } = journey;
      await git.ok(["fetch", "-q", url, "refs/notes/commits:refs/notes/commits"], { cwd: source });
      expect(await git.ok(["notes", "show", "main"], { cwd: source })).toBe("Reviewed\n\ntwice");
      expect(await ok(["notes", "remove", name, "main"])).toBe("the note has gone");
      expect(await run(["notes", "show", name, "main"])).toMatchObject({ code: 4 });
    });
  },
  ["thinpack"],
);
