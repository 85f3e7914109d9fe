/**
 * The file `packed-refs`.
 *
 * ```text
 * # pack-refs with: peeled fully-peeled sorted
 * oid SP name
 * ^peeled            what the tag on the line above finally names
 * ```
 *
 * @packageDocumentation
 * @see git-pack-refs(1), refs/packed-backend.c
 */
import { toHex } from "../bytes/hex.ts";
import { textPieces } from "./text-pieces.ts";

/** A ref of the file, with raw object names. */
export type PackedRef = { readonly name: string; readonly oid: Uint8Array; readonly peeled?: Uint8Array };

/** What the header promises: every ref that peels has its line, and names are in byte order. git ends it with a space. */
const HEADER = "# pack-refs with: peeled fully-peeled sorted \n";

/** Gives the file, in pieces. Refs come in byte order of their names, each tag with what it peels to. */
export function formatPackedRefs(refs: Iterable<PackedRef>): Iterable<Uint8Array> {
  const lines = function* (): Generator<string> {
    yield HEADER;
    for (const { name, oid, peeled } of refs) {
      yield `${toHex(oid)} ${name}\n`;
      if (peeled !== undefined) yield `^${toHex(peeled)}\n`;
    }
  };
  return textPieces(lines());
}
