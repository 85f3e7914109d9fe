/** Clones that have the old address of a renamed repository, and a credential helper, as most people's have. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { type StartedHost, startProject } from "../support/git-process.ts";

const TOKEN = "renamed-token";

describe("a clone of a renamed repository", () => {
  const git = new GitSandbox("renamed");
  let host: StartedHost;
  let operator: ReturnType<typeof apiClient>;

  beforeAll(async () => {
    host = await startProject(git.path("state"), TOKEN);
    operator = apiClient(host.base, TOKEN);
  });

  afterAll(async () => {
    await host.stop();
    git.close();
  });

  const withHelper = (token: string): string[] => [
    "-c",
    `credential.helper=!f() { echo username=git; echo password=${token}; }; f`,
  ];

  /** Pushes a repository, renames it, and returns its old address. */
  async function renamed(name: string): Promise<{ readonly url: string; readonly cwd: string }> {
    const cwd = await git.init(`work-${name}`);
    await git.commit(cwd, "a.txt", "a\n");
    const url = `${host.base}/acme/${name}.git`;
    await git.ok(["push", "-q", withToken(url, TOKEN), "main"], { cwd });
    await git.ok(["remote", "add", "origin", url], { cwd });
    expect((await operator("PATCH", `/repos/acme/${name}`, { name: `${name}-2` })).status).toBe(200);
    return { url, cwd };
  }

  it("lists, fetches and pushes as before, with credentials from a helper", async () => {
    const { url, cwd } = await renamed("one");
    const helper = withHelper(TOKEN);
    const tip = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    expect(await git.ok([...helper, "ls-remote", url, "main"])).toContain(tip);
    for (const version of ["0", "2"]) {
      const copy = git.fresh("copy");
      await git.ok([...helper, "-c", `protocol.version=${version}`, "clone", "-q", url, copy]);
      expect((await git.ok(["rev-parse", "HEAD"], { cwd: copy })).trim()).toBe(tip);
    }
    await git.commit(cwd, "b.txt", "b\n");
    const next = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    await git.ok([...helper, "push", "-q", "origin", "main"], { cwd });
    const moved = withToken(`${host.base}/acme/one-2.git`, TOKEN);
    expect(await git.ok(["ls-remote", moved, "refs/heads/main"])).toContain(next);
    await git.ok([...helper, "fetch", "-q", "origin"], { cwd });
  });

  it("is let in with a token for this repository alone, and with no other", async () => {
    const token = await issueToken(operator, "acme", "repo:write", { repos: ["two"] });
    const { url, cwd } = await renamed("two");
    await git.commit(cwd, "b.txt", "b\n");
    await git.ok([...withHelper(token), "push", "-q", "origin", "main"], { cwd });
    await git.ok([...withHelper(token), "fetch", "-q", "origin"], { cwd });
    const other = await issueToken(operator, "acme", "repo:write", { repos: ["one-2"] });
    for (const args of [
      ["ls-remote", url],
      ["push", url, "main:refs/heads/x"],
    ]) {
      const refused = await git.git([...withHelper(other), ...args], { cwd });
      expect([refused.code, refused.stderr]).toEqual([128, expect.stringContaining("not found")]);
    }
  });
});
