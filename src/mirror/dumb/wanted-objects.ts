/**
 * Finds out which objects of a dumb upstream are missing here: loose ones by following what refers to them, packed ones by
 * the indexes of their packs.
 *
 * Objects are asked for loose until one is not there. Then all indexes are read, and nothing is asked for loose that a
 * pack has. What is in a pack is not followed: all that is missing of it comes, and if that refers to what is in no pack,
 * the reader that takes it in says so.
 *
 * @packageDocumentation
 * @see http-walker.c, walker.c
 */
import { itemAt } from "../../bytes/assert.ts";
import { concat, equal } from "../../bytes/chunk.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import { CommitLinks } from "../../object/commit.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import type { ObjectType } from "../../object/object-type.ts";
import { deflatedEntry, PIECE_BYTES } from "../../packing/deflated-entry.ts";
import { readTagLinks } from "../../object/tag.ts";
import { isGitlink, TreeReader } from "../../object/tree.ts";
import type { Repository } from "../../repository/repository.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import { UpstreamFailure } from "../upstream.ts";
import { type IndexedPack, readPacks } from "./indexed-packs.ts";
import { type LooseObject, readLoose } from "./loose-object.ts";
import type { UpstreamFiles } from "./upstream-files.ts";

/** Files that are asked for at once. The platform opens six connections for a request. */
const AT_ONCE = 5;
/** Bytes of loose objects that are held, as entries of the pack that is to be made. */
const MOST_HELD_BYTES = 24 * 1024 * 1024;
/** Names that loose objects refer to, in one sync. Each takes some 200 bytes. */
const MOST_NAMES = 200_000;
const NAME_BYTES = 200;
/** Names that are looked up at once. */
const NAMES_AT_ONCE = 10_000;
/** Steps for the name of an object that is written in hexadecimal and looked up. */
const NAME_STEPS = 100;
/** Steps for a byte that is hashed and deflated, for an entry of a tree, and for a look into an index. */
const BYTE_STEPS = 4;
const ENTRY_STEPS = 40;
const LOOK_STEPS = 20;

/** A loose object that is to come: its entry, or its place where it is too large to be held. */
export type LooseEntry = { readonly hex: string } & ({ readonly entry: Uint8Array } | { readonly entry?: undefined });

/** What the search needs. */
export type SearchTools = {
  readonly files: UpstreamFiles;
  readonly format: ObjectFormat;
  /** The objects that are here. */
  readonly database: ObjectDatabase;
  readonly repository: Pick<Repository, "hash" | "deflate" | "deflatePiece" | "memory" | "pacer">;
};

/** Returns the path of a loose object. */
export function loosePath(hex: string): string {
  return `objects/${hex.slice(0, 2)}/${hex.slice(2)}`;
}

/** The objects that are to come. Call {@link WantedObjects.free} when they are stored, or not wanted any more. */
export class WantedObjects {
  readonly #tools: SearchTools;
  readonly #seen = new Set<string>();
  readonly #links: CommitLinks;
  #packs: Promise<IndexedPack[]> | undefined;
  #known: readonly IndexedPack[] | undefined;
  /** Bytes of all that is held, and of the entries among it. */
  #held = 0;
  #entryBytes = 0;
  /** The loose objects that are to come. */
  readonly loose: LooseEntry[] = [];

  constructor(tools: SearchTools) {
    this.#tools = tools;
    this.#links = new CommitLinks(tools.format);
  }

  /** The packs of which some objects are to come. */
  get packs(): readonly IndexedPack[] {
    return this.#known?.filter(({ taken }) => taken.includes(1)) ?? [];
  }

