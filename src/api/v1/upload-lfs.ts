/**
 * `POST /api/v1/repos/{tenant}/{repo}/uploads/{upload}/lfs`: a Git LFS object larger than a request may be, whose bytes came in
 * parts. They become the object if they have its SHA-256.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { askAsWriter, bytesAllowed } from "../../http/lfs-admission.ts";
import type { Caller } from "../../http/admission.ts";
import { Problem } from "../../http/problem.ts";
import { isLfsOid, OVER_QUOTA } from "../../lfs/batch.ts";
import type { StoredUpload } from "../../lfs/lfs-files.ts";
import type { LfsObject, LfsOutcome } from "../../refs/lfs-store.ts";

/** The body of a request. */
export const uploadedObject = v.strictObject({
  oid: v.pipe(v.string(), v.check(isLfsOid, "the SHA-256 of the bytes: 64 hexadecimal digits in lower case")),
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

const SOON = { "Retry-After": "5" };
const BEING_DELETED = "The object is being deleted just now. Ask again.";
const MISSING: LfsOutcome = { kind: "missing" };

/** Returns what an announcement, or the taking of an object, came to. @throws Problem */
function settled(outcome: LfsOutcome, size: number): Extract<LfsOutcome, { readonly home: string }> {
  if (outcome.kind === "over-quota") throw new Problem(413, OVER_QUOTA);
  if (outcome.kind !== "stored" && outcome.kind !== "announced") throw new Problem(503, BEING_DELETED, SOON);
  if (outcome.kind === "stored" && outcome.size !== size) throw new Problem(422, "The object has another size.");
  return outcome;
}

/**
 * Makes an object of an upload's parts. The bytes are not held: the bucket reads them from its parts, and checks their
 * SHA-256.
 *
 * @throws AccessDenied, Problem
 */
export async function keepParts(caller: Caller, object: LfsObject, upload: StoredUpload): Promise<void> {
  const { host, name } = caller;
  const { most } = await bytesAllowed(caller);
  // The parts go when the object is there: until then its bytes are counted twice.
  const bound = most === undefined ? {} : { most: most + object.size };
  const request = { kind: "announce", objects: [object], home: name.tenant, ...bound } as const;
  const { record, outcomes } = await askAsWriter(caller, request);
  const place = settled(outcomes[0] ?? MISSING, object.size); // A repository that takes none now.
  if (place.kind === "stored") return;
  if ((await host.lfsLinks(place.home).linkLfs(object.oid, record.id)) !== "linked")
    throw new Problem(503, BEING_DELETED, SOON);
  const writing = host.lfsFiles(place.home).assemble(object, record.id, upload);
  // It goes on if the client has gone, which then finds the object.
  host.until(writing);
  const written = await writing;
  if (written === "mismatch")
    throw new Problem(422, "These are not the bytes of the object: their SHA-256 is another.");
  if (written !== "written") throw new Problem(503, "The parts could not be put together. Ask again.", SOON);
  const kept = await askAsWriter(caller, { kind: "keep", object, ...bound });
  settled(kept.outcomes[0] ?? MISSING, object.size); // As above.
}

/** Checks that parts have together as many bytes as the object. @throws Problem */
export function assertSize({ size }: LfsObject, { parts }: StoredUpload): void {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes !== size) throw new Problem(422, `size: the parts have ${bytes} bytes together.`);
}
