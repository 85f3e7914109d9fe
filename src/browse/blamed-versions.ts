/**
 * The versions of files that a blame reads. Some of them are remembered: a file is compared with its version before, and
 * that with the next.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import { countLines } from "../diff/line-table.ts";
import { type FileVersion, VERSION_LINE_BYTES } from "../diff/versions.ts";
import type { BrowseSession } from "./browse-session.ts";
import { contentState } from "./path-content.ts";

/** The most lines of a file that is blamed. */
export const MOST_LINES = 60_000;
/** The most bytes of a version of a file that is blamed: what is held whole of any object. */
const MOST_FILE_BYTES = 4 * 1024 * 1024;
/** What a version takes beside its text and its lines: the arrays, their buffers, and its place among the others. */
const VERSION_BYTES = 1024;
/** The most bytes of versions that are remembered: two of the largest file, with their lines. */
const MOST_BYTES = 2 * (MOST_FILE_BYTES + VERSION_LINE_BYTES * (MOST_LINES + 1) + VERSION_BYTES);
/** The steps of looking for the end of a line in a byte. */
const COUNTED_STEPS = 0.2;

/** A version of a file, and the number of its lines. */
type CountedVersion = FileVersion & { readonly count: number };

/** A version that is remembered, and the bytes that are counted for it. */
type Remembered = { readonly version: CountedVersion; counted: number };

/** The versions of files that one blame reads. */
export class BlamedVersions {
  readonly #session: BrowseSession;
  /** By what a `PathContent` tells. What was asked for longest ago comes first. */
  readonly #known = new Map<string, Remembered>();
  /**
   * Goes through what is remembered, in its order. Each version is forgotten when it is reached. A new iterator would
   * pass the empty places of all versions that were forgotten before.
   */
  readonly #oldest = this.#known.entries();
  /** The sum of what is counted for the versions that are remembered. */
  #bytes = 0;

  constructor(session: BrowseSession) {
    this.#session = session;
  }

  /**
   * Returns what a `PathContent` names. It and the one that was asked for before it are remembered until another one is
   * asked for.
   *
   * @throws LimitExceeded
   */
  async of(content: string): Promise<CountedVersion> {
    const known = this.#known.get(content);
    if (known !== undefined) {
      this.#known.delete(content);
      this.#known.set(content, known);
      return known.version;
    }
    const name = contentState(content)?.oid;
    if (name === undefined) return { bytes: new Uint8Array(0), count: 0 };
    const { reader } = this.#session.graph;
    const size = await reader.sizeOf(name);
    const copy = size > MOST_FILE_BYTES ? undefined : await reader.copyIfHeld(name);
    if (copy === undefined) throw tooLarge();
    // The lines are counted before any is cut: what is refused takes no more than its bytes.
    const count = countLines(copy.bytes);
    if (count > MOST_LINES) throw tooLarge();
    const version: CountedVersion = { bytes: copy.bytes, count };
    const counted = heldBytes(version);
    this.#makeRoom(counted);
    this.#known.set(content, { version, counted });
    this.#hold(counted);
    await this.#session.work(COUNTED_STEPS * size);
    return version;
  }

  /** Accounts for the lines of the two versions that were asked for last, once they are cut. */
  measure(before: string, after: string): void {
    for (const content of [before, after]) {
      const known = this.#known.get(content);
      if (known === undefined) continue;
      const bytes = heldBytes(known.version);
      this.#hold(bytes - known.counted);
      known.counted = bytes;
    }
    // The two come last, and there is room for any two: neither is forgotten.
    this.#makeRoom(0);
  }

  #hold(bytes: number): void {
    this.#bytes += bytes;
    this.#session.keep(bytes);
  }

  /** Forgets the oldest versions until there is room for this many bytes. */
  #makeRoom(bytes: number): void {
    while (this.#bytes + bytes > MOST_BYTES && this.#known.size > 0) {
      const { value: oldest } = this.#oldest.next();
      if (oldest === undefined) return;
      this.#known.delete(oldest[0]);
      this.#hold(-oldest[1].counted);
    }
  }
}

/** Returns the bytes that a version takes, with its lines if they are known. */
function heldBytes({ bytes, lines }: FileVersion): number {
  // Lines that are not known take nothing.
  return VERSION_BYTES + bytes.length + VERSION_LINE_BYTES * (lines?.starts.length ?? 0);
}

/** Returns the failure that names the limit of a file that is blamed. */
export function tooLarge(): LimitExceeded {
  return new LimitExceeded("blamed-file", MOST_FILE_BYTES, `a file of more than ${MOST_FILE_BYTES} bytes or ${MOST_LINES} lines can't be blamed`); // prettier-ignore
}
