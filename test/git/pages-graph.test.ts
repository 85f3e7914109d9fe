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

  it("follows a file through renames where it is asked to", async () => {
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/repos/acme/moved", { visibility: "public" });
    const cwd = await git.init();
    const commits = Array.from({ length: 60 }, (_, i) => {
      const text = `one\ntwo\nthree\n${i}\n`;
      const path = i < 30 ? '"old name.txt"' : "new.txt";
      const subject = `edit ${i}`;
      return (
        `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_000_000 + i} +0000\ndata ${subject.length}\n${subject}\n` +
        `deleteall\nM 100644 inline ${path}\ndata ${text.length}\n${text}\n`
      );
    });
    await git.ok(["fast-import", "--quiet"], { cwd, input: commits.join("") });
    await git.ok(["push", "-q", withToken(`${host.base}/acme/moved.git`, "test-token"), "main"], { cwd });
    const subjects = (html: string): string[] =>
      Array.from(html.matchAll(/<bdi>(edit \d+)</g), ([, text = ""]) => text);
    const alone = await page("/acme/moved/commits/main/new.txt");
    expect(subjects(alone)).toHaveLength(30);
    expect(alone).toContain('href="/acme/moved/commits/main/new.txt?follow=1"');
    const first = await page("/acme/moved/commits/main/new.txt?follow=1");
    const older = /href="([^"]*after=[^"]*)"/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "none";
    const second = await page(older);
    const told = await git.ok(["log", "--follow", "--format=%s", "main", "--", "new.txt"], { cwd });
    expect([...subjects(first), ...subjects(second)]).toEqual(told.split("\n"));
    expect(second).toContain("<bdi>old name.txt</bdi>");
  });
});

describe("a page of blame, and the API", () => {
  it("pass over the commits of .git-blame-ignore-revs, as git does", async () => {
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/tenants/tidy");
    await operator("PUT", "/repos/tidy/code", { visibility: "public" });
    const cwd = await git.init();
    await git.commit(cwd, "a.c", "int main(void) {\nreturn 0;\n}\n", "written");
    await git.commit(cwd, "a.c", "int main(void)\n{\n    return 0;\n}\n", "reformatted");
    const reformatted = await git.ok(["rev-parse", "HEAD"], { cwd });
    await git.commit(cwd, ".git-blame-ignore-revs", `# of the formatter\n${reformatted} # all\n\n`, "listed");
    await git.commit(cwd, "wrong", `${reformatted}\nmain\n`, "a list that is none");
    await git.ok(["push", "-q", withToken(`${host.base}/tidy/code.git`, "test-token"), "main"], { cwd });
    const api = `${host.base}/api/v1/repos/tidy/code/blame/main/a.c`;
    const names = async (query: string): Promise<string[]> => {
      const { ranges } = await (await fetch(api + query)).json<{ ranges: { commit: string; count: number }[] }>();
      return ranges.flatMap(({ commit, count }) => Array.from({ length: count }, () => commit));
    };
    const byGit = async (...options: string[]): Promise<string[]> => {
      const lines = (await git.ok(["blame", "--porcelain", ...options, "main", "--", "a.c"], { cwd })).split("\n");
      return lines.flatMap((line) => /^([0-9a-f]{40}) \d+ \d+/.exec(line)?.[1] ?? []); // Other lines have no name.
    };
    const passedOver = await byGit("--ignore-revs-file", `${cwd}/.git-blame-ignore-revs`);
    expect(passedOver).not.toEqual(await byGit());
    expect(await names("?ignore_revs=.git-blame-ignore-revs")).toEqual(passedOver);
    expect(await names("")).toEqual(await byGit());
    for (const [path, why] of [
      ["none", "There is nothing at this path."],
      ["wrong", "Line 2 is not the full name of an object."],
    ] as const) {
      const refused = await fetch(`${api}?ignore_revs=${path}`);
      expect([refused.status, (await refused.json<{ detail: string }>()).detail]).toEqual([422, `ignore_revs: ${why}`]);
    }
    const first = await fetch(
      `${api}?cursor=${Buffer.from(JSON.stringify({ commit: reformatted, by: "all ", rest: 1, pending: [] })).toString("base64url")}`,
    );
    expect(first.status).toBe(422);
    const shown = async (query: string): Promise<Set<string>> =>
      new Set((await page(`/tidy/code/blame/main/a.c${query}`)).match(/commit\/[0-9a-f]{40}(?=" title)/g));
    expect(await shown("")).toEqual(new Set(passedOver.map((name) => `commit/${name}`)));
    expect(await shown("?all=1")).toContain(`commit/${reformatted}`);
    expect(await page("/tidy/code/blame/main/a.c?w=1")).toContain('href="/tidy/code/blame/main/a.c?w=1&amp;all=1"');
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
