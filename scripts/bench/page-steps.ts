/**
 * Steps of looking at pages: of a repository that was pushed whole and has had its maintenance, in an isolate that has shown each of them once.
 *
 * @packageDocumentation
 */
import type { GitSandbox } from "../../test/support/git-client.ts";
import type { Table } from "../marked-table.ts";
import type { Verdict } from "./budgets.ts";
import { type ObservedHost, startThinpack } from "./hosts.ts";
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

/**
 * The figures of a view. In milliseconds: processor time, the time until the first byte, and the processor time until then. Then reads of the
 * bucket, and bytes of the page.
 */
type View = {
  readonly cpu: number;
  readonly first: number;
  readonly before: number;
  readonly r2r: number;
  readonly bytes: number;
};

/**
 * A page, with its first view, further views of a visitor who has not signed in, to whom the host may give what it has kept, and views of one who
 * has, for whom it renders the page each time.
 */
type PageMeasurement = Page & { readonly cold: View; readonly warm: readonly View[]; readonly own: readonly View[] };

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
    { step: "activity", path: `/activity/${branch}` },
  ];
}

async function view(host: ObservedHost, path: string, isOwn = false): Promise<View> {
  const end = await host.begin();
  const own = isOwn ? { Authorization: `Bearer ${host.token}` } : {};
  const [began, cpuBefore] = [performance.now(), host.cpuNow()];
  const answer = await fetch(`${host.base}/${SUBJECT}${path}`, {
    // What compresses answers holds small pieces back here. It is the simulator's, and no part of the host.
    headers: { Accept: "text/html", "Accept-Encoding": "identity", ...own },
    redirect: "error",
  });
  if (!answer.ok || answer.body === null) throw new Error(`${path}: ${answer.status}`);
  let [first, before, bytes] = [0, 0, 0];
  for await (const chunk of answer.body) {
    if (bytes === 0) [first, before] = [performance.now() - began, (host.cpuNow() - cpuBefore) * 1000];
    bytes += chunk.length;
  }
  const { cpu, counts } = await end();
  return { cpu: cpu * 1000, first, before, r2r: counts?.r2r ?? 0, bytes };
}

async function viewsOf(host: ObservedHost, path: string, isOwn: boolean): Promise<View[]> {
  const all: View[] = [];
  for (let at = 0; at < REPEATS; at++) all.push(await view(host, path, isOwn));
  return all;
}

/** Pushes a bare repository, and looks at its pages. */
export async function measurePages(git: GitSandbox, directory: string): Promise<PageMeasurement[]> {
  const host = await startThinpack(git.path("state"), false);
  try {
    await pushSubject(git, host, directory, { visibility: "public" });
    const measured: PageMeasurement[] = [];
    for (const page of await pagesOf(git, directory)) {
      const cold = await view(host, page.path);
      const warm = await viewsOf(host, page.path, false);
      const own = await viewsOf(host, page.path, true);
      measured.push({ ...page, cold, warm, own });
      const figures = [cold.cpu, medianOf(warm, "cpu"), medianOf(own, "cpu"), medianOf(own, "before")];
      console.error(`${page.step}: ${figures.map((each) => each.toFixed(1)).join(", ")} ms CPU`);
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

/** Judges the medians of warm views; of those that are rendered each time, what comes before the first byte. */
export function judgePages(pages: readonly PageMeasurement[]): Verdict[] {
  return pages.flatMap(({ step, cpu: budget, warm, own }): Verdict[] => {
    const cpu = medianOf(warm, "cpu");
    const time = { what: `${step}: server CPU, median`, figure: cpu, unit: "ms" };
    const held = (what: string, figure: number): Verdict => {
      return { what: `${step}: ${what}`, figure, budget: FIRST_BYTE, unit: "ms", ok: figure <= FIRST_BYTE };
    };
    return [
      budget === undefined ? { ...time, ok: true } : { ...time, budget, ok: cpu <= budget },
      held("first byte", medianOf(warm, "first")),
      held("server CPU before the first byte, rendered anew", medianOf(own, "before")),
    ];
  });
}

/** Returns the table of the page: the first view, and the medians of the others. */
export function pagesTable(pages: readonly PageMeasurement[]): Table {
  const rows = pages.map(({ step, cold, warm, own }) => [
    step,
    `${cold.cpu.toFixed(0)} ms`,
    `${cold.first.toFixed(0)} ms`,
    String(cold.r2r),
    `${medianOf(warm, "cpu").toFixed(0)} ms`,
    `${medianOf(warm, "first").toFixed(0)} ms`,
    `${medianOf(own, "cpu").toFixed(0)} ms`,
    `${medianOf(own, "first").toFixed(0)} ms`,
    `${medianOf(own, "before").toFixed(0)} ms`,
    `${(medianOf(own, "bytes") / 1000).toFixed(0)} KB`,
  ]);
  const heads = ["first view: server CPU", "first byte", "R2 reads", "again: server CPU", "first byte"];
  const ownHeads = ["rendered anew: server CPU", "first byte", "server CPU before it", "HTML"];
  return [["page", ...heads, ...ownHeads], ...rows];
}
