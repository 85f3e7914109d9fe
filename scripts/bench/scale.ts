/**
 * `npm run bench -- --scale`: repositories that are large in one way each, at three sizes, on this host and on C git's.
 *
 * @packageDocumentation
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { GitSandbox } from "../../test/support/git-client.ts";
import { replaceTable } from "../marked-table.ts";
import type { Verdict } from "./budgets.ts";
import { type Curve, drawCurves, type Panel } from "./curves.ts";
import { type Host, startCGit, startThinpack } from "./hosts.ts";
import { renderVerdicts } from "./report.ts";
import { FULL_SCALE, makeScaled, type ScaleKind } from "./scale-repositories.ts";
import { judgeScale, SCALE_FIGURES, type ScaleResults, scaleTable } from "./scale-report.ts";
import { CLONED, FETCHED_ONE, LATE_PUSH, PUSHED_ONE, type ScalePoint, ScaleSteps } from "./scale-steps.ts";

/** The sizes that are measured, as parts of the largest. */
const SIZES = [100, 10, 1];
const LEAST_PUSHES = 40;

/** What a run is given. */
export type ScaleOptions = {
  /** The largest size is this part of the whole: 10 for a tenth. */
  readonly part: number;
  readonly hosts: readonly string[];
  readonly kinds: readonly ScaleKind[];
  readonly page?: string;
  readonly picture?: string;
  readonly json?: string;
  /** Whether garbage is collected before each step. */
  readonly collect: boolean;
};

/** Whether text names a kind of repository. */
export function isScaleKind(name: string): name is ScaleKind {
  return name in FULL_SCALE;
}

/** Returns the kinds that there are. */
export function scaleKinds(): ScaleKind[] {
  return Object.keys(FULL_SCALE).filter(isScaleKind);
}

async function startHost(git: GitSandbox, name: string, collect: boolean): Promise<Host> {
  return name === "c-git" ? await startCGit(git.path("served")) : await startThinpack(git.path("state"), collect);
}

/** Returns the sizes that are measured, the smallest first. */
function sizesOf(kind: ScaleKind, part: number): number[] {
  const sizes = SIZES.map((size) => Math.round(FULL_SCALE[kind] / part / size));
  return [...new Set(kind === "pushes" ? sizes.map((size) => Math.max(LEAST_PUSHES, size)) : sizes)];
}

/** Measures everything, and writes what was asked for. Returns whether all figures are within their bounds. */
export async function measureScale(options: ScaleOptions): Promise<boolean> {
  const git = new GitSandbox("bench", "sha1");
  const all = { points: [] as ScalePoint[], grown: [] as ScaleSteps["grown"], stored: new Map<string, number>() };
  const hosts = await Promise.all(options.hosts.map((name) => startHost(git, name, options.collect)));
  try {
    const steps = hosts.map((host) => new ScaleSteps(git, host, (line) => console.error(line)));
    for (const kind of options.kinds)
      for (const size of sizesOf(kind, options.part)) {
        const subject = await makeScaled(git, kind, size);
        for (const each of steps) await each.measure(subject);
        rmSync(subject.directory, { recursive: true, force: true });
      }
    for (const each of steps) {
      all.points.push(...each.points);
      all.grown.push(...each.grown);
      // What C git stores is no measure of what this host reads.
      if (each === steps[options.hosts.indexOf("thinpack")])
        for (const [key, bytes] of each.stored) all.stored.set(key, bytes);
    }
    return report(all, options);
  } finally {
    for (const host of hosts) await host.close();
    git.close();
  }
}

function report(results: ScaleResults, { page, picture, json }: ScaleOptions): boolean {
  const verdicts: Verdict[] = judgeScale(results, true);
  console.log(renderVerdicts(verdicts));
  if (json !== undefined) {
    const points = results.points.map(({ counts, ...point }) => ({
      ...point,
      counts: { ...counts, lines: undefined },
    }));
    writeFileSync(json, `${JSON.stringify({ points, grown: results.grown, verdicts }, null, 2)}\n`);
  }
  if (page !== undefined)
    writeFileSync(page, replaceTable(readFileSync(page, "utf8"), SCALE_FIGURES, scaleTable(results)));
  if (picture !== undefined) writeFileSync(picture, drawCurves(panelsOf(results.points)));
  return verdicts.every(({ ok }) => ok);
}

function curve(points: readonly ScalePoint[], name: string, y: (point: ScalePoint) => number | undefined): Curve {
  const pairs = points.flatMap((point): [number, number][] => {
    const value = y(point);
    return value === undefined ? [] : [[point.size, value]];
  });
  return { name, points: pairs.toSorted(([a], [b]) => a - b), isDashed: name.endsWith("C git") };
}

/** Returns the picture's panels: what grows with the size, and what must not. */
export function panelsOf(points: readonly ScalePoint[]): Panel[] {
  const kinds: readonly ScaleKind[] = ["objects", "commits", "refs", "files"];
  const of = (host: string, kind: ScaleKind, step: string): ScalePoint[] =>
    points.filter((point) => point.host === host && point.kind === kind && point.step === step);
  const operations = ({ counts, times = 1 }: ScalePoint): number | undefined =>
    counts === undefined ? undefined : (counts.r2r + counts.r2w + counts.do) / times;
  const milliseconds = ({ cpu, times = 1 }: ScalePoint): number => (cpu * 1000) / times;
  const byKind = (step: string, y: (point: ScalePoint) => number | undefined): Curve[] =>
    kinds.map((kind) => curve(of("thinpack", kind, step), kind, y));
  const beside = (kind: ScaleKind, step: string): Curve[] => [
    curve(of("thinpack", kind, step), `${step}, thinpack`, milliseconds),
    curve(of("c-git", kind, step), `${step}, C git`, milliseconds),
  ];
  return [
    {
      title: "Fetch of one commit: operations of storage",
      x: "objects, commits, refs, files",
      y: "R2 and Durable Object",
      curves: byKind(FETCHED_ONE, operations),
    },
    {
      title: "Push of one commit: operations of storage",
      x: "objects, commits, refs, files; pushes before",
      y: "R2 and Durable Object",
      curves: [...byKind(PUSHED_ONE, operations), curve(of("thinpack", "pushes", LATE_PUSH), "pushes", operations)],
    },
    {
      title: "Processor time over objects",
      x: "objects",
      y: "server, ms",
      curves: [...beside("objects", FETCHED_ONE), ...beside("objects", CLONED)],
    },
    {
      title: "A clone after single pushes: R2 reads",
      x: "pushes",
      y: "reads",
      curves: [curve(of("thinpack", "pushes", CLONED), "clone", ({ counts }) => counts?.r2r)],
    },
  ];
}
