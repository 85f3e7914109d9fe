/**
 * Collects what fsck let pass in a pack, to be reported to its sender: a bounded number of git's own lines.
 *
 * @packageDocumentation
 * @see `receive.fsck.<msg-id>` in git-config(1)
 */
import type { FsckFinding } from "../../object/fsck-rule.ts";

/** The most lines that a client is shown. Beyond them it is told how many more there are. */
const MOST_LINES = 20;

/** The warnings of one pack. */
export class FsckWarnings {
  readonly #lines: string[] = [];
  #more = 0;

  /** Whether all lines are taken, so that a further warning is only counted. */
  get isFull(): boolean {
    return this.#lines.length >= MOST_LINES;
  }

  /** Adds a warning. The object's name, in hexadecimal, is not used if {@link isFull}. */
  add(oid: string, { id, text }: FsckFinding): void {
    if (this.isFull) this.#more++;
    else this.#lines.push(`warning: object ${oid}: ${id}: ${text}`);
  }

  /** Returns the lines to show, without line ends. */
  get lines(): readonly string[] {
    return this.#more === 0 ? this.#lines : [...this.#lines, `warning: and ${this.#more} more like these`];
  }
}
