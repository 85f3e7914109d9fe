/**
 * A hash of the paths of a change. It takes the names of directories and files as a walk comes by them, each once: whole paths would be
 * far longer than the trees that they are in, where directories with long names lie in each other.
 *
 * @packageDocumentation
 */
import type { StreamingHash } from "../../bytes/hash.ts";
import { bytesOf } from "../../object/byte-text.ts";

/** Bytes of a path that is told whole. */
const MOST_PATH = 4096;

/** The hash. Names have one character per byte, and no NUL. */
export class ChangeHash {
  readonly #hash: StreamingHash;
  /** The directories on the way, and how many of them the hash has. One without a file that changes does not count. */
  readonly #names: string[] = [];
  #written = 0;
  /** Bytes of the directories' names. */
  #length = 0;
  /** Whether a file changes. */
  hasFiles = false;
  /** The path of the first file; `undefined` if there is none, or if it is long. */
  first: string | undefined;

  constructor(hash: StreamingHash) {
    this.#hash = hash;
  }

  /** Goes into a directory. */
  enter(name: string): void {
    this.#names.push(name);
    this.#length += name.length + 1;
  }

  /** Leaves the directory that was entered last. */
  leave(): void {
    if (this.#written === this.#names.length) {
      this.#hash.update(bytesOf("\0<"));
      this.#written--;
    }
    const name = this.#names.pop();
    this.#length -= name === undefined ? 0 : name.length + 1;
  }

  /** Adds a file in the directory, and what becomes of it. */
  file(name: string, kind: string): void {
    if (!this.hasFiles && this.#length + name.length <= MOST_PATH) this.first = [...this.#names, name].join("/");
    this.hasFiles = true;
    for (const directory of this.#names.slice(this.#written)) this.#hash.update(bytesOf(`\0>${directory}`));
    this.#written = this.#names.length;
    this.#hash.update(bytesOf(`\0=${name}\0${kind}\0`));
  }

  /** Returns the hash. It is the last call. */
  digest(): Uint8Array<ArrayBuffer> {
    return this.#hash.digest();
  }
}
