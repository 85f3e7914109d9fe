/** What brings a sync about, and what it costs where there is nothing new. */
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const bed = new MirrorBed();
const SECRET = "a secret of the webhook";

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** What syncs of a mirror have cost, oldest first. */
function syncs(path: string): Record<string, unknown>[] {
  const file = bed.git.path("state", "jobs.jsonl");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter((line) => line["job"] === "mirror-sync" && line["repository"] === path);
}

const WAIT = { timeout: WAIT_LIMIT, interval: 50 };

describe("an upstream's webhook", () => {
  const body = Buffer.from('{"ref":"refs/heads/main"}');
  const hmac = createHmac("sha256", SECRET).update(body).digest("hex");
  const post = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await send(`${bed.host.base}/api/v1/repos/${path}/mirror/hook`, { method: "POST", headers, body })).status;

  it("makes a new commit visible", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(20)));
    const path = await bed.mirror(upstream.url, { hook_secret: SECRET });
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const oid = await git.commit(work, "new.txt", "new\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    expect(await post(path, { "X-GitHub-Event": "push", "X-Hub-Signature-256": `sha256=${hmac}` })).toBe(202);
    await vi.waitFor(async () => expect(await git.ok(["ls-remote", bed.url(path), "main"])).toContain(oid), WAIT);
  });

  it("is recognised by the header of each Git host, and by no other", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(2)));
    const path = await bed.mirror(upstream.url, { hook_secret: SECRET });
    for (const headers of [
      { "X-Hub-Signature-256": `sha256=${hmac}` },
      { "X-Gitea-Event": "push", "X-Gitea-Signature": hmac },
      { "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET },
      { "X-Gogs-Event": "push", "X-Gogs-Signature": hmac },
      { "X-Event-Key": "repo:push", "X-Hub-Signature": `sha256=${hmac}` },
    ]) {
      expect(await post(path, headers as Record<string, string>)).toBe(202);
    }
    expect(await post(path, { "X-GitHub-Event": "ping", "X-Hub-Signature-256": `sha256=${hmac}` })).toBe(200);
    expect(await post(path, { "X-Event-Key": "diagnostics:ping", "X-Hub-Signature": `sha256=${hmac}` })).toBe(200);
    const wrong = createHmac("sha256", "another").update(body).digest("hex");
    for (const headers of [{}, { "X-Hub-Signature-256": `sha256=${wrong}` }, { "X-Gitlab-Token": `${SECRET}x` }]) {
      expect(await post(path, headers as Record<string, string>)).toBe(404);
    }
    expect(await post(`${path}x`, { "X-Hub-Signature-256": `sha256=${hmac}` })).toBe(404);
    const shown = await bed.api<MirrorState>("GET", `${path}/mirror`);
    expect(JSON.stringify(shown.body)).not.toContain(SECRET);
  });
});

describe("a sync", () => {
  it("costs 2 Durable Object calls and no R2 write when there is nothing new", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(5)));
    const path = await bed.mirror(upstream.url);
    await vi.waitFor(() => expect(syncs(path).length).toBeGreaterThan(0), WAIT);
    const before = syncs(path).length;
    const requests = bed.upstreamRequests(upstream.name);
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await vi.waitFor(() => expect(syncs(path).length).toBeGreaterThan(before), WAIT);
    expect(syncs(path).at(-1)).toMatchObject({ done: true, outcome: "synced", do: 2, r2r: 0, r2w: 0 });
    // Mirrors of the tests before may be syncing beside this one.
    expect(bed.upstreamRequests(upstream.name) - requests).toBe(2);
  });

  it("comes by itself, again and again", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(2)));
    const path = await bed.mirror(upstream.url, { interval: 1 });
    const { last_sync: first } = await bed.settled(path);
    await vi.waitFor(async () => {
      const { last_sync: last } = (await bed.api<MirrorState>("GET", `${path}/mirror`)).body;
      expect([first, null]).not.toContain(last);
    }, WAIT);
    const ended = await bed.api<MirrorState>("PUT", `${path}/mirror`, { upstream: upstream.url, interval: 0 });
    expect(ended.body.last_error).toBeNull();
  });

  it("has an interval that the deployment allows", async () => {
    const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(2)));
    const path = await bed.mirror(upstream.url);
    const answer = await bed.api("PUT", `${path}/mirror`, { upstream: upstream.url, interval: 0.5 });
    expect(answer.status).toBe(422);
  });
});
