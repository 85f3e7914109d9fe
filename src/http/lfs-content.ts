/**
 * The bytes of Git LFS objects as answers: an object by itself, and the files behind pointers that a repository's content
 * has.
 *
 * @packageDocumentation
 */
import type { OpenBlob } from "../browse/blob.ts";
import type { BehindPointer, FindBehind, LfsPointer } from "../browse/lfs-pointers.ts";
import { isUnchanged, mayContinue } from "./conditional.ts";
import type { LfsOutcome, SharedLfsObject } from "../refs/lfs-store.ts";
import type { Caller } from "./admission.ts";
import { parseRange } from "./byte-range.ts";
import type { Host } from "./host.ts";
import { askAsReader, type FoundLfs } from "./lfs-admission.ts";
import { pullObject, withUpstream } from "./lfs-pull.ts";
import { Problem } from "./problem.ts";

/** Bytes that are read of an object at once, where they pass through the Worker. */
const PIECE = 65_536;
/** The first bytes of a file, by which its type is told. */
const FIRST = 8000;
const MISSING: LfsOutcome = { kind: "missing" };

/**
 * Whether a request for content asks for the files behind pointers.
 *
 * @throws Problem if it asks for something else.
 */
export function asksForLfs(request: Request): boolean {
  const asked = new URL(request.url).searchParams.get("lfs");
  if (asked !== null && asked !== "1") throw new Problem(422, "lfs: 1 for the files behind pointers of Git LFS");
  return asked !== null;
}

/** Answers with an object, or a part of it. `headers` become those of the answer. An object never changes. */
export async function sendLfsObject(
  host: Host,
  request: Request,
  { oid, size, home }: SharedLfsObject,
  headers: Headers,
): Promise<Response> {
  const validators = { etag: `"${oid}"`, modified: 0 };
  headers.set("ETag", validators.etag);
  headers.set("Accept-Ranges", "bytes");
  if (isUnchanged(request.headers, validators)) return new Response(null, { status: 304, headers });
  const asked = request.headers.get("Range") ?? undefined;
  const range = mayContinue(request.headers, validators) ? parseRange(asked, size) : undefined;
  if (range === "unsatisfiable") {
    headers.set("Content-Range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const { offset, length } = range ?? { offset: 0, length: size };
  if (range !== undefined) headers.set("Content-Range", `bytes ${offset}-${offset + length - 1}/${size}`);
  headers.set("Content-Length", String(length));
  const body = request.method === "HEAD" ? null : await host.lfsFiles(home).open(oid, { offset, length });
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}

/** Returns an object as it is stored; `undefined` if it is not. One that a mirror's upstream has is fetched first. */
export async function fetchedObject(
  caller: Caller,
  { record }: FoundLfs,
  oid: string,
  outcome: LfsOutcome,
): Promise<SharedLfsObject | undefined> {
  const { kind } = outcome;
  if (kind !== "stored" && kind !== "announced") return undefined;
  const { size, home } = outcome;
  const isAhead = kind === "announced" && record.mirror !== undefined;
  const now = isAhead ? await pullObject(caller, record.id, { object: { oid, size }, home }) : outcome;
  return now.kind === "stored" ? { oid, size: now.size, home: now.home } : undefined;
}

/**
 * Asks a repository that is shown for the objects of pointers, as the reader that it is shown to. `id` is its id: another
 * repository, which has got the name meanwhile, has none of them.
 */
async function ask(caller: Caller, id: string, pointers: readonly LfsPointer[]): Promise<FoundLfs> {
  const found = await askAsReader(caller, { kind: "find", oids: pointers.map(({ oid }) => oid) });
  if (found.record.id !== id) return { ...found, outcomes: [] };
  return await withUpstream(caller, found, pointers);
}

/**
 * Returns the object behind a pointer.
 *
 * @throws Problem if it is not here.
 */
export async function objectBehind(caller: Caller, id: string, pointer: LfsPointer): Promise<SharedLfsObject> {
  const found = await ask(caller, id, [pointer]);
  const object = await fetchedObject(caller, found, pointer.oid, found.outcomes[0] ?? MISSING); // None from another repository.
  if (object?.size === pointer.size) return object;
  throw new Problem(404, `This is a pointer of Git LFS, and the object that it names is not here: ${pointer.oid}`);
}

/** Reads the first bytes of an object. */
export async function firstBytes(host: Host, { oid, size, home }: SharedLfsObject): Promise<Uint8Array> {
  const body = await host.lfsFiles(home).open(oid, { offset: 0, length: Math.min(size, FIRST) });
  return new Uint8Array(await new Response(body).arrayBuffer());
}

async function* piecesOf(body: ReadableStream): AsyncGenerator<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  try {
    for (let buffer = new ArrayBuffer(PIECE); ;) {
      const { value, done } = await reader.readAtLeast(PIECE, new Uint8Array(buffer));
      if (value === undefined || value.byteLength === 0) return;
      yield value;
      if (done) return;
      buffer = value.buffer;
    }
  } finally {
    // One that was read to its end is not disturbed by this.
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * Returns what finds the files behind the pointers of a repository, which has this id. Each file costs a read of the
 * bucket, of which `onRead` is told first.
 */
export function filesBehind(caller: Caller, id: string, onRead: () => void): FindBehind {
  const open = async (object: SharedLfsObject): Promise<OpenBlob> => {
    const { oid, size, home } = object;
    onRead();
    const body = await caller.host.lfsFiles(home).open(oid, { offset: 0, length: size });
    return { size, isHeld: false, pieces: piecesOf(body) };
  };
  return async (pointers) => {
    const files = new Map<string, BehindPointer>();
    if (pointers.length === 0) return files;
    const found = await ask(caller, id, pointers);
    for (const [at, pointer] of pointers.entries()) {
      const outcome = found.outcomes[at] ?? MISSING; // As above.
      if (outcome.kind !== "stored" && outcome.kind !== "announced") continue;
      files.set(pointer.oid, async () => {
        const object = await fetchedObject(caller, found, pointer.oid, outcome);
        return object?.size === pointer.size ? await open(object) : undefined;
      });
    }
    return files;
  };
}
