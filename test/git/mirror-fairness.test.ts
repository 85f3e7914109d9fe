/** Upstreams that say nothing, and the mirrors of everybody else. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { MOST_SYNCS } from "../../src/durable/tenant/sync-places.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const WAIT = { timeout: 60_000, interval: 100 };
/** More than the queue has consumers. */
const HUNG = 11;

const bed = new MirrorBed();
/** Accepts requests, and answers none. */
let silent: Server | undefined;
let waiting = 0;

beforeAll(async () => {
  await bed.start({ MIRROR_LEAST_INTERVAL: "3600" });
  silent = createServer((request) => {
    waiting += 1;
    request.socket.on("close", () => (waiting -= 1));
  });
  await new Promise<void>((resolve) => silent?.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  silent?.closeAllConnections();
  silent?.close();
  await bed.stop();
});

function silentUrl(): string {
  const address = silent?.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/hung.git`;
}

it("silent upstreams delay no other tenant's mirrors, and hold few syncs of their own tenant at a time", async () => {
  const upstream = await bed.upstream(await importFixture(bed.git, "source", linear(3)));
  const paths = Array.from({ length: HUNG }, (_, n) => `evil/hung-${n}`);
  for (const path of paths) {
    await bed.api("PUT", path, {});
    const set = await bed.api("PUT", `${path}/mirror`, { upstream: silentUrl(), interval: 0 });
    expect(set.status).toBe(200);
  }
  await vi.waitFor(() => expect(waiting).toBe(MOST_SYNCS), WAIT);
  // With one consumer for all, this would wait until each of them was given up.
  const path = await bed.mirror(upstream.url);
  expect(await bed.settled(path)).toMatchObject({ failures: 0, last_error: null });
  expect(waiting).toBeLessThanOrEqual(MOST_SYNCS);
  const states = await Promise.all(paths.map(async (hung) => await bed.api<MirrorState>("GET", `${hung}/mirror`)));
  const begun = states.filter(({ body }) => body.last_attempt !== null);
  // Those that have no place wait their turn, and are not lost.
  expect(begun.length).toBeLessThan(HUNG);
  expect(states.filter(({ body }) => body.syncing || body.failures > 0)).toHaveLength(HUNG);
});

it("silent upstreams are left alone for a while after their syncs were given up", async () => {
  const path = "evil/hung-0";
  const state = await vi.waitFor(
    async () => {
      const { body } = await bed.api<MirrorState>("GET", `${path}/mirror`);
      expect(body.failures).toBeGreaterThan(0);
      return body;
    },
    { timeout: 120_000, interval: 500 },
  );
  expect(state.last_error).toBe("The upstream does not answer in time.");
  const pause = Date.parse(state.next_sync ?? "") - Date.parse(state.last_attempt ?? "");
  expect(pause).toBeGreaterThanOrEqual(300_000);
});

it("readers of a mirror cause syncs no more often than a timer does", async () => {
  const { git } = bed;
  const upstream = await bed.upstream(await importFixture(git, "source-2", linear(3)));
  const path = await bed.mirror(upstream.url, { fetch_through: 1 });
  const url = `${bed.host.base}/${path}.git`;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const before = bed.upstreamRequests();
  for (let turn = 0; turn < 3; turn++) await git.ok(["ls-remote", url]);
  expect(bed.upstreamRequests()).toBe(before);
});
