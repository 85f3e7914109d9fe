/** What client and host tell each other of themselves for their logs, and what the log makes of it. */
import { beforeEach, describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { parsePkts, pktLines, post, send } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";

onEveryHost("session ids", (journey) => {
  it.each(["upload-pack", "receive-pack"])("are advertised by %s, a new one for each request", async (service) => {
    const url = await journey.create();
    const seen = new Set<string>();
    for (let round = 0; round < 2; round++) {
      const { body } = await send(`${url}/info/refs?service=git-${service}`, {
        headers: { "Git-Protocol": service === "upload-pack" ? "version=2" : "version=0" },
      });
      const [, id = ""] = /session-id=([^ \n]*)/.exec(parsePkts(body).map(String).join("\n")) ?? [];
      // Printable and without spaces, as gitprotocol-capabilities(5) wants it.
      expect(id).toMatch(/^[!-~]{1,100}$/);
      seen.add(id);
    }
    expect(seen.size).toBe(2);
  });

  it.each(["0", "1", "2"])(
    "are taken from the client together with server options, protocol.version=%s",
    async (version) => {
      const { git } = journey;
      const config = ["-c", `protocol.version=${version}`, "-c", "transfer.advertiseSID=true"];
      const options = version === "2" ? ["--server-option=first", "--server-option=second one"] : [];
      const source = await importFixture(git, "source", linear(5));
      const url = await journey.create();
      await git.ok([...config, "push", "-q", url, "main"], { cwd: source });
      const cwd = await git.init();
      await git.ok([...config, "fetch", "-q", ...options, url, "main"], { cwd });
      await git.fsck(cwd);
    },
  );
});

onEveryHost(
  "the log",
  (journey) => {
    let log: SettledLog | undefined;
    /** The lines of what was answered since the last call. */
    const lines = async (): Promise<readonly Record<string, unknown>[]> => {
      log ??= new SettledLog(journey.git.path("state", "requests.jsonl"), journey.base);
      return (await log.read()).lines.filter((line) => line["status"] === 200);
    };
    beforeEach(async () => {
      await lines();
    });

    it("has both session ids and the server options", async () => {
      const { git } = journey;
      const config = ["-c", "protocol.version=2", "-c", "transfer.advertiseSID=true"];
      const source = await importFixture(git, "source", linear(5));
      const url = await journey.create();
      await lines();
      await git.ok([...config, "push", "-q", url, "main"], { cwd: source });
      const pushed = await lines();
      expect(pushed.map((line) => line["client_sid"])).toEqual([undefined, expect.stringMatching(/^\d{8}T/)]);
      const cwd = await git.init();
      await git.ok([...config, "fetch", "-q", "--server-option=first", "--server-option=a b", url, "main"], { cwd });
      const [advertised, ...asked] = await lines();
      expect(advertised?.["sid"]).toMatch(/^[0-9a-f]{32}$/);
      // git says who it is where it fetches, not where it lists refs.
      expect(asked.map((line) => line["client_sid"])).toEqual([undefined, expect.stringMatching(/^\d{8}T/)]);
      expect(asked.map((line) => line["server_options"])).toEqual(["first a b", "first a b"]);
    });

    it("names the actor, the action, the repository and the bytes that passed", async () => {
      const { git, base, token } = journey;
      const source = await git.init();
      await git.ok(["commit", "-q", "--allow-empty", "-m", "first"], { cwd: source });
      const url = await journey.create();
      const [, tenant, repo] = new URL(url).pathname.replace(/\.git$/, "").split("/");
      const before = new Date().toISOString();
      await lines();
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      const pushed = (await lines()).at(-1);
      expect(pushed).toMatchObject({ tenant, repo, principal: "operator", operation: "push", outcome: "ok" });
      expect(pushed?.["client"]).toMatch(/^git\/2\./);
      expect(Number(pushed?.["in"])).toBeGreaterThan(200);
      expect(String(pushed?.["at"]) >= before && String(pushed?.["at"]) <= new Date().toISOString()).toBe(true);
      const cwd = git.fresh("clone");
      await git.ok(["clone", "-q", url, cwd]);
      expect((await lines()).at(-1)).toMatchObject({ operation: "clone", outcome: "ok" });
      await git.ok(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: source });
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      await lines();
      await git.ok(["fetch", "-q"], { cwd });
      expect((await lines()).at(-1)).toMatchObject({ operation: "fetch", outcome: "ok" });
      const settings = await fetch(`${base}/api/v1/repos/${tenant}/${repo}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      const { byteLength } = await settings.arrayBuffer();
      expect(await lines()).toMatchObject([{ operation: "api", in: 0, out: byteLength }]);
      const asked = pktLines("command=ls-refs", "0001", "0000");
      const answer = await post(url, "upload-pack", asked, { "Git-Protocol": "version=2" });
      expect(await lines()).toMatchObject([{ operation: "git", in: asked.length, out: answer.body.length }]);
    });

    it("tells how a request ended that did nothing", async () => {
      const { git, base } = journey;
      const source = await git.init();
      await git.ok(["commit", "-q", "--allow-empty", "-m", "first"], { cwd: source });
      const url = await journey.create();
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      await lines();
      const { code } = await git.git(["push", url, "main:refs/heads/main/below"], { cwd: source });
      expect(code).not.toBe(0);
      expect((await lines()).at(-1)).toMatchObject({ operation: "rejected", outcome: "rejected" });
      const stranger = await fetch(`${base}${new URL(url).pathname}/info/refs?service=git-upload-pack`);
      expect(stranger.status).toBe(401);
      const wrong = await fetch(`${base}/api/v1/repos/acme/x?y=1`, {
        headers: { Authorization: `Bearer ${journey.token}` },
      });
      expect(wrong.status).toBe(422);
      const all = (await log?.read())?.lines.filter((line) => line["status"] !== 200) ?? [];
      expect(all).toMatchObject([
        { principal: "anonymous", outcome: "denied", status: 401 },
        { principal: "operator", outcome: "refused", status: 422 },
      ]);
    });

    describe("of a client that says too much", () => {
      it("stays short and printable", async () => {
        const url = await journey.create();
        await lines();
        const said = `\u001b[31m"é\t${"x".repeat(5000)}`;
        const request = pktLines("command=ls-refs", `session-id=${said}`, `server-option=${said}`, "0001", "0000");
        const answer = await post(url, "upload-pack", request, { "Git-Protocol": "version=2" });
        expect(answer.status).toBe(200);
        const [line] = await lines();
        for (const key of ["client_sid", "server_options"]) {
          expect(line?.[key]).toMatch(/^\?\[31m"\?\?x+$/);
          expect(String(line?.[key])).toHaveLength(200);
        }
      });
    });
  },
  ["thinpack"],
);
