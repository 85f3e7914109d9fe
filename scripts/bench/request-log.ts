/**
 * The host's own counts, from `requests.jsonl`: one line a request.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync, statSync } from "node:fs";

/** The sum of what the requests of one step did. */
export type Counts = {
  readonly requests: number;
  readonly r2r: number;
  readonly r2w: number;
  readonly r2b: number;
  readonly do: number;
  readonly kv: number;
  /** Sequential storage round trips of all requests, which follow each other. */
  readonly rt: number;
  /** Bytes of the kernel's memory at its largest. */
  readonly wasm: number;
  /** The lines themselves. */
  readonly lines: readonly Record<string, unknown>[];
};

/** Adds up lines of the log. */
export function countLines(lines: readonly Record<string, unknown>[]): Counts {
  const sum = (key: string): number => lines.reduce((total, line) => total + numberOf(line, key), 0);
  return {
    requests: lines.length,
    r2r: sum("r2r"),
    r2w: sum("r2w"),
    r2b: sum("r2b"),
    do: sum("do"),
    kv: sum("kv"),
    rt: sum("rt"),
    wasm: Math.max(0, ...lines.map((line) => numberOf(line, "wasm"))),
    lines,
  };
}

function numberOf(line: Record<string, unknown>, key: string): number {
  const value = line[key];
  return typeof value === "number" ? value : 0;
}

/** Reads the log from where the last reading ended. */
export class RequestLog {
  readonly #path: string;
  #at: number;

  constructor(path: string) {
    this.#path = path;
    this.#at = existsSync(path) ? statSync(path).size : 0;
  }

  /** Adds up the lines that came since the last call. */
  read(): Counts {
    const text = existsSync(this.#path) ? readFileSync(this.#path).subarray(this.#at).toString("utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#at += Buffer.byteLength(whole);
    const lines = whole.split("\n").filter((line) => line !== "");
    return countLines(lines.map((line): Record<string, unknown> => Object(JSON.parse(line))));
  }
}
