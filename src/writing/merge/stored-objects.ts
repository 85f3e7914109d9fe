/**
 * The objects of a repository for merges: what is stored, and what merges have made, which is held until it is known
 * which of it a result needs.
 *
 * @packageDocumentation
 */
import { present } from "../../bytes/assert.ts";
import { Budget } from "../../bytes/budget.ts";
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded, ObjectRejected } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import type { GraphSession } from "../../graph/graph-session.ts";
import type { MergeAttributes, MergeSource } from "../../merge/merge-source.ts";
import { plainMode, type TreeEntry } from "../../merge/version.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { isTree, TreeReader } from "../../object/tree.ts";
import type { Repository } from "../../repository/repository.ts";
import type { NewObjects } from "../commit/new-objects.ts";
import { MergeRules } from "./merge-rules.ts";

/** Steps of one request's merges: some ten seconds. */
const MOST_STEPS = 1_000_000_000;
/** Bytes that one request's merges may hold: paths, objects that were made, and what is known of moved files. */
const MOST_BYTES = 40 * 1024 * 1024;
/** Steps of reading or writing an entry of a tree. */
const ENTRY_STEPS = 20;
/** Steps of reading a blob that is small, and of finding its size. They count for pauses alone. */
const BLOB_STEPS = 2000;
const SIZE_STEPS = 600;
/** Objects that are read ahead at once. */
const BATCH = 64;

type Made = { readonly type: "blob" | "tree"; readonly bytes: Uint8Array };

/** What merges take of a repository. */
export type MergeTools = {
  readonly repository: Pick<Repository, "memory" | "pacer">;
  readonly graph: GraphSession;
  readonly objects: NewObjects;
};

/** The objects of one request's merges. Call {@link StoredObjects.free} at the end. */
export class StoredObjects implements MergeSource {
  readonly emptyTree: string;
  readonly emptyBlob: string;
  readonly #tools: MergeTools;
  readonly #budget: Budget;
  readonly #made = new Map<string, Made>();
  #rules: MergeRules | undefined;
  #heldBytes = 0;

