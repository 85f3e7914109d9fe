/** Readers of mirrors: what they cost, what they are told, and that nobody reads what is no longer theirs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Counts } from "../../scripts/bench/request-log.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";
import { MirrorBed } from "../support/upstreams.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const bed = new MirrorBed();
let log: SettledLog | undefined;

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** What was asked since the last call. */
async function settled(): Promise<Counts> {
  return await (log ??= new SettledLog(bed.git.path("state", "requests.jsonl"), bed.host.base)).read();
}

beforeEach(async () => {
  await settled();
});

/** The URL without credentials. */
const plainUrl = (path: string): string => `${bed.host.base}/${path}.git`;

/** Waits until readers need no Durable Object: the snapshot is written after the sync. */
async function published(path: string): Promise<void> {
  await vi.waitFor(
    async () => {
      await settled();
      await send(`${plainUrl(path)}/info/refs?service=git-upload-pack`, { headers: {} });
      expect((await settled()).do).toBe(0);
    },
    { timeout: WAIT_LIMIT, interval: 50 },
  );
}

describe("a public mirror", () => {
  it("is cloned without any Durable Object call and with 2 KV reads", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(50));
    await git.ok(["tag", "-a", "-m", "one", "v1", "main"], { cwd: source });
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    await published(path);
    await settled();
    const clone = git.fresh();
    await git.ok(["clone", "-q", plainUrl(path), clone]);
    const { lines, do: calls, kv, r2w } = await settled();
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(calls).toBe(0);
    expect(kv).toBeGreaterThan(0);
    expect(kv).toBeLessThanOrEqual(2);
    expect(r2w).toBe(0);
    await git.fsck(clone);
    expect(await git.ok(["rev-parse", "HEAD", "v1"], { cwd: clone })).toBe(
      await git.ok(["rev-parse", "main", "v1"], { cwd: source }),
    );
    // Depth, a single branch and version 0 find all they need there, too.
    await git.ok(["clone", "-q", "--depth", "3", plainUrl(path), git.fresh()]);
    await git.ok(["-c", "protocol.version=0", "clone", "-q", plainUrl(path), git.fresh()]);
    expect((await settled()).do).toBe(0);
  });

  it("costs no more when it is set to an upstream that fails", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(5)));
    const path = await bed.mirror(upstream.url);
    await published(path);
    const { last_sync: last } = await bed.settled(path);
    await bed.api("PUT", `${path}/mirror`, { upstream: `${bed.upstreamBase}/up/none.git` });
    expect((await bed.settled(path)).last_error).toMatch(/no such repository/);
    await published(path);
    const listed = await send(`${plainUrl(path)}/info/refs?service=git-upload-pack`, { headers: {} });
    expect(listed.headers.get("x-mirror-synced-at")).toBe(last);
    await git.ok(["clone", "-q", plainUrl(path), git.fresh()]);
    expect((await settled()).do).toBe(0);
  });

  it("shows what a sync brought as soon as it has ended", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(5)));
    const path = await bed.mirror(upstream.url);
    await published(path);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const clone = git.fresh();
    await git.ok(["clone", "-q", plainUrl(path), clone]);
    for (let turn = 0; turn < 4; turn++) {
      const oid = await git.commit(work, "file.txt", `${turn}\n`);
      await git.ok(["push", "-q", "origin", "main"], { cwd: work });
      await bed.sync(path);
      await published(path);
      await settled();
      await git.ok(["pull", "-q"], { cwd: clone });
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: clone })).toBe(oid);
      expect((await settled()).do).toBe(0);
    }
    await git.fsck(clone);
  });

  it("tells when its last sync was", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(3)));
    const path = await bed.mirror(upstream.url);
    await published(path);
    const ask = async (): Promise<string | null> =>
      (await send(`${plainUrl(path)}/info/refs?service=git-upload-pack`, { headers: {} })).headers.get(
        "x-mirror-synced-at",
      );
    const { last_sync: first } = await bed.settled(path);
    expect(await ask()).toBe(first);
    const { last_sync: second } = await bed.sync(path);
    await settled();
    expect(second).not.toBe(first);
    expect(await ask()).toBe(second);
  });

  it("is synced before its refs are listed, if its owner wants that", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(3)));
    const path = await bed.mirror(upstream.url, { fetch_through: 1 });
    await published(path);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const oid = await git.commit(work, "file.txt", "new\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    await bed.clock.advance(1200);
    // Whoever comes while it is, too.
    const lists = Array.from({ length: 3 }, () => git.ok(["ls-remote", plainUrl(path), "refs/heads/main"]));
    for (const list of await Promise.all(lists)) expect(list).toContain(oid);
  });

  it("does not ask a failing upstream anew for each reader", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(3)));
    const path = await bed.mirror(upstream.url, { fetch_through: 1 });
    await bed.api("PUT", `${path}/mirror`, { upstream: `${bed.upstreamBase}/up/none.git` });
    expect(await bed.settled(path)).toMatchObject({ failures: 1 });
    await published(path);
    await bed.clock.advance(1200);
    const before = bed.upstreamRequests();
    for (let turn = 0; turn < 3; turn++) await git.ok(["ls-remote", plainUrl(path)]);
    expect(bed.upstreamRequests()).toBe(before);
    expect(await bed.settled(path)).toMatchObject({ failures: 1 });
  });
});

describe("readers of a mirror", () => {
  it("need a token as soon as it is private", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(3)));
    const path = await bed.mirror(upstream.url);
    await published(path);
    expect((await bed.git.git(["ls-remote", plainUrl(path)])).code).toBe(0);
    expect((await bed.api("PATCH", path, { visibility: "private" })).status).toBe(200);
    expect((await bed.git.git(["ls-remote", plainUrl(path)])).code).not.toBe(0);
    await bed.settled(path);
    await settled();
    expect((await bed.git.git(["ls-remote", plainUrl(path)])).code).not.toBe(0);
    await settled();
    expect((await bed.git.git(["ls-remote", bed.url(path)])).code).toBe(0);
    // Whoever is let in needs no Durable Object; a stranger's request costs what it would cost if there were nothing.
    const { lines } = await settled();
    const letIn = lines.filter((line) => line["status"] === 200);
    expect(letIn.map((line) => line["do"])).toEqual([0, 0]);
    expect((await bed.api("PATCH", path, { visibility: "public" })).status).toBe(200);
    expect((await bed.git.git(["ls-remote", plainUrl(path)])).code).toBe(0);
  });

  it("are refused once it is deleted, and see its successor once there is one", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(3));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    await published(path);
    expect((await bed.api("DELETE", path)).status).toBe(204);
    expect((await git.git(["ls-remote", plainUrl(path)])).code).not.toBe(0);
    expect((await bed.api("PUT", path, { visibility: "public" })).status).toBe(201);
    expect(await git.ok(["ls-remote", plainUrl(path)])).toBe("");
    await git.ok(["push", "-q", bed.url(path), "main~1:refs/heads/other"], { cwd: source });
    expect(await git.ok(["ls-remote", "--heads", plainUrl(path)])).toMatch(/refs\/heads\/other$/);
  });

  it("see what is pushed as soon as it is no mirror any more", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(3));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    await published(path);
    expect((await bed.api("DELETE", `${path}/mirror`)).status).toBe(204);
    await git.ok(["push", "-q", bed.url(path), "main~1:refs/heads/other"], { cwd: source });
    expect(await git.ok(["ls-remote", "--heads", plainUrl(path)])).toContain("refs/heads/other");
  });
});
