/**
 * The request log of a running host, read once all that was asked before is in it.
 *
 * The host writes a line when an answer has gone out and the work after it is done, and the line goes a long way to the file. The
 * observed Worker says when no request is at work. Then a request of our own is sent after the others: when its line is there,
 * theirs are. A host that runs another Worker has to be quiet for a while instead.
 *
 * @packageDocumentation
 */
import { type Counts, countLines, RequestLog } from "../../scripts/bench/request-log.ts";
import { SETTLED_PATH } from "./observed-paths.ts";

/** Milliseconds between two looks. */
const PAUSE = 5;
/** How long a host that can't say has to be quiet: what an answered request still does is short. */
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
    const { status } = await fetch(`${this.#base}${SETTLED_PATH}`);
    const lines = await this.#upToMark();
    return countLines(status === 200 ? lines : [...lines, ...(await this.#upToQuiet())]);
  }

  /** Reads until nothing comes for a while. */
  async #upToQuiet(): Promise<Record<string, unknown>[]> {
    const lines: Record<string, unknown>[] = [];
    for (;;) {
      await pause(QUIET);
      const more = await this.#upToMark();
      if (more.length === 0) return lines;
      lines.push(...more);
    }
  }

  /** Reads until a request that is sent now is in the log, and leaves that out. */
  async #upToMark(): Promise<Record<string, unknown>[]> {
    this.#marks += 1;
    const mark = `${MARK}${this.#marks}`;
    await (await fetch(`${this.#base}${mark}`)).arrayBuffer();
    const lines: Record<string, unknown>[] = [...this.#log.read().lines];
    while (!lines.some((line) => line["path"] === mark)) {
      await pause(PAUSE);
      lines.push(...this.#log.read().lines);
    }
    return lines.filter((line) => !String(line["path"]).startsWith(MARK));
  }
}
