/**
 * The command, run as people and scripts run it: the bundle on the Node that is there, against the running host.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { processTree } from "../../scripts/bench/process-time.ts";
import { HOOK_EVENTS } from "../../src/events/hook.ts";
import { type CommandOptions, type Ran, startCommand } from "../support/command.ts";
import { withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { PROJECT } from "../support/git-process.ts";

/** Runs the command; the sandbox's home is the user's. */
const run = (journey: Journey, args: readonly string[], options: CommandOptions = {}): Promise<Ran> =>
  startCommand(journey.git, args, options).ended;

onEveryHost(
  "the command",
  (journey) => {
    let source: string;
    const ok = async (args: readonly string[], options?: CommandOptions): Promise<string> => {
      const ran = await run(journey, args, options);
      expect(ran).toMatchObject({ code: 0 });
      return ran.stdout.trim();
    };
    const json = async (args: readonly string[]): Promise<unknown> => JSON.parse(await ok([...args, "--json"]));
    const logins = (): string => journey.git.path("home", ".config", "thinpack", "logins.json");

    beforeAll(async () => {
      source = await importFixture(journey.git, "source", linear(3));
    });
    beforeEach(async () => {
      rmSync(logins(), { force: true });
      await ok(["login", journey.base, "--git"], { input: `${journey.token}\n` });
    });

    it("keeps a login where only its user reads it", async () => {
      expect(statSync(logins()).mode & 0o777).toBe(0o600);
      expect(await json(["logins"])).toEqual([{ base: journey.base, tenant: "", operator: true, default: true }]);
      const wrong = await run(journey, ["login", journey.base], { input: "wrong\n" });
      expect(wrong).toMatchObject({ code: 3, stdout: "" });
      expect(wrong.stderr).toContain("does not take this token");
      expect(readFileSync(logins(), "utf8")).not.toContain("wrong");
      await ok(["logout"]);
      expect(await ok(["logins"])).toBe("");
      expect(await run(journey, ["tenant", "list", "--base", "https://nowhere.invalid"])).toMatchObject({ code: 3 });
    });

    it("shows who did what in a tenant", async () => {
      await ok(["tenant", "create", "watched"]);
      await ok(["repo", "create", "watched/one"]);
      const [title, newest] = (await ok(["audit", "watched"])).split("\n");
      expect(title).toMatch(/^WHEN +WHO +WHAT +TO +DETAILS$/);
      expect(newest).toMatch(/ operator +repo\.create +one +visibility=private by_push=false$/);
      expect(await json(["audit", "watched", "--action", "tenant.create"])).toMatchObject([{ actor: "operator" }]);
    });

    it("renames a repository, which git still finds at its old address", async () => {
      const old = withToken(`${journey.base}/moves/old.git`, journey.token);
      await journey.git.ok(["push", "-q", old, "main"], { cwd: source });
      expect(await json(["repo", "rename", "moves/old", "New"])).toMatchObject({ tenant: "moves", name: "New" });
      const copy = journey.git.fresh();
      await journey.git.ok(["clone", "-q", old, copy]);
      await journey.git.ok(["push", "-q", old, "HEAD:refs/heads/more"], { cwd: copy });
      expect(await json(["repo", "refs", "moves/new"])).toMatchObject([
        { name: "refs/heads/main" },
        { name: "refs/heads/more" },
      ]);
      expect(await json(["repo", "show", "moves/old"])).toMatchObject({ name: "New" });
    });

    it("makes, shows, lists, changes and deletes repositories", async () => {
      await ok(["tenant", "create", "shop", "--repos", "2", "--bytes", "1.5GB"]);
      expect(await json(["tenant", "show", "shop"])).toMatchObject({ quotas: { repos: 2, bytes: 1_500_000_000 } });
      await ok(["repo", "create", "shop/one", "--public", "--description", "the first"]);
      await ok(["repo", "create", "shop/two", "--default-branch", "trunk"]);
      const table = (await ok(["repo", "list", "shop"])).split("\n");
      expect(table[0]).toMatch(/^REPOSITORY +VISIBILITY +BRANCH +SIZE/);
      expect(table[1]).toMatch(/^shop\/one +public +main +0 B +the first$/);
      expect(table[2]).toMatch(/^shop\/two +private +trunk /);
      expect(await json(["repo", "set", "shop/two", "--read-only", "on"])).toMatchObject({ read_only: true });
      expect(await run(journey, ["repo", "delete", "shop/two"])).toMatchObject({ code: 2 });
      await ok(["repo", "delete", "shop/two", "--yes"]);
      expect(await run(journey, ["repo", "show", "shop/two"])).toMatchObject({ code: 4, stdout: "" });
      expect(await json(["repo", "list", "shop"])).toMatchObject([{ name: "one" }]);
      await ok(["tenant", "delete", "shop", "--yes"]);
    });

    it("prints what the host says when it refuses", async () => {
      const refused = await run(journey, ["repo", "create", "acme/two words"]);
      expect(refused).toMatchObject({
        code: 1,
        stdout: "",
        stderr: "thinpack: This can't be the name of a repository.\n",
      });
      const unreachable = await run(journey, ["tenant", "list", "--base", "http://127.0.0.1:9", "--token", "x"]);
      expect(unreachable).toMatchObject({ code: 1, stdout: "" });
      expect(unreachable.stderr).toContain("thinpack: http://127.0.0.1:9 can't be reached: ");
    });

    it("adds webhooks and signing keys", async () => {
      await ok(["tenant", "create", "acme"]);
      await ok(["repo", "create", "acme/hooked"]);
      const add = ["hook", "add", "acme/hooked", "https://hooks.invalid/hook", "--event", "push", "--secret-stdin"];
      await ok(add, { input: "sesame\n" });
      const [hook] = (await json(["hook", "list", "acme/hooked"])) as { id: string }[];
      expect(hook).toMatchObject({ url: "https://hooks.invalid/hook", has_secret: true, events: ["push"] });
      await ok(["hook", "set", "acme/hooked", hook?.id ?? "", "--active", "off"]);
      expect(await json(["hook", "list", "acme/hooked"])).toMatchObject([{ active: false }]);
      await ok(["hook", "deliveries", "acme/hooked", hook?.id ?? ""]);
      await ok(["hook", "remove", "acme/hooked", hook?.id ?? ""]);
      expect(await ok(["hook", "list", "acme/hooked"])).toBe("");
      const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
      await ok(["key", "add", "acme", "-", "--title", "a laptop"], { input: `${key} me@here\n` });
      const [{ fingerprint } = { fingerprint: "" }] = (await json(["key", "list", "acme"])) as {
        fingerprint: string;
      }[];
      expect(await ok(["key", "list", "acme"])).toContain("a laptop");
      await ok(["key", "remove", "acme", fingerprint]);
      expect(await json(["key", "list", "acme"])).toEqual([]);
    });

    it("exports what git takes as its own", async () => {
      const { git } = journey;
      await git.ok(["push", "-q", `${journey.base}/acme/taken.git`, "main"], { cwd: source });
      const directory = git.fresh("exported");
      expect(await json(["export", "acme/taken", directory])).toMatchObject({ directory });
      await git.fsck(directory);
      expect(await git.ok(["rev-parse", "main"], { cwd: directory })).toBe(
        await git.ok(["rev-parse", "main"], { cwd: source }),
      );
      expect(await run(journey, ["export", "acme/nothing", git.fresh()])).toMatchObject({ code: 4 });
    });

    it("tells how it is used, and which words it does not know", async () => {
      for (const args of [["--help"], ["repo", "--help"], ["token", "create", "--help"]]) {
        expect(await ok(args)).toContain("Usage: thinpack");
      }
      for (const args of [["nothing"], ["repo", "show"], ["repo", "show", "noslash"], ["token", "create", "acme"]]) {
        expect(await run(journey, args)).toMatchObject({ code: 2, stdout: "" });
      }
    });

    it("makes tokens, which git gets without a token in its URL and without asking", async () => {
      const { git, base } = journey;
      await ok(["tenant", "create", "acme"]);
      await ok(["repo", "create", "acme/widgets"]);
      const writer = await ok([
        "token",
        "create",
        "acme",
        "--name",
        "ci",
        "--scope",
        "repo:write",
        "--expires-in",
        "1h",
      ]);
      await ok(["logout"]);
      const refused = await git.git(["push", "-q", `${base}/acme/widgets.git`, "main"], { cwd: source });
      expect(refused.code).not.toBe(0);
      await ok(["login", base], { input: writer });
      await git.ok(["push", "-q", `${base}/acme/widgets.git`, "main"], { cwd: source });
      expect(await json(["repo", "refs", "acme/widgets"])).toMatchObject([{ name: "refs/heads/main" }]);
      const own = await run(journey, ["tenant", "list"]);
      expect(own).toMatchObject({ code: 3 });
    });

    it("stores only the token of the login, and forgets it when the host no longer takes it", async () => {
      const { git, base } = journey;
      await ok(["tenant", "create", "acme"]);
      const make = async (scope: string): Promise<{ id: string; token: string }> =>
        (await json(["token", "create", "acme", "--name", "short", "--scope", scope])) as { id: string; token: string };
      const [login, passing] = [await make("tenant:admin"), await make("repo:read")];
      await git.ok(["push", "-q", `${base}/acme/kept.git`, "main"], { cwd: source });
      // Git says `store` of a token in a URL, and `erase` once it is revoked.
      const before = readFileSync(logins(), "utf8");
      await git.ok(["ls-remote", withToken(`${base}/acme/kept.git`, passing.token)]);
      expect(readFileSync(logins(), "utf8")).toBe(before);
      await ok(["token", "revoke", "acme", passing.id]);
      expect((await git.git(["ls-remote", withToken(`${base}/acme/kept.git`, passing.token)])).code).not.toBe(0);
      expect(readFileSync(logins(), "utf8")).toBe(before);
      await ok(["logout"]);
      await ok(["login", base], { input: login.token });
      await git.ok(["ls-remote", `${base}/acme/kept.git`]);
      await ok(["token", "revoke", "acme", login.id, "--token", journey.token, "--base", base]);
      const refused = await run(journey, ["repo", "show", "acme/kept"]);
      expect(refused).toMatchObject({ code: 3 });
      expect(refused.stderr).toContain(`run: thinpack login ${base}`);
      expect((await git.git(["ls-remote", `${base}/acme/kept.git`])).code).not.toBe(0);
      expect(await json(["logins"])).toEqual([]);
    });

    it("leaves no token with other credential helpers", async () => {
      const { git, base } = journey;
      await git.ok(["push", "-q", `${base}/acme/alone.git`, "main"], { cwd: source });
      const config = (...args: string[]): Promise<string> => git.ok(["config", "--global", ...args]);
      await config("credential.helper", "store");
      try {
        await ok(["login", base, "--git"], { input: `${journey.token}\n` });
        await git.ok(["ls-remote", `${base}/acme/alone.git`]);
        expect(existsSync(git.path("home", ".git-credentials"))).toBe(false);
        const helpers = (await config("--get-all", `credential.${base}.helper`)).split("\n");
        expect(helpers).toEqual(["", expect.stringMatching(/^!'[^']+' '[^']+thinpack\.cjs' credential$/)]);
      } finally {
        await config("--unset", "credential.helper");
      }
    });

    it("tells where git gives the token to a helper that was configured later", async () => {
      const { git, base } = journey;
      await git.ok(["push", "-q", `${base}/acme/behind.git`, "main"], { cwd: source });
      const config = (...args: string[]): Promise<string> => git.ok(["config", "--global", ...args]);
      const kept = git.path("home", "secret-file");
      const list = async (): Promise<string> => {
        const { code, stderr } = await git.git(["ls-remote", `${base}/acme/behind.git`]);
        expect(code).toBe(0);
        return stderr;
      };
      expect(await list()).not.toContain("warning");
      // Sections are in the order in which they were made, so this one is behind that of the login.
      await config("credential.https://elsewhere.invalid.helper", "cache");
      await config("credential.helper", `store --file=${kept}`);
      await config("--add", "credential.helper", "!f() { true secret; }; f");
      try {
        const warning = await list();
        expect(warning).toContain("git offers this token to 'store' and a shell command, too, to keep it");
        expect(warning).not.toContain("secret");
        expect(existsSync(kept)).toBe(true);
        rmSync(kept);
        await ok(["login", base, "--git"], { input: `${journey.token}\n` });
        expect(await list()).not.toContain("warning");
        expect(existsSync(kept)).toBe(false);
      } finally {
        await config("--unset-all", "credential.helper");
        await config("--unset", "credential.https://elsewhere.invalid.helper");
      }
    });

    it("is not hidden by the token of a tenant that the host takes no longer", async () => {
      const { base } = journey;
      const make = async (name: string): Promise<{ id: string; token: string }> =>
        (await json(["token", "create", "acme", "--name", name, "--scope", "repo:read"])) as {
          id: string;
          token: string;
        };
      await ok(["tenant", "create", "acme"]);
      await ok(["tenant", "create", "living"]);
      const living = await ok(["token", "create", "living", "--name", "good", "--scope", "repo:read"]);
      const dead = await make("dead");
      for (const token of [dead.token, living]) await ok(["login", base], { input: token });
      await ok(["token", "revoke", "acme", dead.id, "--token", journey.token]);
      expect(await run(journey, ["token", "list", "acme"])).toMatchObject({ code: 3 });
      const again = await run(journey, ["login", base], { input: journey.token });
      expect(again).toMatchObject({ code: 0, stderr: `forgot the token of acme, which ${base} takes no longer\n` });
      await ok(["token", "list", "acme"]);
      expect(await json(["logins"])).toMatchObject([{ tenant: "" }, { tenant: "living" }]);
    });

    it("answers git only for the hosts that it knows", async () => {
      const { host } = new URL(journey.base);
      const ask = (lines: string, env: Record<string, string> = {}): Promise<string> =>
        ok(["credential", "get"], { input: `${lines}\n\n`, env });
      expect(await ask(`protocol=http\nhost=${host}`)).toBe(`username=git\npassword=${journey.token}`);
      expect(await ask(`protocol=http\nhost=${host}\nusername=me`)).toBe(`username=me\npassword=${journey.token}`);
      expect(await ask(`protocol=https\nhost=${host}`)).toBe("");
      expect(await ask("protocol=https\nhost=elsewhere.invalid", { THINPACK_TOKEN: "x" })).toBe("");
      expect(await ask("protocol=ssh\nhost=elsewhere.invalid")).toBe("");
      expect(await ask("")).toBe("");
      const env = { THINPACK_TOKEN: "x", THINPACK_BASE: "https://ci.invalid" };
      expect(await ask("protocol=https\nhost=ci.invalid", env)).toBe("username=git\npassword=x");
      expect(await ask(`protocol=http\nhost=${host}`, env)).toBe(`username=git\npassword=${journey.token}`);
      await ok(["credential", "store"], { input: `protocol=http\nhost=${host}\nusername=a\npassword=passing\n\n` });
      expect(readFileSync(logins(), "utf8")).not.toContain("passing");
      await ok(["credential", "erase"], { input: `protocol=http\nhost=${host}\nusername=a\npassword=passing\n\n` });
      expect(readFileSync(logins(), "utf8")).toContain(journey.token);
      expect(await ok(["credential", "capability"], { input: "" })).toBe("");
    });

    it("chooses a tenant's own token by the path", async () => {
      const { base } = journey;
      await ok(["tenant", "create", "acme"]);
      const own = await ok(["token", "create", "acme", "--name", "own", "--scope", "repo:read"]);
      await ok(["login", base], { input: own });
      const lines = `protocol=http\nhost=${new URL(base).host}`;
      expect(await ok(["credential", "get"], { input: `${lines}\npath=acme/x.git\n` })).toContain(own);
      expect(await ok(["credential", "get"], { input: `${lines}\npath=other/x.git\n` })).toContain(journey.token);
      await ok(["credential", "erase"], { input: `${lines}\npassword=${own}\n` });
      expect(await json(["logins"])).toMatchObject([{ operator: true }]);
    });
    it("tells who is logged in, clones with that, and puts no token into the clone", async () => {
      const { git, base } = journey;
      await git.ok(["push", "-q", `${base}/acme/cloned.git`, "main"], { cwd: source });
      expect(await json(["whoami"])).toEqual({ host: base, as: "operator" });
      expect(await run(journey, ["whoami", "--token", "wrong"])).toMatchObject({ code: 3, stdout: "" });
      await ok(["logout"]);
      const create = ["token", "create", "acme", "--name", "reader", "--scope", "repo:read"];
      const reader = await ok([...create, "--base", base, "--token", journey.token]);
      await ok(["login", base], { input: reader });
      expect(await json(["whoami"])).toEqual({ host: base, as: "tenant acme" });
      await git.git(["config", "--global", "--unset-all", `credential.${base}.helper`]);
      const directory = git.fresh("clone");
      await ok(["repo", "clone", "acme/cloned", directory, "--", "--depth=1"]);
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: directory })).toBe(
        await git.ok(["rev-parse", "HEAD"], { cwd: source }),
      );
      expect(readFileSync(`${directory}/.git/config`, "utf8")).not.toContain(reader);
      expect(await run(journey, ["repo", "clone", "acme/nothing", git.fresh()])).toMatchObject({ code: 1 });
    });

    it("protects branches, and lists what moved", async () => {
      const { git, base } = journey;
      const url = `${base}/acme/ruled.git`;
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      await ok(["repo", "protect", "acme/ruled", "main"]);
      expect((await git.git(["push", "-q", url, "+main~1:main"], { cwd: source })).stderr).toContain("main");
      await ok(["repo", "protect", "acme/ruled", "release/*", "--pusher", "bot", "--require-signed"]);
      const table = (await ok(["repo", "protect", "acme/ruled"])).split("\n");
      expect(table[0]).toMatch(/^PATTERN +PUSHERS +FORCE PUSH +DELETION +ONLY SIGNED +CONTEXTS$/);
      expect(table[1]).toMatch(/^main +everybody +no +no +no$/);
      expect(table[2]).toMatch(/^release\/\* +bot +no +no +yes$/);
      await ok(["repo", "protect", "acme/ruled", "main", "--remove"]);
      expect(await run(journey, ["repo", "protect", "acme/ruled", "main", "--remove"])).toMatchObject({ code: 4 });
      await git.ok(["push", "-q", url, "+main~1:main"], { cwd: source });
      const log = (await ok(["reflog", "acme/ruled"])).split("\n");
      expect(log).toHaveLength(3);
      expect(log[1]).toMatch(/^2 +(?:now|\d+ seconds? ago) +operator +refs\/heads\/main +[0-9a-f]{12} +[0-9a-f]{12}$/);
      expect(log[2]).toMatch(/ operator +refs\/heads\/main +- +[0-9a-f]{12}$/);
      expect(await json(["reflog", "acme/ruled", "--limit", "1"])).toMatchObject([{ ref: "refs/heads/main", push: 2 }]);
      expect(await ok(["repo", "restore", "acme/ruled", "2"])).toContain("refs/heads/main");
      expect(await run(journey, ["repo", "restore", "acme/ruled", "2"])).toMatchObject({ code: 1 });
      expect(await ok(["repo", "maintenance", "acme/ruled", "--run"])).toMatch(/^all +\d+ packs, \d+ objects/);
      expect(await json(["repo", "maintenance", "acme/ruled"])).toMatchObject({ due: null, purging: false });
    });

    it("follows events, and ends at once when it is interrupted", async () => {
      const { git, base } = journey;
      const url = `${base}/acme/followed.git`;
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      const { child, ended } = startCommand(git, ["events", "acme/followed", "--follow", "--since", "0", "--json"]);
      const lines =
        child.stdout === null ? undefined : createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => JSON.parse(String((await lines?.next())?.value));
      expect(await next()).toMatchObject({ type: "ref", name: "refs/heads/main", seq: 1 });
      await git.ok(["push", "-q", url, "main:later"], { cwd: source });
      expect(await next()).toMatchObject({ name: "refs/heads/later", seq: 2 });
      child.kill("SIGINT");
      await ended;
      expect(child.signalCode ?? child.exitCode).toBe("SIGINT");
      expect(await run(journey, ["events", "acme/none", "--follow"])).toMatchObject({ code: 4 });
      expect(await run(journey, ["events", "acme/followed"])).toMatchObject({ code: 2 });
    });

    it("sends any request to the API", async () => {
      expect(await ok(["api", "-X", "put", "repos/acme/asked", "-f", "description=12"])).toContain(
        '"description":"12"',
      );
      expect(await ok(["api", "/api/v1/repos/acme/asked"])).toContain('"name":"asked"');
      expect(await ok(["api", "-X", "PATCH", "/repos/acme/asked", "-F", "read_only=true"])).toContain(
        '"read_only":true',
      );
      expect(await ok(["api", "-X", "PATCH", "repos/acme/asked", "--input", "-"], { input: "{}" })).toContain("asked");
      expect(await ok(["api", "-X", "DELETE", "repos/acme/asked"])).toBe("");
      expect(await run(journey, ["api", "repos/acme/asked"])).toMatchObject({ code: 4, stdout: "" });
      expect(await run(journey, ["api", "repos/acme/asked", "-F", "nothing"])).toMatchObject({ code: 2 });
    });

    it("completes commands for the shell", async () => {
      const complete = async (...words: string[]): Promise<string[]> =>
        (await ok(["complete", "--", ...words])).split("\n");
      expect(await complete("re")).toEqual(["reflog", "repo", "revert"]);
      expect(await complete("repo", "cl")).toEqual(["clone"]);
      expect(await complete("repo", "create", "--pu")).toEqual(["--public"]);
      for (const shell of ["bash", "zsh", "fish"]) expect(await ok(["completion", shell])).toContain("complete --");
      expect(await run(journey, ["completion", "csh"])).toMatchObject({ code: 2 });
      const bin = journey.git.path("bin");
      mkdirSync(bin, { recursive: true });
      const script = `#!/bin/sh\nexec '${process.execPath}' '${PROJECT}/scripts/thinpack.mjs' "$@"\n`;
      writeFileSync(`${bin}/thinpack`, script, { mode: 0o755 });
      const asked =
        'source <(thinpack completion bash); COMP_WORDS=(thinpack mirror s); COMP_CWORD=2; _thinpack; echo "${COMPREPLY[*]}"';
      const { stdout } = spawnSync("bash", ["-c", asked], {
        env: { ...journey.git.environment(), PATH: `${bin}:${process.env["PATH"] ?? ""}` },
        encoding: "utf8",
      });
      expect(stdout).toBe("set show stop sync\n");
    });

    it("warns of a token or key for a repository that is not there, and makes it", async () => {
      await ok(["tenant", "create", "acme"]);
      await ok(["repo", "create", "acme/before"]);
      await ok(["repo", "rename", "acme/before", "after"]);
      const make = async (...repos: string[]): Promise<Ran> => {
        const asked = repos.flatMap((repo) => ["--repo", repo]);
        return await run(journey, ["token", "create", "acme", "--name", "ci", "--scope", "repo:read", ...asked]);
      };
      expect(await make()).toMatchObject({ code: 0, stderr: "" });
      expect(await make("After")).toMatchObject({ code: 0, stderr: "" });
      const warned = await make("after", "none", "before");
      const warnings =
        "warning: acme has no repository none\nwarning: acme has no repository before: it is after now\n";
      expect(warned).toMatchObject({ code: 0, stderr: warnings });
      expect(warned.stdout).toMatch(/^\S+\n$/);
      const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
      const add = ["key", "add", "acme", "-", "--ssh", "--scope", "repo:read", "--repo", "none"];
      const added = await run(journey, add, { input: `${key} me@here\n` });
      expect(added).toMatchObject({ code: 0, stderr: "warning: acme has no repository none\n" });
    });

    it("refuses in its own words, and in the API's where a request is sent by hand", async () => {
      await ok(["tenant", "create", "acme"]);
      await ok(["repo", "create", "acme/there"]);
      const differs = "It exists already, and differs in visibility.";
      expect(await run(journey, ["repo", "create", "acme/there", "--public"])).toMatchObject({
        code: 1,
        stderr: `thinpack: ${differs} The command \`set\` changes what exists.\n`,
      });
      const byHand = ["api", "-X", "PUT", "repos/acme/there", "-f", "visibility=public"];
      expect(await run(journey, byHand)).toMatchObject({
        code: 1,
        stderr: `thinpack: ${differs} PATCH changes what exists.\n`,
      });
      await journey.git.ok(["push", "-q", `${journey.base}/acme/there.git`, "main"], { cwd: source });
      const commit = ["commit", "acme/there", "--branch", "main", "--message", "nothing"];
      const nothing = await run(journey, commit);
      expect(nothing.stderr).toContain("; --allow-empty makes such a commit");
    });

    it("revokes a token by its name, if only one has it", async () => {
      await ok(["tenant", "create", "acme"]);
      const make = ["token", "create", "acme", "--name", "twice", "--scope", "repo:read", "--json"];
      const { id } = JSON.parse(await ok(make)) as { id: string };
      await ok(make);
      const both = await run(journey, ["token", "revoke", "acme", "twice"]);
      expect(both).toMatchObject({ code: 2 });
      expect(both.stderr).toContain(id);
      await ok(["token", "revoke", "acme", id]);
      await ok(["token", "revoke", "acme", "twice"]);
      expect(await run(journey, ["token", "revoke", "acme", "twice"])).toMatchObject({ code: 4 });
    });

    it("revokes a token together with the tokens that it made", async () => {
      await ok(["tenant", "create", "acme"]);
      const make = (name: string): string[] => ["token", "create", "acme", "--name", name, "--scope", "tenant:admin"];
      const maker = await ok(make("maker"));
      const child = await ok([...make("child"), "--token", maker, "--base", journey.base]);
      await ok([...make("grandchild"), "--token", child, "--base", journey.base]);
      expect(await ok(["token", "revoke", "acme", "maker", "--children"])).toContain(", and 2 tokens that came of it");
      const left = JSON.parse(await ok(["token", "list", "acme", "--json"])) as { name: string }[];
      expect(left.filter(({ name }) => ["maker", "child", "grandchild"].includes(name))).toEqual([]);
      await ok(make("alone"));
      expect(await ok(["token", "revoke", "acme", "alone"])).toMatch(/^revoked \w+$/);
    });

    it("imports branches and tags, and all refs if asked", async () => {
      const { git } = journey;
      const upstream = git.fresh("upstream");
      await git.ok(["clone", "-q", "--bare", source, upstream]);
      await git.ok(["tag", "v1", "main"], { cwd: upstream });
      for (let at = 0; at < 40; at++) await git.ok(["update-ref", `refs/pull/${at}/head`, "main"], { cwd: upstream });
      const imported = await run(journey, ["import", upstream, "acme/imported"]);
      expect(imported).toMatchObject({ code: 0, stderr: "" });
      expect(imported.stdout).toMatch(/^imported 2 refs, \d+ objects, [\d.]+ K?B into acme\/imported\n$/);
      expect(await json(["repo", "refs", "acme/imported"])).toHaveLength(2);
      expect(await ok(["import", "--all-refs", upstream, "acme/imported-all"])).toContain("imported 42 refs");
    });

    it("imports and exports where git takes no bare repository for one unless it is told, as Git 3.0", async () => {
      const { git } = journey;
      const env = {
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.bareRepository",
        GIT_CONFIG_VALUE_0: "explicit",
      };
      const [upstream, directory] = [git.fresh("upstream"), git.fresh("exported")];
      await git.ok(["clone", "-q", "--bare", source, upstream]);
      expect(await run(journey, ["import", upstream, "acme/explicit"], { env })).toMatchObject({ code: 0, stderr: "" });
      expect(await run(journey, ["export", "acme/explicit", directory], { env })).toMatchObject({ code: 0 });
      expect((await git.git(["rev-parse", "main"], { cwd: directory, env })).stderr).toContain("safe.bareRepository");
      expect(await git.ok(["--git-dir", directory, "rev-parse", "main"], { env })).toBe(
        await git.ok(["rev-parse", "main"], { cwd: source }),
      );
    });

    it("leaves nothing of an import that is interrupted", async () => {
      const { git } = journey;
      const temporary = git.fresh("tmp");
      mkdirSync(temporary);
      // An upstream that takes the connection and never answers.
      const silent = createServer(() => undefined).listen(0, "127.0.0.1");
      const asked = once(silent, "connection");
      await once(silent, "listening");
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x.git`;
      const { child, ended } = startCommand(git, ["import", url, "acme/never"], { env: { TMPDIR: temporary } });
      await asked;
      expect(readdirSync(temporary)).toHaveLength(1);
      const below = processTree(child.pid ?? 0).filter((pid) => pid !== child.pid);
      expect(below.length).toBeGreaterThan(0);
      child.kill("SIGTERM");
      expect((await ended).code).toBe(143);
      expect(readdirSync(temporary)).toEqual([]);
      await vi.waitFor(() => expect(below.filter((pid) => existsSync(`/proc/${pid}/cmdline`))).toEqual([]), 10_000);
      silent.closeAllConnections();
      silent.close();
    });

    it("leaves nothing of a mirror that is refused, and lists the mirrors that there are", async () => {
      const refused = await run(journey, ["mirror", "set", "acme/refused", "git@github.invalid:x/y.git"]);
      expect(refused.code).toBe(1);
      expect(await run(journey, ["repo", "show", "acme/refused"])).toMatchObject({ code: 4 });
      await ok(["mirror", "set", "acme/followed-mirror", "https://upstream.invalid/x.git", "--interval", "15m"]);
      const [title, row] = (await ok(["mirror", "list", "acme"])).split("\n");
      expect(title).toMatch(/^REPOSITORY +UPSTREAM +EVERY +SYNCED +LAG +STATE$/);
      expect(row).toMatch(/^acme\/followed-mirror +https:\/\/upstream.invalid\/x.git +15 minutes +never +- +\S/);
    });

    it("ends without an error when its output is no longer read", async () => {
      await ok(["tenant", "create", "acme"]);
      const { child, ended } = startCommand(journey.git, ["api", "openapi.json"]);
      child.stdout?.destroy();
      expect(await ended).toMatchObject({ code: 0, stderr: "" });
    });

    it("prints help in lines that fit, with examples", async () => {
      expect(await ok(["--help"])).toContain(
        "Exit codes: 0 success · 1 failure · 2 usage · 3 not allowed · 4 not found",
      );
      for (const args of [["import"], ["push-large"], ["export"], ["credential"], ["login"], ["mirror", "set"]]) {
        for (const line of (await ok([...args, "--help"])).split("\n")) expect(line.length).toBeLessThanOrEqual(96);
      }
      const shown = ["repo create", "token create", "mirror set", "repo protect", "hook add", "import", "push-large"];
      for (const args of [[], ...[...shown, "export", "login"].map((words) => words.split(" "))]) {
        const text = await ok([...args, "--help"]);
        expect(text).toContain("Examples:\n  thinpack ");
        // eslint-disable-next-line no-control-regex -- what colours begin with
        expect(text).not.toMatch(/\x1b/);
      }
      expect((await ok(["hook", "add", "--help"])).split(/[\s,;]+/)).toEqual(expect.arrayContaining([...HOOK_EVENTS]));
      await ok(["repo", "create", "acme/hookless"]);
      const empty = await run(journey, ["hook", "list", "acme/hookless"]);
      expect(empty).toMatchObject({ code: 0, stdout: "", stderr: "no webhooks in acme/hookless\n" });
    });
  },
  ["thinpack"],
);
