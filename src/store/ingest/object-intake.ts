/**
 * Takes each object of a pack once it is whole in kernel memory. The object is hashed (with collision detection) and
 * fscked, and its references are noted in the table of the pack's {@link ObjectNames}. When all objects are in, the table tells what the
 * pack refers to and does not bring. It also tells whether all objects of the pack are reachable from the pushed tips.
 *
 * The flags of a name say how the object is referred to: see `kernel/object-flags.ts`.
 *
 * @packageDocumentation
 */
import {
  GITATTRIBUTES,
  GITMODULES,
  REFERENCED,
  REF_BLOB,
  REF_COMMIT,
  REF_TAG,
  REF_TREE,
} from "../../kernel/object-flags.ts";
import { itemAt, u8At } from "../../bytes/assert.ts";
import { CorruptStore, FsckRejected, ObjectRejected } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import { type Kernel, SCAN_OK } from "../../kernel/kernel.ts";
import { CommitLinks } from "../../object/commit.ts";
import { fsckAttachedBlob } from "../../object/fsck-blob.ts";
import { finding, type Forgiving, type FsckFinding, type FsckLeniency, STRICT } from "../../object/fsck-rule.ts";
import { fsckTree, fsckTreeEntry } from "../../object/fsck-tree.ts";
import { fsckCommit, fsckTag } from "../../object/fsck.ts";
import type { EntryTable } from "./entry-table.ts";
import { FsckWarnings } from "./fsck-warnings.ts";
import type { Held, Inflating } from "../inflating.ts";
import { NamingQueue } from "./naming-queue.ts";
import { NONE, ObjectNames } from "./object-names.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { TYPE_NUMBER, typeOfNumber } from "../../object/object-type.ts";
import { readTagLinks } from "../../object/tag.ts";

const ATTACHED_FLAG = { gitmodules: GITMODULES, gitattributes: GITATTRIBUTES } as const;

/** A `.gitmodules` or `.gitattributes` of up to this many bytes is checked as it gets its name. */
const CHECKED_AT_ONCE_BYTES = 16 * 1024;

const ANY_REFERENCE = REF_TREE | REF_BLOB | REF_COMMIT | REF_TAG;
const REFERENCE_OF_TYPE: readonly number[] = [0, REF_COMMIT, REF_TREE, REF_BLOB, REF_TAG];

/**
 * Objects that the pack refers to and does not bring: raw names one after the other, and the type number that each must
 * have.
 */
export type ExternalReferences = { readonly names: Uint8Array<ArrayBuffer>; readonly types: Uint8Array<ArrayBuffer> };

/** The findings that are let pass, and who is shown the blobs. */
export type IntakeChecks = { readonly leniency?: FsckLeniency | undefined; readonly watch?: BlobWatch | undefined };

/** Is shown each blob that a pack brings. */
export interface BlobWatch {
  /** `content` is `undefined` for a blob too large to be held; it is good for this call alone. `name` returns the name in hexadecimal. */
  see(size: number, content: Uint8Array | undefined, name: () => string): void;
}

/** The base of a tree that was a delta. */
export type TreeBase = {
  readonly held: Held;
  /** Whether the base is an entry of the pack that is taken in, so that the same rules judge it. */
  readonly isOfPack: boolean;
};

