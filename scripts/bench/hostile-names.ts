/**
 * Names of objects by the thousand, in a repository of which one pack lacks the mark.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import { buildPack, commitOf, objectId, pkt, post, pushBody } from "../../test/support/git-raw.ts";
import { firstLine, type HostileBed, type HostileInput, type Sent, sendToGit } from "./hostile-bed.ts";

const COMMITS = 200_000;
/** The most names that a request may have, less a few for others. */
const MOST_NAMES = 199_000;
const MANY = 60_000;
/** How often the inputs are sent that name very many objects. */
const TIMES = 3;
const MAINTAINED_WITHIN = 240_000;
/** Milliseconds for which a pack surely stays without its mark. */
const UNMARKED_FOR = 540_000;

/** Pushes a long history, and returns requests that name very much of it. */
export async function nameInputs(bed: HostileBed): Promise<HostileInput[]> {
  const { git } = bed;
  const source = await git.init();
  const stream = Array.from({ length: bed.size(COMMITS) }, (_, i) =>
    ["commit refs/heads/main", `committer A <a@example.com> ${1_700_000_000 + i} +0000`, "data 1", "x"].join("\n"),
  );
  await git.ok(["fast-import", "--quiet"], { cwd: source, input: `${stream.join("\n")}\n` });
  const path = await bed.make("deep");
  await git.ok(["push", "-q", bed.remote(path), "main"], { cwd: source });
  const all = (await git.ok(["rev-list", "main"], { cwd: source })).split("\n");
  const tree = await git.ok(["rev-parse", "main^{tree}"], { cwd: source });
  const deep = new DeepRepository(bed, { path, tree });
  return [...fetchInputs(bed, deep, all), ...(await historyInputs(bed, deep, all))];
}

function fetchInputs(bed: HostileBed, deep: DeepRepository, all: readonly string[]): HostileInput[] {
  const [tip = "", second = ""] = all;
  const [most, many] = [bed.size(MOST_NAMES), bed.size(MANY)];
  const unknown = Array.from({ length: most }, (_, i) => objectId("blob", String(i)));
  const known = all.slice(1, most + 1);
  const mixed = unknown.slice(0, most / 2).flatMap((name, i) => [name, known[i] ?? name]);
  const count = (number: number): string => number.toLocaleString("en-US");
  const asked = (name: string, command: string, lines: readonly string[]): HostileInput => ({
    name,
    send: async () => await deep.ask(command, lines),
    before: async () => await deep.unmark(),
    times: TIMES,
  });
  const haves = (names: readonly string[]): string[] => [`want ${tip}`, ...names.map((name) => `have ${name}`)];
  const wants = (names: readonly string[]): string[] => names.map((name) => `want ${name}`);
  const shallows = all.slice(1, many + 1).map((name) => `shallow ${name}`);
  const oids = all.slice(0, many).map((name) => `oid ${name}`);
  const prefixes = Array.from({ length: many }, (_, i) => `ref-prefix refs/heads/${i}`);
  const depth = bed.size(50_000);
  return [
    asked(`fetch: ${count(most)} haves that are here`, "fetch", haves(known)),
    asked("fetch: the same, with done", "fetch", [...haves(known), "done"]),
    asked(`fetch: ${count(most)} haves that are not`, "fetch", haves(unknown)),
    asked(`fetch: ${count(most)} haves, every other one here`, "fetch", haves(mixed)),
    asked(`fetch: ${count(many)} wants`, "fetch", [...wants(all.slice(0, many)), `have ${second}`, "done"]),
    asked(`fetch: ${count(many)} wants, the oldest`, "fetch", [...wants(all.slice(-many)), `have ${tip}`, "done"]),
    asked(`fetch: ${count(many)} shallow commits`, "fetch", [
      `want ${tip}`,
      "deepen 10",
      "deepen-relative",
      ...shallows,
      "done",
    ]),
    asked(`fetch: deepen ${depth}`, "fetch", [`want ${tip}`, `deepen ${depth}`, "done"]),
    asked(`object-info: ${count(many)} objects`, "object-info", ["size", ...oids]),
    asked(`ls-refs: ${count(many)} prefixes`, "ls-refs", prefixes),
  ];
}

