/**
 * Answers with a file of a repository as it is. Files are their authors', not the host's: nothing in them may run in a
 * browser as if it came from here.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import { cutPieces, isText, openBlob } from "../browse/blob.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { peelToTree, resolveSplit, type NamedObject } from "../browse/revision.ts";
import { splitRevisionPath } from "../browse/revision-syntax.ts";
import { findPath } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import { type LfsPointer, readPointer } from "../browse/lfs-pointers.ts";
import { parseRange } from "./byte-range.ts";
import { cacheControl, found, isKnown, openContent, streamContent, withSession } from "./content.ts";
import { HARMLESS } from "./harmless.ts";
import type { Host } from "./host.ts";
import { asksForLfs, firstBytes, objectBehind, sendLfsObject } from "./lfs-content.ts";
import { Problem } from "./problem.ts";

/** A file that is asked for. */
export type RawRequest = {
  readonly name: RepositoryName;
  /** `{rev}/{path}`, with one character per byte. */
  readonly rest: string;
  /**
   * Returns the type of a file that begins with these bytes, if it is sent as anything other than text or bytes. By
   * default nothing is.
   */
  readonly mediaType?: (first: Uint8Array) => string | undefined;
  /** Ends the tag of the answer, where the file is one form of several at its address. */
  readonly tagEnd?: string;
};

/**
 * Returns the name of the requested blob, raw. A symbolic link's blob is its target.
 *
 * @throws Problem
 */
async function blobNamed(session: BrowseSession, object: NamedObject & { readonly path: string }): Promise<Uint8Array> {
  if (object.path === "" && object.type === "blob") return object.name;
  const root = found(await peelToTree(session, object));
  const entry = found(await findPath(session, root.name, object.path));
  if (entry.type === "tree") throw new Problem(422, "This is a directory; tree/ lists it.");
  if (entry.type === "commit") throw new Problem(422, "This is a submodule: its files are in another repository.");
  return entry.oid;
}

/** Returns the header with the name under which a browser saves the file, in the form of RFC 6266. */
function disposition(path: string, isShown: boolean): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const encoded = Array.from(name, (c) =>
    /[A-Za-z0-9._-]/.test(c) ? c : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
  return `${isShown ? "inline" : "attachment"}${encoded === "" ? "" : `; filename*=UTF-8''${encoded}`}`;
}

/**
 * Answers with a file, or a part of it.
 *
 * @throws AccessDenied, Problem
 */
export async function rawContent(host: Host, request: Request, asked: RawRequest): Promise<Response> {
  const isBehind = asksForLfs(request);
  const splits = splitRevisionPath(asked.rest);
  const revisions = splits.map(({ revision }) => revision);
  const session = await openContent(host, asked.name, revisions);
  return await withSession(session, async () => {
    const object = found(await resolveSplit(session, splits));
    const name = await blobNamed(session, object);
    const pointer = isBehind ? await readPointer(session, name) : undefined;
    if (pointer !== undefined)
      return await sendBehind({ host, request, session }, asked, { pointer, path: object.path });
    const etag = `"${toHex(name)}${asked.tagEnd ?? ""}"`; // A file alone at its address needs no more than its name.
    const headers = new Headers({ ...HARMLESS, ETag: etag, "Cache-Control": cacheControl(session) });
    if (isKnown(request.headers.get("If-None-Match") ?? undefined, etag)) {
      session.close();
      return new Response(null, { status: 304, headers });
    }
    headers.set("Accept-Ranges", "bytes");
    const { mediaType } = asked;
    return await sendBlob({ host, request, session }, { name, path: object.path, etag, headers, mediaType });
  });
}

/** Answers with the file behind a pointer. The repository's objects are not needed for that any more. */
async function sendBehind(
  { host, request, session }: Answered,
  { name, mediaType }: RawRequest,
  { pointer, path }: { readonly pointer: LfsPointer; readonly path: string },
): Promise<Response> {
  const headers = new Headers({ ...HARMLESS, "Cache-Control": cacheControl(session) });
  session.close();
  const object = await objectBehind({ host, name }, session.answer.record.id, pointer);
  setType(await firstBytes(host, object), { headers, path, mediaType });
  return await sendLfsObject(host, request, object, headers);
}

/** The request that is answered. */
type Answered = { readonly host: Host; readonly request: Request; readonly session: BrowseSession };

type Sent = {
  readonly name: Uint8Array;
  readonly path: string;
  readonly etag: string;
  readonly headers: Headers;
  readonly mediaType: RawRequest["mediaType"];
};

/** Sets the headers that tell what a file is, by its first bytes. */
function setType(
  first: Uint8Array | undefined,
  { headers, path, mediaType }: Pick<Sent, "headers" | "path" | "mediaType">,
): void {
  const media = first === undefined ? undefined : mediaType?.(first);
  const text = first === undefined || isText(first);
  headers.set("Content-Type", media ?? (text ? "text/plain; charset=utf-8" : "application/octet-stream"));
  headers.set("Content-Disposition", disposition(path, text || media !== undefined));
}

async function sendBlob({ host, request, session }: Answered, sent: Sent): Promise<Response> {
  const { headers } = sent;
  const { size, isHeld, pieces } = await openBlob(session, sent.name);
  const ifRange = request.headers.get("If-Range");
  const asked = ifRange === null || ifRange === sent.etag ? (request.headers.get("Range") ?? undefined) : undefined;
  const range = parseRange(asked, size);
  if (range === "unsatisfiable") {
    session.close();
    headers.set("Content-Range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const { offset, length } = range ?? { offset: 0, length: size };
  if (range !== undefined) headers.set("Content-Range", `bytes ${offset}-${offset + length - 1}/${size}`);
  // the first bytes tell the type, whatever part is requested
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  setType(first.done === true ? undefined : first.value, sent);
  // content in memory needs no kernel while a slow client takes it
  if (isHeld) session.close();
  const status = range === undefined ? 200 : 206;
  // The stream says it, too, but only to a client of HTTP.
  headers.set("Content-Length", String(length));
  if (request.method === "HEAD") {
    await iterator.return?.();
    session.close();
    return new Response(null, { status, headers });
  }
  return await streamContent(host, session, { headers, status, length, bodiless: false }, async (output) => {
    session.parkWhileWaiting();
    const { memory } = session.repository;
    const heldBytes = isHeld ? size : 0;
    memory.hold(heldBytes);
    try {
      const all = resumed(first, iterator);
      for await (const piece of cutPieces(all, offset, length)) await output.write(piece);
    } finally {
      memory.hold(-heldBytes);
    }
  });
}

async function* resumed<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
