/**
 * What hostile clients send: each input asks for as much work as its bytes can. For each, the processor time of the server
 * and the latency of `/healthz` meanwhile are measured. No figure is asserted: tests assert counts.
 *
 * @packageDocumentation
 */
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import {
  buildPack,
  commitOf,
  objectId,
  pkt,
  post,
  pushBody,
  treeOf,
  type RawEntry,
  ZERO,
} from "../../test/support/git-raw.ts";
import {
  bombPack,
  directoryPack,
  type HostilePack,
  longSection,
  starredFiles,
  tagChainPack,
} from "../../test/support/hostile.ts";
import type { Table } from "../marked-table.ts";
import type { Host } from "./hosts.ts";

/** The name of the table on a page. */
export const HOSTILE_FIGURES = "npm run bench -- --hostile --page";

const COMMITS = 200_000;
/** The most names that a request may have, less a few for others. */
const MOST_NAMES = 199_000;
const MANY = 60_000;
const PROBE_EVERY = 10;
/** How often the inputs are sent that name very many objects. */
const TIMES = 3;
const MAINTAINED_WITHIN = 240_000;
/** Milliseconds for which a pack surely stays without its mark. */
const UNMARKED_FOR = 540_000;

/** The figures of one input. */
export type HostileFigures = {
  readonly input: string;
  /** The status, and what came of it. */
  readonly outcome: string;
  /** Processor seconds of the server, for the input and the probes. */
  readonly cpu: number;
  /** Milliseconds that `/healthz` took meanwhile. */
  readonly median: number;
  readonly longest: number;
};

/** Sends hostile inputs to one host. */
export class HostileBench {
  readonly results: HostileFigures[] = [];
  readonly #git: GitSandbox;
  readonly #host: Host;
  readonly #report: (figures: HostileFigures) => void;

  constructor(git: GitSandbox, host: Host, report: (figures: HostileFigures) => void) {
    this.#git = git;
    this.#host = host;
    this.#report = report;
  }

