/** What the host signs with a tenant's key: git verifies commits, merges, picks and tags with the public half. */
import { writeFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat, pushedRepository } from "../support/git-hosts.ts";

inEveryFormat(
  "what the host signs",
  (journey) => {
    let api: ApiClient;
    let writer: ApiClient;

    beforeAll(async () => {
      api = apiClient(journey.base, journey.token);
      await api("PUT", "/tenants/acme");
      writer = apiClient(journey.base, await issueToken(api, "acme", "repo:write"));
    });

    it("is verified by git, and nothing is signed without a key", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(3));
      const { path, url } = await pushedRepository(journey, source);
      const person = { name: "A U Thor", email: "author@example.com" };
      const order = (branch: string, file: string): object => {
        const actions = [{ action: "create", path: file, content: `${file}\n` }];
        return { branch, message: `Adds ${file}`, author: person, sign: true, actions };
      };
      expect(await writer("POST", `${path}/commits`, order("main", "a"))).toMatchObject({
        status: 409,
        body: { code: "no_signing_key" },
      });
      expect((await writer("PUT", "/tenants/acme/signing-key")).status).toBe(403);
      const made = await api("PUT", "/tenants/acme/signing-key");
      expect(made).toMatchObject({
        status: 201,
        body: { kind: "ssh", fingerprint: expect.stringMatching(/^SHA256:/) },
      });
      expect((await writer("GET", "/tenants/acme/signing-key")).body).toEqual(made.body);
      const signers = git.path("signers");
      writeFileSync(
        signers,
        `author@example.com,${String(made.body["fingerprint"])} ${String(made.body["public_key"])}\n`,
      );

      const ok = async (below: string, body: object): Promise<Record<string, unknown>> => {
        const answer = await writer("POST", `${path}/${below}`, body);
        expect(answer.status).toBe(201);
        return answer.body;
      };
      await ok("commits", { ...order("topic", "t"), base: "main" });
      const picked = await ok("commits", { ...order("other", "o"), base: "main" });
      await ok("commits", order("main", "m"));
      await ok("merges", { base: "main", head: "topic", message: "Merges", sign: true });
      await ok("cherry-picks", { branch: "main", commits: [picked["oid"]], sign: true });
      await ok("tags", { name: "v1", target: "main", message: "One", tagger: person, sign: true });
      const unsigned = { branch: "plain", base: "main", message: "plain", allow_empty: true, actions: [] };
      await ok("commits", unsigned);

      const clone = git.fresh("clone");
      await git.ok(["clone", "-q", url, clone]);
      await git.ok(["fsck", "--strict"], { cwd: clone });
      const trust = ["-c", `gpg.ssh.allowedSignersFile=${signers}`];
      for (const commit of ["origin/topic", "main~1^1", "main~1", "main"])
        expect((await git.git([...trust, "verify-commit", commit], { cwd: clone })).stderr).toMatch(
          /^Good "git" signature/,
        );
      expect((await git.git([...trust, "verify-tag", "v1"], { cwd: clone })).stderr).toMatch(/^Good "git" signature/);
      expect((await git.git([...trust, "verify-commit", "origin/plain"], { cwd: clone })).code).not.toBe(0);

      // A rule wants that somebody has signed, and not the host.
      const rules = { protected: [{ pattern: "main", require_signed: true }] };
      expect((await api("PATCH", path, rules)).status).toBe(200);
      expect(await writer("POST", `${path}/commits`, order("main", "z"))).toMatchObject({ status: 403 });

      expect((await api("PUT", "/tenants/acme/signing-key")).body["fingerprint"]).not.toBe(made.body["fingerprint"]);
      expect((await api("DELETE", "/tenants/acme/signing-key")).status).toBe(204);
      expect((await api("GET", "/tenants/acme/signing-key")).status).toBe(404);
      expect((await api("GET", "/tenants/acme/audit?action=host-key.create")).body["entries"]).toHaveLength(2);
    });

    it("is told once more without the key, which only what is made takes", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(3));
      const { path } = await pushedRepository(journey, source);
      expect((await api("PUT", "/tenants/acme/signing-key")).status).toBe(201);
      const commit = (branch: string): object => {
        const actions = [{ action: "create", path: branch, content: "x\n" }];
        return { branch, base: "main", message: branch, sign: true, actions };
      };
      const ask = async (below: string, body: object): Promise<Awaited<ReturnType<ApiClient>>> =>
        await writer("POST", `${path}/${below}`, body, {
          "Idempotency-Key": JSON.stringify([below, body]).slice(0, 60),
        });
      const topic = await ask("commits", commit("topic"));
      const orders: [string, object][] = [
        ["commits", commit("topic")],
        ["merges", { base: "main", head: "topic", sign: true }],
        ["reverts", { branch: "main", commits: [topic.body["oid"]], sign: true }],
        ["cherry-picks", { branch: "main", commits: [topic.body["oid"]], sign: true }],
        ["tags", { name: "v2", target: "main", message: "Two", sign: true }],
      ];
      const first: Awaited<ReturnType<ApiClient>>[] = [];
      for (const [below, body] of orders) first.push(await ask(below, body));
      expect(first.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect((await api("DELETE", "/tenants/acme/signing-key")).status).toBe(204);
      for (const [at, [below, body]] of orders.entries()) {
        const again = await ask(below, body);
        expect([below, again.status, again.body]).toEqual([below, 201, first[at]?.body]);
      }
      const forward = { base: "topic", head: "main", strategy: "ff-only", sign: true };
      expect((await writer("POST", `${path}/merges`, forward)).status).toBe(201);
      for (const body of [commit("late"), { ...commit("late"), dry_run: true }])
        expect(await writer("POST", `${path}/commits`, body)).toMatchObject({
          status: 409,
          body: { code: "no_signing_key" },
        });
    });
  },
  ["thinpack"],
);
