/**
 * The content of changed files, compared line by line. Each file is read, compared and let go before the next one.
 *
 * @packageDocumentation
 * @see git-diff(1)
 */
import { concat, equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { type DiffOptions, diffLines, type LineDiff } from "../diff/line-diff.ts";
import { countLines, LINE_BYTES } from "../diff/line-table.ts";
import { FILE_MODE, typeOfMode } from "../object/tree.ts";
import { isText, MOST_COMPARED_BYTES, openBlob } from "./blob.ts";
import type { BrowseSession } from "./browse-session.ts";
import type { ChangedFile } from "./renames.ts";
import type { FileState } from "./tree-diff.ts";

/** The content of a changed file. */
export type ContentDiff =
  /** The content is the same: only the mode changed, or the path. */
  | { readonly kind: "same" }
  | { readonly kind: "lines"; readonly lines: LineDiff }
  /** One of the sides has a NUL in its first bytes, as git decides it. */
  | { readonly kind: "binary"; readonly sides: BinarySides | undefined }
  /** One of the sides is larger, has more lines, or takes more work than is compared here. */
  | { readonly kind: "large" };

/** The bytes of a binary file, where both sides are small enough to be held. */
export type BinarySides = { readonly before: Uint8Array; readonly after: Uint8Array };

/** A changed file with its content. The sizes are in bytes, and 0 for a side that is missing. */
export type DiffedFile = {
  readonly change: ChangedFile;
  readonly content: ContentDiff;
  /** Whether one of the sides counts as binary, also where the content is the same. */
  readonly isBinary: boolean;
  readonly sizes: { readonly before: number; readonly after: number };
};

/** The most lines of both sides together. */
const MOST_FILE_LINES = 120_000;
/** The most steps of comparing one file. */
const MOST_FILE_STEPS = 60_000_000;
/** The steps of a file, however small it is. */
const FILE_STEPS = 3000;
/** The files whose blobs are looked up together; at first only a few, so that the first file is there soon. */
const BATCH = 32;
const FIRST_BATCH = 4;

/**
 * Yields changed files with their content. A file's lines are views of its content, valid until the next file is
 * requested.
 *
 * @throws LimitExceeded if the whole takes too much work.
 */
export async function* diffFiles(
  session: BrowseSession,
  changes: AsyncIterable<ChangedFile> | Iterable<ChangedFile>,
  options: DiffOptions,
): AsyncGenerator<DiffedFile, undefined> {
  let batch: ChangedFile[] = [];
  let size = FIRST_BATCH;
  for await (const change of changes) {
    batch.push(change);
    if (batch.length < size) continue;
    yield* diffBatch(session, batch, options);
    batch = [];
    size = BATCH;
  }
  yield* diffBatch(session, batch, options);
}

async function* diffBatch(
  session: BrowseSession,
  batch: readonly ChangedFile[],
  options: DiffOptions,
): AsyncGenerator<DiffedFile, undefined> {
  const states = batch.flatMap(({ before, after }) => [before, after]);
  const blobs = states.filter((state) => state !== undefined && typeOfMode(state.mode) === "blob");
  if (blobs.length > 2)
    await session.graph.reader.prefetch(concat(blobs.flatMap((state) => (state ? [state.oid] : []))));
  const { memory } = session.repository;
  for (const change of batch) {
    session.assertSteps();
    await session.work(FILE_STEPS);
    const { before, after } = await contentsOf(session, change);
    const held = heldBytes(before) + heldBytes(after);
    memory.hold(held);
    try {
      const content = await compared(session, { before, after, change }, options);
      const isBinary = !before.isText || !after.isText;
      yield { change, content, isBinary, sizes: { before: before.size, after: after.size } };
    } finally {
      memory.hold(-held);
    }
  }
}

/** The content of one side, as far as it can be compared. */
type Content = { readonly size: number; readonly isText: boolean; readonly bytes: Uint8Array | undefined };

const NOTHING: Content = { size: 0, isText: true, bytes: new Uint8Array(0) };

function heldBytes({ bytes }: Content): number {
  return bytes === undefined ? 0 : bytes.length + LINE_BYTES * Math.min(countLines(bytes), MOST_FILE_LINES);
}

async function contentsOf(
  session: BrowseSession,
  { before, after }: ChangedFile,
): Promise<{ readonly before: Content; readonly after: Content }> {
  return { before: await contentOf(session, before), after: await contentOf(session, after) };
}

async function contentOf(session: BrowseSession, state: FileState | undefined): Promise<Content> {
  if (state === undefined) return NOTHING;
  if (state.mode === FILE_MODE.gitlink) {
    const bytes = new TextEncoder().encode(`Subproject commit ${toHex(state.oid)}\n`);
    return { size: bytes.length, isText: true, bytes };
  }
  const { reader, inflating } = session.graph;
  const held = reader.readAtHand(state.oid)?.held;
  if (held !== undefined && held.size <= MOST_COMPARED_BYTES) {
    const bytes = inflating.bytes(held).slice();
    return { size: held.size, isText: isText(bytes), bytes };
  }
  const { size, isHeld, pieces } = await openBlob(session, state.oid);
  for await (const first of pieces) {
    const bytes = isHeld && size <= MOST_COMPARED_BYTES ? first : undefined;
    return { size, isText: isText(first), bytes };
  }
  return NOTHING;
}

function sidesOf(before: Content, after: Content): BinarySides | undefined {
  if (before.bytes === undefined || after.bytes === undefined) return undefined;
  return { before: before.bytes, after: after.bytes };
}

type Compared = { readonly before: Content; readonly after: Content; readonly change: ChangedFile };

async function compared(
  session: BrowseSession,
  { before, after, change }: Compared,
  options: DiffOptions,
): Promise<ContentDiff> {
  if (change.before !== undefined && change.after !== undefined && equal(change.before.oid, change.after.oid))
    return { kind: "same" };
  if (!before.isText || !after.isText) return { kind: "binary", sides: sidesOf(before, after) };
  if (before.bytes === undefined || after.bytes === undefined) return { kind: "large" };
  if (countLines(before.bytes) + countLines(after.bytes) > MOST_FILE_LINES) return { kind: "large" };
  const search = diffLines(before.bytes, after.bytes, options);
  let spent = 0;
  for (let next = search.next(); ; next = search.next()) {
    if (next.done === true) return { kind: "lines", lines: next.value };
    spent += next.value;
    await session.work(next.value);
    if (spent > MOST_FILE_STEPS) return { kind: "large" };
  }
}
