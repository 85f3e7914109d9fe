/**
 * `/api/v1/repos/{tenant}/{repo}/raw/{rev}/{path}`: a file as it is. Files are their authors', not the host's: nothing
 * in them may run in a browser as if it came from here.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { cutPieces, isText, openBlob } from "../../browse/blob.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { peelToTree, resolveSplit, type NamedObject } from "../../browse/revision.ts";
import { splitRevisionPath } from "../../browse/revision-syntax.ts";
import { findPath } from "../../browse/tree-at.ts";
import { toHex } from "../../bytes/hex.ts";
import { parseRange } from "../../http/byte-range.ts";
import { HARMLESS } from "../../http/harmless.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { cacheControl, found, isKnown, openSession, restOfPath, streamed, withSession } from "./content-request.ts";

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

/** Answers with a file, or a part of it. */
export async function rawFile(context: Context<ApiEnv>): Promise<Response> {
  const splits = splitRevisionPath(restOfPath(context));
  const session = await openSession(
    context,
    splits.map(({ revision }) => revision),
  );
  return await withSession(session, async () => {
    const object = found(await resolveSplit(session, splits));
    const name = await blobNamed(session, object);
    const etag = `"${toHex(name)}"`;
    const headers = new Headers({ ...HARMLESS, ETag: etag, "Cache-Control": cacheControl(session) });
    if (isKnown(context.req.header("If-None-Match"), etag)) {
      session.close();
      return new Response(null, { status: 304, headers });
    }
    headers.set("Accept-Ranges", "bytes");
    return await sendBlob(context, session, { name, path: object.path, etag, headers });
  });
}

type Sent = {
  readonly name: Uint8Array;
  readonly path: string;
  readonly etag: string;
  readonly headers: Headers;
};

async function sendBlob(context: Context<ApiEnv>, session: BrowseSession, sent: Sent): Promise<Response> {
  const { headers } = sent;
  const { size, isHeld, pieces } = await openBlob(session, sent.name);
  const ifRange = context.req.header("If-Range");
  const asked = ifRange === undefined || ifRange === sent.etag ? context.req.header("Range") : undefined;
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
  const text = first.done === true || isText(first.value);
  headers.set("Content-Type", text ? "text/plain; charset=utf-8" : "application/octet-stream");
  headers.set("Content-Disposition", disposition(sent.path, text));
  // content in memory needs no kernel while a slow client takes it
  if (isHeld) session.close();
  const status = range === undefined ? 200 : 206;
  if (context.req.raw.method === "HEAD") {
    await iterator.return?.();
    session.close();
    headers.set("Content-Length", String(length));
    return new Response(null, { status, headers });
  }
  return await streamed(context, session, { headers, status, length }, async (output) => {
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
