/**
 * The steps of a repository that is cloned often: its answer is one stored file, and is held to what a bare Worker takes
 * for the same bytes.
 *
 * @packageDocumentation
 */
import { request } from "node:http";
import { TWINS } from "../../src/catalog/clone-twin.ts";
import { type Discarded, discardClone } from "./discarding-client.ts";
import { BARE, startBare } from "./bare-host.ts";
import type { Host } from "./hosts.ts";
import type { Measurement, Measuring } from "./steps.ts";

export const TWIN = "clone of what is cloned often, discarded";
/** How often each host sends its file before it is measured. */
const WARMING = 8;
/** How often each is measured. */
const TURNS = 7;

function urlOf(host: Host, repository: string): string {
  return `${host.base}/${repository}.git`;
}

/** Gets a body and throws it away. */
async function discard(url: string): Promise<Discarded> {
  const began = performance.now();
  return await new Promise((resolve, reject) => {
    const get = request(url, (response) => {
      let [bytes, firstByte] = [0, 0];
      response.on("data", (piece: Buffer) => {
        if (bytes === 0) firstByte = (performance.now() - began) / 1000;
        bytes += piece.length;
      });
      response.on("end", () => resolve({ wall: (performance.now() - began) / 1000, firstByte, bytes }));
      response.on("error", reject);
    });
    get.on("error", reject);
    get.end();
  });
}

/** Clones until the repository has a twin. */
async function cloneOften(on: Measuring): Promise<void> {
  const { host, repository, subject } = on;
  for (let n = 0; n < TWINS.clones; n++) await discardClone(urlOf(host, repository), host.token, subject.format);
  await on.settle();
}

/** Keeps the median by processor time of what each host took in the last `count` results. */
function keepMedians(results: Measurement[], count: number): void {
  const taken = results.splice(-count);
  for (const [, own] of Map.groupBy(taken, ({ host }) => host)) {
    const median = own.toSorted((a, b) => a.cpu - b.cpu)[Math.floor(own.length / 2)];
    if (median !== undefined) results.push(median);
  }
}

/**
 * Takes the steps: of the host, and of a bare Worker with as many bytes. They take turns, since the machine is not equally
 * quick all the time. Both have sent their file as often before: the simulator of the bucket needs half as much again for
 * the first times that it reads an object whole.
 */
export async function twinSteps(on: Measuring): Promise<void> {
  const { host, repository, subject, results } = on;
  const clone = async (): Promise<Discarded> => await discardClone(urlOf(host, repository), host.token, subject.format);
  await cloneOften(on);
  const { bytes } = await clone();
  const bare = await startBare(bytes);
  try {
    for (let n = 0; n < WARMING; n++) {
      await clone();
      await discard(bare.base);
    }
    for (let turn = 0; turn < TURNS; turn++) {
      await on.step(TWIN, clone);
      const before = await bare.quietCpu();
      const own = await discard(bare.base);
      results.push({ host: BARE, step: TWIN, cpu: (await bare.quietCpu()) - before, ...own });
    }
  } finally {
    await bare.end();
  }
  keepMedians(results, 2 * TURNS);
}
