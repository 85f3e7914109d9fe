/**
 * `/api/v1/repos/{tenant}/{repo}/notes/{rev}`: notes on objects, as `git notes` keeps them.
 *
 * @packageDocumentation
 * @see git-notes(1), git's notes.c
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { treeOf } from "../../browse/commit.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { resolveRevision } from "../../browse/revision.ts";
import { findPath, listEntries } from "../../browse/tree-at.ts";
import { toHex } from "../../bytes/hex.ts";
import { cacheControl, found } from "../../http/content.ts";
import { queryBytes, requestedRevision } from "../../http/content-address.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { admitWriter } from "../../http/pusher.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { byteTextOf, readEscapes } from "../../object/escaped-bytes.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import { wholeLines } from "../../writing/commit/commit-text.ts";
import type { ActionOrder } from "../../writing/commit/prepared-actions.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { askedWrite, type BodyReading } from "./asked-write.ts";
import { asker } from "./commit-person.ts";
import { openSession, restOfPath } from "./content-request.ts";
import { type KeyedRequest, REPLAYED } from "./idempotency.ts";
import { otherRequest, refusedUpdate, staleRef } from "./refused-writes.ts";
import { requestedName } from "./requested.ts";

const NOTES = "refs/notes/";
/** The notes that `git notes` takes where none are named. */
const USUAL = "commits";
const LONGEST_NOTE = 16_384;
/** Notes in one directory above which new ones go into subdirectories. */
const MOST_FLAT = 256;
/** Directories of two digits within each other that are looked through. */
const MOST_FAN_OUT = 4;
/** Tries while others move the same notes. */
const MOST_TRIES = 6;
/** Bytes of a body: of a note, each of whose characters may be escaped in JSON, and a few more. */
const READING: BodyReading = { mostBytes: 65_536, needsRoom: false };
const NO_STORE = { "Cache-Control": "no-store" };

