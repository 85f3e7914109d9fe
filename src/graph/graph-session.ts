/**
 * What a walk over a repository's objects works with: a kernel whose oid table gives every object it meets a node and flags, a
 * reader, and the commits met so far. One request, one session.
 *
 * @packageDocumentation
 */
import { IS_BLOB, IS_COMMIT, IS_TAG, IS_TREE, REF_BLOB, REF_TREE } from "../kernel/object-flags.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { itemAt, u8At } from "../bytes/assert.ts";
import { CommitLinks } from "../object/commit.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { readTagLinks } from "../object/tag.ts";
import { Inflating } from "../store/inflating.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { ReadObject } from "../store/held-objects.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { ObjectRing } from "../store/object-ring.ts";
import { CommitTable } from "./commit-table.ts";

const FLAG_OF_KIND: readonly number[] = [0, IS_COMMIT, IS_TREE, IS_BLOB, IS_TAG];

/** The state of walks in one request. */
export class GraphSession {
  readonly kernel: Kernel;
  readonly database: ObjectDatabase;
  readonly format: ObjectFormat;
  readonly inflating: Inflating;
  readonly reader: ObjectReader;
  readonly commits: CommitTable;
  readonly #links: CommitLinks;
  /** What each tag that was followed finally names. */
  readonly #peeled = new Map<number, number>();

  constructor(database: ObjectDatabase, kernel: Kernel) {
    this.kernel = kernel;
    this.database = database;
    this.format = database.context.format;
    this.inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes));
    this.reader = new ObjectReader(database, this.inflating);
    this.commits = new CommitTable(kernel);
    this.#links = new CommitLinks(this.format);
  }

  /** Frees what the walks have noted; the session is not used afterwards. The kernel is whose it was. */
  close(): void {
    this.reader.close();
    this.commits.free();
  }

  /** Gives the node of a raw name, new or known. */
  node(name: Uint8Array): number {
    this.kernel.memory.set(name.subarray(0, this.format.rawSize), this.kernel.scratchAt);
    return this.kernel.oidAdd(this.kernel.scratchAt);
  }

  /** Gives the node of a raw name, or -1 where no walk has met it. */
  findNode(name: Uint8Array): number {
    this.kernel.memory.set(name.subarray(0, this.format.rawSize), this.kernel.scratchAt);
    return this.kernel.oidFind(this.kernel.scratchAt);
  }

  /** Gives a copy of a node's raw name. */
  nameOf(node: number): Uint8Array<ArrayBuffer> {
    const at = this.kernel.oidAt(node);
    return this.kernel.memory.slice(at, at + this.format.rawSize);
  }

  /** Says whether a node has any of these flags. */
  has(node: number, flag: number): boolean {
    return (this.kernel.flagsOf(node) & flag) !== 0;
  }

  /** Gives a node flags. */
  mark(node: number, flag: number): void {
    this.kernel.orFlags(node, flag);
  }

  /** Takes a flag back. */
  unmark(node: number, flag: number): void {
    this.kernel.setFlags(node, this.kernel.flagsOf(node) & ~flag);
  }

  /** Reads ahead, all at once, what these nodes are going to be read for. */
  async prefetch(nodes: readonly number[]): Promise<void> {
    if (nodes.length < 2) return;
    const names = new Uint8Array(nodes.length * this.format.rawSize);
    for (const [i, node] of nodes.entries()) names.set(this.nameOf(node), i * this.format.rawSize);
    await this.reader.prefetch(names);
  }

  /** Reads an object and remembers its type. */
  async read(node: number): Promise<ReadObject> {
    const object = await this.reader.read(this.nameOf(node));
    this.mark(node, itemAt(FLAG_OF_KIND, object.kind));
    return object;
  }

  /** Makes the types of many objects known, by what is stored beside the packs; those that are nowhere are passed over. */
  async learnKinds(nodes: readonly number[]): Promise<void> {
    const names = new Uint8Array(nodes.length * this.format.rawSize);
    for (const [i, node] of nodes.entries()) names.set(this.nameOf(node), i * this.format.rawSize);
    const kinds = await this.database.kindsOf(names);
    for (const [i, node] of nodes.entries()) this.mark(node, itemAt(FLAG_OF_KIND, u8At(kinds, i)));
  }

  /** Makes a commit's links known; false where the object is no commit. */
  async loadCommit(node: number): Promise<boolean> {
    if (this.commits.has(node)) return true;
    const object = await this.read(node);
    if (object.kind !== KIND_NUMBER.commit) return false;
    const at = this.inflating.pointer(object.held);
    this.#links.read(this.kernel.memory, at, at + object.held.size);
    this.commits.add(node, this.#links);
    return true;
  }

  /** Gives the type number of an object, reading it where no walk has told. */
  async kindOf(node: number): Promise<number> {
    const flags = this.kernel.flagsOf(node);
    const known = FLAG_OF_KIND.findIndex((flag) => flag !== 0 && (flags & flag) !== 0);
    if (known > 0) return known;
    if (flags & REF_TREE) return KIND_NUMBER.tree;
    if (flags & REF_BLOB) return KIND_NUMBER.blob;
    if (this.commits.has(node)) return KIND_NUMBER.commit;
    const kind = await this.reader.kindOf(this.nameOf(node));
    this.mark(node, itemAt(FLAG_OF_KIND, kind));
    return kind;
  }

  /**
   * Follows annotated tags to what they finally name, and gives each tag on the way `flags`. A tag is read once however many lead to
   * it: of what has these flags already, the rest of the way has them, too.
   */
  async peel(node: number, flags = 0): Promise<number> {
    const way: number[] = [];
    let at = node;
    while ((await this.kindOf(at)) === KIND_NUMBER.tag) {
      const known = this.#peeled.get(at);
      const isMarked = (this.kernel.flagsOf(at) & flags) === flags;
      if (known !== undefined && isMarked) {
        at = known;
        break;
      }
      way.push(at);
      if (flags !== 0) this.mark(at, flags);
      at = await this.#targetOf(at);
    }
    for (const tag of way) this.#peeled.set(tag, at);
    return at;
  }

  async #targetOf(tag: number): Promise<number> {
    const { held } = await this.read(tag);
    const from = this.inflating.pointer(held);
    return this.node(readTagLinks(this.kernel.memory, from, from + held.size, this.format).object);
  }
}
