/**
 * `LfsFiles` on an R2 bucket. Bytes go from the client into the bucket, and from the bucket to the client, without
 * passing through our code: the platform streams them by itself, and the bucket checks their SHA-256.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { LEAST_RATE } from "../bytes/least-rate.ts";
import { type LfsFiles, lfsKey } from "../lfs/lfs-files.ts";
import { REPOSITORY_KEY } from "./r2-presigner.ts";
import { assembleParts } from "./r2-assembled.ts";
import type { RequestCounters } from "./request-counters.ts";

/**
 * How long an upload may take beside the time that its bytes take at the least rate. Milliseconds. A client sends several
 * objects at once.
 */
const LEAST_TIME = 60_000;
/** What the bucket says of bytes that have another checksum than they should. */
const WRONG_CHECKSUM = /\(10037\)/;

/** Opens the objects of a tenant. */
export function r2LfsFiles(bucket: R2Bucket, counters: RequestCounters, home: string): LfsFiles {
  return {
    write: async ({ oid, size }, body) => {
      const written = counters
        .run("r2w", () => bucket.put(lfsKey(home, oid), body ?? new Uint8Array(0), { sha256: oid }))
        .then(
          () => "written" as const,
          (error: unknown) => (WRONG_CHECKSUM.test(String(error)) ? ("mismatch" as const) : ("broken" as const)),
        );
      const patience = new AbortController();
      const slow = scheduler
        .wait(LEAST_TIME + (size / LEAST_RATE) * 1000, { signal: patience.signal })
        .then(() => "slow" as const);
      // It ends with an error when it is called off.
      slow.catch(() => undefined);
      const outcome = await Promise.race([written, slow]);
      patience.abort();
      return outcome;
    },
    assemble: async (object, repositoryId, upload) => {
      try {
        const from = { bucket, counters, repositoryId, upload };
        return (await assembleParts(from, lfsKey(home, object.oid), object)) ? "written" : "mismatch";
      } catch (error) {
        return WRONG_CHECKSUM.test(String(error)) ? "mismatch" : "broken";
      }
    },
    open: async (oid, range) => {
      const key = lfsKey(home, oid);
      if (range.length === 0) return new Blob([]).stream();
      const object = await counters.run("r2r", () => bucket.get(key, { range }));
      if (object === null) throw new CorruptStore(`${key} is missing`);
      counters.addBytesRead(range.length);
      return object.body;
    },
    holds: async ({ oid, size }, repositoryId) => {
      const key = lfsKey(home, oid);
      const found = await counters.run("r2r", () => bucket.head(key));
      if (found?.size !== size || found.customMetadata?.[REPOSITORY_KEY] !== repositoryId) return false;
      const { sha256 } = found.checksums;
      if (sha256 !== undefined) return toHex(new Uint8Array(sha256)) === oid;
      const object = await counters.run("r2r", () => bucket.get(key));
      if (object === null) return false;
      counters.addBytesRead(size);
      const digest = new crypto.DigestStream("SHA-256");
      await object.body.pipeTo(digest);
      return toHex(new Uint8Array(await digest.digest)) === oid;
    },
    delete: async (oids) => {
      await counters.run("r2w", () => bucket.delete(oids.map((oid) => lfsKey(home, oid))));
    },
  };
}
