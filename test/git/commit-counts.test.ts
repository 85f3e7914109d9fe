/**
 * Budgets of one commit by the API in storage operations, as `Server-Timing` tells them: cold, in an isolate that has
 * never seen the repository, and warm.
 */
import { afterAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, project } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost | undefined;
const git = new GitSandbox("commit-counts");
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

it("one commit by the API takes 3 Durable Object calls, 10 R2 reads cold and none warm, and no R2 write before its answer", async () => {
  const options = { stateDir: git.path("state"), publishAfter: "60" };
  host = await startTestHost(options);
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  const token = await issueToken(operator, "acme", "repo:write");
  await operator("PUT", "/repos/acme/widgets");
  const source = await importFixture(git, "source", project(20));
  const files = (await git.ok(["ls-tree", "-r", "--name-only", "main"], { cwd: source })).split("\n");
  await git.ok(["push", "-q", withToken(`${host.base}/acme/widgets.git`, token), "main"], { cwd: source });
  await host.stop();
  host = await startTestHost(options);
  const writer = apiClient(host.base, token);
  const path = files.toSorted((a, b) => b.split("/").length - a.split("/").length)[0] ?? "";
  const costs: Record<string, number>[] = [];
  for (const content of ["cold", "warm"]) {
    const actions = [{ action: "update", path, content }];
    const { status, headers } = await writer("POST", "/repos/acme/widgets/commits", {
      branch: "main",
      message: "x",
      actions,
    });
    expect(status).toBe(201);
    costs.push(costOf(headers));
  }
  const [cold = {}, warm = {}] = costs;
  expect(path.split("/").length).toBeGreaterThan(2);
  for (const cost of [cold, warm]) {
    expect(cost["do"]).toBeGreaterThan(0);
    expect(cost["do"]).toBeLessThanOrEqual(3);
    expect(cost["r2w"]).toBe(0);
  }
  expect(cold["r2r"]).toBeGreaterThan(0);
  expect(cold["r2r"]).toBeLessThanOrEqual(10);
  expect(warm["r2r"]).toBe(0);
});
