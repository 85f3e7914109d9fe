/**
 * Budgets in storage operations, which don't depend on the machine: what `Server-Timing` and the request log say of each journey.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addCommits } from "../../scripts/bench/repositories.ts";
import type { Counts } from "../../scripts/bench/request-log.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear, noise, project } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { type StartedHost, startProject } from "../support/git-process.ts";
import { packOf, pktLines, post, send } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";

/** How many requests were answered; a client asks once without credentials first. Budgets would hold for an empty log, too. */
function answered(lines: readonly Record<string, unknown>[]): number {
  return lines.filter((line) => line["status"] === 200).length;
}

/** A remote with some history and a large file, and an up-to-date clone of it. */
async function prepared(journey: Journey): Promise<{ url: string; cwd: string }> {
  const { git } = journey;
  const stream = linear(50);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(3_000_000, 11) }]);
  const source = await importFixture(git, "source", stream);
  const url = await journey.create();
  await git.ok(["push", "-q", url, "main"], { cwd: source });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", url, cwd]);
  return { url, cwd };
}

onEveryHost(
  "counts",
  (journey) => {
    let log: SettledLog | undefined;
    /** What the host did since the last call. */
    const counts = async (): Promise<Counts> =>
      await (log ??= new SettledLog(journey.git.path("state", "requests.jsonl"), journey.base)).read();
    beforeEach(async () => {
      await counts();
    });

    it("are told for each request in a header and in the log", async () => {
      const { url } = await prepared(journey);
      await counts();
      const answer = await send(`${url}/info/refs?service=git-receive-pack`);
      const timing = answer.headers.get("server-timing") ?? "";
      for (const key of ["r2r", "r2w", "r2b", "do", "kv", "rt"])
        expect(timing).toMatch(new RegExp(`\\b${key};desc="\\d+"`));
      const { lines } = await counts();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ method: "GET", status: 200, r2w: 0 });
      expect(Number(lines[0]?.["do"])).toBeGreaterThan(0);
      expect(JSON.stringify(lines)).not.toContain(journey.token);
    });

    it("clones right after a push with 3 R2 reads, 2 Durable Object calls, 4 round trips", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(50));
      const url = await journey.create();
      await git.ok(["push", "-q", url, "main"], { cwd: source });
      await counts();
      await git.ok(["clone", "-q", "--mirror", url, git.fresh()]);
      const { lines, r2r, do: calls, rt } = await counts();
      expect(answered(lines)).toBe(3);
      expect(r2r).toBeGreaterThan(0);
      expect(r2r).toBeLessThanOrEqual(3);
      expect(calls).toBeLessThanOrEqual(2);
      expect(rt).toBeLessThanOrEqual(4);
    });

    it("takes one commit with 8 R2 reads, 3 R2 writes, 3 Durable Object calls", async () => {
      const { cwd } = await prepared(journey);
      await journey.git.commit(cwd, "src/file-1.txt", "changed\n");
      await counts();
      await journey.git.ok(["push", "-q", "origin", "main"], { cwd });
      const { lines, r2r, r2w, do: calls } = await counts();
      expect(answered(lines)).toBe(2);
      expect(r2w).toBeGreaterThan(0);
      expect(r2r).toBeLessThanOrEqual(8);
      expect(r2w).toBeLessThanOrEqual(3);
      expect(calls).toBeLessThanOrEqual(3);
    });

    it("gives one new commit with 8 R2 reads and 5 round trips", async () => {
      const { url, cwd } = await prepared(journey);
      const pusher = journey.git.fresh();
      await journey.git.ok(["clone", "-q", url, pusher]);
      await journey.git.commit(pusher, "src/file-1.txt", "changed\n");
      await journey.git.ok(["push", "-q", "origin", "main"], { cwd: pusher });
      await counts();
      await journey.git.ok(["fetch", "-q"], { cwd });
      const { lines, r2r, rt } = await counts();
      expect(answered(lines)).toBeGreaterThanOrEqual(3);
      expect(r2r).toBeGreaterThan(0);
      expect(r2r).toBeLessThanOrEqual(8);
      expect(rt).toBeLessThanOrEqual(5);
    });

    it("lists refs by prefix with 2 Durable Object calls", async () => {
      const { url } = await prepared(journey);
      await counts();
      await journey.git.ok(["ls-remote", url, "refs/heads/ma*"]);
      const { lines, do: calls, r2r } = await counts();
      expect(answered(lines)).toBe(2);
      expect(calls).toBeGreaterThan(0);
      expect(calls).toBeLessThanOrEqual(2);
      expect(r2r).toBe(0);
    });

    describe.each([
      ["small", () => linear(50)],
      ["medium", () => project(1000)],
    ])("in parts, of a %s repository", (_size, makeStream) => {
      let source = "";
      let url = "";

      // Each one right after a push: what an earlier clone read is still at hand.
      beforeEach(async () => {
        const { git } = journey;
        if (source === "") source = await importFixture(git, "source", makeStream());
        url = await journey.create();
        // Threads make another pack each time.
        await git.ok(["-c", "pack.threads=1", "push", "-q", url, "main"], { cwd: source });
        await counts();
      });

      it.each([
        ["--depth=1", 30, 15],
        ["--filter=blob:none", 5, 6],
        ["--filter=tree:0", 5, 6],
      ])("clones with %s with %d R2 reads, 2 Durable Object calls, %d round trips", async (option, reads, trips) => {
        const { git } = journey;
        const cwd = git.fresh();
        await git.ok(["clone", "-q", "--bare", option, url, cwd]);
        const { lines, r2r, r2w, do: calls, rt } = await counts();
        expect(answered(lines)).toBe(3);
        expect(r2r).toBeLessThanOrEqual(reads);
        expect(r2w).toBe(0);
        expect(calls).toBeLessThanOrEqual(2);
        expect(rt).toBeLessThanOrEqual(trips);
        await git.fsck(cwd);
      });

      it("gives many blobs that were left out with 5 R2 reads, 1 Durable Object call, 5 round trips", async () => {
        const { git } = journey;
        const list = ["rev-list", "--objects", "--no-object-names", "--filter=object:type=blob", "main"];
        const blobs = (await git.ok([...list, "--filter-provided-objects"], { cwd: source }))
          .split("\n")
          .slice(0, 1000);
        const wants = blobs.map((oid) => `want ${oid}`);
        const request = pktLines("command=fetch", "0001", "filter blob:none", "no-progress", ...wants, "done", "0000");
        const { body } = await post(url, "upload-pack", request, { "Git-Protocol": "version=2" });
        const { r2r, r2w, do: calls, rt } = await counts();
        expect(packOf(body).readUInt32BE(8)).toBe(blobs.length);
        expect(r2r).toBeLessThanOrEqual(5);
        expect(r2w).toBe(0);
        expect(calls).toBeLessThanOrEqual(1);
        expect(rt).toBeLessThanOrEqual(5);
      });
    });
  },
  ["thinpack"],
);