  /**
   * Adds these objects, and what loose ones refer to. Returns whether any was not known yet.
   *
   * @throws UpstreamFailure if the upstream lacks one; LimitExceeded
   */
  async add(roots: Iterable<Uint8Array>): Promise<boolean> {
    let level = await this.#unseen(roots);
    const isNew = level.length > 0;
    while (level.length > 0) level = await this.#unseen(await this.#take(await this.#missing(level)));
    if (this.#known === undefined) return isNew;
    await this.#choose(this.#known);
    for (const pack of this.packs) await pack.putInOrder(this.#tools.repository.pacer);
    return isNew;
  }

  /** Frees what is held. */
  free(): void {
    this.loose.length = 0;
    this.#known = undefined;
    this.#packs = undefined;
    this.#hold(-this.#held);
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    this.#tools.repository.memory.hold(bytes);
  }

  async #unseen(names: Iterable<Uint8Array>): Promise<Uint8Array[]> {
    const { pacer } = this.#tools.repository;
    const unseen: Uint8Array[] = [];
    for (const name of names) {
      pacer.add(NAME_STEPS);
      if (pacer.isDue) await pacer.pace();
      const hex = toHex(name);
      if (this.#seen.has(hex)) continue;
      this.#seen.add(hex);
      unseen.push(name);
    }
    this.#hold(unseen.length * NAME_BYTES);
    return unseen;
  }

  /** Returns those of the names that are not here. */
  async #missing(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const missing: Uint8Array[] = [];
    for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
      const some = names.slice(from, from + NAMES_AT_ONCE);
      const types = await this.#tools.database.typesOf(concat(some));
      for (const [at, name] of some.entries()) if (types[at] === 0) missing.push(name);
    }
    return missing;
  }

  /** Takes missing objects, a few at once. Returns what the loose ones refer to. */
  async #take(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const next: Uint8Array[] = [];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const some = names.slice(from, from + AT_ONCE).filter((name) => !this.#isPacked(name));
      const settled = await Promise.allSettled(some.map(async (name) => await this.#takeLoose(name, next)));
      for (const [at, outcome] of settled.entries()) {
        if (outcome.status === "rejected") throw outcome.reason;
        if (!outcome.value) await this.#takePacked(itemAt(some, at));
      }
      await this.#tools.repository.pacer.pace();
    }
    return next;
  }

