/**
 * Looks at the objects that refs are to be set to: their types, and what tags finally name.
 *
 * @packageDocumentation
 */
import { itemAt, u8At } from "../bytes/assert.ts";
import { Budget } from "../bytes/budget.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { textOf } from "../object/byte-text.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { readTagLinks } from "../object/tag.ts";
import { Inflating } from "../store/inflating.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { ObjectRing } from "../store/object-ring.ts";

/** The places where objects are looked up. */
export type TipSources = {
  readonly format: ObjectFormat;
  /** A pack that is in no catalog yet; `undefined` if there is none. */
  readonly pack: IngestedPack | undefined;
  readonly database: ObjectDatabase;
  /** Returns a kernel. The pack does not need it any more once its own objects were examined. */
  readonly kernel: () => Promise<Kernel>;
};

/** An object that a ref is to be set to. */
export type TipValue = {
  readonly oid: Uint8Array;
  /** Its type number; 0 if it is nowhere. */
  type: number;
  /** The raw name of the object that it finally names, if it is a tag. */
  peeled?: Uint8Array;
};

/** The steps of looking a value up in the pack. */
const LOOK_STEPS = 40;

/** Finds the type of each value, in the pack and then, all at once, in the catalog. */
export async function findTipTypes(values: readonly TipValue[], sources: TipSources): Promise<void> {
  const { pack, database, format } = sources;
  await database.context.pacer.forEach(values.length, LOOK_STEPS, (at) => {
    const value = itemAt(values, at);
    // The pack returns 0 for an object that it does not have.
    value.type = pack?.typeOf(value.oid) ?? 0;
  });
  const others = values.filter(({ type }) => type === 0);
  if (others.length === 0) return;
  const names = new Uint8Array(others.length * format.rawSize);
  for (const [at, { oid }] of others.entries()) names.set(oid, at * format.rawSize);
  const types = await database.typesOf(names);
  for (const [at, value] of others.entries()) value.type = u8At(types, at);
}

/** The number of stored tags that one call may read, per value and beside them. Nobody has tags of tags of tags. */
const STORED_TAGS_EACH = 1;
const MOST_STORED_TAGS = 10_000;
/** The steps charged for reading a tag back from the pack. */
const TAG_STEPS = 6000;

/**
 * Follows tags to what they finally name: within the pack as far as it goes, then in the catalog if need be. Each tag
 * is read once, however many values lead to it.
 *
 * @throws LimitExceeded if too many stored tags would have to be read.
 */
export async function peelTips(values: readonly TipValue[], sources: TipSources): Promise<void> {
  const tags = values.filter(({ type }) => type === TYPE_NUMBER.tag);
  if (tags.length === 0) return;
  const peeling = new Peeling(sources, MOST_STORED_TAGS + STORED_TAGS_EACH * tags.length);
  for (const tag of tags) await peeling.follow(tag.oid, "pack");
  for (const tag of tags) tag.peeled = await peeling.follow(tag.oid, "store");
}

/** The object that a tag leads to, and whether that is a tag itself, as far as it was followed. */
type Target = { readonly oid: Uint8Array; readonly isTag: boolean };

/** Follows tags, and remembers where each leads. */
class Peeling {
  readonly #sources: TipSources;
  readonly #stored: Budget;
  readonly #targets = new Map<string, Target>();
  #reader: ObjectReader | undefined;

  constructor(sources: TipSources, most: number) {
    const message = `tags of tags: more than ${most} would have to be read`;
    this.#sources = sources;
    this.#stored = new Budget({ limit: "stored-tags", max: most, message });
  }

  /**
   * Returns the raw name of what a tag finally names. With `where` set to "pack", it stops at the first object that is
   * not in the pack. Tags of the pack must be followed first, because reading stored ones takes over the kernel's
   * memory.
   */
  async follow(tag: Uint8Array, where: "pack" | "store"): Promise<Uint8Array> {
    const way: string[] = [];
    let target: Target = { oid: tag, isTag: true };
    while (target.isTag) {
      const key = textOf(target.oid);
      const next: Target | undefined = this.#targets.get(key) ?? (await this.#read(target.oid, where));
      if (next === undefined) break;
      way.push(key);
      target = next;
    }
    // Every tag on the way leads where its end does.
    for (const key of way) this.#targets.set(key, target);
    return target.oid;
  }

  async #read(oid: Uint8Array, where: "pack" | "store"): Promise<Target | undefined> {
    const content = where === "pack" ? await this.#inPack(oid) : await this.#inStore(oid);
    if (content === undefined) return undefined;
    const { object, type } = readTagLinks(content, 0, content.length, this.#sources.format);
    return { oid: object, isTag: type === "tag" };
  }

  async #inPack(oid: Uint8Array): Promise<Uint8Array | undefined> {
    const { pack, database } = this.#sources;
    if (pack === undefined || pack.typeOf(oid) === 0) return undefined;
    const { pacer } = database.context;
    pacer.add(TAG_STEPS);
    if (pacer.isDue) await pacer.pace();
    return await pack.read(oid);
  }

  async #inStore(oid: Uint8Array): Promise<Uint8Array> {
    this.#stored.spend(1);
    this.#reader ??= await this.#openReader();
    return (await this.#reader.readCopy(oid)).bytes;
  }

  async #openReader(): Promise<ObjectReader> {
    const kernel = await this.#sources.kernel();
    const ring = new ObjectRing(kernel.ringAt, kernel.ringBytes);
    return new ObjectReader(this.#sources.database, new Inflating(kernel, ring, this.#sources.database.context.pacer));
  }
}
