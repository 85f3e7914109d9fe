/**
 * Tenants' tokens with the real client: what it may do with one, what it is told where it may not, what asking costs.
 */
import { beforeEach, expect, it } from "vitest";
import type { Counts } from "../../scripts/bench/request-log.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { SettledLog } from "../support/settled-log.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const IN_REPOSITORY = { visibility: "private" } as const;

/** A tenant of its own, with a token of each scope. */
async function tenantWith(
  journey: Journey,
  tenant: string,
  settings: object = {},
): Promise<{
  operator: ApiClient;
  url: (repo: string, scope: "repo:read" | "repo:write" | "tenant:admin") => string;
}> {
  const operator = apiClient(journey.base, journey.token);
  await operator("PUT", `/tenants/${tenant}`, settings);
  const scopes = ["repo:read", "repo:write", "tenant:admin"] as const;
  const tokens = new Map<string, string>();
  for (const scope of scopes) tokens.set(scope, await issueToken(operator, tenant, scope));
  return {
    operator,
    url: (repo, scope) => withToken(`${journey.base}/${tenant}/${repo}.git`, tokens.get(scope) ?? ""),
  };
}

onEveryHost(
  "tenants",
  (journey) => {
    let source: string;
    beforeEach(async () => {
      source ??= await importFixture(journey.git, "source", linear(5));
    });

    it("makes a repository by a push with a token that may create, and by no other", async () => {
      const { git } = journey;
      const { operator, url } = await tenantWith(journey, "pushers");
      for (const scope of ["repo:read", "repo:write"] as const) {
        const refused = await git.git(["push", "-q", url("new", scope), "main"], { cwd: source });
        expect(refused.stderr).toContain("not found");
        expect(refused.code).not.toBe(0);
      }
      expect((await operator("GET", "/tenants/pushers/repos")).body).toEqual({ repos: [] });
      await git.ok(["push", "-q", url("new", "tenant:admin"), "main"], { cwd: source });
      expect((await operator("GET", "/tenants/pushers/repos")).body["repos"]).toMatchObject([
        { name: "new", ...IN_REPOSITORY },
      ]);
      await git.ok(["push", "-q", url("new", "repo:write"), "main:again"], { cwd: source });
      const refused = await git.git(["push", "-q", url("new", "repo:read"), "main:third"], { cwd: source });
      expect(refused.stderr).toContain("403");
      const clone = git.fresh();
      await git.ok(["clone", "-q", url("new", "repo:read"), clone]);
      await git.fsck(clone);
      const actor = expect.stringMatching(/^token:[0-9a-f]{32}$/) as unknown;
      expect((await operator("GET", "/repos/pushers/new/reflog")).body["pushes"]).toMatchObject([
        { actor, actor_name: "repo:write" },
        { actor, actor_name: "tenant:admin" },
      ]);
    });

    it("tells the client why a push makes no repository before the client sends anything", async () => {
      const { git } = journey;
      const { operator, url } = await tenantWith(journey, "closed", { push_to_create: false });
      const off = await git.git(["push", "-q", url("new", "tenant:admin"), "main"], { cwd: source });
      expect(off.stderr).toContain("remote: A push makes no repository in this tenant");
      await operator("PATCH", "/tenants/closed", { push_to_create: true, quotas: { repos: 0 } });
      const full = await git.git(["push", "-q", url("new", "tenant:admin"), "main"], { cwd: source });
      expect(full.stderr).toContain("remote: The tenant has as many repositories as it may.");
      expect((await operator("GET", "/tenants/closed")).body).toMatchObject({ repos: 0 });
    });

    it("makes tenant and repository by the operator's first push", async () => {
      const { git, base, token } = journey;
      await git.ok(["push", "-q", withToken(`${base}/fresh/one.git`, token), "main"], { cwd: source });
      const operator = apiClient(base, token);
      expect((await operator("GET", "/tenants/fresh")).body).toMatchObject({ repos: 1, push_to_create: true });
      await expect
        .poll(async () => JSON.stringify((await operator("GET", "/tenants?limit=1000")).body), { timeout: WAIT_LIMIT })
        .toContain('"fresh"');
    });

    it("shows a token of another tenant only what is public", async () => {
      const { git, base } = journey;
      const { operator, url } = await tenantWith(journey, "owner");
      await git.ok(["push", "-q", url("one", "tenant:admin"), "main"], { cwd: source });
      await operator("PUT", "/tenants/stranger");
      const stranger = await issueToken(operator, "stranger", "tenant:admin");
      const theirs = (repo: string): string => withToken(`${base}/owner/${repo}.git`, stranger);
      const hidden = await git.git(["ls-remote", theirs("one")]);
      const missing = await git.git(["ls-remote", theirs("two")]);
      expect(hidden.code).not.toBe(0);
      expect(hidden.stderr.replaceAll("one", "two")).toBe(missing.stderr);
      await operator("PATCH", "/repos/owner/one", { visibility: "public" });
      expect(await git.ok(["ls-remote", theirs("one")])).toContain("refs/heads/main");
      expect((await git.git(["push", "-q", theirs("one"), "main:x"], { cwd: source })).stderr).toContain("403");
    });

    it("refuses the next request after a token is revoked or the repository is deleted", async () => {
      const { git, base } = journey;
      const { operator, url } = await tenantWith(journey, "ending");
      await git.ok(["push", "-q", url("one", "tenant:admin"), "main"], { cwd: source });
      const made = await operator("POST", "/tenants/ending/tokens", { name: "brief", scopes: ["repo:read"] });
      const brief = withToken(`${base}/ending/one.git`, String(made.body["token"]));
      await git.ok(["ls-remote", brief]);
      await operator("DELETE", `/tenants/ending/tokens/${String(made.body["id"])}`);
      expect((await git.git(["ls-remote", brief])).stderr).toContain("Authentication failed");
      await git.ok(["ls-remote", url("one", "repo:read")]);
      await operator("DELETE", "/repos/ending/one");
      expect((await git.git(["ls-remote", url("one", "repo:read")])).stderr).toContain("not found");
      await git.ok(["push", "-q", url("one", "tenant:admin"), "main:other"], { cwd: source });
      const listed = await git.ok(["ls-remote", url("one", "repo:read")]);
      expect(listed).not.toContain("refs/heads/main");
    });

    it("lists refs with three Durable Object calls, in one round trip more than without credentials", async () => {
      const { git, base } = journey;
      const { operator, url } = await tenantWith(journey, "counted");
      await git.ok(["push", "-q", url("one", "tenant:admin"), "main"], { cwd: source });
      await git.ok(["push", "-q", url("open", "tenant:admin"), "main"], { cwd: source });
      await operator("PATCH", "/repos/counted/open", { visibility: "public" });
      // That a name is no mirror's is looked up once, by whomever.
      await git.ok(["ls-remote", `${base}/counted/open.git`]);
      await git.ok(["ls-remote", url("one", "tenant:admin")]);
      const log = new SettledLog(git.path("state", "requests.jsonl"), base);
      const countsOf = async (remote: string): Promise<Counts> => {
        await log.read();
        await git.ok(["ls-remote", remote]);
        return await log.read();
      };
      const anonymous = await countsOf(`${base}/counted/open.git`);
      const authenticated = await countsOf(url("one", "repo:read"));
      expect(anonymous.lines.map((line) => line["status"])).toEqual([200, 200]);
      expect(authenticated.lines.map((line) => line["status"])).toEqual([401, 200, 200]);
      expect(authenticated.do).toBeLessThanOrEqual(3);
      expect(authenticated.rt - anonymous.rt).toBeLessThanOrEqual(1);
    });
  },
  ["thinpack"],
);