async function historyInputs(bed: HostileBed, deep: DeepRepository, all: readonly string[]): Promise<HostileInput[]> {
  const { path } = deep;
  const root = await deep.add("refs/heads/unrelated");
  const oldest = all.length - 2;
  const got = (name: string, address: string): HostileInput => ({
    name,
    send: async () => await bed.get(`${path}/${address}`),
    before: async () => await deep.unmark(),
    times: TIMES,
  });
  return [
    got("compare: the first commit with the last", `compare/${all.at(-1)}...main`),
    got("compare: histories that have nothing in common", `compare/${root}...main`),
    got(`tree of main~${oldest}`, `tree/main~${oldest}`),
    {
      name: "merge of histories that have nothing in common",
      send: async () =>
        await bed.ask("POST", `/api/v1/repos/${path}/merges`, { base: "main", head: "unrelated", dry_run: true }),
      before: async () => await deep.unmark(),
    },
  ];
}

/** A repository of very many commits, and requests to it. */
class DeepRepository {
  readonly path: string;
  readonly #bed: HostileBed;
  readonly #tree: string;
  #unmarked = 0;
  #unmarkedAt = -UNMARKED_FOR;

  constructor(bed: HostileBed, { path, tree }: { readonly path: string; readonly tree: string }) {
    this.#bed = bed;
    this.path = path;
    this.#tree = tree;
  }

  /** Pushes a commit without parents as a new branch. Returns its name. */
  async add(name: string): Promise<string> {
    const content = commitOf(this.#tree, [], identity(this.#unmarked++));
    const oid = objectId("commit", content);
    await this.#bed.push(this.path, { [name]: oid }, buildPack([{ type: "commit", content }]));
    return oid;
  }

  /** Has one pack lose its mark: maintenance, which runs behind pushes, may have given it back. */
  async unmark(): Promise<void> {
    if (performance.now() - this.#unmarkedAt < UNMARKED_FOR) return;
    this.#unmarkedAt = performance.now();
    const name = "refs/heads/gone";
    const oid = await this.add(name);
    const deletion = pushBody([{ name, old: oid }], new Uint8Array(0));
    await post(this.#bed.remote(this.path), "receive-pack", deletion);
    await this.#maintained();
  }

  /** Waits until maintenance has no step to do, for some minutes at most: it costs processor time of the same process. */
  async #maintained(): Promise<void> {
    const { base, token } = this.#bed.target;
    const headers = { Authorization: `Bearer ${token}` };
    for (const end = performance.now() + MAINTAINED_WITHIN; performance.now() < end; await wait(2000)) {
      const answer = await fetch(`${base}/api/v1/repos/${this.path}/maintenance`, { headers });
      const state = await answer.text();
      if (state.includes('"running_since":null') && state.includes('"due":null')) return;
    }
  }

  /** Sends a command of protocol version 2. */
  async ask(command: string, lines: readonly string[]): Promise<Sent> {
    const body = Buffer.concat([
      pkt(`command=${command}\n`),
      Buffer.from("0001"),
      ...lines.map((line) => pkt(`${line}\n`)),
      Buffer.from("0000"),
    ]);
    const asked = [this.#bed.remote(this.path), "upload-pack", body, { "Git-Protocol": "version=2" }] as const;
    const { body: answered, told, ...answer } = await sendToGit(...asked);
    return { ...answer, told: `${told}${answered.length.toLocaleString("en-US")} bytes: ${firstLine(answered)}` };
  }
}

function identity(time: number): string {
  const line = `A <a@example.com> ${time} +0000`;
  return `author ${line}\ncommitter ${line}`;
}
