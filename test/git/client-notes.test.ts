/** What client and host tell each other of themselves for their logs, and what the log makes of it. */
import { beforeEach, describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { parsePkts, pktLines, post, send } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";

onEveryHost("session ids", (journey) => {
  it.each(["upload-pack", "receive-pack"])("are offered by %s, another for each request", async (service) => {
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

  it.each(["0", "1", "2"])("and server options are taken from the client, protocol.version=%s", async (version) => {
    const { git } = journey;
    const config = ["-c", `protocol.version=${version}`, "-c", "transfer.advertiseSID=true"];
    const options = version === "2" ? ["--server-option=first", "--server-option=second one"] : [];
    const source = await importFixture(git, "source", linear(5));
    const url = await journey.create();
    await git.ok([...config, "push", "-q", url, "main"], { cwd: source });
    const cwd = await git.init();
    await git.ok([...config, "fetch", "-q", ...options, url, "main"], { cwd });
    await git.fsck(cwd);
  });
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