const text = v.pipe(v.string(), v.maxLength(LONGEST_NOTE));
const addBody = v.strictObject({ note: text, ref: v.optional(v.string()), force: v.optional(v.boolean()) });
const appendBody = v.strictObject({ note: text, ref: v.optional(v.string()) });
const noteJson = v.strictObject({ object: v.string(), ref: v.string(), oid: v.string(), note: v.string() });
const madeJson = v.strictObject({ object: v.string(), ref: v.string(), commit: v.string() });

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Returns the full name of the notes: `review` and `refs/notes/review` are the same. @throws InvalidRequest */
function notesRef(name = USUAL): string {
  const full = name.startsWith("refs/") ? name : NOTES + name.replace(/^notes\//, "");
  if (full.startsWith(NOTES) && !isTooLong(full) && isPushableRefName(full)) return full;
  throw new InvalidRequest("invalid_member", [{ pointer: "#/ref", detail: "ref: is no name of notes" }]);
}

/** Returns the notes that the query names, as escaped text; `undefined` where it names none. */
function queriedRef(context: Context<ApiEnv>): string | undefined {
  return context.req.query("ref") === undefined ? undefined : readEscapes(queryBytes(context.req.url, "ref"));
}

/** A note: where it lies, and its blob; or where it would lie. Names are raw, paths have one character per byte. */
type Place = { readonly path: string; readonly blob?: Uint8Array };

/** Finds the note on an object in a tree of notes: in it, or in directories of two digits each. */
async function findNote(session: BrowseSession, tree: Uint8Array, object: string): Promise<Place> {
  let [directory, path, rest] = [tree, "", object];
  for (let depth = 0; ; depth++) {
    const entry = await findPath(session, directory, rest);
    if (entry.kind === "found" && entry.type === "blob") return { path: path + rest, blob: entry.oid };
    const [digits, below] = [rest.slice(0, 2), rest.slice(2)];
    const child = depth < MOST_FAN_OUT ? await findPath(session, directory, digits) : undefined;
    if (child?.kind !== "found" || child.type !== "tree") {
      const entries = await listEntries(session, directory, { first: 0, count: MOST_FLAT });
      const isFanned = entries.length === MOST_FLAT || entries.some((each) => isFanOut(each));
      return { path: isFanned ? `${path}${digits}/${below}` : path + rest };
    }
    [directory, path, rest] = [child.oid, `${path}${digits}/`, below];
  }
}

/** Whether an entry is a directory of notes whose names begin with two digits. */
function isFanOut({ type, name }: { readonly type: string; readonly name: string }): boolean {
  return type === "tree" && /^[0-9a-f]{2}$/.test(name);
}

/** The notes as they are now: of which object, where its note is, and its text, with one character per byte. */
type Present = { readonly object: string; readonly head: string | null; readonly place: Place; readonly note?: string };

/** Reads the note on what the path names. */
async function present(context: Context<ApiEnv>, ref: string): Promise<Present & { readonly cache: string }> {
  const revision = requestedRevision(restOfPath(context));
  const session = await openSession(context, [revision, requestedRevision(byteTextOf(ref))]);
  try {
    const object = toHex(found(await resolveRevision(session, revision)).name);
    const head = session.refNamed(ref);
    const cache = cacheControl(session);
    if (head === undefined) return { object, head: null, place: { path: object }, cache };
    const place = await findNote(session, await treeOf(session, head), object);
    if (place.blob === undefined) return { object, head: toHex(head), place, cache };
    const { bytes } = await session.graph.reader.readCopy(place.blob);
    return { object, head: toHex(head), place, note: textOf(bytes), cache };
  } finally {
    session.close();
  }
}

const noNote = (): Problem => new Problem(404, "There is no note on this object.");

async function show(context: Context<ApiEnv>): Promise<Response> {
  const ref = notesRef(queriedRef(context));
  const { object, place, note, cache } = await present(context, ref);
  if (note === undefined || place.blob === undefined) throw noNote();
  return context.json({ object, ref, oid: toHex(place.blob), note: lenient.decode(bytesOf(note)) }, 200, {
    "Cache-Control": cache,
  });
}

/** What becomes of a note: its new text, with one character per byte, or `undefined` to take it away. */
type Change = (note: string | undefined) => string | undefined;

/** A commit on notes: its answer, which was given before where the request was sent before. */
type Changed = { readonly text: string; readonly isReplayed: boolean };

function changedAnswer({ text: body, isReplayed }: Changed): Response {
  const headers = { ...NO_STORE, "Content-Type": "application/json", ...(isReplayed ? REPLAYED : {}) };
  return new Response(body, { status: 201, headers });
}

/** Changes a note in a commit on its notes, and tries again while others do. */
async function change(
  context: Context<ApiEnv>,
  ref: string,
  [message, changed, keyed]: readonly [string, Change, (KeyedRequest | undefined)?],
): Promise<Changed> {
  const { host } = context.var;
  const name = await requestedName(context, "write");
  const { exchange, principal } = await admitWriter({ host, name });
  const by = asker(principal, exchange.repository.now());
  const [{ makeCommit }, { PreparedActions }] = await Promise.all([
    import("../../writing/commit/make-commit.ts"),
    import("../../writing/commit/prepared-actions.ts"),
  ]);
  for (let tries = 1; ; tries++) {
    const { object, head, place, note } = await present(context, ref);
    const next = changed(note);
    const action: ActionOrder =
      next === undefined
        ? { action: "delete", path: place.path }
        : { action: "upsert", path: place.path, content: btoa(next), encoding: "base64" };
    const answer = ({ oid: commit }: { readonly oid: string }): string => JSON.stringify({ object, ref, commit });
    const made = await makeCommit(exchange, {
      ...(keyed === undefined ? {} : { once: { ...keyed, answer } }),
      branch: ref,
      expectedHead: head,
      message: wholeLines(message),
      author: by,
      committer: by,
      allowEmpty: true,
      isTrial: false,
      read: async (contents, rawSize) => {
        const prepared = new PreparedActions(contents, rawSize);
        return (await prepared.add(action)) ?? prepared;
      },
    });
    if (made.kind === "made") return { text: answer(made), isReplayed: false };
    if (made.kind === "answered") return { text: made.answer, isReplayed: true };
    if (made.kind === "other-request") throw otherRequest();
    if (made.kind === "refused") throw refusedUpdate(ref, made.why);
    if (made.kind !== "stale")
      throw new Problem(422, "The note can't be written: its notes are not as git keeps them.");
    if (tries === MOST_TRIES) throw staleRef(ref, made.current);
  }
}

/** Returns the text of a note as git writes it, with one character per byte: it ends its last line. @throws InvalidRequest */
function wholeNote(note: string): string {
  if (note.trim() !== "" && !note.includes("\0")) return textOf(new TextEncoder().encode(wholeLines(note)));
  throw new InvalidRequest("invalid_member", [{ pointer: "#/note", detail: "note: is empty, or has a NUL" }]);
}

async function add(context: Context<ApiEnv>): Promise<Response> {
  const name = await requestedName(context, "write");
  await admitWriter({ host: context.var.host, name });
  const { note, ref: asked, force = false } = await readJson(context.req.raw, addBody);
  const ref = notesRef(asked);
  const next = wholeNote(note);
  const made = await change(context, ref, [
    "Notes added by 'git notes add'",
    (before) => {
      if (before !== undefined && !force) throw new Problem(409, "There is a note already; force takes its place.");
      return next;
    },
  ]);
  return changedAnswer(made);
}

async function append(context: Context<ApiEnv>): Promise<Response> {
  const { body, keyed } = await askedWrite(context, appendBody, READING);
  const { note, ref: asked } = body;
  const ref = notesRef(asked);
  const next = wholeNote(note);
  const made = await change(context, ref, [
    "Notes added by 'git notes append'",
    (before) => (before === undefined ? next : `${before}\n${next}`),
    keyed,
  ]);
  return changedAnswer(made);
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const ref = notesRef(queriedRef(context));
  await change(context, ref, [
    "Notes removed by 'git notes remove'",
    (before) => {
      if (before === undefined) throw noNote();
      return undefined;
    },
  ]);
  return context.body(null, 204);
}

/** The routes of notes, below `/api/v1/repos`. */
export function noteRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const path = "/:tenant/:repo/notes/:rev{[^]+}";
  const base = { tag: "content", problems: [403, 404, 409, 415, 422, 503] } as const;
  const ref = { about: "Which notes: `review` or `refs/notes/review`; `commits` where not given." };
  routes.get(
    path,
    describe({
      ...base,
      summary: "Shows the note on an object",
      query: { ref },
      answers: { 200: { about: "The note.", json: noteJson } },
    }),
    show,
  );
  routes.put(
    path,
    describe({
      ...base,
      access: "token",
      summary: "Adds a note to an object",
      about: "As `git notes add -m`. Where there is one, the answer is 409, unless `force` is true.",
      body: addBody,
      answers: { 201: { about: "The commit on the notes.", json: madeJson } },
    }),
    add,
  );
  routes.post(
    path,
    describe({
      ...base,
      access: "token",
      summary: "Appends to the note on an object",
      takesKey: true,
      about: "As `git notes append -m`: behind an empty line, or as a new note.",
      body: appendBody,
      answers: { 201: { about: "The commit on the notes.", json: madeJson } },
    }),
    append,
  );
  routes.delete(
    path,
    describe({
      ...base,
      access: "token",
      summary: "Removes the note on an object",
      query: { ref },
      answers: { 204: { about: "It has gone." } },
    }),
    remove,
  );
  return routes;
}
