/**
 * Looks at objects that refs are to have: what type they are, and what tags finally name.
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { readTagLinks } from "../object/tag.ts";
import { Inflating } from "../store/inflating.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { ObjectRing } from "../store/object-ring.ts";

/** Where objects are looked for. */
export type TipSources = {
  readonly format: ObjectFormat;
  /** A pack that is in no catalog yet; `undefined` where there is none. */
  readonly pack: IngestedPack | undefined;
  readonly database: ObjectDatabase;
  /** Gives a kernel. The pack needs it no more once its own objects were looked at. */
  readonly kernel: () => Kernel;
};

/** An object that a ref is to have. */
export type TipValue = {
  readonly oid: Uint8Array;
  /** Its type number; 0 where it is nowhere. */
  kind: number;
  /** What it finally names, where it is a tag. */
  peeled?: Uint8Array;
};

/** Tags of tags that are followed; git follows any number, and nobody has that many. */
const MOST_TAGS = 100;

/** Finds the type of each value, in the pack and then, all at once, in the catalog. */
export async function findTipKinds(values: readonly TipValue[], sources: TipSources): Promise<void> {
  const { pack, database, format } = sources;
  // 0 is the type of what the pack does not have.
  for (const value of values) value.kind = pack?.kindOf(value.oid) ?? 0;
  const others = values.filter(({ kind }) => kind === 0);
  if (others.length === 0) return;
  const names = new Uint8Array(others.length * format.rawSize);
  for (const [at, { oid }] of others.entries()) names.set(oid, at * format.rawSize);
  const kinds = await database.kindsOf(names);
  for (const [at, value] of others.entries()) value.kind = u8At(kinds, at);
}

type Peeling = { readonly value: TipValue; oid: Uint8Array; isTag: boolean };

/** Follows tags to what they finally name: within the pack as far as it goes, then in the catalog, where it must go on. */
export async function peelTips(values: readonly TipValue[], sources: TipSources): Promise<void> {
  const { pack, format, database } = sources;
  const tags = values.filter(({ kind }) => kind === KIND_NUMBER.tag);
  const peelings = tags.map((value): Peeling => ({ value, oid: value.oid, isTag: true }));
  if (pack !== undefined) {
    for (const peeling of peelings) {
      await follow(peeling, format, async (oid) => (pack.kindOf(oid) === 0 ? undefined : await pack.read(oid)));
    }
  }
  const outside = peelings.filter(({ isTag }) => isTag);
  if (outside.length > 0) {
    const kernel = sources.kernel();
    const reader = new ObjectReader(database, new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes)));
    for (const peeling of outside) {
      await follow(peeling, format, async (oid) => (await reader.readCopy(oid)).bytes);
    }
  }
  for (const { value, oid, isTag } of peelings) if (!isTag) value.peeled = oid;
}

/** Follows a tag while `read` has the next one. */
async function follow(
  peeling: Peeling,
  format: ObjectFormat,
  read: (oid: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<void> {
  for (let tags = 0; peeling.isTag && tags < MOST_TAGS; tags++) {
    const content = await read(peeling.oid);
    if (content === undefined) return;
    const { object, kind } = readTagLinks(content, 0, content.length, format);
    peeling.oid = object;
    peeling.isTag = kind === "tag";
  }
}
