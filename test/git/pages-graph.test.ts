/** What pages draw of a history: the graph beside its commits, and its activity over time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
let git: GitSandbox;

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("pages-graph");
});

afterAll(async () => {
  await host.stop();
  git.close();
});

async function page(path: string): Promise<string> {
  const answer = await fetch(host.base + path, { headers: { Accept: "text/html" } });
  expect(answer.status).toBe(200);
  return await answer.text();
}

describe("the page of a log", () => {
  it("draws the graph of its commits, and none beside the log of a path", async () => {
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/tenants/acme");
    await operator("PUT", "/repos/acme/merged", { visibility: "public" });
    const cwd = await git.init();
    await git.commit(cwd, "a.txt", "a\n", "root");
    await git.ok(["checkout", "-q", "-b", "side"], { cwd });
    await git.commit(cwd, "b.txt", "b\n", "on the side");
    await git.ok(["checkout", "-q", "main"], { cwd });
    await git.commit(cwd, "a.txt", "c\n", "on main");
    await git.ok(["merge", "-q", "--no-ff", "-m", "together", "side"], { cwd });
    await git.ok(["push", "-q", withToken(`${host.base}/acme/merged.git`, "test-token"), "main"], { cwd });
    const html = await page("/acme/merged/commits/main");
    const [head = "", ...rows] = html.slice(html.indexOf("<table")).split('<td class="graph">');
    expect(head).toContain('<th scope="col">Graph</th>');
    expect(rows.map((row) => row.split("<circle").length - 1)).toEqual([1, 1, 1, 1]);
    // From the merge two lines lead down, and from the root none.
    const leaving = rows.map((row) => row.split('y2="100%"').length - 1);
    expect(leaving).toEqual([2, 2, expect.any(Number), 0]);
    expect(await page("/acme/merged/commits/main/a.txt")).not.toContain('class="graph"');
  });
});

describe("the pages of activity", () => {
  it("count commits over time, and by whom", async () => {
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/tenants/busy");
    await operator("PUT", "/repos/busy/bees", { visibility: "public" });
    const cwd = await git.init();
    await git.commit(cwd, "a.txt", "1\n", "by the usual author");
    await git.commit(cwd, "src/b.txt", "2\n", "below");
    await git.commit(cwd, ".mailmap", "Bee Proper <bee@example.com> <old@example.com>\n", "who is who");
    for (const email of ["bee@example.com", "OLD@example.com"])
      await git.ok(["commit", "-q", "--allow-empty", "-m", "by a bee", `--author=B <${email}>`], { cwd });
    await git.ok(["push", "-q", withToken(`${host.base}/busy/bees.git`, "test-token"), "main"], { cwd });
    const html = await page("/busy/bees/activity/main");
    expect(html).toContain("<p>5 commits by 3 contributors.");
    const rows = [...html.matchAll(/<bdi>([^<]*)<\/bdi><\/td><td class="size">(\d+)<\/td>/g)];
    const lines = (await git.ok(["shortlog", "-sne", "main"], { cwd })).split("\n");
    expect(rows.map(([, who, count]) => `${count} ${who}`)).toEqual(
      lines.map((line) => line.trim().replace("\t", " ").replace(/ <.*/, "")),
    );
    expect(html).toContain('aria-label="Commits: at most 5 commits');
    expect(await page("/busy/bees")).toContain('aria-label="Commits per week: at most 5 commits');
    expect(await page("/busy/bees/activity/main/src/b.txt")).toContain("<p>1 commit by 1 contributor.");
    expect((await fetch(`${host.base}/busy/bees/activity/none`)).status).toBe(404);
    const led = await fetch(`${host.base}/busy/bees/activity?go=main&path=src`, { redirect: "manual" });
    expect(led.headers.get("Location")).toBe("/busy/bees/activity/main/src");
  });
});
