/**
 * Changed files as a patch: the text of `git diff --full-index`.
 *
 * @packageDocumentation
 * @see git-diff(1)
 */
import { concat, equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { binaryLiteral } from "../diff/binary-patch.ts";
import { hunkText } from "../diff/hunk-lines.ts";
import { diffHunks, type LineDiff } from "../diff/line-diff.ts";
import { binaryNote, headSpeaks, hunksHead, patchHead, type PatchFile } from "../diff/patch-head.ts";
import { bytesOf } from "../object/byte-text.ts";
import { canonicalMode } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import type { BinarySides, ContentDiff, DiffedFile } from "./file-diff.ts";
import { type ChangedFile, withRenames } from "./renames.ts";
import { diffTrees, type FileChange, type FileState } from "./tree-diff.ts";

/** Small files have their parts of a patch joined, up to this many bytes. */
const PIECE = 32_768;
/** The steps per byte that is deflated. */
const DEFLATE_STEPS = 4;
const NO_BYTES = new Uint8Array(0);

/** Yields the changed files of two trees (raw; `undefined` is the empty one), with renames. */
export function changedFiles(
  session: BrowseSession,
  before: Uint8Array | undefined,
  after: Uint8Array,
): AsyncGenerator<ChangedFile, undefined> {
  return withRenames(session, withModesOfToday(diffTrees(session, before, after)));
}

/** Yields the same as patches show them. */
export function patchChanges(
  session: BrowseSession,
  before: Uint8Array | undefined,
  after: Uint8Array,
): AsyncGenerator<ChangedFile, undefined> {
  return withoutTypeChanges(changedFiles(session, before, after));
}

/** Yields changes in which no file becomes of another type. */
export async function* withoutTypeChanges(changes: AsyncIterable<ChangedFile>): AsyncGenerator<ChangedFile, undefined> {
  for await (const change of changes) {
    const { status, path } = change;
    if (status !== "T" || change.before === undefined || change.after === undefined) {
      yield change;
      continue;
    }
    // A file that becomes of another type is deleted and created.
    yield { status: "D", path, before: change.before };
    yield { status: "A", path, after: change.after };
  }
}

/** Yields changes with the modes that git gives files today. Old trees have others. */
async function* withModesOfToday(changes: AsyncIterable<FileChange>): AsyncGenerator<FileChange, undefined> {
  for await (const { status, path, ...states } of changes) {
    const [before, after] = [canonical(states.before), canonical(states.after)];
    const isSame = before?.mode === after?.mode && before !== undefined && equal(before.oid, after?.oid ?? NO_BYTES);
    if (!isSame) yield { status, path, ...(before && { before }), ...(after && { after }) };
  }
}

function canonical(state: FileState | undefined): FileState | undefined {
  return state && { mode: canonicalMode(state.mode), oid: state.oid };
}

/**
 * Yields the text of a patch in pieces. With a session, whose deflate is used, it has the content of binary files that
 * are not too large, as with `--binary`.
 */
export async function* patchText(
  files: AsyncIterable<DiffedFile>,
  session?: BrowseSession,
): AsyncGenerator<Uint8Array, undefined> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const { change, content } of files) {
    const file = patchFile(change);
    if (session !== undefined && content.kind === "binary" && content.sides !== undefined) {
      if (bytes > 0) yield concat(pieces);
      [pieces, bytes] = [[], 0];
      yield* binaryText(session, patchHead(file), content.sides);
      continue;
    }
    for (const piece of textOfFile(file, content)) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < PIECE) continue;
      yield concat(pieces);
      [pieces, bytes] = [[], 0];
    }
  }
  if (bytes > 0) yield concat(pieces);
}

/** Yields what a patch says of a file without the content of a binary one. */
function* textOfFile(file: PatchFile, content: ContentDiff): Generator<Uint8Array, undefined> {
  if (content.kind === "lines") yield* linesText(file, content.lines);
  else yield bytesOf(patchHead(file) + (content.kind === "same" ? "" : binaryNote(file)));
}

async function* binaryText(
  session: BrowseSession,
  head: string,
  { before, after }: BinarySides,
): AsyncGenerator<Uint8Array, undefined> {
  yield bytesOf(`${head}GIT binary patch\n`);
  for (const bytes of [after, before]) {
    await session.work(bytes.length * DEFLATE_STEPS);
    yield bytesOf(binaryLiteral(bytes.length, session.repository.deflate(bytes)));
  }
}

function* linesText(file: PatchFile, lines: LineDiff): Generator<Uint8Array, undefined> {
  let isFirst = true;
  for (const hunk of diffHunks(lines)) {
    if (isFirst) yield bytesOf(patchHead(file) + hunksHead(file));
    isFirst = false;
    yield* hunkText(lines, hunk);
  }
  if (isFirst && headSpeaks(file)) yield bytesOf(patchHead(file));
}

/** Returns what the head of a patch says of a change. */
export function patchFile(change: ChangedFile): PatchFile {
  const { path, before, after } = change;
  if (change.status !== "R") return { before: sideOf(before, path), after: sideOf(after, path) };
  const moved = { as: "rename" as const, similarity: change.similarity };
  return { before: sideOf(before, change.from), after: sideOf(after, path), moved };
}

function sideOf(state: FileState | undefined, path: string): PatchFile["before"] {
  return state && { path, mode: state.mode, oid: toHex(state.oid) };
}
