/**
 * The file `packed-refs`.
 *
 * ```text
 * # pack-refs with: peeled fully-peeled sorted
 * oid SP name
 * ^peeled            the object that the tag on the line above finally points to
 * ```
 *
 * @packageDocumentation
 * @see git-pack-refs(1), refs/packed-backend.c
 */

import { CorruptStore } from "../bytes/failure.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { textPieces } from "./text-pieces.ts";

/** A ref of the file, with its name as escaped text and raw object names. */
export type PackedRef = { readonly name: string; readonly oid: Uint8Array; readonly peeled?: Uint8Array };

/**
 * The header. It promises a peeled line for every annotated tag, and names in byte order. Git, too, ends it with a
 * space.
 */
const HEADER = "# pack-refs with: peeled fully-peeled sorted \n";

/**
 * Formats the file in pieces. The refs must be in byte order of their names, with the peeled value of each annotated
 * tag.
 */
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

function oidOf(hex: string | undefined): Uint8Array {
  // A line without a name has none, and is refused with the malformed ones.
  const oid = fromHex(hex ?? "");
  if (oid === undefined || oid.length === 0) throw new CorruptStore("packed-refs: a line without an object name");
  return oid;
}

/** Parses the file, whatever its header promises. @throws CorruptStore if a line is malformed. */
export function parsePackedRefs(text: string): PackedRef[] {
  const refs: PackedRef[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("^")) {
      const tag = refs.pop();
      if (tag === undefined) throw new CorruptStore("packed-refs: a peeled name without its ref");
      refs.push({ ...tag, peeled: oidOf(line.slice(1)) });
      continue;
    }
    const [, hex, name = ""] = /^([0-9a-f]+) (.+)$/.exec(line) ?? [];
    refs.push({ name, oid: oidOf(hex) });
  }
  return refs;
}
