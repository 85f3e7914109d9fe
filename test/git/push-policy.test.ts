/** What tenants' tokens may push where a repository has rules, or a tenant has quotas: told to the real client. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { refsAt, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { post, pushBody, reportLines, send, ZERO } from "../support/git-raw.ts";

onEveryHost(
  "policies that pushes obey",
  (journey) => {
    const api = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const answer = await send(withToken(`${journey.base}/api/v1${path}`, journey.token), {
        method,
        headers: { "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      });
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
      return JSON.parse(answer.body.toString()) as Record<string, unknown>;
    };

    async function token(tenant: string, name: string): Promise<string> {
      const { token: text } = await api("POST", `/tenants/${tenant}/tokens`, { name, scopes: ["repo:write"] });
      return String(text);
    }

    describe("rules", () => {
      let [deploy, other] = ["", ""];
      beforeAll(async () => {
        await api("PUT", "/tenants/ruled", {});
        [deploy, other] = [await token("ruled", "deploy"), await token("ruled", "other")];
      });

      /** A repository with a main of five commits, and a working copy of it. */
      async function repository(name: string, rules: unknown): Promise<{ cwd: string; as: (who: string) => string }> {
        const { git, base } = journey;
        await api("PUT", `/repos/ruled/${name}`, {});
        const as = (who: string): string => withToken(`${base}/ruled/${name}.git`, who);
        const cwd = await importFixture(git, "source", linear(5));
        await git.ok(["push", "-q", as(other), "main", "main:refs/tags/v1"], { cwd });
        await api("PATCH", `/repos/ruled/${name}`, { protected: rules });
        return { cwd, as };
      }

      it("let main only move forward, and not be deleted", async () => {
        const { git } = journey;
        const { cwd, as } = await repository("forward", [{ pattern: "main" }, { pattern: "refs/tags/*" }]);
        const url = as(other);
        const before = await refsAt(git, url);
        const forced = await git.git(["push", "--force", url, "main~2:main", "main~:refs/tags/v1", "main:topic"], {
          cwd,
        });
        expect(forced.stderr).toContain(
          "! [remote rejected] main~2 -> main (the rule for 'main' prohibits moves that are not a fast-forward)",
        );
        expect(forced.stderr).toContain("main~ -> v1 (the rule for 'refs/tags/*' prohibits");
        expect(forced.stderr).toContain("[new branch]      main -> topic");
        const deleted = await git.git(["push", url, ":main", ":v1", ":topic"], { cwd });
        expect(deleted.stderr).toContain("! [remote rejected] main (the rule for 'main' prohibits deletion)");
        expect(deleted.stderr).toContain("! [remote rejected] v1 (the rule for 'refs/tags/*' prohibits deletion)");
        expect(await refsAt(git, url)).toEqual(before);
        // The operator too, until the rules are changed.
        const operator = await git.git(["push", "--force", as(journey.token), "main~2:main"], { cwd });
        expect(operator.stderr).toContain("the rule for 'main' prohibits moves");
        const next = await git.ok(["commit-tree", "-p", "main", "-m", "next", "main^{tree}"], { cwd });
        await git.ok(["push", "-q", url, `${next}:refs/heads/main`], { cwd });
        await api("PATCH", "/repos/ruled/forward", { protected: [] });
        await git.ok(["push", "-q", "--force", url, "main~2:main", ":v1"], { cwd });
      });

      it("let only the tokens push that they name", async () => {
        const { git } = journey;
        const { cwd, as } = await repository("named", [
          { pattern: "release/*", pushers: ["deploy"], allow_force_push: true, allow_deletion: true },
        ]);
        const refused = await git.git(["push", as(other), "main:release/1", "main:elsewhere"], { cwd });
        expect(refused.stderr).toContain("main -> release/1 (the rule for 'release/*' does not let you push here)");
        expect(refused.stderr).toContain("[new branch]      main -> elsewhere");
        await git.ok(["push", "-q", as(deploy), "main:release/1"], { cwd });
        expect((await git.git(["push", as(other), ":release/1"], { cwd })).code).not.toBe(0);
        await git.ok(["push", "-q", "--force", as(deploy), "main~:release/1"], { cwd });
        await git.ok(["push", "-q", as(journey.token), ":release/1"], { cwd });
      });
    });

    it("quotas refuse a push in the client's own terms, and leave nothing", async () => {
      const { git, base } = journey;
      await api("PUT", "/tenants/bounded", { quotas: { bytes: 300_000, objects: 40, largest_blob: 150_000 } });
      await api("PUT", "/repos/bounded/repo", {});
      const url = withToken(`${base}/bounded/repo.git`, await token("bounded", "all"));
      const cwd = await git.init();
      await git.commit(cwd, "a.txt", "small\n");
      await git.ok(["push", "-q", url, "main"], { cwd });
      const refused = async (why: RegExp): Promise<void> => {
        const { code, stderr } = await git.git(["push", url, "main"], { cwd });
        expect(code).not.toBe(0);
        expect(stderr).toMatch(why);
        expect(stderr).toContain("! [remote rejected] main -> main (unpacker error)");
        await git.ok(["reset", "-q", "--hard", "HEAD~"], { cwd });
      };
      writeFileSync(join(cwd, "large.bin"), randomBytes(160_000));
      await git.commit(cwd, "b.txt", "with a large file\n");
      await refused(/object of 160000 bytes exceeds the limit of 150000 bytes/);
      for (const name of ["x", "y", "z"]) writeFileSync(join(cwd, `${name}.bin`), randomBytes(120_000));
      await git.commit(cwd, "b.txt", "with many bytes\n");
      await refused(/over quota: the tenant's limit is 300000 bytes/);
      for (let i = 0; i < 40; i++) writeFileSync(join(cwd, `${i}.txt`), `file ${i}\n`);
      await git.commit(cwd, "b.txt", "with many files\n");
      await refused(/over quota: the tenant's limit is 40 objects, 3 are used, and this brings \d+/);
      await git.commit(cwd, "b.txt", "small\n");
      await git.ok(["push", "-q", url, "main", "main:other"], { cwd });
      await git.ok(["push", "-q", url, ":other"], { cwd });
      const { size_bytes: size } = await api("GET", "/repos/bounded/repo");
      expect(size).toBeLessThan(10_000);
    });

    it("a pack of too many objects is refused by its header, before it has come, with the way around it", async () => {
      const { git } = journey;
      await api("PUT", "/repos/acme/crowded", {});
      const url = withToken(`${journey.base}/acme/crowded.git`, journey.token);
      const cwd = await git.init();
      const tip = await git.commit(cwd, "a.txt", "small\n");
      // A header of a million objects, and then as much as a client sends before it is told anything.
      const header = Buffer.concat([Buffer.from("PACK\0\0\0\u0002"), Buffer.alloc(4)]);
      header.writeUInt32BE(1_000_000, 8);
      const body = pushBody(
        [{ name: "refs/heads/main", old: ZERO, new: tip }],
        Buffer.concat([header, randomBytes(64)]),
      );
      const answer = await post(url, "receive-pack", body);
      const report = reportLines(answer.body).join(", ");
      expect(report).toContain(
        "unpack pack of 1000000 objects: at most 750000 can be taken at once; push older commits",
      );
      expect(report).toContain("ng refs/heads/main");
      await git.ok(["push", "-q", url, "main"], { cwd });
    });

    it("a tenant's quota is summed over its repositories, whoever pushes", async () => {
      const { git, base } = journey;
      const quotas = { bytes: 300_000, objects: 100 };
      await api("PUT", "/tenants/summed", { quotas });
      for (const repo of ["one", "two"]) await api("PUT", `/repos/summed/${repo}`, {});
      const own = await token("summed", "own");
      /** Pushes a file of so many bytes to a repository, as its only commit. */
      const push = async (repo: string, who: string, bytes: number): Promise<string> => {
        const cwd = await git.init();
        writeFileSync(join(cwd, "large.bin"), randomBytes(bytes));
        await git.commit(cwd, "a.txt", "beside it\n");
        const url = withToken(`${base}/summed/${repo}.git`, who);
        return (await git.git(["push", "--force", url, "HEAD:main"], { cwd })).stderr;
      };
      /** What the tenant knows, when that is what its repositories have. */
      const settled = async (): Promise<{ bytes: number; objects: number }> => {
        for (;;) {
          const { repos } = await api("GET", "/tenants/summed/repos");
          const sizes = (repos as { size_bytes: number }[]).map(({ size_bytes: size }) => size);
          const { usage } = await api("GET", "/tenants/summed");
          const { bytes, objects } = usage as { bytes: number; objects: number };
          if (bytes === sizes.reduce((sum, size) => sum + size, 0)) return { bytes, objects };
        }
      };
      expect(await push("one", own, 200_000)).toContain("[new branch]");
      expect(await settled()).toMatchObject({ objects: 4 });
      const over = /over quota: the tenant's limit is 300000 bytes, 20\d{4} are used, and this needs more/;
      expect(await push("two", own, 120_000)).toMatch(over);
      expect(await push("two", journey.token, 120_000)).toMatch(over);
      expect(await push("two", own, 20_000)).toContain("[new branch]");
      expect(await settled()).toMatchObject({ objects: 8 });
      // Full already: refused by the header of the pack.
      await api("PATCH", "/tenants/summed", { quotas: { bytes: 1000 } });
      expect(await push("two", own, 1)).toMatch(/limit is 1000 bytes, 22\d{4} are used, and this needs more/);
      expect(await push("two", journey.token, 1)).toMatch(/limit is 1000 bytes, 22\d{4} are used, and this needs more/);
      await api("PATCH", "/tenants/summed", { quotas: { objects: 10 } });
      expect(await push("two", own, 1)).toMatch(/limit is 10 objects, 8 are used, and this brings 4/);
      await api("PATCH", "/tenants/summed", { quotas });
      const deleted = await send(withToken(`${base}/api/v1/repos/summed/one`, journey.token), { method: "DELETE" });
      expect(deleted.status).toBe(204);
      expect(await settled()).toMatchObject({ objects: 4 });
      expect(await push("two", own, 120_000)).toContain("forced update");
    });
  },
  ["thinpack"],
);
