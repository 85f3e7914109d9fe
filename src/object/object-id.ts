/**
 * Object names and the hash functions that they come from. Nothing in the project writes 20 or 40: sizes come from an
 * {@link ObjectFormat}.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), githash-function-transition(7)
 */

/** A hash function that names objects, as git's `extensions.objectFormat` spells it. */
export type ObjectFormatName = "sha1" | "sha256";

/** The sizes that follow from the hash function of a repository. */
export type ObjectFormat = {
  readonly name: ObjectFormatName;
  /** The bytes of an object name in packs, trees and indexes. */
  readonly rawSize: number;
  /** The characters of an object name in commits, tags, refs and on the wire. */
  readonly hexSize: number;
};

declare const objectIdBrand: unique symbol;

/** A full object name in lower-case hexadecimal. Only {@link parseObjectId} makes one. */
export type ObjectId = string & { readonly [objectIdBrand]: true };

const FORMATS: Readonly<Record<ObjectFormatName, ObjectFormat>> = {
  sha1: { name: "sha1", rawSize: 20, hexSize: 40 },
  sha256: { name: "sha256", rawSize: 32, hexSize: 64 },
};

/** Returns the sizes of a hash function by its name. */
export function objectFormat(name: ObjectFormatName): ObjectFormat {
  return FORMATS[name];
}

const HEX = /^[0-9a-f]+$/;

/** Parses a full, lower-case object name; `undefined` if `text` is not one of this format. */
export function parseObjectId(text: string, format: ObjectFormat): ObjectId | undefined {
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where the brand is given
  return text.length === format.hexSize && HEX.test(text) ? (text as ObjectId) : undefined;
}
