/** The graph that the page of a log draws beside its commits. */
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
