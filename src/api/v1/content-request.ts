/**
 * The common parts of the routes of a repository's content: what a request asks for, opening the repository, and
 * answers in JSON.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { type NamedObject, resolveSplit } from "../../browse/revision.ts";
import { type RevisionSyntax, splitRevisionPath } from "../../browse/revision-syntax.ts";
import type { ByteSink } from "../../bytes/byte-stream.ts";
import type { StreamedAnswer } from "../../http/body.ts";
import { cacheControl, found, openContent, streamContent, withSession } from "../../http/content.ts";
import type { RequestMemory } from "../../bytes/memory-budget.ts";
import { pathAfter, queryBytes, requestedRevision, withoutSlashes } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { textOf } from "../../object/byte-text.ts";
import type { ApiEnv } from "../api-host.ts";
import { nextLink } from "./cursor.ts";
import { requestedName } from "./requested.ts";

/** `/api/v1/repos/{tenant}/{repo}/{word}`, and an empty piece before it. */
const PIECES_BEFORE_REST = 7;
/** JSON is written in pieces of about this many characters. */
const PIECE = 65_536;
/** Bytes of a JSON answer that are collected before any is written. */
const MOST_GATHERED = 1024 * 1024;

/**
 * Returns the rest of the path after `{tenant}/{repo}/{word}/`, with one character per byte and without a final slash.
 */
export function restOfPath(context: Context<ApiEnv>): string {
  return pathAfter(context.req.url, PIECES_BEFORE_REST);
}

/**
 * Returns the revision from the query; `HEAD` if there is none.
 *
 * @throws Problem
 */
export function queryRevision(context: Context<ApiEnv>): RevisionSyntax {
  return requestedRevision(context.req.query("rev") === undefined ? "HEAD" : queryBytes(context.req.url, "rev"));
}

/** Returns a path from the query, without slashes around it. */
export function queryPath(context: Context<ApiEnv>): string {
  return withoutSlashes(queryBytes(context.req.url, "path"));
}

/**
 * Returns a count from the query.
 *
 * @throws Problem if it is not a count, or more than `most`.
 */
export function queryLimit(context: Context<ApiEnv>, usual: number, most: number): number {
  const text = context.req.query("limit");
  if (text === undefined) return usual;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > most) throw new Problem(422, `limit: a number from 1 to ${most}`);
  return limit;
}

/**
 * Opens the repository for a caller that may read it. The caller has to close the session.
 *
 * @throws AccessDenied, Problem
 */
export async function openSession(
  context: Context<ApiEnv>,
  revisions: readonly RevisionSyntax[],
): Promise<BrowseSession> {
  return await openContent(context.var.host, await requestedName(context, "read"), revisions);
}

/**
 * Opens the repository, finds what `{rev}/{path}` in the address names, and runs `serve` with it. Of a failure the session is
 * closed; otherwise `serve` sees to that.
 *
 * @throws AccessDenied, Problem
 */
export async function atRequestedPath(
  context: Context<ApiEnv>,
  serve: (session: BrowseSession, object: NamedObject & { readonly path: string }) => Promise<Response>,
): Promise<Response> {
  const splits = splitRevisionPath(restOfPath(context));
  const revisions = splits.map(({ revision }) => revision);
  const session = await openSession(context, revisions);
  return await withSession(session, async () => await serve(session, found(await resolveSplit(session, splits))));
}

/** Answers with a stream, and closes the session when it ends. */
export async function streamed(
  context: Context<ApiEnv>,
  session: BrowseSession,
  answer: Pick<StreamedAnswer, "headers" | "status" | "length">,
  serve: (output: ByteSink) => Promise<void>,
): Promise<Response> {
  const bodiless = context.req.raw.method === "HEAD";
  return await streamContent(context.var.host, session, { ...answer, bodiless }, serve);
}

/**
 * Answers like {@link streamed} with a small answer. It is collected first, so that the session is closed before a slow
 * client is waited for.
 */
export async function streamedJson(
  context: Context<ApiEnv>,
  session: BrowseSession,
  serve: (json: JsonWriter) => Promise<void>,
): Promise<Response> {
  const headers = new Headers({ "Content-Type": "application/json", "Cache-Control": cacheControl(session) });
  return await streamed(context, session, { headers }, async (output) => {
    const gathered = new Gathered(output, session.repository.memory);
    // The answer begins when what is gathered is written, and its headers are read then.
    await serve(new JsonWriter(gathered, (cursor) => headers.set("Link", nextLink(context, cursor))));
    session.close();
    await gathered.end();
  });
}

