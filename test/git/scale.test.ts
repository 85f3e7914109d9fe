/**
 * What repositories cost as they grow: a tenth of what `npm run bench -- --scale` makes, in counts and bytes. Pushes by the hundred are
 * in `many-pushes.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Host, startThinpack } from "../../scripts/bench/hosts.ts";
import { judgeScale } from "../../scripts/bench/scale-report.ts";
import { FULL_SCALE, makeScaled, type ScaleKind } from "../../scripts/bench/scale-repositories.ts";
import { FETCHED_ONE, ScaleSteps } from "../../scripts/bench/scale-steps.ts";
import { GitSandbox } from "../support/git-client.ts";

const TENTH = 10;
const HUNDREDTH = 100;
const git = new GitSandbox("scale");
let host: Host | undefined;
beforeAll(async () => {
  host = await startThinpack(git.path("state"), true);
});
afterAll(async () => {
  await host?.close();
  git.close();
});

describe("a repository of many", () => {
  const kinds: readonly ScaleKind[] = ["objects", "commits", "refs", "files"];
  it.each(kinds)("%s costs what a small one costs", async (kind) => {
    if (host === undefined) throw new Error("the host runs only during tests");
    const steps = new ScaleSteps(git, host);
    for (const part of [HUNDREDTH, TENTH]) await steps.measure(await makeScaled(git, kind, FULL_SCALE[kind] / part));
    expect(steps.points.filter(({ step }) => step === FETCHED_ONE)).toHaveLength(2);
    const verdicts = judgeScale(steps, false);
    expect(verdicts.map(({ what }) => what)).toContain(
      `fetch of one commit, ${FULL_SCALE[kind] / TENTH} ${kind}: R2 reads`,
    );
    expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
  });
});
