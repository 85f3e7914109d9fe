/**
 * Judges the references out of a pack: their objects must be in the catalog, and have the type that they are referred
 * to as.
 *
 * @packageDocumentation
 * @see git-index-pack(1) `--strict`, builtin/receive-pack.c `update_shallow_info()`
 */
import { concat } from "../../bytes/chunk.ts";
import { MissingReferences, ObjectRejected } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import type { ExternalReferences } from "./object-intake.ts";

/** The most objects that are named as missing. */
const MOST_NAMED = 10_000;

/**
 * Compares the types `found` (0 if not there) with those wanted. `hasCut` returns whether the pack brings a commit at
 * which its sender's own history is cut. Such a client leaves out what lies behind the cut, though it has no reason to
 * think that the host has it.
 *
 * @throws ObjectRejected if something is missing or of another type. Its rule is `shallow` if only commits are missing,
 *   and a cut explains that.
 */
export function checkOutsideReferences(
  { names, types }: ExternalReferences,
  found: Uint8Array,
  hasCut: () => boolean,
): void {
  const wrong = [...types.keys()].filter((i) => found[i] !== types[i]);
  const [first] = wrong;
  if (first === undefined) return;
  if (wrong.every((i) => found[i] === 0 && types[i] === TYPE_NUMBER.commit) && hasCut()) {
    throw new ObjectRejected("shallow update not allowed", "shallow");
  }
  const rawSize = names.length / types.length;
  const name = toHex(names, first * rawSize, (first + 1) * rawSize);
  if (found[first] !== 0) throw new ObjectRejected(`object ${name}: unexpected type`);
  const missing = wrong.filter((i) => found[i] === 0).slice(0, MOST_NAMED);
  const raw = concat(missing.map((i) => names.subarray(i * rawSize, (i + 1) * rawSize)));
  throw new MissingReferences(`did not receive expected object ${name}`, raw);
}