/** Takes the objects of one pack, in any order. */
export class ObjectIntake {
  /** The names of the pack's objects and of what they refer to. */
  readonly names: ObjectNames;
  readonly #kernel: Kernel;
  readonly #entries: EntryTable;
  readonly #format: ObjectFormat;
  readonly #unnamed: NamingQueue;
  /** Receives the index of each object's name when it gets it. */
  onNamed: (index: number) => void = () => undefined;
  /** The address of room for one object name. */
  readonly #scratch: number;
  /** The names of blobs whose content must be checked and that may have passed before that was known. */
  readonly #lateBlobs = new Set<number>();
  readonly #links: CommitLinks;
  readonly #inflating: Inflating;
  readonly #leniency: FsckLeniency;
  readonly #watch: BlobWatch | undefined;
  /** The findings that were let pass of the object being checked and that lead to warnings. */
  #slips: FsckFinding[] = [];
  readonly #forgives: Forgiving = (id) => {
    const slip = this.#leniency.warned.has(id) ? finding(id) : undefined;
    if (slip !== undefined) this.#slips.push(slip);
    return slip !== undefined || this.#leniency.ignored.has(id);
  };
  /** The findings that were let pass, to be reported as warnings. */
  readonly warnings = new FsckWarnings();

  constructor(
    inflating: Inflating,
    entries: EntryTable,
    format: ObjectFormat,
    { leniency = STRICT, watch }: IntakeChecks = {},
  ) {
    this.#leniency = leniency;
    this.#watch = watch;
    const { kernel } = inflating;
    this.#kernel = kernel;
    this.names = new ObjectNames(kernel);
    this.#entries = entries;
    this.#unnamed = new NamingQueue(inflating, (object, nameAt, collision) => {
      const index = this.#admit(object.number, nameAt, collision);
      const at = inflating.pointer(object.held);
      if (object.type !== TYPE_NUMBER.blob) return;
      this.#checkAttached(index, at, object.held.size);
      this.#watch?.see(object.held.size, inflating.bytes(object.held), () => this.names.hex(index));
    });
    this.#inflating = inflating;
    this.#format = format;
    this.#scratch = kernel.scratchAt;
    this.#links = new CommitLinks(format);
  }

  /**
   * Takes in the object of an entry, which is held. A tree that was a delta comes with its base, if that is held. Then
   * only what differs from the base is searched for references: the base's own were noted, or were in the catalog,
   * which is closed. A base in the catalog was judged by other settings, so what is the same is judged again, as C git
   * does. The object gets its name later: see {@link settle}.
   *
   * @throws ObjectRejected if git's fsck refuses the object, or if naming an earlier object refuses that one.
   */
  accept(number: number, type: number, held: Held, base: TreeBase | undefined): void {
    const bytes = this.#inflating.bytes(held);
    if (type === TYPE_NUMBER.tree) this.#acceptTree(held, base);
    else if (type === TYPE_NUMBER.commit) this.#acceptCommit(held, bytes);
    else if (type === TYPE_NUMBER.tag) this.#acceptTag(held, bytes);
    this.#entries.resolve(number, type, held.size);
    this.#entries.setRing(number, held.position);
    this.#unnamed.add({ number, type, held });
  }

  /**
   * Takes in a blob that passed in pieces; its name is at `scratchAt`. Such a blob is too large for any check of its
   * content.
   */
  acceptPassedBlob(number: number, size: number, collision: boolean): void {
    this.#entries.resolve(number, TYPE_NUMBER.blob, size);
    const index = this.#admit(number, this.#scratch, collision);
    this.#checkWhole(index, undefined);
    this.#watch?.see(size, undefined, () => this.names.hex(index));
  }

  /**
   * Names every object so far.
   *
   * @throws ObjectRejected for a duplicate, and for a SHA-1 that is part of a collision attack.
   */
  settle(): void {
    this.#unnamed.flush();
  }

  /** Whether every object is settled, which means that it has its name. */
  get isSettled(): boolean {
    return this.#unnamed.isEmpty;
  }

  #admit(number: number, nameAt: number, collision: boolean): number {
    const { names } = this;
    const index = names.addAt(nameAt);
    if (collision) throw new ObjectRejected(`SHA-1 appears to be part of a collision attack: ${names.hex(index)}`);
    if (names.isBrought(index))
      throw new ObjectRejected(`The same object ${names.hex(index)} appears twice in the pack`);
    names.setEntry(index, number);
    this.#entries.setName(number, index);
    this.onNamed(index);
    return index;
  }

  /**
   * Refuses an object for a finding of fsck, or warns of those let pass, unless the object's name is on the list of
   * objects to skip.
   */
  #refuse(type: number, held: Held, refusal: FsckFinding | undefined): void {
    const slips = this.#slips;
    if (refusal === undefined && slips.length === 0) return;
    this.#slips = [];
    // The object is hashed twice then, which only matters if there are very many.
    const mustBeNamed = refusal !== undefined || !this.warnings.isFull || this.#leniency.skipped.size > 0;
    const name = mustBeNamed ? this.#nameOf(type, held) : "";
    if (this.#leniency.skipped.has(name)) return;
    if (refusal !== undefined) throw new FsckRejected(name, refusal.id, refusal.text);
    for (const slip of slips) this.warnings.add(name, slip);
  }

  #nameOf(type: number, held: Held): string {
    this.#kernel.hashObject(type, this.#inflating.pointer(held), held.size, this.#scratch);
    return toHex(this.#kernel.memory, this.#scratch, this.#scratch + this.#format.rawSize);
  }

  #refer(name: Uint8Array, flag: number): void {
    this.names.orFlags(this.names.add(name), flag | REFERENCED);
  }

  #acceptCommit(held: Held, bytes: Uint8Array): void {
    this.#refuse(TYPE_NUMBER.commit, held, fsckCommit(bytes, this.#format, this.#forgives));
    const links = this.#links;
    links.read(bytes, 0, bytes.length);
    this.#refer(links.nameOf(0), REF_TREE);
    for (let parent = 1; parent <= links.parentCount; parent++) this.#refer(links.nameOf(parent), REF_COMMIT);
  }

  #acceptTag(held: Held, bytes: Uint8Array): void {
    this.#refuse(TYPE_NUMBER.tag, held, fsckTag(bytes, this.#format, this.#forgives));
    const links = readTagLinks(bytes, 0, bytes.length, this.#format);
    this.#refer(links.object, itemAt(REFERENCE_OF_TYPE, TYPE_NUMBER[links.type]));
  }

  #acceptTree(held: Held, base: TreeBase | undefined): void {
    const kernel = this.#kernel;
    const at = this.#inflating.pointer(held);
    const baseAt = base === undefined ? 0 : this.#inflating.pointer(base.held);
    // The base may be one of the objects to skip, as which it passed whatever is in it.
    const baseIsJudged = this.#leniency.skipped.size === 0 && base?.isOfPack === true;
    // A tree without a base is scanned whole.
    if (kernel.scanTree(at, held.size, baseAt, base?.held.size ?? 0, baseIsJudged) === SCAN_OK) {
      for (let i = 0; i < kernel.suspiciousCount; i++) this.#checkEntry(held, at + kernel.suspiciousAt(i));
      return;
    }
    const bytes = this.#inflating.bytes(held);
    this.#refuse(TYPE_NUMBER.tree, held, fsckTree(bytes, this.#format, undefined, this.#forgives));
    this.#referAll(held);
  }

  /** Notes the references of a tree that the scan would not vouch for and fsck let pass. It is slower than the scan. */
  #referAll(held: Held): void {
    const rawSize = this.#format.rawSize;
    let entry = this.#inflating.pointer(held);
    const end = entry + held.size;
    while (entry < end) {
      const nameEnd = this.#kernel.memory.indexOf(0, entry);
      if (nameEnd < 0 || nameEnd + 1 + rawSize > end)
        throw new ObjectRejected("a tree that is cut off can't be skipped");
      // Copied, because adding a name to the table may move the memory.
      const mode = parseMode(this.#kernel.memory, entry);
      if (mode !== GITLINK) {
        const name = this.#kernel.memory.slice(nameEnd + 1, nameEnd + 1 + rawSize);
        this.#refer(name, mode === DIRECTORY ? REF_TREE : REF_BLOB);
      }
      this.#checkEntry(held, entry);
      entry = nameEnd + 1 + rawSize;
    }
  }

  /** Checks one tree entry whose name git treats specially on some file system. */
  #checkEntry(tree: Held, entry: number): void {
    const kernel = this.#kernel;
    const end = this.#inflating.pointer(tree) + tree.size;
    const nameEnd = kernel.memory.indexOf(0, entry);
    const modeEnd = kernel.memory.indexOf(0x20, entry);
    if (nameEnd < 0 || nameEnd >= end || modeEnd < 0) throw new CorruptStore("a scanned tree lost an entry's end");
    const verdict = fsckTreeEntry(kernel.memory.slice(modeEnd + 1, nameEnd), parseMode(kernel.memory, entry));
    this.#refuse(TYPE_NUMBER.tree, tree, verdict.finding);
    for (const file of verdict.attached) {
      const blob = this.names.addAt(nameEnd + 1);
      this.names.orFlags(blob, file === "gitmodules" ? GITMODULES : GITATTRIBUTES);
      this.#lateBlobs.add(blob);
    }
  }

  #checkAttached(index: number, at: number, size: number): void {
    const flags = this.names.flagsOf(index);
    // Objects are named many at once, with no pause: a long file is checked later, which costs that it is made again.
    if ((flags & (GITMODULES | GITATTRIBUTES)) === 0 || size > CHECKED_AT_ONCE_BYTES) return;
    this.#checkWhole(index, this.#kernel.memory.subarray(at, at + size));
  }

  #checkWhole(index: number, bytes: Uint8Array | undefined): void {
    const work = this.checkLateBlob(index, bytes);
    while (work.next().done !== true);
  }

  /** Returns the names of blobs whose content must still be passed to {@link checkLateBlob}. */
  lateBlobs(): number[] {
    return [...this.#lateBlobs];
  }

  /**
   * Checks the content of a `.gitmodules` or `.gitattributes`; `undefined` stands for content too large to be held. It yields
   * after about each `CONFIG_PART_BYTES`.
   */
  *checkLateBlob(index: number, bytes: Uint8Array | undefined): Generator<void, void> {
    this.#lateBlobs.delete(index);
    const flags = this.names.flagsOf(index);
    for (const file of ["gitmodules", "gitattributes"] as const) {
      const refusal = flags & ATTACHED_FLAG[file] ? yield* fsckAttachedBlob(file, bytes) : undefined;
      if (refusal === undefined || this.#leniency.skipped.has(this.names.hex(index))) continue;
      throw new FsckRejected(this.names.hex(index), refusal.id, refusal.text);
    }
  }

  /**
   * Returns the objects that the pack refers to and does not bring, to be looked up in the catalog.
   *
   * @throws ObjectRejected if an object of the pack is referred to as an object of another type.
   */
  externalReferences(typeOf: (entry: number) => number): ExternalReferences {
    const { names } = this;
    const rawSize = this.#format.rawSize;
    let count = 0;
    for (let index = 0; index < names.count; index++) {
      if ((names.flagsOf(index) & ANY_REFERENCE) !== 0 && !names.isBrought(index)) count++;
    }
    const external = { names: new Uint8Array(count * rawSize), types: new Uint8Array(count) };
    let used = 0;
    for (let index = 0; index < names.count; index++) {
      const references = names.flagsOf(index) & ANY_REFERENCE;
      if (references === 0) continue;
      const entry = names.entryOf(index);
      const type = this.#checkReferences(index, references, entry === NONE ? 0 : typeOf(entry));
      if (entry !== NONE) continue;
      external.names.set(names.view(index), used * rawSize);
      external.types[used++] = type;
    }
    return external;
  }

  /**
   * Returns the type number that all references agree on. `type` is the object's type number if the pack brings it,
   * else 0.
   */
  #checkReferences(index: number, references: number, type: number): number {
    const expected = type === 0 ? TYPE_OF_REFERENCE.get(references) : type;
    if (expected !== undefined && (references & ~itemAt(REFERENCE_OF_TYPE, expected)) === 0) return expected;
    const found = typeOfNumber(type) ?? "another";
    throw new ObjectRejected(
      `object ${this.names.hex(index)}: expected type ${nameOfReference(references)}, found ${found}`,
    );
  }

  /**
   * Whether an object of the pack refers to the object of a raw name, as far as references are noted: see
   * {@link accept}.
   */
  refersTo(name: Uint8Array): boolean {
    const index = this.names.find(name);
    return index !== NONE && (this.names.flagsOf(index) & ANY_REFERENCE) !== 0;
  }

  /** Whether every object of the pack is one of `tips` (raw names) or referred to by another object of the pack. */
  allReachableFrom(tips: readonly Uint8Array[]): boolean {
    const { names } = this;
    for (const tip of tips) {
      const index = names.find(tip);
      if (index !== NONE) names.orFlags(index, REFERENCED);
    }
    for (let index = 0; index < names.count; index++) {
      if (names.isBrought(index) && (names.flagsOf(index) & REFERENCED) === 0) return false;
    }
    return true;
  }
}

const DIRECTORY = 0o40000;
const GITLINK = 0o160000;
const TYPE_OF_REFERENCE = new Map([1, 2, 3, 4].map((type) => [itemAt(REFERENCE_OF_TYPE, type), type]));

function nameOfReference(references: number): string {
  const type = [1, 2, 3, 4].find((number) => (references & itemAt(REFERENCE_OF_TYPE, number)) !== 0);
  return (type === undefined ? undefined : typeOfNumber(type)) ?? "none";
}

function parseMode(memory: Uint8Array, at: number): number {
  let mode = 0;
  for (let i = at; memory[i] !== 0x20; i++) mode = mode * 8 + (u8At(memory, i) - 0x30);
  return mode;
}
