/**
 * What the figures of repositories of several sizes come to: verdicts, and a table for the page.
 *
 * @packageDocumentation
 */
import type { Table } from "../marked-table.ts";
import { MB, type Verdict } from "./budgets.ts";
import type { ScaleKind } from "./scale-repositories.ts";
import {
  CLONED,
  CLONED_AT_ONCE,
  EARLY_PUSH,
  FETCHED_ONE,
  type Grown,
  LATE_PUSH,
  PUSHED,
  REFUSED,
  type ScalePoint,
} from "./scale-steps.ts";

/** The name of the page's table. */
export const SCALE_FIGURES = "npm run bench -- --scale --page";

const KINDS: readonly ScaleKind[] = ["objects", "commits", "refs", "files", "pushes"];
const [MOST_PACKS, MOST_CLONE_READS, MOST_WRITTEN, MOST_OPERATIONS] = [12, 20, 12, 2000];
/** How much a fetch or a push may cost of what it costs where the repository is small. */
const [OF_A_SMALL_ONE, OF_AN_EARLY_ONE] = [1.5, 1.3];
/** Reads that a fetch may make more whatever the small one makes: a ratio of very small numbers says little. */
const FEW_READS = 2;
const MEMORY_BUDGET = 96;
/** How often the bytes of the packs may be read by a clone. */
const MOST_READ = 2;
const MOST_FETCHED = 1.5;

/** Everything that was measured. */
export type ScaleResults = {
  readonly points: readonly ScalePoint[];
  readonly grown: readonly Grown[];
  /** Bytes of packs, by kind and size. */
  readonly stored: ReadonlyMap<string, number>;
};

/** Finds points. */
class Points {
  readonly #all: readonly ScalePoint[];

  constructor(all: readonly ScalePoint[]) {
    this.#all = all;
  }

  /** Returns the points of a step on a kind of repository, by size. */
  line(kind: ScaleKind, step: string, host = "thinpack"): ScalePoint[] {
    const points = this.#all.filter((each) => each.kind === kind && each.step === step && each.host === host);
    return points.toSorted((a, b) => a.size - b.size);
  }

  largest(kind: ScaleKind, step: string, host = "thinpack"): ScalePoint | undefined {
    return this.line(kind, step, host).at(-1);
  }
}

function verdict(what: string, figure: number | undefined, budget?: number, unit = ""): Verdict[] {
  if (figure === undefined || Number.isNaN(figure)) return [];
  const isWithin = budget === undefined || figure <= budget;
  return [{ what, figure, ...(budget === undefined ? {} : { budget }), unit, ok: isWithin }];
}

/** Judges how two times stand to each other. */
function timed(
  isTimed: boolean,
  what: string,
  [time, other]: readonly [number | undefined, number | undefined],
  bound: number,
): Verdict[] {
  return isTimed && time !== undefined && other !== undefined ? verdict(what, time / other, bound) : [];
}

const readsOf = (point: ScalePoint | undefined): number | undefined => point?.counts?.r2r;
const operationsOf = ({ counts }: ScalePoint): number => (counts === undefined ? 0 : counts.r2r + counts.r2w);
/** Operations of the request that made most of them. */
const mostOperations = ({ counts }: ScalePoint): number =>
  Math.max(0, ...(counts?.lines ?? []).map((line) => Number(line["r2r"]) + Number(line["r2w"])));

function judgePushes(points: Points, grown: readonly Grown[], isTimed: boolean): Verdict[] {
  const last = grown.toSorted((a, b) => a.size - b.size).at(-1);
  const [early, late] = [points.largest("pushes", EARLY_PUSH), points.largest("pushes", LATE_PUSH)];
  const [clone, whole] = [points.largest("pushes", CLONED), points.largest("pushes", CLONED_AT_ONCE)];
  const pushes = `${last?.size ?? ""} pushes`;
  return [
    ...verdict(`${pushes}: packs after maintenance`, last?.packs, MOST_PACKS),
    ...verdict(
      `${pushes}: bytes that maintenance wrote ÷ bytes pushed`,
      last && last.written / last.pushed,
      MOST_WRITTEN,
    ),
    ...verdict(`${pushes}: R2 reads of a clone`, readsOf(clone), MOST_CLONE_READS),
    ...timed(
      isTimed,
      `${pushes}: wall of a clone ÷ of what was pushed at once`,
      [clone?.wall, whole?.wall],
      OF_AN_EARLY_ONE,
    ),
    ...judgeLatePush(early, late, isTimed),
  ];
}

/** Seconds within which a push of too many objects is refused. */
const REFUSED_WITHIN = 1;

