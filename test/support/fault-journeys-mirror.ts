/**
 * Journeys of mirrors on storage that fails.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { type CgiServer, startCgiServer, TEST_SETTINGS } from "./cgi-server.ts";
import type { FaultBed } from "./fault-bed.ts";
import type { Refs } from "./fault-client.ts";
import { BASE, lineOf, type Made, MAIN, NEXT, packOf, TIP } from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";
import { RecordedUpstream } from "./recorded-upstream.ts";
import { send } from "./git-raw.ts";
import { withToken } from "./git-client.ts";

const TOKEN = "upstream-token";
/** More objects than a slice has. */
const LONG = lineOf(120, "sliced");

/** C git's server, and what stands before it. */
type Upstreams = { readonly server: CgiServer; readonly recorded: RecordedUpstream };

const started = new WeakMap<FaultBed, Promise<Upstreams>>();

async function start(bed: FaultBed): Promise<Upstreams> {
  const server = await startCgiServer({ root: bed.git.path("upstreams"), token: TOKEN, settings: TEST_SETTINGS });
  const recorded = new RecordedUpstream(server.base);
  await recorded.start();
  bed.onStop(async () => {
    recorded.stop();
    await server.close();
  });
  const upstreams = { short: BASE, moved: [...BASE, NEXT], long: LONG };
  for (const [name, commits] of Object.entries(upstreams)) await fill(bed, server, name, commits);
  return { server, recorded };
}

async function fill(bed: FaultBed, server: CgiServer, name: string, commits: readonly Made[]): Promise<void> {
  const made = await send(withToken(`${server.base}/api/v1/repos/up/${name}`, TOKEN), { method: "PUT" });
  if (made.status !== 201) throw new Error(`creating ${name}: ${made.status}`);
  const cwd = bed.git.path("upstreams", "up", `${name}.git`);
  execFileSync("git", ["index-pack", "--stdin"], { cwd, input: packOf(commits) });
  await bed.git.ok(["update-ref", MAIN, commits.at(-1)?.oid ?? ""], { cwd });
}

/** The settings of a mirror of one of the upstreams. */
async function settings(bed: FaultBed, name: string): Promise<object> {
  const running = started.get(bed) ?? start(bed);
  started.set(bed, running);
  const { recorded } = await running;
  return { upstream: `${recorded.base}/up/${name}.git`, interval: 0, username: "x", password: TOKEN };
}

/** A mirror that is made, or told to follow another upstream, and syncs. */
async function mirroring(round: Round, name: string, tip: string, from?: string): Promise<Act> {
  const { bed, path, client, referee } = round;
  await bed.sure("PUT", `/repos/${path}`, { visibility: "public" });
  const asked = await settings(bed, name);
  const before: Refs = from === undefined ? {} : { [MAIN]: TIP.oid };
  if (from !== undefined) {
    await bed.sure("PUT", `/repos/${path}/mirror`, await settings(bed, from));
    await bed.settle();
  }
  const after = { [MAIN]: tip };
  return {
    act: () => client.api("PUT", `/repos/${path}/mirror`, asked),
    // That it was asked for is what is acknowledged.
    check: () => checkRefs(round, { before, after }, false),
    swept: async () => {
      const { last_error: why, syncing } = await bed.sure("GET", `/repos/${path}/mirror`);
      const refs = await referee.refs(path);
      if (refs[MAIN] !== tip) throw new Error(`it has not synced: ${JSON.stringify({ refs, why, syncing })}`);
    },
  };
}

/** Journeys of mirrors. */
export const MIRROR_JOURNEYS: readonly Journey[] = [
  { name: "mirror, first sync", prepare: (round) => mirroring(round, "short", TIP.oid) },
  { name: "mirror, sync", prepare: (round) => mirroring(round, "moved", NEXT.oid, "short") },
  { name: "mirror, slices", prepare: (round) => mirroring(round, "long", LONG.at(-1)?.oid ?? "") },
];
