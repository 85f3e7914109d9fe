/**
 * Decides which objects a partial clone leaves out. A filter asks three things: whether the type passes, whether a blob
 * is small enough, and whether the object is near enough to a commit. An object that was asked for by name always
 * passes.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--filter`; git's list-objects-filter.c
 */
import { EXEMPT, SELECTED } from "../kernel/object-flags.ts";
import { i32At, u32At } from "../bytes/assert.ts";
import { sizeClassAtPosition, sizesOfClass } from "../format/pack-types.ts";
import { TYPE_NUMBER, type ObjectType } from "../object/object-type.ts";
import { storedObjectSize } from "../store/object-size.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { GraphSession } from "./graph-session.ts";

/** A filter of objects. */
export type ObjectFilter = {
  /** The type numbers that pass. */
  readonly types: ReadonlySet<number>;
  /** Blobs of fewer bytes than this pass. */
  readonly blobBytes: number;
  /** Trees and blobs pass at fewer levels than this below a commit, whose own tree is at level 0. */
  readonly treeDepth: number;
};

const INFINITE = Number.POSITIVE_INFINITY;
const ALL_TYPES: ReadonlySet<number> = new Set(Object.values(TYPE_NUMBER));

/** The filter that every object passes. */
export const NO_FILTER: ObjectFilter = { types: ALL_TYPES, blobBytes: INFINITE, treeDepth: INFINITE };

/** Returns a filter that only objects of these types pass. */
export function typesFilter(...types: readonly ObjectType[]): ObjectFilter {
  return { ...NO_FILTER, types: new Set(types.map((type) => TYPE_NUMBER[type])) };
}

/** Returns a filter that the objects pass which pass all of `filters`. */
export function combineFilters(filters: readonly ObjectFilter[]): ObjectFilter {
  return {
    types: new Set([...ALL_TYPES].filter((type) => filters.every(({ types }) => types.has(type)))),
    blobBytes: Math.min(INFINITE, ...filters.map(({ blobBytes }) => blobBytes)),
    treeDepth: Math.min(INFINITE, ...filters.map(({ treeDepth }) => treeDepth)),
  };
}

/** Whether some blobs may pass. */
export function wantsBlobs({ types, blobBytes, treeDepth }: ObjectFilter): boolean {
  return types.has(TYPE_NUMBER.blob) && blobBytes > 0 && treeDepth > 0;
}

/** Whether trees have to be opened, or at least sent. */
export function wantsTrees(filter: ObjectFilter): boolean {
  return filter.treeDepth > 0 && (filter.types.has(TYPE_NUMBER.tree) || wantsBlobs(filter));
}

/** Whether an object's type and size decide alone, so that no tree need be opened. */
export function isByType({ types, treeDepth }: ObjectFilter): boolean {
  const allTrees = treeDepth === INFINITE;
  return types.has(TYPE_NUMBER.commit) && types.has(TYPE_NUMBER.tag) && (allTrees || treeDepth === 0);
}

/** Returns the type numbers that pass a filter for which {@link isByType} holds. */
export function passingTypes(filter: ObjectFilter): ReadonlySet<number> {
  return new Set(
    [...filter.types].filter((type) => {
      if (type === TYPE_NUMBER.blob) return wantsBlobs(filter);
      return type !== TYPE_NUMBER.tree || filter.treeDepth > 0;
    }),
  );
}

/** Judges the sizes of a pack's blobs by the file of types beside it, and reads an entry only in doubt. */
export class BlobSizes {
  readonly #session: GraphSession;
  readonly #handle: PackHandle;
  readonly #limit: number;
  readonly #types: Uint8Array;

  private constructor(session: GraphSession, handle: PackHandle, limit: number, types: Uint8Array) {
    this.#session = session;
    this.#handle = handle;
    this.#limit = limit;
    this.#types = types;
  }

  /** Opens the sizes of a pack. Blobs of fewer than `limit` bytes are small. */
  static async open(session: GraphSession, handle: PackHandle, limit: number): Promise<BlobSizes> {
    return new BlobSizes(session, handle, limit, await handle.allTypes());
  }

  /** Whether the blob at a position of the index is small; `undefined` if only its entry can tell. */
  atOnce(position: number): boolean | undefined {
    if (this.#limit === INFINITE) return true;
    const { least, most } = sizesOfClass(sizeClassAtPosition(this.#types, position));
    if (most < this.#limit) return true;
    return least >= this.#limit ? false : undefined;
  }

  /** Whether the blob at a position of the index is small, reading its entry if need be. */
  async isSmall(position: number): Promise<boolean> {
    const known = this.atOnce(position);
    if (known !== undefined) return known;
    const { inflating, format } = this.#session;
    const [offset = 0] = await this.#handle.offsets([position]);
    const size = await storedObjectSize({ handle: this.#handle, rawSize: format.rawSize, inflating }, offset);
    return size < this.#limit;
  }
}

/** Deselects the objects that do not pass, unless they are {@link EXEMPT}. */
export async function dropFiltered(session: GraphSession, filter: ObjectFilter): Promise<void> {
  const doubtful: number[] = [];
  for (let node = 0; node < session.kernel.oidCount; node++) {
    if (!session.has(node, SELECTED) || session.has(node, EXEMPT)) continue;
    const type = await session.typeOf(node);
    if (!filter.types.has(type)) session.unmark(node, SELECTED);
    else if (type === TYPE_NUMBER.blob && filter.blobBytes < INFINITE) doubtful.push(node);
  }
  if (doubtful.length > 0) await dropLarge(session, doubtful, filter.blobBytes);
}

async function dropLarge(session: GraphSession, blobs: readonly number[], limit: number): Promise<void> {
  const { rawSize } = session.format;
  const names = new Uint8Array(blobs.length * rawSize);
  for (const [i, node] of blobs.entries()) names.set(session.nameOf(node), i * rawSize);
  const { packs, positions } = await session.database.locate(names);
  const sizes = new Map<number, BlobSizes>();
  for (const [i, node] of blobs.entries()) {
    const pack = i32At(packs, i);
    const handle = session.database.packs[pack];
    // An object that is nowhere stays selected, and is found missing later.
    if (handle === undefined) continue;
    const known = sizes.get(pack) ?? (await BlobSizes.open(session, handle, limit));
    sizes.set(pack, known);
    if (!(await known.isSmall(u32At(positions, i)))) session.unmark(node, SELECTED);
  }
}
