/**
 * Holds what the API says of random commits and files of a repository against what C git says of them, line by line.
 *
 * @packageDocumentation
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { itemAt } from "../../src/bytes/assert.ts";
import { percentEncoded } from "../../src/http/content-address.ts";

const run = promisify(execFile);

/** A repository that C git has in a directory, and the host at an address. */
export type ComparedRepository = {
  readonly directory: string;
  /** The address of the repository in the API. */
  readonly api: string;
  readonly token: string;
};

/** The questions that are asked of each sample. */
const QUESTIONS = ["blame", "diff", "last change", "log", "follow"] as const;
/** A question. */
type Question = (typeof QUESTIONS)[number];

/** A commit, and a file in it with one character per byte. */
type Sample = { readonly commit: string; readonly path: string };

/** How many answers were the same, what was different, and what the host refused to answer. */
export type Comparison = {
  readonly same: Record<Question, number>;
  readonly different: string[];
  readonly refused: string[];
};

/** The entries of a directory that are asked about. C git takes a walk for each. */
const MOST_ENTRIES = 4;

/** The samples after which it is told how long the host and git were waited for. */
const TOLD_SAMPLES = 10;

/** How often a host that is busy is asked. */
const MOST_TRIES = 20;

type Page = {
  readonly ranges?: readonly {
    readonly line: number;
    readonly count: number;
    readonly commit: string;
    readonly original_line: number;
  }[];
  readonly entries?: readonly { readonly name: string; readonly name_base64?: string; readonly commit: string }[];
  readonly commits?: readonly { readonly oid: string; readonly path?: string; readonly path_base64?: string }[];
  readonly cursor?: string;
};

/** Thrown where the host says that an answer is beyond its bounds. */
class Refused extends Error {}

class Questions {
  readonly #repository: ComparedRepository;
  /** The seconds for which the host and git were waited for. */
  readonly seconds = { host: 0, git: 0 };

  constructor(repository: ComparedRepository) {
    this.#repository = repository;
  }

  /** Runs git. Output and arguments have one character per byte. */
  async git(...args: readonly string[]): Promise<string> {
    const options = { cwd: this.#repository.directory, encoding: "latin1", maxBuffer: 1 << 29 } as const;
    const raw = args.map((arg) => Buffer.from(arg, "latin1").toString());
    const start = performance.now();
    const { stdout } = await run("git", raw, options);
    this.seconds.git += (performance.now() - start) / 1000;
    return stdout;
  }

  async #fetch(path: string): Promise<string> {
    const start = performance.now();
    try {
      return await this.#answer(path, MOST_TRIES);
    } finally {
      this.seconds.host += (performance.now() - start) / 1000;
    }
  }

