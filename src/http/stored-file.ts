/**
 * Answers with a file of the bucket: whole or a part of it, or that the client has it already.
 *
 * @packageDocumentation
 * @see RFC 9110, sections 13 and 14
 */
import { parseRange } from "./byte-range.ts";
import { isUnchanged, mayContinue, validatorHeaders, type Validators } from "./conditional.ts";
import { NO_CACHE } from "./git-failure.ts";
import type { FileRange } from "./host.ts";

/**
 * Anybody may keep what is public, but has to ask each time whether it may still be used. C git's http-backend lets packs
 * be kept for a year. Here a repository may become private and a pack's content may be deleted, and then no cache may
 * serve it. The question costs one call, and no byte of the file.
 */
const PUBLIC_FILE = { "Cache-Control": "public, no-cache" } as const;

/** A file that the requester may read. */
export type StoredFile = {
  readonly size: number;
  readonly contentType: string;
  readonly validators: Validators;
  readonly visibility: "public" | "private";
  /** Opens a part of the file. */
  readonly open: (range: FileRange) => Promise<BodyInit>;
};

/** Returns the answer to a GET or HEAD of a file. */
export async function storedFile(request: Request, file: StoredFile): Promise<Response> {
  const { size, contentType, validators } = file;
  const cached = {
    ...(file.visibility === "public" ? PUBLIC_FILE : NO_CACHE),
    ...validatorHeaders(validators),
  };
  if (isUnchanged(request.headers, validators)) return new Response(null, { status: 304, headers: cached });
  const mayBePart = request.method === "GET" && mayContinue(request.headers, validators);
  const range = mayBePart ? parseRange(request.headers.get("Range") ?? undefined, size) : undefined;
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { ...NO_CACHE, "Content-Range": `bytes */${size}` } });
  }
  const { offset, length } = range ?? { offset: 0, length: size };
  const headers = new Headers({
    ...cached,
    "Content-Type": contentType,
    "Accept-Ranges": "bytes",
    "Content-Length": String(length),
  });
  if (range !== undefined) headers.set("Content-Range", `bytes ${offset}-${offset + length - 1}/${size}`);
  const body = request.method === "HEAD" ? null : await file.open({ offset, length });
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}
