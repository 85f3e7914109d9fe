/**
 * Writes the bitmaps of a pack: for some of its commits, which objects each of them reaches. Fetches then need not walk
 * what such a commit reaches.
 *
 * A pack has bitmaps only if everything that its commits reach is in it. The largest pack of a repository usually is
 * like that. The file depends on the pack and on the branches of the moment.
 *
 * @packageDocumentation
 * @see gitformat-bitmap(5), git-repack(1), `--write-bitmap-index`
 */
import { itemAt, present, u32At, u8At } from "../bytes/assert.ts";
import { addBit, addBits, type Bits, hasBit, newBits } from "../bytes/bits.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { BUNDLES } from "../catalog/bundle-plan.ts";
import type { PackBitmapSize, PackRecord } from "../catalog/pack-record.ts";
import { type BundleTip, formatTips } from "../format/bundle.ts";
import { encodeEwah, ewahBytes, xorEwah } from "../format/ewah.ts";
import { type BitmapEntry, encodePackBitmap } from "../format/pack-bitmap.ts";
import { encodeRanks } from "../format/reverse-index.ts";
import { objectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { RefRow } from "../refs/ref-rows.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { type Candidate, selectCommits } from "./bitmap-selection.ts";
import { PackContent } from "./pack-content.ts";
import { NotClosed, ReachedObjects } from "./reached-objects.ts";

/** How many bitmaps before one are tried as its base. Git searches as many. */
const BASES_TRIED = 10;
/** The most bitmaps that have to be read to make one. */
const MOST_CHAIN = 16;
/** The bytes of memory for each object while bitmaps are made: one bit in each of these. */
const SETS_HELD = BASES_TRIED + 4;

/** The steps of adding a bitmap, for each object of the pack: it is compared with some others, word by word. */
const ADDED_STEPS = 1;
/** The steps of passing over an entry of the pack, and of looking at a commit. */
const ENTRY_STEPS = 2;
const COMMIT_STEPS = 30;
/** The steps of looking a ref up in the pack. */
const REF_STEPS = 150;
/** A tag that names a tag, and so on, is followed this often. */
const MOST_NESTED_TAGS = 8;
/** The tags that are read for the tips of a bundle, each perhaps by a read of the bucket. Further tags are no tips. */
export const MOST_TAGS_READ = 2000;

const BRANCHES = "refs/heads/";

/** No file can be made for the pack. */
const NONE: PackBitmapSize = { bytes: 0, commits: 0 };

/** The input of writing bitmaps. */
export type BitmapInput = {
  readonly repository: Repository;
  readonly record: RepositoryRecord;
  readonly pack: PackRecord;
  /**
   * Branches, and tags after them; they are gone through twice. What branches name gets a bitmap. The refs of which the pack has everything
   * are the tips of a bundle; see `bundle-plan.ts`.
   */
  readonly refs?: Iterable<RefRow>;
  /** Is told that the pack's reverse index was damaged, and written anew. */
  readonly mended?: () => void;
};

type Made = BitmapEntry & { readonly base: Made | undefined; readonly depth: number };
type Recent = { readonly made: Made; readonly bits: Bits };

/** The bitmaps of a pack that were made so far. */
class Bitmaps {
  readonly #content: PackContent;
  readonly #made = new Map<number, Made>();
  /** The last ones, oldest first. */
  readonly #recent: Recent[] = [];
  /** What all commits with a bitmap reach together. */
  readonly reached: Bits;

  constructor(content: PackContent) {
    this.#content = content;
    this.reached = newBits(content.count);
  }

  /** The bitmaps in the order of the file. */
  get entries(): readonly BitmapEntry[] {
    return [...this.#made.values()];
  }

  /** Returns what a commit reaches, if it has a bitmap. */
  knownOf(commit: number): Bits | undefined {
    const made = this.#made.get(commit);
    if (made === undefined) return undefined;
    const recent = this.#recent.find((each) => each.made === made);
    if (recent !== undefined) return recent.bits;
    const bits = newBits(this.#content.count);
    for (let at: Made | undefined = made; at !== undefined; at = at.base) xorEwah(at.ewah, 0, bits);
    return bits;
  }

  /** Adds the bitmap of a commit, as its difference from one of the last where that is shorter. */
  add(commit: number, bits: Bits): void {
    let best: { readonly bytes: number; readonly at: number } = { bytes: ewahBytes(bits), at: this.#recent.length };
    for (const [at, { made, bits: other }] of this.#recent.entries()) {
      const bytes = made.depth + 1 < MOST_CHAIN ? ewahBytes(bits, other) : Number.POSITIVE_INFINITY;
      if (bytes < best.bytes) best = { bytes, at };
    }
    const base = this.#recent[best.at];
    const made: Made = {
      position: u32At(this.#content.positions, commit),
      ewah: encodeEwah(bits, base?.bits),
      baseBefore: base === undefined ? 0 : this.#recent.length - best.at,
      base: base?.made,
      depth: base === undefined ? 0 : base.made.depth + 1,
    };
    this.#made.set(commit, made);
    addBits(this.reached, bits);
    this.#recent.push({ made, bits });
    if (this.#recent.length > BASES_TRIED) this.#recent.shift();
  }
}

/** Returns the rank of an object of the pack. @throws NotClosed if it is none. */
function inside(object: number, count: number): number {
  if (object >= count) throw new NotClosed();
  return object;
}

/** Returns all commits of a pack so that each comes after its parents, and yields the steps of it. @throws NotClosed */
function* parentsFirst({ commits, types, count }: PackContent): Generator<number, number[], undefined> {
  const order: number[] = [];
  const isDone = newBits(count);
  const isBegun = newBits(count);
  for (let rank = 0; rank < count; rank++) {
    yield ENTRY_STEPS;
    if (u8At(types, rank) !== TYPE_NUMBER.commit) continue;
    const stack = [rank];
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      yield COMMIT_STEPS;
      if (addBit(isBegun, at)) {
        for (const parent of commits.parentsOf(at)) stack.push(inside(parent, count));
      } else {
        stack.pop();
        if (addBit(isDone, at)) order.push(at);
      }
    }
  }
  return order;
}

/** Returns the entries of the pack that branches name, and yields the steps of it. */
function* namedByBranches(content: PackContent, refs: Iterable<RefRow>): Generator<number, Bits, undefined> {
  const named = newBits(content.count);
  for (const { name, oid } of refs) {
    yield REF_STEPS;
    const rank = name.startsWith(BRANCHES) ? content.rankOf(oid) : -1;
    if (rank >= 0) addBit(named, rank);
  }
  return named;
}

/** Returns the commits that get a bitmap, each after those that it reaches, and yields the steps of it. @throws NotClosed */
function* chosenCommits(content: PackContent, refs: Iterable<RefRow>): Generator<number, number[], undefined> {
  const { commits } = content;
  const named = yield* namedByBranches(content, refs);
  const order = yield* parentsFirst(content);
  const isParent = newBits(content.count);
  for (const rank of order) {
    for (const parent of commits.parentsOf(rank)) addBit(isParent, parent);
    yield COMMIT_STEPS;
  }
  const candidates: Candidate[] = [];
  for (const rank of order) {
    const isMerge = commits.parentsOf(rank).length > 1;
    candidates.push({ rank, isTip: !hasBit(isParent, rank), isNamed: hasBit(named, rank), isMerge });
    yield COMMIT_STEPS;
  }
  candidates.reverse();
  // Nearly all stand in their order already, which a sort of the engine's takes advantage of.
  candidates.sort((a, b) => commits.timeOf(b.rank) - commits.timeOf(a.rank));
  yield candidates.length * COMMIT_STEPS;
  const chosen = new Set(selectCommits(candidates));
  return order.filter((rank) => chosen.has(rank));
}

async function typeBits({ types, count }: PackContent, pacer: Pacer): Promise<Bits[]> {
  const sets = Object.values(TYPE_NUMBER).map(() => newBits(count));
  await pacer.forEach(count, ENTRY_STEPS, (rank) => {
    addBit(itemAt(sets, u8At(types, rank) - 1), rank);
  });
  return sets;
}

/** Tells whether a pack has all that an object reaches. */
class Closure {
  readonly #content: PackContent;
  readonly #reached: Bits;
  #tagsRead = 0;

  constructor(content: PackContent, reached: Bits) {
    this.#content = content;
    this.#reached = reached;
  }

  /** Whether the pack has all. Tags are followed for as long as they name others, and as long as not too many were read. */
  async hasAllOf(rank: number): Promise<boolean> {
    const { types } = this.#content;
    let at = rank;
    for (let tags = 0; at >= 0 && u8At(types, at) === TYPE_NUMBER.tag; tags++) {
      if (tags === MOST_NESTED_TAGS || this.#tagsRead === MOST_TAGS_READ) return false;
      this.#tagsRead++;
      at = await this.#content.taggedBy(at);
    }
    // A blob refers to nothing; of a tree that no commit reaches it is not known what it has.
    return at >= 0 && (hasBit(this.#reached, at) || u8At(types, at) === TYPE_NUMBER.blob);
  }
}

/** Returns the refs whose values are in the pack with all that they reach: HEAD's branch, other branches, tags. */
async function tipsOf(
  { repository, record, refs = [] }: BitmapInput,
  content: PackContent,
  reached: Bits,
): Promise<BundleTip[]> {
  const { pacer } = repository;
  const tips: BundleTip[] = [];
  const closure = new Closure(content, reached);
  for (const { name, oid } of refs) {
    // There may be very many refs of which the pack has nothing.
    pacer.add(REF_STEPS);
    if (pacer.isDue) await pacer.pace();
    const isHead = name === record.head;
    if (!isHead && tips.length >= BUNDLES.mostTips) continue;
    if (!(await closure.hasAllOf(content.rankOf(oid)))) continue;
    const tip = { name, oid: toHex(oid) };
    if (isHead) tips.unshift(tip);
    else tips.push(tip);
  }
  return tips;
}

/** Writes the pack's reverse index anew. Meanwhile readers sort the entries. */
async function mendReverseIndex(
  { repository, record, pack, mended }: BitmapInput,
  content: PackContent,
): Promise<void> {
  const { format, positions } = content;
  const packChecksum = present(fromHex(pack.checksum), "the checksum of a pack");
  const pieces = encodeRanks(positions, { format, packChecksum }, repository.hash(format.name));
  // A piece is valid until the next one is asked for.
  const bytes = concat(Array.from(pieces, (piece) => piece.slice()));
  const file = { pack: pack.name, extension: "rev" } as const;
  const storage = repository.storage(record.id);
  await storage.delete([file]);
  await storage.write(file, bytes);
  mended?.();
}

async function write(input: BitmapInput, content: PackContent): Promise<PackBitmapSize> {
  const { repository, record, pack } = input;
  const { format } = content;
  const bitmaps = new Bitmaps(content);
  const reached = new ReachedObjects(content, repository.pacer, (commit) => bitmaps.knownOf(commit));
  for (const commit of await repository.pacer.finish(chosenCommits(content, input.refs ?? []))) {
    bitmaps.add(commit, await reached.from(commit));
    repository.pacer.add(content.count * ADDED_STEPS);
    await repository.pacer.pace();
  }
  const { entries } = bitmaps;
  if (entries.length === 0) return NONE;
  const packChecksum = present(fromHex(pack.checksum), "the checksum of a pack");
  const tables = { format, packChecksum, types: await typeBits(content, repository.pacer), entries };
  const bytes = concat([...encodePackBitmap(tables, repository.hash(format.name))]);
  const storage = repository.storage(record.id);
  const named = await tipsOf(input, content, bitmaps.reached);
  const tips = formatTips({ needs: [], prerequisites: [], tips: named });
  if (tips.length > 0) await storage.write({ pack: pack.name, extension: "tips" }, tips);
  await storage.write({ pack: pack.name, extension: "bitmap" }, bytes);
  const size = { bytes: bytes.length, commits: entries.length };
  return tips.length === 0 ? size : { ...size, tips: tips.length };
}

/**
 * Writes the bitmaps of a pack, and the tips of a bundle of it. Returns what the catalog has to know of the files: that there
 * are none, where the pack refers to objects outside, or would take too long.
 *
 * @throws CorruptStore
 */
export async function writeBitmap(input: BitmapInput): Promise<PackBitmapSize> {
  const { repository, record, pack } = input;
  const kernel = await repository.kernels.lend(objectFormat(record.objectFormat).rawSize);
  const held = Math.ceil((pack.objects * SETS_HELD) / 8);
  repository.memory.hold(held);
  let content: PackContent | undefined;
  try {
    content = await PackContent.read({ repository, record, pack, kernel });
    if (content.lacksReverseIndex) await mendReverseIndex(input, content);
    return await write(input, content);
  } catch (error) {
    if (error instanceof NotClosed || error instanceof LimitExceeded) return NONE;
    throw error;
  } finally {
    content?.free();
    repository.memory.hold(-held);
    repository.kernels.giveBack(kernel);
  }
}
