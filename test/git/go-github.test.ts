/** google/go-github, which programs in Go use for GitHub's API, writes to a repository; git reads what came of it. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), "..", "support", "clients", "go-github-api", "main.go");
/** Where Debian's packages of Go's libraries are. */
const GO_PATH = "/usr/share/gocode";

/** Why go-github can't be run here; `undefined` if it can. */
function goGithubMissing(): string | undefined {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "go is not installed";
  return existsSync(join(GO_PATH, "src/github.com/google/go-github")) ? undefined : "go-github is not installed";
}

const MISSING = goGithubMissing();
const git = new GitSandbox("go-github");
let host: RunningHost;

beforeAll(async () => {
  host = await startTestHost();
});
afterAll(async () => {
  await host.stop();
  git.close();
});

it.skipIf(MISSING !== undefined && process.env["CI"] === undefined)(
  `go-github makes, merges, commits, sets statuses and forks${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`,
  async () => {
    if (MISSING !== undefined) throw new Error(MISSING);
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/tenants/acme");
    const token = await issueToken(operator, "acme", "tenant:admin");
    const env = {
      ...git.environment(),
      GO111MODULE: "off",
      GOPATH: GO_PATH,
      GOCACHE: git.path("go-cache"),
      GOFLAGS: "",
    };
    const args = ["run", PROGRAM, `${host.base}/api/v3/`, token, "acme", "gopher"];
    const { stdout } = await promisify(execFile)("go", args, { env });
    expect(stdout.trim().split("\n")).toEqual([
      "repository acme/gopher true",
      "merge 201 2 Bring b in",
      "merge 204 0",
      "merge 409 Merge conflict",
      "merge 404 Base does not exist",
      "merge 404 Head does not exist",
      `contents ${btoa("e\n")} ${await git.ok(["hash-object", "--stdin"], { input: "e\n" })}`,
      "status success 1",
      "branches 4",
      "fork 202",
    ]);
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", withToken(`${host.base}/acme/gopher.git`, token), clone]);
    await git.ok(["fsck", "--strict"], { cwd: clone });
    expect(await git.ok(["log", "--first-parent", "--format=%s"], { cwd: clone })).toBe(
      ["two files", "Bring b in", "ours", "first"].join("\n"),
    );
    expect(await git.ok(["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD"], { cwd: clone })).toBe(
      ["100644 a.txt", "100644 b.txt", "100644 c.txt", "100644 d/e.txt", "100755 d/f.sh"].join("\n"),
    );
    const branches = await git.ok(["ls-remote", "--heads", withToken(`${host.base}/acme/gopher-fork.git`, token)]);
    expect(branches.split("\n").map((line) => line.slice("refs/heads/".length + 41))).toEqual([
      "clash",
      "main",
      "topic",
    ]);
  },
);
