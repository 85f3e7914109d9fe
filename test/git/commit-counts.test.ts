/**
 * Budgets of one commit by the API in storage operations, as `Server-Timing` tells them: cold, in an isolate that has
 * never seen the repository, and warm.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { type FixtureStream, importFixture, noise, project } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";

/** A file deep below the root, of each repository. */
const PATH = "src/7/127/file-127.txt";
const git = new GitSandbox("commit-counts");
const options = { stateDir: git.path("state"), publishAfter: "60" };
let host: RunningHost | undefined;
let writer: ApiClient;

/** A project with a history of 40 MB, so that its tip is copied, and with the files that git's checks read with each new tree beside them. */
function large(): FixtureStream {
  const stream = project(5);
  const main = "refs/heads/main";
  for (let at = 0; at < 5; at++) stream.commit(main, [{ path: "large.bin", content: noise(8_000_000, at) }]);
  stream.commit(main, [
    { path: "large.bin", content: "gone\n" },
    { path: ".gitattributes", content: "*.bin binary\n" },
    { path: ".gitmodules", content: '[submodule "a"]\n\tpath = a\n\turl = ../a.git\n' },
  ]);
  return stream;
}

beforeAll(async () => {
  const first = (host = await startTestHost(options));
  const operator = apiClient(first.base, "test-token");
  await operator("PUT", "/tenants/acme");
  const token = await issueToken(operator, "acme", "repo:write");
  for (const [name, stream] of [
    ["widgets", project(20)],
    ["large", large()],
  ] as const) {
    await operator("PUT", `/repos/acme/${name}`);
    const source = await importFixture(git, name, stream);
    await git.ok(["push", "-q", withToken(`${first.base}/acme/${name}.git`, token), "main"], { cwd: source });
  }
  await first.stop();
  host = await startTestHost(options);
  writer = apiClient(host.base, token);
});
afterAll(async () => {
  await host?.stop();
  git.close();
});

/** Reads what a request cost. */
function costOf(headers: Headers): Record<string, number> {
  const timing = headers.get("Server-Timing") ?? "";
  return Object.fromEntries(
    Array.from(timing.matchAll(/(\w+);desc="(\d+)"/g), ([, key, value]) => [key, Number(value)]),
  );
}

it.each([
  ["widgets", "a repository of 4,000 files", 10],
  ["large", "one whose tip is copied", 5],
] as const)(
  "one commit by the API to %s, %s, takes 3 Durable Object calls, %i R2 reads cold and none warm, and no R2 write before its answer",
  async (name, _, reads) => {
    const costs: Record<string, number>[] = [];
    for (const content of ["cold", "warm"]) {
      const actions = [{ action: "update", path: PATH, content }];
      const order = { branch: "main", message: "x", actions };
      const { status, headers } = await writer("POST", `/repos/acme/${name}/commits`, order);
      expect(status).toBe(201);
      costs.push(costOf(headers));
    }
    const [cold = {}, warm = {}] = costs;
    for (const cost of [cold, warm]) {
      expect(cost["do"]).toBeGreaterThan(0);
      expect(cost["do"]).toBeLessThanOrEqual(3);
      expect(cost["r2w"]).toBe(0);
    }
    expect(cold["r2r"]).toBeGreaterThan(0);
    expect(cold["r2r"]).toBeLessThanOrEqual(reads);
    expect(warm["r2r"]).toBe(0);
  },
);
