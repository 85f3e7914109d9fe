/**
 * What the user sees of a pack being taken in.
 *
 * Nothing is written before the whole pack was read: over HTTP a client listens only when it has said all, and C git keeps quiet
 * until then as well.
 *
 * @packageDocumentation
 * @see git's progress.c, receive.keepAlive in git-config(1)
 */
import type { IngestProgress } from "../../store/ingest/ingest-progress.ts";
import type { ResponseWriter } from "../response-writer.ts";

/** Progress is shown at most so often. Milliseconds. */
const INTERVAL = 1000;

/** Shows `Resolving deltas` as git does. */
export class UnpackProgress implements IngestProgress {
  readonly #answer: ResponseWriter;
  readonly #quiet: boolean;
  readonly #now: () => number;
  #shownAt: number | undefined;
  #total = 0;
  #ended = false;
  #warnings: readonly string[] = [];

  /** `now` gives milliseconds since the epoch. */
  constructor(answer: ResponseWriter, quiet: boolean, now: () => number) {
    this.#answer = answer;
    this.#quiet = quiet;
    this.#now = now;
  }

  async received(): Promise<void> {
    // The client shows this itself: it is what it has written.
  }

  async resolved(deltas: number, total: number): Promise<void> {
    this.#total = total;
    const now = this.#now();
    const isDue = this.#shownAt === undefined || now - this.#shownAt >= INTERVAL;
    if (this.#quiet || this.#ended || total === 0 || !(isDue || deltas === total)) {
      await this.#answer.keepAlive();
      return;
    }
    this.#shownAt = now;
    await this.#show(deltas);
  }

  async warned(lines: readonly string[]): Promise<void> {
    this.#warnings = lines;
  }

  /** Ends the line that was shown, if any, and shows the warnings, also to who wants quiet: C git shows them as well. */
  async end(): Promise<void> {
    if (this.#shownAt !== undefined && !this.#ended) await this.#show(this.#total);
    for (const line of this.#warnings) await this.#answer.progress(`${line}\n`);
  }

  async #show(deltas: number): Promise<void> {
    const total = this.#total;
    const percent = String(Math.floor((deltas * 100) / total)).padStart(3);
    this.#ended = deltas === total;
    const ending = this.#ended ? ", done.\n" : "\r";
    await this.#answer.progress(`Resolving deltas: ${percent}% (${deltas}/${total})${ending}`);
  }
}
