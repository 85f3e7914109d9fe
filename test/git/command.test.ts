/**
 * The command, run as people and scripts run it: the bundle on the Node that is there, against the running host.
 */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { type CommandOptions, type Ran, startCommand } from "../support/command.ts";
import { withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";

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

    it("says what the host says where it refuses", async () => {
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

    it("says how it is used, and what it does not know", async () => {
      for (const args of [["--help"], ["repo", "--help"], ["token", "create", "--help"]]) {
        expect(await ok(args)).toContain("Usage: thinpack");
      }
      for (const args of [["nothing"], ["repo", "show"], ["repo", "show", "noslash"], ["token", "create", "acme"]]) {
        expect(await run(journey, args)).toMatchObject({ code: 2, stdout: "" });
      }
    });

    it("makes tokens, which git gets without a URL or a question", async () => {
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

    it("forgets a token that the host does not take any more, and keeps one that git was given", async () => {
      const { git, base } = journey;
      await ok(["tenant", "create", "acme"]);
      const made = (await json(["token", "create", "acme", "--name", "short", "--scope", "tenant:admin"])) as {
        id: string;
        token: string;
      };
      await ok(["logout"]);
      const other = await importFixture(git, "other", linear(2));
      // As git does after it asked its user.
      await git.ok(["push", "-q", withToken(`${base}/acme/kept.git`, made.token), "main"], { cwd: other });
      await ok(["credential", "store"], {
        input: `protocol=http\nhost=${new URL(base).host}\nusername=git\npassword=${made.token}\n\n`,
      });
      await git.ok(["ls-remote", `${base}/acme/kept.git`]);
      await ok(["token", "revoke", "acme", made.id, "--token", journey.token, "--base", base]);
      expect((await git.git(["ls-remote", `${base}/acme/kept.git`])).code).not.toBe(0);
      expect(await ok(["logins"])).toBe("");
      expect(existsSync(logins())).toBe(true);
    });

    it("answers git for the hosts it knows alone", async () => {
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
      await ok(["credential", "store"], { input: `protocol=https\nhost=github.invalid\nusername=a\npassword=b\n\n` });
      expect(readFileSync(logins(), "utf8")).not.toContain("github");
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
  },
  ["thinpack"],
);
