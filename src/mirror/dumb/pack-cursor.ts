/**
 * Reads a pack of a dumb upstream from front to back: by ranges where the server has them, else as a whole.
 *
 * @packageDocumentation
 */
import type { UpstreamAnswer } from "../upstream.ts";
import { UpstreamFailure } from "../upstream.ts";
import type { FileRange, UpstreamFiles } from "./upstream-files.ts";

const CHUNK_BYTES = 262_144;
/** Bytes that are rather read in vain than passed over with another request. */
export const GAP_BYTES = 131_072;
/** How often a file that breaks off is gone on with. */
const MOST_RESUMED = 5;

/** A file that is read forwards. */
export class PackCursor {
  readonly #files: UpstreamFiles;
  readonly #path: string;
  #answer: UpstreamAnswer | undefined;
  #to: number | undefined;
  #isRanged = false;
  #at = 0;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #buffer = new Uint8Array(CHUNK_BYTES);
  #resumed = 0;

  constructor(files: UpstreamFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Goes forwards to an offset. Bytes are then read up to `range.to`, or to the end of the file. */
  async seek(range: FileRange): Promise<void> {
    const isNear = range.from - this.#at <= GAP_BYTES && this.#to === range.to;
    if (this.#answer === undefined || (this.#isRanged && !isNear)) await this.#open(range);
    while (this.#at < range.from) {
      const piece = await this.#piece();
      if (piece.length === 0) throw new UpstreamFailure("The upstream's answer broke off.");
      const over = Math.max(0, this.#at - range.from);
      if (over > 0) this.#putBack(piece.subarray(piece.length - over));
    }
  }

  /** Returns the next bytes, `most` at most; none at the end. */
  async read(most: number): Promise<Uint8Array> {
    const piece = await this.#piece();
    if (piece.length > most) this.#putBack(piece.subarray(most));
    return piece.subarray(0, most);
  }

  /** Stops reading. */
  async cancel(): Promise<void> {
    await this.#answer?.cancel();
    this.#answer = undefined;
  }

  #putBack(bytes: Uint8Array<ArrayBuffer>): void {
    this.#rest = bytes;
    this.#at -= bytes.length;
  }

  async #open(range: FileRange): Promise<void> {
    await this.cancel();
    this.#rest = new Uint8Array(0);
    const answer = await this.#files.open(this.#path, range.from === 0 && range.to === undefined ? undefined : range);
    if (answer === undefined) throw new UpstreamFailure(`The upstream lacks ${this.#path}, of which it has the index.`);
    this.#answer = answer;
    this.#to = range.to;
    this.#isRanged = answer.status === 206;
    this.#at = this.#isRanged ? range.from : 0;
    const contentRange = answer.header("Content-Range");
    const [, first] = (contentRange === undefined ? null : /^bytes (\d+)-/.exec(contentRange)) ?? [];
    if (this.#isRanged && Number(first) !== range.from) {
      await this.cancel();
      throw new UpstreamFailure("The upstream answers with another part of a file than was asked for.");
    }
  }

  async #piece(): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.#rest;
    this.#rest = new Uint8Array(0);
    if (held.length > 0) {
      this.#at += held.length;
      return held;
    }
    for (;;) {
      try {
        const piece = (await this.#answer?.body.read(this.#buffer)) ?? new Uint8Array(0);
        // What is returned may be kept until the next read.
        if (piece.length > 0) this.#buffer = new Uint8Array(piece.buffer);
        this.#at += piece.length;
        return piece.slice();
      } catch (error) {
        if (!(error instanceof UpstreamFailure) || this.#at === 0 || ++this.#resumed > MOST_RESUMED) throw error;
        await this.#resume(error);
      }
    }
  }

  /** Goes on where the answer broke off, if the server has ranges. */
  async #resume(error: UpstreamFailure): Promise<void> {
    const at = this.#at;
    this.#buffer = new Uint8Array(CHUNK_BYTES);
    await this.#open({ from: at, ...(this.#to === undefined ? {} : { to: this.#to }) });
    if (!this.#isRanged) throw error;
  }
}
