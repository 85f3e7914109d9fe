/**
 * The batch request, with which a client asks about objects before it transfers any of them.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
import * as v from "valibot";
import type { LfsAction } from "./lfs-files.ts";
import type { LfsObject, LfsOutcome } from "../refs/lfs-store.ts";

/** The most objects of one batch. The stock client asks for 100 at once. */
export const MOST_OBJECTS = 1000;
/** The transfer of `thinpack lfs install`: as the basic one, and what is larger than a request in parts. */
export const PARTS_TRANSFER = "thinpack";
/** Characters of what was sent that an answer repeats. */
const MOST_SHOWN = 100;
const OID = /^[0-9a-f]{64}$/;

const BATCH = v.object({
  operation: v.picklist(["download", "upload"]),
  transfers: v.optional(v.array(v.string())),
  ref: v.nullish(v.object({ name: v.string() })),
  hash_algo: v.nullish(v.string()),
  objects: v.array(v.object({ oid: v.string(), size: v.number() })),
});

/** The error of one object, or of a whole request, with a status of HTTP. */
export type LfsError = { readonly code: number; readonly message: string };

/** The actions for one object. */
export type BatchedActions = Readonly<Partial<Record<"download" | "upload" | "verify", LfsAction>>>;

/** The answer about one object. Without actions and error there is nothing to do. */
export type BatchedObject = {
  readonly oid: string;
  readonly size: number;
  readonly authenticated?: true;
  readonly actions?: BatchedActions;
  readonly error?: LfsError;
};

/** A parsed batch. */
export type Batch = {
  readonly operation: "download" | "upload";
  /** The transfers that the client can do. */
  readonly transfers: readonly string[];
  /** All objects of the request, in its order, each with the error that its name or its size has. */
  readonly objects: readonly (LfsObject & { readonly error?: LfsError })[];
};

/** Whether a text is the name of an object: a SHA-256 in lower case. */
export function isLfsOid(text: string): boolean {
  return OID.test(text);
}

/** Returns what is wrong with an object of a request; `undefined` if nothing is. */
export function objectFault({ oid, size }: LfsObject): LfsError | undefined {
  if (!isLfsOid(oid)) return { code: 422, message: "The oid is not a SHA-256 of 64 hexadecimal digits in lower case." };
  if (!Number.isSafeInteger(size) || size < 0) return { code: 422, message: "The size is not a number of bytes." };
  return undefined;
}

/** Parses the body of a batch request. Members that nobody knows are passed over, as the protocol has it. */
export function parseBatch(json: unknown): Batch | LfsError {
  const parsed = v.safeParse(BATCH, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = (issue.path ?? []).map(({ key }) => String(key)).join("."); // The body itself has no path.
    return {
      code: 422,
      message: `This is no batch request: ${shortened(path === "" ? "the body" : path)} is not as it has to be.`,
    };
  }
  const { operation, objects, transfers = [], hash_algo: algorithm } = parsed.output;
  if (algorithm !== undefined && algorithm !== null && algorithm !== "sha256") {
    return { code: 409, message: "Objects are named by their SHA-256 here: hash_algo has to be sha256." };
  }
  if (objects.length > MOST_OBJECTS) {
    return { code: 413, message: `A batch may have ${MOST_OBJECTS} objects: ask in several.` };
  }
  return {
    operation,
    transfers,
    objects: objects.map((object) => {
      const error = objectFault(object);
      return error === undefined ? object : { oid: shortened(object.oid), size: object.size, error };
    }),
  };
}

function shortened(text: string): string {
  return (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text).toWellFormed();
}

/** Told where an object would be too much. */
export const OVER_QUOTA = "over quota: the tenant may not have this many bytes more";
const WRONG_SIZE: LfsError = { code: 422, message: "The object has another size." };

/** Makes the actions of a transfer. `home` is the tenant under which the bytes lie. */
export type LfsActions = Readonly<Record<"download" | "upload", (object: LfsObject, home: string) => BatchedActions>>;

/** Returns the answer for a download of an object. */
export function downloadOf(object: LfsObject, outcome: LfsOutcome, actions: LfsActions): BatchedObject {
  if (outcome.kind !== "stored") return { ...object, error: { code: 404, message: "The object is not here." } };
  if (outcome.size !== object.size) return { ...object, error: WRONG_SIZE };
  return { ...object, authenticated: true, actions: actions.download(object, outcome.home) };
}

/** Returns the answer for a download of an object that a mirror's upstream has, and that comes through us. */
export function pullOf(object: LfsObject, size: number, action: LfsAction): BatchedObject {
  if (size !== object.size) return { ...object, error: WRONG_SIZE };
  return { ...object, authenticated: true, actions: { download: action } };
}

/** Returns the answer for an upload of an object. What is here already is not asked for. */
export function uploadOf(object: LfsObject, outcome: LfsOutcome, actions: LfsActions): BatchedObject {
  switch (outcome.kind) {
    case "stored":
      return outcome.size === object.size ? object : { ...object, error: WRONG_SIZE };
    case "over-quota":
      return { ...object, error: { code: 413, message: OVER_QUOTA } };
    case "announced":
      return { ...object, authenticated: true, actions: actions.upload(object, outcome.home) };
    case "leaving":
    case "missing":
      return {
        ...object,
        error: { code: 503, message: "The object is being deleted just now: push again in a moment." },
      };
  }
}
