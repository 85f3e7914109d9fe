/**
 * Sends hostile inputs to a host, one after the other or several at once. For each, the processor time of the server
 * and the latency of `/healthz` meanwhile are measured. No figure is asserted: tests assert counts.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import type { GitSandbox } from "../../test/support/git-client.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { Table } from "../marked-table.ts";
import { faultOf, HostileBed, type HostileInput, type HostileTarget, sendOnce } from "./hostile-bed.ts";
import { type HostileKind, inputsOf } from "./hostile-inputs.ts";
import type { Host } from "./hosts.ts";
import { type Latency, probe } from "./latency-probe.ts";

/** The names of the tables on a page. */
export const HOSTILE_FIGURES = "npm run bench -- --hostile --page";
export const CROWD_FIGURES = "npm run bench -- --hostile --at-once 8 --page";

const MB = 1_000_000;

/** The figures of one input. */
export type HostileFigures = Latency & {
  readonly input: string;
  /** The status, and what came of it. */
  readonly outcome: string;
  /** Processor seconds of the server, for the input and the probes. */
  readonly cpu: number;
  /** What is wrong with the answer. */
  readonly fault?: string | undefined;
};

/** The figures of one round of several at once. */
export type RoundFigures = Latency & {
  readonly inputs: readonly string[];
  /** How many answers had each status, and how many broke off. */
  readonly statuses: ReadonlyMap<number | "broken off", number>;
  readonly faults: readonly string[];
  /** What the host's log says of answers that it broke off. */
  readonly broken: readonly string[];
  readonly cpu: number;
  /** Seconds until the last answer. */
  readonly wall: number;
  /** Bytes of the isolate at their highest, garbage included. */
  readonly memory: number;
};

/** Sends hostile inputs to one host. */
export class HostileBench {
  readonly #bed: HostileBed;
  readonly #host: Host;
  readonly #kinds: readonly HostileKind[];

  /** Sends the inputs of some kinds. */
  constructor(git: GitSandbox, host: Host & HostileTarget, part: number, kinds: readonly HostileKind[]) {
    this.#bed = new HostileBed(git, host, part);
    this.#host = host;
    this.#kinds = kinds;
  }