  async #answer(path: string, tries: number): Promise<string> {
    const headers = { Authorization: `Bearer ${this.#repository.token}` };
    const answer = await fetch(`${this.#repository.api}/${path}`, { headers });
    // Maintenance of what was pushed may have all the memory for a while: the host says when to ask again.
    const seconds = answer.status === 503 ? answer.headers.get("Retry-After") : null;
    if (seconds !== null && tries > 1) {
      await sleep(Number(seconds) * 1000);
      return await this.#answer(path, tries - 1);
    }
    const text = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 413 || answer.status === 422) throw new Refused(text.toString());
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text.toString()}`);
    return text.toString("latin1");
  }

  async #pages(path: string): Promise<Page[]> {
    const pages: Page[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; cursor = pages.at(-1)?.cursor) {
      const query = cursor === "" ? "" : `${path.includes("?") ? "&" : "?"}cursor=${cursor}`;
      pages.push(JSON.parse(Buffer.from(await this.#fetch(path + query), "latin1").toString()));
    }
    return pages;
  }

  async blame({ commit, path }: Sample): Promise<readonly [string, string]> {
    const ranges = (await this.#pages(`blame/${commit}/${percentEncoded(path)}`)).flatMap((page) => page.ranges ?? []);
    const lines: string[] = [];
    for (const { line, count, commit: oid, original_line: original } of ranges)
      for (let i = 0; i < count; i++) lines[line + i - 1] = `${oid} ${original + i}`;
    const told = (await this.git("blame", "--porcelain", commit, "--", path))
      .split("\n")
      .filter((line) => /^[0-9a-f]{40} \d+ \d+/.test(line))
      .map((line) => line.split(" ").slice(0, 2).join(" "));
    return [lines.join("\n"), told.join("\n")];
  }

  async diff({ commit }: Sample): Promise<readonly [string, string]> {
    const [, parent] = (await this.git("rev-list", "--parents", "-1", commit)).trim().split(" ");
    const told =
      parent === undefined
        ? await this.git("diff-tree", "-p", "--full-index", "-M", "--root", "--no-commit-id", commit)
        : await this.git("diff", "--full-index", "-M", parent, commit);
    return [await this.#fetch(`commits/${commit}?format=diff`), told];
  }

  async lastChange({ commit, path }: Sample, random: (below: number) => number): Promise<readonly [string, string]> {
    const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
    const at = directory === "" ? "" : `/${percentEncoded(directory)}`;
    const entries = (await this.#pages(`last-changes/${commit}${at}?limit=300`)).flatMap((page) => page.entries ?? []);
    const listed = (await this.git("ls-tree", "-z", "--name-only", `${commit}:${directory}`)).split("\0").slice(0, -1);
    const changes = new Map(
      entries.map((entry) => {
        const name = entry.name_base64 === undefined ? Buffer.from(entry.name).toString("latin1") : atob(entry.name_base64); // prettier-ignore
        return [name, entry.commit];
      }),
    );
    // A page has what was found, and the next one begins with what is missing.
    const found: string[] = [...changes.keys()];
    const rows: [string, string][] = [[found.toSorted().join("\n"), listed.toSorted().join("\n")]];
    for (let count = 0; count < Math.min(MOST_ENTRIES, listed.length); count++) {
      const name = itemAt(listed, random(listed.length));
      const full = directory === "" ? name : `${directory}/${name}`;
      const told = (await this.git("log", "-1", "--format=%H", commit, "--", `:(literal)${full}`)).trim();
      rows.push([`${name} ${changes.get(name) ?? "none"}`, `${name} ${told}`]);
    }
    return [rows.map(([own]) => own).join("\n"), rows.map(([, told]) => told).join("\n")];
  }

  async log({ commit, path }: Sample): Promise<readonly [string, string]> {
    const pages = await this.#pages(`commits?rev=${commit}&path=${percentEncoded(path)}&limit=100`);
    const told = await this.git("log", "--format=%H", commit, "--", `:(literal)${path}`);
    return [pages.flatMap(({ commits = [] }) => commits.map(({ oid }) => `${oid}\n`)).join(""), told];
  }

  async follow({ commit, path }: Sample): Promise<readonly [string, string]> {
    const pages = await this.#pages(`commits?rev=${commit}&path=${percentEncoded(path)}&follow=true&limit=100`);
    const rows = pages.flatMap(({ commits = [] }) =>
      commits.map((each) => {
        const { oid, path: shown = "", path_base64: bytes } = each;
        return `${oid} ${bytes === undefined ? Buffer.from(shown).toString("latin1") : atob(bytes)}`;
      }),
    );
    // Records are separated by nothing but the names before them: a commit's name comes first, then one file.
    const told = (
      await this.git("log", "--follow", "-z", "--name-only", "--format=%H", commit, "--", `:(literal)${path}`)
    ) // prettier-ignore
      .split("\0")
      .filter((part) => part !== "")
      .map((part) => part.replace(/^\n/, ""));
    const pairs = Array.from({ length: told.length / 2 }, (_, at) => `${told[2 * at]} ${told[2 * at + 1]}`);
    return [rows.join("\n"), pairs.join("\n")];
  }
}

/** Chooses commits of HEAD's history, and a file of each. */
async function samplesOf(questions: Questions, count: number, random: (below: number) => number): Promise<Sample[]> {
  const commits = (await questions.git("rev-list", "HEAD")).trim().split("\n");
  const samples: Sample[] = [];
  while (samples.length < count) {
    const commit = itemAt(commits, random(commits.length));
    const listed = (await questions.git("ls-tree", "-r", "-z", commit)).split("\0").slice(0, -1);
    const files = listed.filter((row) => row.startsWith("100"));
    if (files.length === 0) continue;
    const row = itemAt(files, random(files.length));
    samples.push({ commit, path: row.slice(row.indexOf("\t") + 1) });
  }
  return samples;
}

/**
 * Asks all questions of random samples. `random` gives the same numbers for the same seed. `tell` is given a line for
 * each difference when it is found, and for each {@link TOLD_SAMPLES} samples: a run may take hours.
 */
export async function compareHistory(
  repository: ComparedRepository,
  count: number,
  random: (below: number) => number,
  tell: (line: string) => void,
): Promise<Comparison> {
  const questions = new Questions(repository);
  const same = { blame: 0, diff: 0, "last change": 0, log: 0, follow: 0 };
  const waits = new Map<Question, { host: number; git: number }>();
  const comparison: Comparison = { same, different: [], refused: [] };
  const ask: Readonly<Record<Question, (sample: Sample) => Promise<readonly [string, string]>>> = {
    blame: async (sample) => await questions.blame(sample),
    diff: async (sample) => await questions.diff(sample),
    "last change": async (sample) => await questions.lastChange(sample, random),
    log: async (sample) => await questions.log(sample),
    follow: async (sample) => await questions.follow(sample),
  };
  let asked = 0;
  for (const sample of await samplesOf(questions, count, random)) {
    for (const question of QUESTIONS) {
      const title = `${question} of ${sample.commit}:${sample.path}`;
      const before = { ...questions.seconds };
      try {
        const [own, told] = await ask[question](sample);
        if (own === told) same[question]++;
        else comparison.different.push(title);
        if (own !== told) tell(`different: ${title}`);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        comparison.refused.push(`${title}: ${error.message}`);
        tell(`refused: ${title}: ${error.message}`);
      }
      const sum = waits.get(question) ?? { host: 0, git: 0 };
      sum.host += questions.seconds.host - before.host;
      sum.git += questions.seconds.git - before.git;
      waits.set(question, sum);
    }
    if (++asked % TOLD_SAMPLES === 0 || asked === count) tell(`${asked} samples: ${waitsLine(waits)}`);
  }
  return comparison;
}

function waitsLine(waits: ReadonlyMap<Question, { readonly host: number; readonly git: number }>): string {
  return [...waits]
    .map(([question, { host, git }]) => `${question} ${host.toFixed(1)} s, git ${git.toFixed(1)} s`)
    .join("; ");
}