/** Collects what is written, up to a bound, and writes it at the end. */
class Gathered implements ByteSink {
  readonly #output: ByteSink;
  readonly #memory: RequestMemory;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(output: ByteSink, memory: RequestMemory) {
    this.#output = output;
    this.#memory = memory;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes.slice());
    this.#bytes += bytes.length;
    this.#memory.hold(bytes.length);
    if (this.#bytes > MOST_GATHERED) await this.end();
  }

  /** Writes what was collected. */
  async end(): Promise<void> {
    const bytes = this.#bytes;
    this.#bytes = 0;
    try {
      for (const piece of this.#pieces.splice(0)) await this.#output.write(piece);
    } finally {
      this.#memory.hold(-bytes);
    }
  }
}

/** An item of {@link JsonWriter.contents}. */
export type ItemWithBytes = { readonly bytes?: Uint8Array };

/** Bytes that become base64 at once: a multiple of three, which needs no padding. */
const ENCODED = 3 * 32_768;

/** Whether bytes are UTF-8. No text of all of them is made. */
function isUtf8(bytes: Uint8Array): boolean {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for (let at = 0; at < bytes.length; at += ENCODED) {
      strict.decode(bytes.subarray(at, at + ENCODED), { stream: true });
    }
    strict.decode();
    return true;
  } catch {
    return false;
  }
}

/** Writes one JSON object, member by member, as the members become known. */
export class JsonWriter {
  readonly #output: ByteSink;
  readonly #encoder = new TextEncoder();
  readonly #onCursor: (cursor: string) => void;
  #text = "{";
  #isFirst = true;

  /** `onCursor` is called with the cursor of the next page, before it is written. */
  constructor(output: ByteSink, onCursor: (cursor: string) => void) {
    this.#output = output;
    this.#onCursor = onCursor;
  }

  /** Writes the cursor of the next page. */
  async cursor(cursor: string): Promise<void> {
    this.#onCursor(cursor);
    await this.member("cursor", cursor);
  }

  /** Writes a member. */
  async member(name: string, value: unknown): Promise<void> {
    await this.#add(`${this.#comma()}${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }

  /** Writes a member that is a list, item by item. Returns what the generator returns. */
  async list<T>(name: string, items: AsyncGenerator<object, T>): Promise<T> {
    await this.#add(`${this.#comma()}${JSON.stringify(name)}:[`);
    for (let first = true; ; first = false) {
      const next = await items.next();
      if (next.done === true) {
        await this.#add("]");
        return next.value;
      }
      await this.#add((first ? "" : ",") + JSON.stringify(next.value));
    }
  }

  /**
   * Writes a member that is a list of objects, each with the base64 of its bytes, if it has bytes, as `content`. A large
   * blob is written piece by piece: its text, its base64 and its JSON would each be as large again.
   */
  async contents(name: string, items: AsyncGenerator<ItemWithBytes>): Promise<void> {
    await this.#add(`${this.#comma()}${JSON.stringify(name)}:[`);
    let comma = "";
    for await (const { bytes, ...known } of items) {
      const json = comma + JSON.stringify(known);
      comma = ",";
      if (bytes === undefined) await this.#add(json);
      else {
        await this.#add(`${json.slice(0, -1)}${Object.keys(known).length === 0 ? "" : ","}"content":"`);
        for (let at = 0; at < bytes.length; at += ENCODED)
          await this.#add(btoa(textOf(bytes.subarray(at, at + ENCODED))));
        await this.#add('"}');
      }
    }
    await this.#add("]");
  }

  /**
   * Writes the members `encoding` and `content` of a file: its text, or its base64 where it is not UTF-8. It is written piece by piece,
   * for the same reason.
   */
  async content(bytes: Uint8Array): Promise<void> {
    const isText = isUtf8(bytes);
    await this.member("encoding", isText ? "utf-8" : "base64");
    await this.#add(`${this.#comma()}"content":"`);
    const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
    for (let at = 0; at < bytes.length; at += ENCODED) {
      const piece = bytes.subarray(at, at + ENCODED);
      // A character that the next piece ends comes with that.
      await this.#add(
        isText ? JSON.stringify(decoder.decode(piece, { stream: true })).slice(1, -1) : btoa(textOf(piece)),
      );
    }
    await this.#add('"');
  }

  /** Ends the object. */
  async end(): Promise<void> {
    this.#text += "}";
    await this.#flush();
  }

  #comma(): string {
    const comma = this.#isFirst ? "" : ",";
    this.#isFirst = false;
    return comma;
  }

  async #add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= PIECE) await this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#output.write(this.#encoder.encode(this.#text));
    this.#text = "";
  }
}