describe("counts in an isolate that has read no repository yet", () => {
  const git = new GitSandbox("cold-counts");
  let host: StartedHost | undefined;
  let url = "";
  let source = "";
  let reader = "";

  async function start(): Promise<StartedHost> {
    await host?.stop();
    host = await startProject(git.path("state"), "cold-token");
    // a free port each time
    url = withToken(`${host.base}/acme/cold.git`, host.token);
    return host;
  }
  const logOf = ({ base }: StartedHost): SettledLog => new SettledLog(git.path("state", "requests.jsonl"), base);

  /** Fetches into a clone that was not made from the host. */
  async function fetchNew(on: StartedHost): Promise<Counts> {
    const log = logOf(on);
    await log.read();
    await git.ok(["fetch", "-q", url, "+main:theirs"], { cwd: reader });
    const found = await log.read();
    expect(answered(found.lines)).toBe(3);
    expect(await git.ok(["rev-parse", "theirs"], { cwd: reader })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    return found;
  }

  beforeAll(async () => {
    source = await importFixture(git, "source", project(1000));
    await start();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    reader = git.fresh();
    await git.ok(["clone", "-q", "--bare", source, reader]);
  });
  afterAll(async () => {
    await host?.stop();
    git.close();
  });

  it("gives one new commit right after its push with 3 R2 reads, 2 Durable Object calls, 4 round trips", async () => {
    const on = await start();
    await addCommits(git, { cwd: source, branch: "refs/heads/main", first: 1, count: 1 });
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const { r2r, do: calls, rt } = await fetchNew(on);
    expect(r2r).toBeLessThanOrEqual(3);
    expect(calls).toBeLessThanOrEqual(2);
    expect(rt).toBeLessThanOrEqual(4);
  });

  it("gives one new commit after a restart with 5 R2 reads, 3 Durable Object calls, 6 round trips", async () => {
    await addCommits(git, { cwd: source, branch: "refs/heads/main", first: 2, count: 1 });
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const { r2r, do: calls, rt } = await fetchNew(await start());
    expect(r2r).toBeLessThanOrEqual(5);
    expect(calls).toBeLessThanOrEqual(3);
    expect(rt).toBeLessThanOrEqual(6);
  });
});
