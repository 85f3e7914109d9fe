/**
 * What users pay for the journeys that they make most, in dollars for a thousand of each: everything that is billed is counted here, and
 * weighed by the platform's prices. Processor time is that of the benchmark's page, since what this machine takes says nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processorTimeOf } from "../../scripts/cost-table.ts";
import { dollarsPerThousand } from "../../scripts/prices.ts";
import { TWINS } from "../../src/catalog/clone-twin.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { type Billed, BilledHost } from "../support/billed.ts";
import { exportRepository } from "../support/export.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { PROJECT } from "../support/git-process.ts";
import { pushSingly } from "../support/single-pushes.ts";
import { TEST_LIMIT, WAIT_LIMIT } from "../support/time-limits.ts";

const OPERATOR = "test-token";
const PUSHES = 200;

/**
 * The most dollars for a thousand of each, by the name of the row in `docs/operating.md` that has the processor time. One more call of an
 * object is too much for any but the push. Requests are most of a poll. Git asks once without credentials first, and a private
 * repository's reader is looked up with the tenant; a public one needs neither.
 */
const BOUNDS = {
  "clone of what is cloned often": 0.003,
  "push of one commit": 0.02,
  "fetch of one commit": 0.0028,
  "fetch of nothing new, `ls-remote`": 0.0018,
  "the same of a public repository": 0.001,
} as const;

const benchmark = readFileSync(join(PROJECT, "docs", "benchmark.md"), "utf8");

describe("a thousand times, in dollars,", () => {
  let on: BilledHost;
  let git: GitSandbox;
  let operator: ApiClient;
  let token = "";

  beforeAll(async () => {
    on = await BilledHost.start(OPERATOR);
    git = new GitSandbox("costs");
    operator = apiClient(on.host.base, OPERATOR);
    await operator("PUT", "/tenants/acme");
    const { body } = await operator("POST", "/tenants/acme/tokens", { name: "ci", scopes: ["repo:write"] });
    token = String(body["token"]);
  });
  afterAll(async () => {
    await on.host.stop();
    git.close();
  });

  const urlOf = (repo: string): string => withToken(`${on.host.base}/acme/${repo}.git`, token);

  /** Makes a repository, and pushes to it from a new work tree, which is returned. */
  async function pushed(repo: string, visibility = "private", stream = linear(20)): Promise<string> {
    await operator("PUT", `/repos/acme/${repo}`, { visibility });
    // Its derived files are due at once. The job would publish what is pushed before it comes.
    await on.jobEnded(`acme/${repo}`);
    const cwd = git.fresh();
    await git.ok(["clone", "-q", await importFixture(git, `${repo}-source`, stream), cwd]);
    await git.ok(["remote", "set-url", "origin", urlOf(repo)], { cwd });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    return cwd;
  }

  /** Expects that `count` journeys which used this cost no more than they may, and that they were counted. */
  function expectWithin(name: keyof typeof BOUNDS, billed: Billed, count = 1): void {
    const used = { ...billed, cpu: count * processorTimeOf(benchmark, name) * 1000 };
    // A bound would hold for an empty log, too.
    expect(used.requests).toBeGreaterThanOrEqual(count);
    const dollars = dollarsPerThousand(used) / count;
    expect({ used, dollars, isWithin: dollars <= BOUNDS[name] }).toEqual({ used, dollars, isWithin: true });
  }

  it("a clone of what is cloned often costs 0.003", async () => {
    const stream = linear(20);
    stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
    await pushed("cloned", "private", stream);
    const clone = async (): Promise<unknown> => await git.ok(["clone", "-q", "--mirror", urlOf("cloned"), git.fresh()]);
    for (let n = 0; n < TWINS.clones; n++) await clone();
    const state = async (): Promise<unknown> => {
      const { due, running_since, runs } = (await operator("GET", "/repos/acme/cloned/maintenance")).body;
      return { due, running_since, runs };
    };
    const twin = expect.objectContaining({ step: "twin", outcome: "done" });
    await expect
      .poll(state, { timeout: WAIT_LIMIT })
      .toEqual({ due: null, running_since: null, runs: expect.arrayContaining([twin]) });
    const { own: used } = await on.billed(clone);
    expect([used.classA, used.classB]).toEqual([0, 1]);
    expectWithin("clone of what is cloned often", used);
  });

  it("a push of one commit costs 0.02, a fetch of it 0.0028, and a poll of nothing new 0.0018", async () => {
    const cwd = await on.untilTold(() => pushed("pushed"));
    const reader = git.fresh();
    await git.ok(["clone", "-q", urlOf("pushed"), reader]);
    await git.commit(cwd, "src/file-1.txt", "changed\n");
    const push = (): Promise<unknown> => on.untilTold(() => git.ok(["push", "-q", "origin", "main"], { cwd }));
    expectWithin("push of one commit", (await on.billed(push)).all);
    const fetch = (): Promise<unknown> => git.ok(["fetch", "-q"], { cwd: reader });
    expectWithin("fetch of one commit", (await on.billed(fetch)).own);
    expectWithin("fetch of nothing new, `ls-remote`", (await on.billed(fetch)).own);
  });

  it("a poll of a public repository costs 0.001", async () => {
    await pushed("polled", "public");
    const bare = `${on.host.base}/acme/polled.git`;
    const poll = (): Promise<unknown> => git.ok(["ls-remote", bare]);
    await poll();
    expectWithin("the same of a public repository", (await on.billed(poll)).own);
  });

  it(`${PUSHES} pushes of a commit cost 0.02 each, with what publishes them`, { timeout: TEST_LIMIT }, async () => {
    await operator("PUT", "/repos/acme/grown", {});
    const cwd = await importFixture(git, "grown", linear(PUSHES));
    const commits = (await git.ok(["rev-list", "--reverse", "main"], { cwd })).split("\n");
    const { all: used } = await on.billed(async () => {
      await pushSingly(urlOf("grown"), { cwd, commits });
      await exportRepository(`${on.host.base}/api/v1/repos/acme/grown`, OPERATOR, git.fresh());
    });
    expect(used.classA).toBeLessThanOrEqual(40);
    expectWithin("push of one commit", used, PUSHES);
  });
});