  #isPacked(name: Uint8Array): boolean {
    this.#tools.repository.pacer.add(LOOK_STEPS * (this.#known?.length ?? 0)); // None is known yet.
    const pack = this.#known?.find(({ index }) => index.find(name) >= 0);
    if (pack === undefined) return false;
    pack.isWanted = true;
    return true;
  }

  async #takePacked(name: Uint8Array): Promise<void> {
    const { files, format } = this.#tools;
    this.#known = await (this.#packs ??= readPacks(files, format, (bytes) => this.#hold(bytes)));
    if (this.#isPacked(name)) return;
    const places = ["objects/info/alternates", "objects/info/http-alternates"];
    for (const place of places) {
      if (!(await files.has(place))) continue;
      throw new UpstreamFailure(
        "The upstream borrows objects from another repository, which a mirror does not follow.",
      );
    }
    throw new UpstreamFailure(
      `The upstream lacks the object ${toHex(name)}, or its git update-server-info was not run.`,
    );
  }

  /** Takes a loose object, and adds what it refers to. Returns whether there is one. */
  async #takeLoose(name: Uint8Array, next: Uint8Array[]): Promise<boolean> {
    const hex = toHex(name);
    const answer = await this.#tools.files.open(loosePath(hex));
    if (answer === undefined) return false;
    try {
      const object = await readLoose(answer.body, hex);
      const { type, content } = object;
      if (content !== undefined) {
        await this.#check(hex, object, content);
        await this.#follow(type, content, next);
      }
      this.loose.push(await this.#entryOf(hex, object));
      return true;
    } finally {
      await answer.cancel();
    }
  }

  async #entryOf(hex: string, { type, content }: LooseObject): Promise<LooseEntry> {
    const isFull = this.#entryBytes >= MOST_HELD_BYTES;
    if (content === undefined || (isFull && type === "blob")) return { hex };
    const entry = await deflatedEntry(type, content, this.#tools.repository);
    this.#hold(entry.length);
    this.#entryBytes += entry.length;
    if (isFull) {
      const why = `its loose objects have more than ${MOST_HELD_BYTES} bytes: run git gc there`;
      throw new LimitExceeded("mirror-loose-bytes", MOST_HELD_BYTES, why);
    }
    return { hex, entry };
  }

  async #check(hex: string, { type, size }: LooseObject, content: Uint8Array): Promise<void> {
    const { format, repository } = this.#tools;
    const hash = repository.hash(format.name);
    hash.update(new TextEncoder().encode(`${type} ${size}\0`));
    for (let at = 0; at < content.length; at += PIECE_BYTES) {
      const piece = content.subarray(at, at + PIECE_BYTES);
      hash.update(piece);
      repository.pacer.add(piece.length * BYTE_STEPS);
      if (repository.pacer.isDue) await repository.pacer.pace();
    }
    if (toHex(hash.digest()) !== hex)
      throw new UpstreamFailure(`The upstream's file of the object ${hex} is another one.`);
  }

  async #follow(type: ObjectType, content: Uint8Array, next: Uint8Array[]): Promise<void> {
    const { format, repository } = this.#tools;
    if (type === "commit") {
      this.#links.read(content, 0, content.length);
      for (let link = 0; link <= this.#links.parentCount; link++) next.push(this.#links.nameOf(link).slice());
    } else if (type === "tag") next.push(readTagLinks(content, 0, content.length, format).object);
    else if (type === "tree") {
      const reader = new TreeReader(content, 0, content.length, format.rawSize);
      while (reader.next()) {
        repository.pacer.add(NAME_STEPS);
        if (repository.pacer.isDue) await repository.pacer.pace();
        if (!isGitlink(reader.mode)) this.#name(content.slice(reader.oidAt, reader.oidAt + format.rawSize), next);
      }
    }
  }

  /** Adds a name that a tree refers to. Most are those of the tree before it, and are known. */
  #name(name: Uint8Array, next: Uint8Array[]): void {
    if (this.#seen.has(toHex(name))) return;
    next.push(name);
    if (next.length + this.#seen.size <= MOST_NAMES) return;
    const why = `its loose objects refer to more than ${MOST_NAMES} others: run git gc there`;
    throw new LimitExceeded("mirror-loose-bytes", MOST_NAMES, why);
  }

  /** Chooses what comes of each pack: the objects that are not here, are not loose, and come from no other pack. */
  async #choose(packs: readonly IndexedPack[]): Promise<void> {
    const used = packs.filter(({ isCruft, isWanted }) => isWanted || !isCruft);
    const loose = new Set(this.loose.map(({ hex }) => hex));
    const { pacer } = this.#tools.repository;
    for (const [rank, { index, taken }] of used.entries()) {
      const before = used.slice(0, rank);
      const { rawSize } = this.#tools.format;
      for (let from = 0; from < index.count; from += NAMES_AT_ONCE) {
        const to = Math.min(index.count, from + NAMES_AT_ONCE);
        const types = await this.#tools.database.typesOf(index.names.subarray(from * rawSize, to * rawSize));
        for (let at = from; at < to; at++) {
          const name = index.nameAt(at);
          const isElsewhere = loose.has(toHex(name)) || before.some((other) => isTakenFrom(other, name));
          taken[at] = types[at - from] === 0 && !isElsewhere ? 1 : 0;
          pacer.add(ENTRY_STEPS + rank * LOOK_STEPS);
          if (pacer.isDue) await pacer.pace();
        }
      }
    }
  }
}

function isTakenFrom({ index, taken }: IndexedPack, name: Uint8Array): boolean {
  const at = index.find(name);
  return at >= 0 && taken[at] === 1 && equal(index.nameAt(at), name);
}
