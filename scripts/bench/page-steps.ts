/**
 * Steps of looking at pages: of a repository that was pushed whole and has had its maintenance, in an isolate that has shown each of them once.
 *
 * @packageDocumentation
 */
import type { GitSandbox } from "../../test/support/git-client.ts";
import type { Table } from "../marked-table.ts";
import type { Verdict } from "./budgets.ts";
import { type Host, startThinpack } from "./hosts.ts";
import { branchOfHead, pushSubject, SUBJECT } from "./pushed-subject.ts";
import { spread } from "./write-steps.ts";

/** The name of the page's table. */
export const PAGE_FIGURES = "npm run bench -- --pages --page";

/** How often a page is asked for, after the first time. */
const REPEATS = 11;
/** How many commits before the last one the page of differences begins. */
const COMPARED = 30;

/** One page: where it is below the repository, and the most milliseconds of processor time that a view of it may take, if it is held to any. */
type Page = { readonly step: string; readonly path: string; readonly cpu?: number };
/** The most milliseconds until the first byte of any page is there. */
const FIRST_BYTE = 50;

/** A page with the figures of each view: processor time and the time until its first byte in milliseconds, reads, and bytes of the page. */
type View = { readonly cpu: number; readonly first: number; readonly r2r: number; readonly bytes: number };
type PageMeasurement = Page & { readonly cold: View; readonly warm: readonly View[] };

/** Returns the pages of a repository: the largest directory at its root, its largest file of C there, and a README. */
async function pagesOf(git: GitSandbox, cwd: string): Promise<Page[]> {
  const branch = await branchOfHead(git, cwd);
  const names = (await git.ok(["ls-tree", "-r", "--name-only", branch], { cwd })).split("\n");
  const sizes = (await git.ok(["ls-tree", "-l", branch], { cwd }))
    .split("\n")
    .map((line) => /^\d+ blob \S+ +(\d+)\t(.+\.c)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ size: Number(match[1]), name: String(match[2]) }]));
  const counts = new Map<string, number>();
  for (const name of names) {
    const directory = name.split("/")[0] ?? "";
    if (name.includes("/")) counts.set(directory, (counts.get(directory) ?? 0) + 1);
  }
  const [directory = ""] = Array.from(counts).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  const file = sizes.toSorted((a, b) => b.size - a.size)[0]?.name ?? names[0] ?? "";
  const readme = names.find((name) => /^README\.md$/i.test(name)) ?? file;
  const blamed = names.includes("refs.c") ? "refs.c" : file;
  const tip = await git.ok(["rev-parse", branch], { cwd });
  const older = await git.ok(["rev-parse", `${branch}~${COMPARED}`], { cwd });
  return [
    { step: "front page", path: "", cpu: 100 },
    { step: `directory (\`${directory}\`)`, path: `/tree/${branch}/${directory}`, cpu: 100 },
    { step: `Markdown (\`${readme}\`)`, path: `/blob/${branch}/${readme}`, cpu: 100 },
    { step: `source (\`${file}\`)`, path: `/blob/${branch}/${file}`, cpu: 100 },
    { step: "log", path: `/commits/${branch}`, cpu: 50 },
    { step: `log of a file (\`${file}\`)`, path: `/commits/${branch}/${file}`, cpu: 50 },
    { step: "commit", path: `/commit/${tip}`, cpu: 100 },
    { step: `differences of ${COMPARED} commits`, path: `/compare/${older}...${tip}` },
    { step: `blame (\`${blamed}\`)`, path: `/blame/${branch}/${blamed}`, cpu: 2000 },
    { step: "branches", path: "/branches", cpu: 100 },
    { step: "tags", path: "/tags", cpu: 100 },
    { step: "search", path: `/search?q=${encodeURIComponent("unsigned char")}`, cpu: 2000 },
    { step: "activity", path: "/activity" },
  ];
}

async function view(host: Host, path: string): Promise<View> {
  const end = await host.begin();
  const began = performance.now();
  const answer = await fetch(`${host.base}/${SUBJECT}${path}`, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.body === null) throw new Error(`${path}: ${answer.status}`);
  let [first, bytes] = [0, 0];
  for await (const chunk of answer.body) {
    if (bytes === 0) first = performance.now() - began;
    bytes += chunk.length;
  }
  const { cpu, counts } = await end();
  return { cpu: cpu * 1000, first, r2r: counts?.r2r ?? 0, bytes };
}

/** Pushes a bare repository, and looks at its pages. */
export async function measurePages(git: GitSandbox, directory: string): Promise<PageMeasurement[]> {
  const host = await startThinpack(git.path("state"), false);
  try {
    await pushSubject(git, host, directory, { visibility: "public" });
    const measured: PageMeasurement[] = [];
    for (const page of await pagesOf(git, directory)) {
      const cold = await view(host, page.path);
      const warm: View[] = [];
      for (let at = 0; at < REPEATS; at++) warm.push(await view(host, page.path));
      measured.push({ ...page, cold, warm });
      console.error(`${page.step}: ${cold.cpu.toFixed(0)} ms CPU, then ${medianOf(warm, "cpu").toFixed(1)}`);
    }
    return measured;
  } finally {
    await host.close();
  }
}

function medianOf(views: readonly View[], key: keyof View): number {
  const [, median] = spread(views.map((each) => each[key]));
  return median;
}

/** Judges the medians of warm views. */
export function judgePages(pages: readonly PageMeasurement[]): Verdict[] {
  return pages.flatMap(({ step, cpu: budget, warm }): Verdict[] => {
    const [cpu, first] = [medianOf(warm, "cpu"), medianOf(warm, "first")];
    const time = { what: `${step}: server CPU, median`, figure: cpu, unit: "ms" };
    return [
      budget === undefined ? { ...time, ok: true } : { ...time, budget, ok: cpu <= budget },
      { what: `${step}: first byte`, figure: first, budget: FIRST_BYTE, unit: "ms", ok: first <= FIRST_BYTE },
    ];
  });
}

/** Returns the table of the page: the first view, and the median of the others. */
export function pagesTable(pages: readonly PageMeasurement[]): Table {
  const rows = pages.map(({ step, cold, warm }) => [
    step,
    `${cold.cpu.toFixed(0)} ms`,
    String(cold.r2r),
    `${medianOf(warm, "cpu").toFixed(0)} ms`,
    `${medianOf(warm, "first").toFixed(0)} ms`,
    String(medianOf(warm, "r2r")),
    `${(medianOf(warm, "bytes") / 1000).toFixed(0)} KB`,
  ]);
  return [
    ["page", "first view: server CPU", "R2 reads", "again: server CPU", "first byte", "R2 reads", "HTML"],
    ...rows,
  ];
}
