/**
 * The table of costs in `docs/operating.md`, made from the figures in `docs/benchmark.md` and the platform's prices. `check-docs.ts` fails
 * where the page has another one; `node scripts/cost-table.ts` writes it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FIGURES } from "./bench/page.ts";
import { dollarsPerThousand } from "./prices.ts";
import { readTable, replaceTable, type Table } from "./marked-table.ts";

/** The name of the table. */
const COSTS = "node scripts/cost-table.ts";

/**
 * An operation: what stands in the page, its row in the benchmark, and what the benchmark does not count. These are the requests of git
 * (which asks once without credentials), the calls that a tenant's token adds, and what follows a push: derived files, queues, and rows,
 * from the log and the local runtime.
 */
type Operation = {
  readonly name: string;
  /** Absent for one that the page of the benchmark does not have; `cpu` is in seconds then. */
  readonly step?: string;
  readonly requests: number;
  readonly objects: number;
  readonly moreReads?: number;
  readonly moreWrites?: number;
  readonly kv?: number;
  readonly queue?: number;
  readonly rows?: number;
  readonly cpu?: number;
};

const OPERATIONS: readonly Operation[] = [
  { name: "clone of 318 MB", step: "clone", requests: 4, objects: 5, moreReads: 1 },
  { name: "clone of what is cloned often", requests: 4, objects: 5, moreReads: 1, cpu: 0.03 },
  {
    name: "clone of a public mirror of that size, which came in slices",
    step: "clone of that mirror",
    requests: 3,
    objects: 0,
    kv: 2,
  },
  { name: "fetch of one commit", step: "fetch of one commit", requests: 4, objects: 5 },
  { name: "fetch of nothing new, `ls-remote`", requests: 3, objects: 3, cpu: 0.02 },
  { name: "the same of a public repository", requests: 2, objects: 1, cpu: 0.01 },
  {
    name: "push of one commit",
    step: "push of one commit",
    requests: 3,
    objects: 8,
    moreWrites: 6,
    queue: 3,
    rows: 27,
  },
  {
    name: "first push of 318 MB",
    step: "push of everything",
    requests: 3,
    objects: 10,
    moreWrites: 6,
    queue: 3,
    rows: 62,
  },
];

const HEADING = [
  "1,000 ×",
  "Worker requests",
  "Durable Object requests",
  "R2 class A · B",
  "queue operations",
  "rows written",
  "CPU",
  "together",
];

/** Returns the figures of a step in the benchmark's table. @throws Error if it has no such row. */
function figuresOf(benchmark: Table, step: string): { reads: number; writes: number; cpu: number } {
  const row = benchmark.find(([label]) => label === step);
  const [, , , cpu = "", , , operations = ""] = row ?? [];
  const [reads = Number.NaN, writes = Number.NaN] = operations.split("·").map(Number);
  const figures = { reads, writes, cpu: Number.parseFloat(cpu) };
  if (Object.values(figures).some(Number.isNaN)) throw new Error(`docs/benchmark.md has no figures of: ${step}`);
  return figures;
}

function thousand(count: number): string {
  return count === 0 ? "0" : (count * 1000).toLocaleString("en-US");
}

function dollars(value: number): string {
  return `**$${value.toFixed(value < 1 ? 3 : 2)}**`;
}

/**
 * Returns the seconds of processor time of an operation that the table has, from the benchmark's page.
 *
 * @throws Error if the table has none of that name.
 */
export function processorTimeOf(benchmark: string, name: string): number {
  const operation = OPERATIONS.find((each) => each.name === name);
  if (operation === undefined) throw new Error(`the table of costs has no row of: ${name}`);
  const { step, cpu = 0 } = operation;
  return step === undefined ? cpu : figuresOf(readTable(benchmark, FIGURES), step).cpu;
}

function costRow(benchmark: Table, operation: Operation): string[] {
  const { name, step, requests, objects, moreReads = 0, moreWrites = 0, kv = 0, queue = 0, rows = 0 } = operation;
  const measured = step === undefined ? { reads: 0, writes: 0, cpu: operation.cpu ?? 0 } : figuresOf(benchmark, step);
  const counts = { requests, objects, classA: measured.writes + moreWrites, classB: measured.reads + moreReads };
  const used = { ...counts, kv, queue, rows, cpu: measured.cpu * 1000 };
  const cost = dollarsPerThousand(used);
  return [
    name,
    thousand(requests),
    thousand(objects),
    `${thousand(counts.classA)} · ${thousand(counts.classB)}${kv === 0 ? "" : `, and ${thousand(kv)} KV reads`}`,
    thousand(queue),
    thousand(rows),
    `${Math.round(measured.cpu * 1000).toLocaleString("en-US")} s`,
    dollars(cost),
  ];
}

/** Returns the page of costs with the table that the page of the benchmark gives. */
export function withCosts(operating: string, benchmark: string): string {
  const figures = readTable(benchmark, FIGURES);
  return replaceTable(operating, COSTS, [HEADING, ...OPERATIONS.map((operation) => costRow(figures, operation))]);
}

const [, program = ""] = process.argv;
if (import.meta.url === pathToFileURL(program).href) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), "..", "docs");
  const page = join(docs, "operating.md");
  writeFileSync(page, withCosts(readFileSync(page, "utf8"), readFileSync(join(docs, "benchmark.md"), "utf8")));
}
