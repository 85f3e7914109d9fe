/**
 * Progress for the user while a pack is being ingested.
 *
 * Nothing is written before the whole pack has been read: over HTTP a client reads only after it has sent everything. C
 * git is silent until then as well.
 *
 * @packageDocumentation
 * @see git's progress.c, receive.keepAlive in git-config(1)
 */
import type { IngestProgress } from "../../store/ingest/ingest-progress.ts";
import type { ResponseWriter } from "../response-writer.ts";

/** The shortest time between two progress lines. Milliseconds. */
const INTERVAL = 1000;

/** Told of the progress of a pack that lands, and when it is whole. */
export type LandingProgress = IngestProgress & { end?(): Promise<void> };

/** Shows `Resolving deltas` as git does. */
export class UnpackProgress implements LandingProgress {
  readonly #answer: ResponseWriter;
  readonly #quiet: boolean;
  readonly #now: () => number;
  #shownAt: number | undefined;
  #total = 0;
  #ended = false;
  #warnings: readonly string[] = [];

  /** `now` returns milliseconds since the epoch. */
  constructor(answer: ResponseWriter, quiet: boolean, now: () => number) {
    this.#answer = answer;
    this.#quiet = quiet;
    this.#now = now;
  }

  async received(): Promise<void> {
    // The client shows this itself, as the progress of its writing.
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

  /**
   * Ends the progress line, if one was shown, and shows the warnings. Warnings are shown to a quiet client as well, as
   * in C git.
   */
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