  get #probed(): { readonly base: string; readonly pids: readonly number[] } {
    const { base, pids = [] } = this.#host;
    return { base, pids };
  }

  /** Sends all inputs, one after the other, and reports the figures of each. */
  async run(report: (figures: HostileFigures) => void): Promise<HostileFigures[]> {
    const nothing = { name: "nothing, for a second", send: async () => (await wait(1000), { status: 200, told: "" }) };
    const results: HostileFigures[] = [];
    for (const input of [nothing, ...(await inputsOf(this.#bed, this.#kinds))]) {
      const figures = await this.#measure(input);
      results.push(figures);
      report(figures);
    }
    return results;
  }

  /**
   * Sends an input as often as it asks for, and returns the figures of the cheapest time. Maintenance runs behind
   * pushes, and costs processor time of the same process.
   */
  async #measure(input: HostileInput): Promise<HostileFigures> {
    let least: HostileFigures | undefined;
    for (let time = 0; time < (input.times ?? 1); time++) {
      const figures = await this.#measureOnce(input);
      if (least === undefined || figures.cpu < least.cpu) least = figures;
    }
    if (least === undefined) throw new Error(`${input.name} was never sent`);
    return least;
  }

  async #measureOnce(input: HostileInput): Promise<HostileFigures> {
    await input.before?.();
    const end = await this.#host.begin();
    const probed = await probe(this.#probed);
    const sent = await sendOnce(input);
    const latency = await probed();
    const { cpu } = await end();
    return { ...latency, input: input.name, outcome: `${sent.status}, ${sent.told}`, cpu, fault: faultOf(input, sent) };
  }

  /** Sends `atOnce` random inputs at once, for some rounds. The same seed gives the same rounds. */
  async crowd(
    { atOnce, rounds, seed }: { readonly atOnce: number; readonly rounds: number; readonly seed: number },
    report: (figures: RoundFigures) => void,
  ): Promise<RoundFigures[]> {
    const inputs = await inputsOf(this.#bed, this.#kinds);
    for (const { before } of inputs) await before?.();
    const random = new SeededRandom(seed);
    const results: RoundFigures[] = [];
    for (let round = 0; round < rounds; round++) {
      const figures = await this.#round(Array.from({ length: atOnce }, () => random.pick(inputs)));
      results.push(figures);
      report(figures);
    }
    return results;
  }

  async #round(inputs: readonly HostileInput[]): Promise<RoundFigures> {
    const end = await this.#host.begin();
    const probed = await probe(this.#probed);
    const began = performance.now();
    const all = await Promise.all(inputs.map(async (input) => ({ input, sent: await sendOnce(input) })));
    const wall = (performance.now() - began) / 1000;
    const latency = await probed();
    const { cpu, memory = 0, counts } = await end(); // This host has an isolate.
    const broken = (counts?.lines ?? []).flatMap(({ path, out, broken_by: why }) =>
      typeof why === "string" ? [`${String(path)} after ${String(out)} bytes: ${why}`] : [],
    );
    const statuses = new Map<number | "broken off", number>();
    for (const { sent } of all) {
      const kind = sent.isBrokenOff === true ? "broken off" : sent.status;
      statuses.set(kind, (statuses.get(kind) ?? 0) + 1); // The first of its kind.
    }
    const faults = all.flatMap(({ input, sent }) => {
      const fault = faultOf(input, sent);
      return fault === undefined ? [] : [`${input.name}: ${fault}`];
    });
    return { ...latency, inputs: inputs.map(({ name }) => name), statuses, faults, broken, cpu, wall, memory };
  }
}

/** Returns the table of all inputs. */
export function hostileTable(results: readonly HostileFigures[]): Table {
  const heading = ["input", "answer", "server CPU", "longest turn", "`/healthz`, median", "longest"];
  return [
    heading,
    ...results.map(({ input, outcome, cpu, turn, median, longest }) => [
      input,
      outcome.replace(/:.*/, ""),
      `${cpu.toFixed(2)} s`,
      `${Math.round(turn)} ms`,
      `${Math.round(median)} ms`,
      `${Math.round(longest)} ms`,
    ]),
  ];
}

/** Returns a line about one round. */
export function roundLine({ statuses, cpu, wall, memory, median, longest, faults, broken }: RoundFigures): string {
  const answers = [...statuses].map(([status, count]) => `${count} × ${status}`).join(", ");
  const latency = `/healthz ${Math.round(median)} ms, ${Math.round(longest)} ms at most`;
  const said = broken.map((line) => `\n  broken off: ${line}`);
  const wrong = [...faults.map((fault) => `\n  fault: ${fault}`), ...said].join("");
  return `${answers}; ${wall.toFixed(1)} s, ${cpu.toFixed(1)} s CPU, ${Math.round(memory / MB)} MB; ${latency}${wrong}`;
}

/** Returns the table of all rounds: the middle one of each figure, and the worst. */
export function crowdTable(results: readonly RoundFigures[]): Table {
  const row = (name: string, figures: readonly number[], unit: string): string[] => {
    const sorted = figures.toSorted((a, b) => a - b);
    const [middle = 0, worst = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
    return [name, `${middle.toFixed(unit === "s" ? 1 : 0)} ${unit}`, `${worst.toFixed(unit === "s" ? 1 : 0)} ${unit}`];
  };
  const mb = results.map(({ memory }) => memory / MB);
  return [
    [`${results.length} rounds`, "half within", "worst"],
    row("isolate, garbage included", mb, "MB"),
    row(
      "`/healthz`, median of a round",
      results.map(({ median }) => median),
      "ms",
    ),
    row(
      "`/healthz`, longest of a round",
      results.map(({ longest }) => longest),
      "ms",
    ),
    row(
      "until the last answer",
      results.map(({ wall }) => wall),
      "s",
    ),
    row(
      "server CPU",
      results.map(({ cpu }) => cpu),
      "s",
    ),
  ];
}