  /** Sends all inputs, one after the other. */
  async run(): Promise<void> {
    await this.#measure("nothing, for a second", async () => {
      await wait(1000);
      return "";
    });
    await this.#archives();
    await this.#pushes();
    await this.#names();
    await this.#wideLog();
  }

  /**
   * Sends an input `times` times, and keeps the figures of the cheapest one. Maintenance runs behind pushes, and costs
   * processor time of the same process.
   */
  async #measure(input: string, work: () => Promise<string>, times = 1): Promise<void> {
    const all: HostileFigures[] = [];
    for (let time = 0; time < times; time++) all.push(await this.#measureOnce(input, work));
    const [least] = all.toSorted((a, b) => a.cpu - b.cpu);
    if (least === undefined) return;
    this.results.push(least);
    this.#report(least);
  }

  async #measureOnce(input: string, work: () => Promise<string>): Promise<HostileFigures> {
    const end = await this.#host.begin();
    const over = new AbortController();
    const probes = this.#probeUntil(over.signal);
    const outcome = await work().catch((error: unknown) => `failed: ${String(error).slice(0, 100)}`);
    over.abort();
    const latencies = (await probes).toSorted((a, b) => a - b);
    const { cpu } = await end();
    const [median = 0, longest = 0] = [latencies[latencies.length >> 1], latencies.at(-1)];
    return { input, outcome, cpu, median, longest };
  }

  async #probeUntil(signal: AbortSignal): Promise<number[]> {
    const latencies: number[] = [];
    while (!signal.aborted) {
      latencies.push(await this.#probe());
      await wait(PROBE_EVERY);
    }
    return latencies;
  }

  async #probe(): Promise<number> {
    const began = performance.now();
    return await new Promise((resolve, reject) => {
      request(`${this.#host.base}/healthz`, { agent: false }, (answer) => {
        answer.resume().on("end", () => resolve(performance.now() - began));
      })
        .on("error", reject)
        .end();
    });
  }

  async #make(name: string): Promise<string> {
    const headers = { Authorization: `Bearer ${this.#host.token}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ visibility: "public" });
    const answer = await fetch(`${this.#host.base}/api/v1/repos/hostile/${name}`, { method: "PUT", headers, body });
    if (answer.status !== 201) throw new Error(`${name} was not made: ${answer.status}`);
    return `hostile/${name}`;
  }

  async #push(path: string, refs: Readonly<Record<string, string>>, pack: Uint8Array): Promise<string> {
    const commands = Object.entries(refs).map(([name, oid]) => ({ name, new: oid }));
    const url = withToken(`${this.#host.base}/${path}.git`, this.#host.token);
    const { status, body } = await post(url, "receive-pack", pushBody(commands, pack));
    return `${status}, ${pack.length.toLocaleString("en-US")} bytes sent: ${firstLine(body)}`;
  }

  async #plant(name: string, { pack, tip }: HostilePack): Promise<string> {
    const path = await this.#make(name);
    await this.#push(path, { "refs/heads/main": tip }, pack);
    return path;
  }

  async #download(path: string): Promise<string> {
    const answer = await fetch(`${this.#host.base}/api/v1/repos/${path}`);
    let bytes = 0;
    try {
      for await (const piece of answer.body ?? []) bytes += piece.length;
      return `${answer.status}, ${bytes.toLocaleString("en-US")} bytes`;
    } catch {
      return `${answer.status}, broken off after ${bytes.toLocaleString("en-US")} bytes`;
    }
  }

  async #archives(): Promise<void> {
    const stars = await this.#plant("attributes", directoryPack(starredFiles(500, 20)));
    await this.#measure("archive: 500 patterns of 1,000 stars", () => this.#download(`${stars}/archive/main.tar`));
    for (const [name, prefix] of [
      ["bomb", "n"],
      ["bomb-of-long-names", "name".repeat(50)],
    ] as const) {
      const path = await this.#plant(name, bombPack(32, 10, prefix));
      for (const format of ["tar", "tar.gz", "zip"]) {
        await this.#measure(`archive: ${name.replaceAll("-", " ")}, ${format}`, () =>
          this.#download(`${path}/archive/main.${format}`),
        );
      }
    }
  }

  async #pushes(): Promise<void> {
    for (const [length, variables] of [
      [100_000, 25_000],
      [250_000, 60_000],
      [2_000_000, 1_000_000],
    ] as const) {
      const path = await this.#make(`modules-${length}`);
      const { pack, tip } = directoryPack({ ".gitmodules": longSection(length, variables) });
      const what = `push: .gitmodules of ${variables.toLocaleString("en-US")} variables in a long section`;
      await this.#measure(what, () => this.#push(path, { "refs/heads/main": tip }, pack));
    }
    const path = await this.#make("tags");
    const { pack, tags } = tagChainPack(5000);
    const outermost = tags.at(-1) ?? ZERO;
    const refs = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`refs/tags/t${i}`, outermost]));
    await this.#measure("push: 4,000 refs to a chain of 5,000 tags", () => this.#push(path, refs, pack));
  }

  /** Names of objects by the thousand, in a repository of which one pack lacks the mark. */
  async #names(): Promise<void> {
    const git = this.#git;
    const source = await git.init();
    const stream = Array.from({ length: COMMITS }, (_, i) =>
      ["commit refs/heads/main", `committer A <a@example.com> ${1_700_000_000 + i} +0000`, "data 1", "x"].join("\n"),
    );
    await git.ok(["fast-import", "--quiet"], { cwd: source, input: `${stream.join("\n")}\n` });
    const path = await this.#make("deep");
    await git.ok(["push", "-q", withToken(`${this.#host.base}/${path}.git`, this.#host.token), "main"], {
      cwd: source,
    });
    const all = (await git.ok(["rev-list", "main"], { cwd: source })).split("\n");
    const [tip = "", first = ""] = [all[0], all.at(-1)];
    const tree = await git.ok(["rev-parse", "main^{tree}"], { cwd: source });
    const deep = new DeepRepository(this.#host, { path, tree });
    const unknown = Array.from({ length: MOST_NAMES }, (_, i) => objectId("blob", String(i)));
    const known = all.slice(1, MOST_NAMES + 1);
    const mixed = unknown.slice(0, MOST_NAMES / 2).flatMap((name, i) => [name, known[i] ?? name]);
    const measured = async (input: string, lines: readonly string[]): Promise<void> => {
      await deep.unmark();
      await this.#measure(input, () => deep.fetch(lines), TIMES);
    };
    const haves = (names: readonly string[]): string[] => [`want ${tip}`, ...names.map((name) => `have ${name}`)];
    await measured("fetch: 199,000 haves that are here", haves(known));
    await measured("fetch: the same, with done", [...haves(known), "done"]);
    await measured("fetch: 199,000 haves that are not", haves(unknown));
    await measured("fetch: 199,000 haves, every other one here", haves(mixed));
    await measured("fetch: 60,000 wants", [
      ...all.slice(0, MANY).map((name) => `want ${name}`),
      `have ${all[1]}`,
      "done",
    ]);
    await measured("fetch: 60,000 wants, the oldest", [
      ...all.slice(-MANY).map((name) => `want ${name}`),
      `have ${tip}`,
      "done",
    ]);
    const shallows = all.slice(1, MANY + 1).map((name) => `shallow ${name}`);
    await measured("fetch: 60,000 shallow commits", [
      `want ${tip}`,
      "deepen 10",
      "deepen-relative",
      ...shallows,
      "done",
    ]);
    await measured("fetch: deepen 50000", [`want ${tip}`, "deepen 50000", "done"]);
    await deep.unmark();
    const oids = all.slice(0, MANY).map((name) => `oid ${name}`);
    await this.#measure("object-info: 60,000 objects", () => deep.ask("object-info", ["size", ...oids]), TIMES);
    const prefixes = Array.from({ length: MANY }, (_, i) => `ref-prefix refs/heads/${i}`);
    await this.#measure("ls-refs: 60,000 prefixes", () => deep.ask("ls-refs", prefixes), TIMES);
    const ends = `${path}/compare/${first}...main`;
    await deep.unmark();
    await this.#measure("compare: the first commit with the last", () => this.#download(ends), TIMES);
    await this.#measure("tree of main~199998", () => this.#download(`${path}/tree/main~199998`), TIMES);
  }

  async #wideLog(): Promise<void> {
    const blob = objectId("blob", "");
    const rows = Array.from({ length: 20_000 }, (_, i): [string, string, string] => ["100644", `f${10_000 + i}`, blob]);
    const wide = treeOf(...rows);
    const entries: RawEntry[] = [
      { type: "blob", content: "" },
      { type: "tree", content: wide },
    ];
    let tip = "";
    for (let i = 0; i < 5000; i++) {
      const root = treeOf(["100644", `a${i}`, blob], ["40000", "wide", objectId("tree", wide)]);
      const content = commitOf(objectId("tree", root), tip === "" ? [] : [tip]);
      tip = objectId("commit", content);
      entries.push({ type: "tree", content: root }, { type: "commit", content });
    }
    const path = await this.#plant("wide", { pack: buildPack(entries), tip, tree: "", tags: [] });
    await this.#measure("log of a path in directories of 20,000 files", () =>
      this.#download(`${path}/commits?path=wide/nothing`),
    );
  }
}