  private constructor(tools: MergeTools, emptyTree: string, emptyBlob: string) {
    this.#tools = tools;
    this.emptyTree = emptyTree;
    this.emptyBlob = emptyBlob;
    this.#budget = new Budget(
      { limit: "merge-steps", max: MOST_STEPS, message: "the merge takes too much computing to be done here" },
      tools.repository.pacer,
    );
  }

  static async open(tools: MergeTools): Promise<StoredObjects> {
    const nothing = new Uint8Array(0);
    const [tree, blob] = [await tools.objects.nameOf("tree", nothing), await tools.objects.nameOf("blob", nothing)];
    return new StoredObjects(tools, toHex(tree), toHex(blob));
  }

  /** Sets whose `.gitattributes` count: those of a tree, by its name in hexadecimal. */
  useRulesOf(tree: string): void {
    this.#rules?.free();
    this.#rules = new MergeRules(this, tree);
  }

  /** Gives back what is held. */
  free(): void {
    this.#made.clear();
    this.#tools.repository.memory.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  readonly readTree = async (oid: string): Promise<readonly TreeEntry[]> => {
    if (oid === this.emptyTree) return [];
    const { rawSize } = this.#tools.graph.format;
    const bytes = this.#made.get(oid)?.bytes ?? (await this.#tools.graph.reader.readCopy(rawOf(oid))).bytes;
    const entries: TreeEntry[] = [];
    const reader = new TreeReader(bytes, 0, bytes.length, rawSize);
    while (reader.next()) {
      const { mode, nameAt, nameEnd, oidAt } = reader;
      const name = textOf(bytes.subarray(nameAt, nameEnd));
      entries.push({ mode: plainMode(mode), name, oid: toHex(bytes.subarray(oidAt, oidAt + rawSize)) });
    }
    assertOrder(entries);
    await this.work(entries.length * ENTRY_STEPS);
    return entries;
  };

  readonly readBlob = async (oid: string): Promise<Uint8Array | undefined> => {
    const made = this.#made.get(oid);
    if (made !== undefined) return made.bytes;
    await this.#pace(BLOB_STEPS);
    const copy = await this.#tools.graph.reader.copyIfHeld(rawOf(oid));
    return copy?.bytes;
  };

  readonly sizeOf = async (oid: string): Promise<number> => {
    const made = this.#made.get(oid);
    if (made !== undefined) return made.bytes.length;
    await this.#pace(SIZE_STEPS);
    return await this.#tools.graph.reader.sizeOf(rawOf(oid));
  };

  /** Gives way to others where it is time to. What merges may spend is about what they compute themselves. */
  async #pace(steps: number): Promise<void> {
    const { pacer } = this.#tools.repository;
    pacer.add(steps);
    if (pacer.isDue) await pacer.pace();
  }

  readonly expect = async (oids: readonly string[]): Promise<void> => {
    const stored = oids.filter((oid) => oid !== this.emptyBlob && oid !== this.emptyTree && !this.#made.has(oid));
    for (let at = 0; at < stored.length; at += BATCH) {
      const batch = stored.slice(at, at + BATCH);
      if (batch.length > 1) await this.#tools.graph.reader.prefetch(concat(batch.map(rawOf)));
    }
  };

  readonly writeBlob = async (bytes: Uint8Array): Promise<string> => await this.#make({ type: "blob", bytes });

  readonly writeTree = async (entries: readonly TreeEntry[]): Promise<string> => {
    const { rawSize } = this.#tools.graph.format;
    const headOf = ({ mode, name }: TreeEntry): string => `${mode.toString(8)} ${name}\0`;
    const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + headOf(entry).length + rawSize, 0));
    let at = 0;
    for (const entry of entries) {
      const head = headOf(entry);
      bytes.set(bytesOf(head), at);
      bytes.set(rawOf(entry.oid), at + head.length);
      at += head.length + rawSize;
    }
    await this.work(entries.length * ENTRY_STEPS);
    return await this.#make({ type: "tree", bytes });
  };

  readonly attributesOf = async (path: string): Promise<MergeAttributes> =>
    await present(this.#rules, "the rules").attributesOf(path);

  readonly work = async (steps: number): Promise<void> => {
    const { pacer } = this.#tools.repository;
    this.#budget.spend(steps);
    if (pacer.isDue) await pacer.pace();
  };

  readonly foresee = (steps: number): void => this.#budget.assertLeft(steps);

  readonly hold = (bytes: number): void => {
    this.#heldBytes += bytes;
    this.#tools.repository.memory.hold(bytes);
    if (this.#heldBytes > MOST_BYTES)
      throw new LimitExceeded("merge-bytes", MOST_BYTES, `the merge takes more than ${MOST_BYTES} bytes of memory`);
  };

  async #make(made: Made): Promise<string> {
    const oid = toHex(await this.#tools.objects.nameOf(made.type, made.bytes));
    if (this.#made.has(oid)) return oid;
    this.hold(made.bytes.length);
    this.#made.set(oid, made);
    return oid;
  }

  /** Adds what a tree needs and is not stored yet to the new objects. */
  async keep(tree: string): Promise<void> {
    const needed = this.#neededBy(tree);
    if (needed.length === 0) return;
    const types = await this.#tools.graph.database.typesOf(concat(needed.map(rawOf)));
    for (const [at, oid] of needed.entries()) {
      const { type, bytes } = present(this.#made.get(oid), "an object that was made");
      if (types[at] !== TYPE_NUMBER[type]) await this.#tools.objects.add(type, bytes);
    }
  }

  #neededBy(tree: string): string[] {
    const needed = new Set<string>();
    const { rawSize } = this.#tools.graph.format;
    const pending = [tree];
    for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
      const made = this.#made.get(oid);
      if (made === undefined || needed.has(oid)) continue;
      needed.add(oid);
      if (made.type === "blob") continue;
      const reader = new TreeReader(made.bytes, 0, made.bytes.length, rawSize);
      while (reader.next()) pending.push(toHex(made.bytes.subarray(reader.oidAt, reader.oidAt + rawSize)));
    }
    return [...needed];
  }
}

function rawOf(oid: string): Uint8Array {
  return present(fromHex(oid), "a name");
}

/** A tree in another order, or with a name twice, was let in by a repository that ignores such slips. */
function assertOrder(entries: readonly TreeEntry[]): void {
  let before = "";
  for (const { name, mode } of entries) {
    const key = isTree(mode) ? `${name}/` : name;
    if (key <= before) throw new ObjectRejected("a directory on the way is not in git's order, and can't be merged");
    before = key;
  }
}
