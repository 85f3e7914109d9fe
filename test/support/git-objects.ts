/**
 * Objects of a repository of C git's for merges in this process: read through `git cat-file --batch`, and written into
 * memory.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../../src/bytes/failure.ts";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import type { MergeAttributes, MergeSource } from "../../src/merge/merge-source.ts";
import { plainMode, type TreeEntry } from "../../src/merge/version.ts";

const UNSPECIFIED: MergeAttributes = { merge: "unspecified", markerSize: "unspecified" };

/** Bytes of objects that are kept once they were read. */
const MOST_READ_BYTES = 64 * 1024 * 1024;

/** A running `git cat-file --batch`. */
export class GitObjects implements MergeSource {
  readonly emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  readonly emptyBlob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #made = new Map<string, Buffer>();
  readonly #read = new Map<string, Buffer>();
  readonly #waiting: ((object: Buffer) => void)[] = [];
  #readBytes = 0;
  #pieces: Buffer[] = [];
  #length = 0;
  #needs = 0;
  /** Steps that were accounted for; bytes that are held, and the most that were. */
  steps = 0;
  /** The most steps that may be spent: what is foreseen to take more is refused. */
  mostSteps = Infinity;
  /** The most steps that were foreseen at once. */
  foreseen = 0;
  held = 0;
  mostHeld = 0;
  attributes: (path: string) => MergeAttributes = () => UNSPECIFIED;

  constructor(dir: string) {
    this.#process = spawn("git", ["cat-file", "--batch"], { cwd: dir });
    this.#process.stdout.on("data", (piece: Buffer) => {
      this.#take(piece);
    });
  }

  /** Forgets what was written. */
  forget(): void {
    this.#made.clear();
  }

  close(): void {
    this.#process.stdin.end();
  }

  readonly readTree = async (oid: string): Promise<readonly TreeEntry[]> => {
    const bytes = await this.#object(oid);
    const entries: TreeEntry[] = [];
    for (let at = 0; at < bytes.length;) {
      const space = bytes.indexOf(32, at);
      const end = bytes.indexOf(0, space);
      entries.push({
        mode: plainMode(Number.parseInt(bytes.toString("latin1", at, space), 8)),
        name: bytes.toString("latin1", space + 1, end),
        oid: bytes.toString("hex", end + 1, end + 21),
      });
      at = end + 21;
    }
    return entries;
  };

  readonly readBlob = async (oid: string): Promise<Uint8Array> => await this.#object(oid);

  readonly sizeOf = async (oid: string): Promise<number> => (await this.#object(oid)).length;

  readonly expect = async (): Promise<void> => {};

  readonly writeBlob = async (bytes: Uint8Array): Promise<string> => this.#write("blob", Buffer.from(bytes));

  readonly writeTree = async (entries: readonly TreeEntry[]): Promise<string> => {
    const parts = entries.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode.toString(8)} ${name}\0`, "latin1"),
      Buffer.from(oid, "hex"),
    ]);
    return this.#write("tree", Buffer.concat(parts));
  };

  readonly attributesOf = async (path: string): Promise<MergeAttributes> => this.attributes(path);

  readonly work = async (steps: number): Promise<void> => {
    this.steps += steps;
  };

  readonly foresee = (steps: number): void => {
    if (this.steps + steps > this.mostSteps) throw new LimitExceeded("merge-steps", this.mostSteps, "too many steps");
    this.foreseen = Math.max(this.foreseen, steps);
  };

  readonly hold = (bytes: number): void => {
    this.held += bytes;
    this.mostHeld = Math.max(this.mostHeld, this.held);
  };

  /** Reads an object, whatever its type. */
  async #object(oid: string): Promise<Buffer> {
    if (oid === this.emptyBlob || oid === this.emptyTree) return Buffer.alloc(0);
    const known = this.#made.get(oid) ?? this.#read.get(oid);
    if (known !== undefined) return known;
    const object = await new Promise<Buffer>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin.write(`${oid}\n`);
    });
    this.#readBytes += object.length;
    if (this.#readBytes > MOST_READ_BYTES) {
      this.#read.clear();
      this.#readBytes = object.length;
    }
    this.#read.set(oid, object);
    return object;
  }

  #write(type: string, bytes: Buffer): string {
    const oid = createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
    this.#made.set(oid, bytes);
    return oid;
  }

  #take(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    while (this.#length > 0 && this.#length >= this.#needs) {
      const bytes = Buffer.concat(this.#pieces);
      this.#pieces = [bytes];
      const feed = bytes.indexOf(10);
      if (feed < 0) return;
      const [oid, , size] = bytes.toString("latin1", 0, feed).split(" ");
      if (size === undefined) throw new Error(`git has no object ${oid}`);
      const end = feed + 1 + Number(size);
      this.#needs = end + 1;
      if (bytes.length < this.#needs) return;
      this.#pieces = [bytes.subarray(this.#needs)];
      this.#length = bytes.length - this.#needs;
      this.#needs = 0;
      this.#waiting.shift()?.(Buffer.from(bytes.subarray(feed + 1, end)));
    }
  }
}
