/**
 * The verdict on what a pack refers to and does not bring: it has to be in the catalog, and to be what it is referred to as.
 *
 * @packageDocumentation
 * @see git-index-pack(1) `--strict`, builtin/receive-pack.c `update_shallow_info()`
 */
import { ObjectRejected } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import { KIND_NUMBER } from "../../object/object-kind.ts";
import type { ExternalReferences } from "./object-intake.ts";

/**
 * Checks the types `found` (0: not there) against those wanted. `hasCut` says whether the pack brings a commit at which its sender's
 * own history is cut: such a client leaves out what lies behind, though it has no reason to think that it is here.
 *
 * @throws ObjectRejected where something is missing or of another type; by the rule `shallow` where all that is missing are commits
 * that a cut explains.
 */
export function checkOutsideReferences(
  { names, kinds }: ExternalReferences,
  found: Uint8Array,
  hasCut: () => boolean,
): void {
  const wrong = [...kinds.keys()].filter((i) => found[i] !== kinds[i]);
  const [first] = wrong;
  if (first === undefined) return;
  if (wrong.every((i) => found[i] === 0 && kinds[i] === KIND_NUMBER.commit) && hasCut()) {
    throw new ObjectRejected("shallow update not allowed", "shallow");
  }
  const rawSize = names.length / kinds.length;
  const name = toHex(names, first * rawSize, (first + 1) * rawSize);
  throw new ObjectRejected(
    found[first] === 0 ? `did not receive expected object ${name}` : `object ${name}: unexpected type`,
  );
}