/** A repository of very many commits, and requests to it. */
class DeepRepository {
  readonly #host: Host;
  readonly #path: string;
  readonly #tree: string;
  #unmarked = 0;
  #unmarkedAt = -UNMARKED_FOR;

  constructor(host: Host, { path, tree }: { readonly path: string; readonly tree: string }) {
    this.#host = host;
    this.#path = path;
    this.#tree = tree;
  }

  get #url(): string {
    return withToken(`${this.#host.base}/${this.#path}.git`, this.#host.token);
  }

  /** Has one pack lose its mark: maintenance, which runs behind pushes, may have given it back. */
  async unmark(): Promise<void> {
    if (performance.now() - this.#unmarkedAt < UNMARKED_FOR) return;
    this.#unmarkedAt = performance.now();
    const content = commitOf(this.#tree, [], identity(this.#unmarked++));
    const oid = objectId("commit", content);
    const name = "refs/heads/gone";
    await post(this.#url, "receive-pack", pushBody([{ name, new: oid }], buildPack([{ type: "commit", content }])));
    await post(this.#url, "receive-pack", pushBody([{ name, old: oid }], new Uint8Array(0)));
    await this.#maintained();
  }

  /** Waits until maintenance has no step to do, for some minutes at most: it costs processor time of the same process. */
  async #maintained(): Promise<void> {
    const headers = { Authorization: `Bearer ${this.#host.token}` };
    for (const end = performance.now() + MAINTAINED_WITHIN; performance.now() < end; await wait(2000)) {
      const answer = await fetch(`${this.#host.base}/api/v1/repos/${this.#path}/maintenance`, { headers });
      const state = await answer.text();
      if (state.includes('"running_since":null') && /"due":\{[^}]*"reason":null/.test(state)) return;
    }
  }

  async fetch(lines: readonly string[]): Promise<string> {
    return await this.ask("fetch", lines);
  }

  /** Sends a command of protocol version 2. */
  async ask(command: string, lines: readonly string[]): Promise<string> {
    const body = Buffer.concat([
      pkt(`command=${command}\n`),
      Buffer.from("0001"),
      ...lines.map((line) => pkt(`${line}\n`)),
      Buffer.from("0000"),
    ]);
    const answer = await post(this.#url, "upload-pack", body, { "Git-Protocol": "version=2" });
    return `${answer.status}, ${answer.body.length.toLocaleString("en-US")} bytes: ${firstLine(answer.body)}`;
  }
}

function identity(time: number): string {
  const line = `A <a@example.com> ${time} +0000`;
  return `author ${line}\ncommitter ${line}`;
}

/** Returns the beginning of an answer's first line, without its length. */
function firstLine(body: Buffer): string {
  const line = body.subarray(4, 44).toString("latin1").split("\n")[0] ?? "";
  return line.replaceAll(/[^ -~]/g, "").slice(0, 40);
}

/** Returns the table of all results. */
export function hostileTable(results: readonly HostileFigures[]): Table {
  const heading = ["input", "answer", "server CPU", "`/healthz`, median", "longest"];
  return [
    heading,
    ...results.map(({ input, outcome, cpu, median, longest }) => [
      input,
      outcome.replace(/:.*/, ""),
      `${cpu.toFixed(2)} s`,
      `${Math.round(median)} ms`,
      `${Math.round(longest)} ms`,
    ]),
  ];
}