function judgeRefusal(points: Points, isTimed: boolean): Verdict[] {
  const refused = points.largest("objects", REFUSED);
  return isTimed
    ? verdict(`${refused?.size ?? ""} objects: a push of all is refused`, refused?.wall, REFUSED_WITHIN, "s")
    : [];
}

function judgeLatePush(early: ScalePoint | undefined, late: ScalePoint | undefined, isTimed: boolean): Verdict[] {
  if (early?.counts === undefined || late?.counts === undefined) return [];
  return [
    ...verdict("the last push: R2 operations beyond an early one's", operationsOf(late) - operationsOf(early), 0),
    ...verdict("the last push: Durable Object calls beyond an early one's", late.counts.do - early.counts.do, 0),
    ...timed(isTimed, "the last push: CPU ÷ an early one's", [late.cpu, early.cpu], OF_AN_EARLY_ONE),
  ];
}

function judgeFetches(points: Points, kind: ScaleKind, isTimed: boolean): Verdict[] {
  const line = points.line(kind, FETCHED_ONE);
  const [small, large] = [line.at(0), line.at(-1)];
  if (small === undefined || large === undefined || small === large) return [];
  const [few, many] = [readsOf(small), readsOf(large)];
  const what = `fetch of one commit, ${large.size} ${kind}`;
  const theirs = points.line(kind, FETCHED_ONE, "c-git").at(-1)?.bytes;
  return [
    ...(few === undefined ? [] : verdict(`${what}: R2 reads`, many, Math.max(few * OF_A_SMALL_ONE, few + FEW_READS))),
    ...timed(isTimed, `${what}: CPU ÷ with ${small.size}`, [large.cpu, small.cpu], OF_A_SMALL_ONE),
    ...verdict(`${what}: bytes ÷ C git's`, theirs && large.bytes && large.bytes / theirs, MOST_FETCHED),
  ];
}

/** Judges the figures: counts and bytes, and what is told in time if that is wanted. */
export function judgeScale({ points: all, grown, stored }: ScaleResults, isTimed: boolean): Verdict[] {
  const points = new Points(all);
  const perStep = all.flatMap((point): Verdict[] => {
    const { kind, size, step, memory, counts } = point;
    if (counts === undefined) return [];
    const what = `${size} ${kind}, ${step}`;
    const bytes = stored.get(`${kind} ${size}`);
    const isClone = step === CLONED && bytes !== undefined && bytes > MB;
    return [
      ...verdict(`${what}: operations of a request`, mostOperations(point), MOST_OPERATIONS),
      ...verdict(`${what}: peak isolate memory`, memory === undefined ? undefined : memory / MB, MEMORY_BUDGET, "MB"),
      ...(isClone ? verdict(`${what}: read ÷ stored`, counts.r2b / bytes, MOST_READ) : []),
    ];
  });
  return [
    ...judgeRefusal(points, isTimed),
    ...judgePushes(points, grown, isTimed),
    ...KINDS.flatMap((kind) => judgeFetches(points, kind, isTimed)),
    ...perStep,
  ];
}

const seconds = (value: number): string => (value < 2 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);
const grouped = (value: number): string => value.toLocaleString("en");

/** Returns the page's table: each step at the largest size of each kind, beside the smallest size and C git. */
export function scaleTable({ points: all }: Pick<ScaleResults, "points">): Table {
  const points = new Points(all);
  const steps = [REFUSED, PUSHED, EARLY_PUSH, LATE_PUSH, CLONED, CLONED_AT_ONCE, FETCHED_ONE];
  const rows = KINDS.flatMap((kind) =>
    steps.flatMap((step) => {
      const line = points.line(kind, step);
      const [small, large] = [line.at(0), line.at(-1)];
      if (small === undefined || large === undefined) return [];
      const theirs = points.line(kind, step, "c-git").find(({ size }) => size === large.size);
      const { wall, cpu, memory, counts, times = 1 } = large;
      return [
        [
          `${grouped(large.size)} ${kind}: ${step}`,
          seconds(wall / times),
          seconds(cpu / times),
          theirs === undefined ? "" : (cpu / theirs.cpu).toFixed(2),
          small === large ? "" : `${(cpu / small.cpu).toFixed(2)} (${grouped(small.size)})`,
          memory === undefined ? "" : `${Math.round(memory / MB)} MB`,
          counts === undefined ? "" : `${counts.r2r / times} · ${counts.r2w / times}`,
          counts === undefined ? "" : String(counts.do / times),
        ],
      ];
    }),
  );
  const heading = ["", "wall", "server CPU", "÷ C git", "÷ the smallest", "isolate", "R2 reads · writes", "calls"];
  return [heading, ...rows];
}
