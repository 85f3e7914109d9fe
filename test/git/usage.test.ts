/** What a host counts for its tenants and its operator. */
import { expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";

onEveryHost(
  "usage",
  (journey) => {
    const ask = async (path: string, token = journey.token): Promise<Response> =>
      await fetch(`${journey.base}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    const json = async (path: string): Promise<{ stored: object; days: Record<string, unknown>[] }> =>
      await (await ask(path)).json();

    it("of a repository and its tenant is shown by day", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(5));
      const url = await journey.create();
      const [, tenant = "", repo = ""] = new URL(url).pathname.replace(/\.git$/, "").split("/");
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      await git.ok(["clone", "-q", url, git.fresh("one")]);
      await git.ok(["clone", "-q", url, git.fresh("two")]);
      // A stranger's requests are not the tenant's.
      await fetch(`${journey.base}/${tenant}/${repo}.git/info/refs?service=git-upload-pack`);
      const { stored, days } = await json(`/api/v1/repos/${tenant}/${repo}/usage`);
      expect(days).toMatchObject([
        { date: new Date().toISOString().slice(0, 10), clones: 2, fetches: 0, pushes: 1, requests: expect.any(Number) },
      ]);
      expect(Number(days[0]?.["bytes_out"])).toBeGreaterThan(Number(days[0]?.["bytes_in"]));
      expect(stored).toEqual({ git_bytes: expect.any(Number), lfs_bytes: 0, objects: expect.any(Number) });
      const all = await json(`/api/v1/tenants/${tenant}/usage`);
      expect(all.days).toMatchObject([{ clones: 2, pushes: 1 }]);
      expect(Number(all.days[0]?.["requests"])).toBeGreaterThanOrEqual(Number(days[0]?.["requests"]));
      expect((await json(`/api/v1/tenants/${tenant}/usage?to=2020-01-01`)).days).toEqual([]);
      for (const query of ["from=yesterday", "to=2026-02-30", "month=1"]) {
        expect((await ask(`/api/v1/tenants/${tenant}/usage?${query}`)).status).toBe(422);
      }
    });

    it("of the deployment is told to its operator's monitor", async () => {
      const { git } = journey;
      const url = await journey.create();
      await git.ok(["ls-remote", url]);
      const answer = await ask("/metrics");
      expect(answer.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      const text = await answer.text();
      expect(text).toMatch(/^thinpack_requests_total\{operation="api",outcome="ok"\} [1-9]/m);
      expect(text).toMatch(/^thinpack_requests_total\{operation="git",outcome="ok"\} [1-9]/m);
      expect((await ask("/metrics", "another")).status).toBe(401);
    });
  },
  ["thinpack"],
);
