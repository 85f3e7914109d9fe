/**
 * A load as a picture: the memory of the process over time, and how long operations took, beside C git's server.
 *
 * @packageDocumentation
 */
import { GIT_KINDS, type Kind, OWN_KINDS } from "./operations.ts";
import type { LoadReport, MemorySample } from "./measure.ts";

/** Pixels. */
const WIDTH = 860;
const HEIGHT = 330;
const PANEL = { top: 46, bottom: 285, left: 60, right: 410 };
const SECOND = { left: 490, right: 840 };
const MIB = 1024 * 1024;
/** The colours hold on a light and on a dark ground. */
const OURS = "#2f6fde";
const REFERENCE = "#d9822b";
const ISOLATE = "#2a9d5c";
const INK = "#7a7f87";

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${content}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${INK}" stroke-opacity="0.35"/>`;
}

/** Returns a round number that is not less. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((factor) => factor * unit).find((bound) => bound >= value) ?? value;
}

function memoryPanel(samples: readonly MemorySample[]): string {
  const { top, bottom, left, right } = PANEL;
  const seconds = Math.max(...samples.map(({ second }) => second), 1);
  const most = roundUp(Math.max(...samples.map(({ bytes }) => bytes)) / MIB);
  const x = (second: number): number => left + ((right - left) * second) / seconds;
  const y = (mebibytes: number): number => bottom - ((bottom - top) * mebibytes) / most;
  const curve = (colour: string, of: (sample: MemorySample) => number): string => {
    const points = samples.map((sample) => `${x(sample.second).toFixed(1)},${y(of(sample) / MIB).toFixed(1)}`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(" ")}"/>`;
  };
  const rows = [0, 0.5, 1].map((part) => most * part);
  return [
    text(left, 24, "memory (MiB): workerd, with what plays R2 and the databases,", 'font-weight="bold"'),
    text(left, 38, "and of it the isolate of the Worker and its objects", `fill="${ISOLATE}"`),
    ...rows.flatMap((row) => [
      line(left, y(row), right, y(row)),
      text(left - 6, y(row) + 4, String(row), 'text-anchor="end"'),
    ]),
    text(left, bottom + 18, "0 s"),
    text(right, bottom + 18, `${seconds} s`, 'text-anchor="end"'),
    curve(OURS, ({ bytes }) => bytes),
    curve(ISOLATE, ({ isolate }) => isolate),
  ].join("\n");
}

/** Bars of the median, and thin ones up to the 99th of a hundred, on a scale of powers of ten. */
function latencyPanel({ thinpack, cGit }: LoadReport): string {
  const { top, bottom } = PANEL;
  const { left, right } = SECOND;
  const kinds: readonly Kind[] = [...GIT_KINDS, ...OWN_KINDS];
  const slowest = Math.max(...[thinpack, cGit].flatMap(({ latency }) => kinds.map((kind) => latency[kind]?.p99 ?? 1)));
  const decades = Math.max(1, Math.ceil(Math.log10(slowest)));
  const y = (milliseconds: number): number =>
    bottom - ((bottom - top) * Math.max(0, Math.log10(Math.max(milliseconds, 1)))) / decades;
  const step = (right - left) / kinds.length;
  const bars = kinds.flatMap((kind, at) => {
    const middle = left + step * (at + 0.5);
    const drawn = (
      [
        [thinpack, OURS, -11],
        [cGit, REFERENCE, 1],
      ] as const
    ).flatMap(([{ latency }, colour, offset]) => {
      const found = latency[kind];
      if (found === undefined) return [];
      const bar = (value: number, width: number, x: number): string =>
        `<rect x="${x.toFixed(1)}" y="${y(value).toFixed(1)}" width="${width}" height="${(bottom - y(value)).toFixed(1)}" fill="${colour}"/>`;
      return [bar(found.p50, 10, middle + offset), bar(found.p99, 2, middle + offset + 4)];
    });
    return [...drawn, text(middle, bottom + 18, kind, 'text-anchor="middle"')];
  });
  const rows = Array.from({ length: decades + 1 }, (_, power) => 10 ** power);
  return [
    text(left, 24, "milliseconds: half of the operations, and 99 of 100", 'font-weight="bold"'),
    ...rows.flatMap((row) => [
      line(left, y(row), right, y(row)),
      text(left - 6, y(row) + 4, String(row), 'text-anchor="end"'),
    ]),
    ...bars,
    `<rect x="${left}" y="${HEIGHT - 16}" width="10" height="10" fill="${OURS}"/>`,
    text(left + 15, HEIGHT - 7, "thinpack"),
    `<rect x="${left + 90}" y="${HEIGHT - 16}" width="10" height="10" fill="${REFERENCE}"/>`,
    text(left + 105, HEIGHT - 7, "C git's server, with git's operations alone"),
  ].join("\n");
}

/** Draws a report. */
export function plotLoad(report: LoadReport): string {
  const { clients, seconds } = report.size;
  const { operations } = report.thinpack;
  const title = `${operations} operations of ${clients} clients in ${seconds} s`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="${INK}">
<title>${title}</title>
${memoryPanel(report.memory)}
${latencyPanel(report)}
${text(PANEL.left, HEIGHT - 7, title)}
</svg>
`;
}
