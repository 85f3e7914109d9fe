/**
 * The hostile list of the benchmark, a small part of each input and several at once: every answer is one that a limit
 * defines, and the isolate stays within what the platform gives. Nothing is timed.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultOf, HostileBed, type HostileInput, sendOnce } from "../../scripts/bench/hostile-bed.ts";
import { hostileKinds, inputsOf } from "../../scripts/bench/hostile-inputs.ts";
import { type MemorySampler, sampleMemory } from "../../scripts/bench/isolate-memory.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { GitSandbox } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { isolateBytes } from "../support/isolate-bytes.ts";
import { SeededRandom } from "../support/seeded-random.ts";

/** The part of the full size: 4000 commits, 4000 names in a request, and so on. */
const PART = 0.02;
const AT_ONCE = 8;
/** Looks in which bytes have to be there to count as held. */
const LOOKS = 3;
/** What the platform gives an isolate. */
const ISOLATE_BYTES = 128e6;

let host: RunningHost;
let git: GitSandbox;
let memory: MemorySampler;
let inputs: readonly HostileInput[] = [];

beforeAll(async () => {
  host = await startTestHost({ hasClock: true, inspectorPort: 0 });
  git = new GitSandbox("hostile");
  inputs = await inputsOf(
    new HostileBed(git, host, PART),
    // Those measure a time.
    hostileKinds().filter((kind) => kind !== "floods"),
  );
  memory = await sampleMemory(await host.inspector());
});

afterAll(async () => {
  memory.close();
  await host.stop();
  git.close();
});

/** Returns all inputs in an order of its own for each run with another seed. */
function shuffled(seed: number): HostileInput[] {
  return new SeededRandom(seed).some(inputs, inputs.length);
}

type Round = { readonly most: number; readonly names: readonly string[] };

/**
 * Returns what is wrong with the answer to an input that is sent beside others. One that breaks off is sent again: a host that others wait
 * for ends what a client holds that stands still for seconds, as every client may on a busy machine. By itself it waits for minutes.
 */
async function faultBesideOthers(input: HostileInput, brokenOff: HostileInput[]): Promise<string | undefined> {
  const sent = await sendOnce(input);
  const fault = faultOf(input, sent);
  if (fault === undefined || sent.isBrokenOff !== true) return fault;
  brokenOff.push(input);
  return undefined;
}

/**
 * Sends inputs at once, and returns the most that the isolate held meanwhile, in several looks one after the other. An
 * isolate that answers makes garbage between a collection and the look behind it, so that a single look is of no use.
 */
async function sendAll(some: readonly HostileInput[], faults: string[]): Promise<Round> {
  const over = new AbortController();
  const brokenOff: HostileInput[] = [];
  const answers = some.map(async (input) => {
    const fault = await faultBesideOthers(input, brokenOff);
    if (fault !== undefined) faults.push(`${input.name}: ${fault}`);
  });
  const all = Promise.all(answers).finally(() => over.abort());
  const looks: number[] = [];
  do looks.push((await isolateBytes(host.base, memory)).all);
  while (!over.signal.aborted || looks.length < LOOKS);
  await all;
  for (const input of brokenOff) {
    const fault = faultOf(input, await sendOnce(input));
    if (fault !== undefined) faults.push(`${input.name}, by itself: ${fault}`);
  }
  const held = looks.slice(LOOKS - 1).map((_, at) => Math.min(...looks.slice(at, at + LOOKS)));
  const most = Math.max(...held);
  return { most, names: some.map(({ name }) => name) };
}

it("every hostile input beside seven others gets an answer that a limit defines, in an isolate of 128 MB", async () => {
  const faults: string[] = [];
  const order = shuffled(Number(process.env["SEED"] ?? 1));
  expect(order.length).toBeGreaterThan(60);
  const rounds: Round[] = [];
  for (let at = 0; at < order.length; at += AT_ONCE) rounds.push(await sendAll(order.slice(at, at + AT_ONCE), faults));
  expect(faults).toEqual([]);
  expect(rounds.filter(({ most }) => most >= ISOLATE_BYTES)).toEqual([]);
});
