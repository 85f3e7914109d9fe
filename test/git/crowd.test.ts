/** What an isolate holds for a crowd of clients that keep it waiting. `LONG=1` takes a longer history. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { Crowd } from "../support/crowd.ts";
import { GitSandbox } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const READERS = 20;
const PUSHES = 10;
const ARCHIVES = 8;
/** What the platform gives an isolate. */
const ISOLATE_BYTES = 128e6;
const COMMITS = process.env["LONG"] === undefined ? 4000 : 60_000;
const ROUNDS = 8;

let host: RunningHost;
let git: GitSandbox;
let crowd: Crowd;

beforeAll(async () => {
  host = await startTestHost({ hasClock: true, inspectorPort: 0 });
  git = new GitSandbox("crowd");
  crowd = await Crowd.prepare(host, git, COMMITS);
});

afterAll(async () => {
  crowd.close();
  await host.stop();
  git.close();
});

it("what slow readers, stalled pushes and held archives take fits the isolate, and a small clone is served", async () => {
  const highest = async (rounds: number): Promise<number> => {
    let most = 0;
    for (let round = 0; round < rounds; round++) most = Math.max(most, (await crowd.figures()).all);
    return most;
  };
  const begun = [
    ...Array.from({ length: READERS }, () => crowd.read()),
    ...Array.from({ length: PUSHES }, (_, at) => crowd.push(`stalled${at}`)),
    ...Array.from({ length: ARCHIVES }, () => crowd.archive()),
  ];
  expect(await highest(ROUNDS)).toBeLessThan(ISOLATE_BYTES);
  expect(await crowd.clone()).toBeGreaterThan(0);
  expect(await highest(1)).toBeLessThan(ISOLATE_BYTES);
  await Promise.all(begun);
});
