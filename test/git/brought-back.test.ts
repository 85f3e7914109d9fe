/**
 * Objects that are stored and that no ref reaches. Whoever may only read gets them by no means. A writer who knows a name can have a ref
 * name it, as with C git, as long as it is stored: until maintenance has set it apart, or a purge has removed it.
 */
import { expect, it, vi } from "vitest";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { buildPack, parsePkts, pktLines, post, pushBody } from "../support/git-raw.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const V2 = { "Git-Protocol": "version=2" };

type Scene = { readonly url: string; readonly commit: string; readonly blob: string };

/** A repository that has a commit which no ref ever named: it came for a name that is refused, beside one that is not. */
async function scene(journey: Journey): Promise<Scene> {
  const { git } = journey;
  const bare = await importFixture(git, "source", linear(4));
  const url = await journey.create();
  await git.ok(["push", "-q", url, "main", "main~1:refs/heads/old"], { cwd: bare });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", "-b", "main", url, cwd]);
  const commit = await git.commit(cwd, "secret.txt", "secret\n");
  const { code } = await git.git(["push", "-q", "origin", "HEAD:refs/heads/old/x", "HEAD~1:refs/heads/kept"], { cwd });
  expect(code).toBe(1);
  await git.ok(["push", "-q", "origin", ":kept"], { cwd });
  return { url, commit, blob: await git.ok(["rev-parse", "HEAD:secret.txt"], { cwd }) };
}

/** Pushes a ref that names an object, without a pack that has it. Gives what the host reports of the ref. */
async function pushName(url: string, oid: string): Promise<string> {
  const answer = await post(url, "receive-pack", pushBody([{ name: "refs/heads/back", new: oid }], buildPack([])));
  return parsePkts(answer.body).map(String).find((line) => /^(?:ok|ng) /.test(line))?.trimEnd() ?? String(answer.status); // prettier-ignore
}

onEveryHost("what no ref reaches", (journey) => {
  it("is given to nobody who asks for it by its name, and a push may name it", async () => {
    const { url, commit } = await scene(journey);
    const wanted = pktLines(`want ${commit}`, "0000", "done");
    const askFor = async (): Promise<string> => (await post(url, "upload-pack", wanted)).body.toString();
    expect(await askFor()).toMatch(/ERR .*not our ref/);
    if (journey.host === "thinpack") {
      // C git's server gives anything that it has to clients of version 2.
      const newer = pktLines("command=fetch", "0001", `want ${commit}`, "done", "0000");
      expect((await post(url, "upload-pack", newer, V2)).body.toString()).toMatch(/ERR .*not our ref/);
    }
    expect(await pushName(url, commit)).toBe("ok refs/heads/back");
    expect(await askFor()).not.toContain("ERR");
  });
});

onEveryHost(
  "what no ref reaches, by the API",
  (journey) => {
    /** Every way in which a ref comes to name what is stored. */
    const ways = (path: string, { commit, blob }: Scene): [method: string, path: string, body: object][] => [
      ["PUT", `/v1${path}/refs/heads/back`, { oid: commit }],
      ["POST", `/v1${path}/refs`, { updates: [{ name: "heads/several", old: null, new: commit }] }],
      ["POST", `/v1${path}/tags`, { name: "back", target: commit, message: "back" }],
      ["POST", `/v1${path}/commits`, { branch: "with", base: "main", message: "m", actions: [{ action: "create", path: "s", blob }] }], // prettier-ignore
      ["POST", `/v3${path}/git/trees`, { tree: [{ path: "s", mode: "100644", sha: blob }] }],
      ["POST", `/v3${path}/git/refs`, { ref: "refs/heads/facade", sha: commit }],
    ];
    const statusOf = async (token: string, [method, path, body]: [string, string, object]): Promise<number> => {
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      return (await fetch(`${journey.base}/api${path}`, { method, headers, body: JSON.stringify(body) })).status;
    };
    const purge = async (api: ApiClient, path: string): Promise<void> => {
      expect((await api("POST", `${path}/maintenance`, { purge: true })).status).toBe(202);
      await vi.waitFor(
        async () => expect((await api("GET", `${path}/maintenance`)).body).toMatchObject({ due: null, running_since: null, purging: false }), // prettier-ignore
        { timeout: WAIT_LIMIT, interval: 100 },
      );
    };

    it("is brought back by those who may write, never by readers, and by nobody after a purge", async () => {
      const api = apiClient(journey.base, journey.token);
      const made = await scene(journey);
      const { url, commit, blob } = made;
      const path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
      const [, , tenant = ""] = path.split("/");
      const reader = await issueToken(api, tenant, "repo:read");
      const writer = await issueToken(api, tenant, "repo:write");
      const refs = async (): Promise<unknown> => (await api("GET", `${path}/refs`)).body["refs"];
      const before = await refs();
      for (const way of ways(path, made)) expect([way[1], await statusOf(reader, way)]).toEqual([way[1], 403]);
      expect(await refs()).toEqual(before);
      const asReader = apiClient(journey.base, reader);
      for (const place of [
        `commits/${commit}`,
        `commits/${commit}/statuses`,
        `diff/main...${commit}`,
        `raw/${commit}/secret.txt`,
      ]) {
        expect([place, (await asReader("GET", `${path}/${place}`)).status]).toEqual([place, 404]);
      }
      const read = await asReader("POST", `${path}/blobs/read`, { oids: [blob] });
      expect(read).toMatchObject({ status: 200, body: { blobs: [{ error: "missing" }] } });
      const cwd = await journey.git.init();
      const own = withToken(url.replace(/\/\/[^@]*@/, "//"), reader);
      expect((await journey.git.git(["fetch", "-q", own, commit], { cwd })).code).not.toBe(0);
      for (const way of ways(path, made)) {
        expect([way[1], [200, 201].includes(await statusOf(writer, way))]).toEqual([way[1], true]);
      }
      const updates = ["heads/back", "heads/several", "heads/with", "heads/facade", "tags/back"];
      for (const name of updates) expect((await api("DELETE", `${path}/refs/${name}`)).status).toBe(204);
      await purge(api, path);
      for (const way of ways(path, made))
        expect([way[1], [409, 422].includes(await statusOf(writer, way))]).toEqual([way[1], true]);
      expect(await pushName(url, commit)).toMatch(/^ng refs\/heads\/back /);
      expect(await refs()).toEqual(before);
    });
  },
  ["thinpack"],
);
