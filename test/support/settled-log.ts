/**
 * The request log of a running host, read once all that was asked before is in it.
 *
 * The host writes a line when an answer has gone out and the work after it is done, and it goes a long way to the file. So a request
 * of our own is sent after the others: when its line is there, theirs are, unless they are still at work.
 *
 * @packageDocumentation
 */
import { type Counts, countLines, RequestLog } from "../../scripts/bench/request-log.ts";

/** Milliseconds between two looks. */
const PAUSE = 20;
/** How long the host has to be quiet: what an answered request still does is short. */
const QUIET = 250;
const MARK = "/marks/";

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A log and the host that writes it. */
export class SettledLog {
  readonly #base: string;
  readonly #log: RequestLog;
  #marks = 0;

  /** `path` is that of `requests.jsonl` in the state directory; `base` the host's origin. */
  constructor(path: string, base: string) {
    this.#log = new RequestLog(path);
    this.#base = base;
  }

  /** Adds up the lines of all that was answered since the last call. */
  async read(): Promise<Counts> {
    const lines = await this.#upToMark();
    for (;;) {
      await pause(QUIET);
      const more = await this.#upToMark();
      if (more.length === 0) return countLines(lines);
      lines.push(...more);
    }
  }

  /** Reads until a request that is sent now is in the log, and leaves that out. */
  async #upToMark(): Promise<Record<string, unknown>[]> {
    this.#marks += 1;
    const mark = `${MARK}${this.#marks}`;
    await (await fetch(`${this.#base}${mark}`)).arrayBuffer();
    const lines: Record<string, unknown>[] = [];
    while (!lines.some((line) => line["path"] === mark)) {
      lines.push(...this.#log.read().lines);
      await pause(PAUSE);
    }
    return lines.filter((line) => !String(line["path"]).startsWith(MARK));
  }
}
