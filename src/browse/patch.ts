/**
 * Changed files as a patch: the text of `git diff --full-index`.
 *
 * @packageDocumentation
 * @see git-diff(1)
 */
import { equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { hunkText } from "../diff/hunk-lines.ts";
import { diffHunks, type LineDiff } from "../diff/line-diff.ts";
import { binaryNote, headSpeaks, hunksHead, patchHead, type PatchFile } from "../diff/patch-head.ts";
import { bytesOf } from "../object/byte-text.ts";
import { FILE_MODE, isRegular } from "../object/tree.ts";
import type { DiffedFile } from "./file-diff.ts";
import type { FileChange, FileState } from "./tree-diff.ts";

const OWNER_EXECUTES = 0o100;
const NO_BYTES = new Uint8Array(0);

/**
 * Yields changes as patches show them. A file that becomes of another type is deleted and created. Modes are those that
 * git gives files today: old trees have others.
 */
export async function* patchChanges(changes: AsyncIterable<FileChange>): AsyncGenerator<FileChange, undefined> {
  for await (const { status, path, ...states } of changes) {
    const [before, after] = [canonical(states.before), canonical(states.after)];
    if (before === undefined || after === undefined || status !== "T") {
      const isSame = before?.mode === after?.mode && before !== undefined && equal(before.oid, after?.oid ?? NO_BYTES);
      if (!isSame) yield { status, path, ...(before && { before }), ...(after && { after }) };
      continue;
    }
    yield { status: "D", path, before };
    yield { status: "A", path, after };
  }
}

function canonical(state: FileState | undefined): FileState | undefined {
  if (state === undefined || !isRegular(state.mode)) return state;
  return { mode: (state.mode & OWNER_EXECUTES) === 0 ? FILE_MODE.file : FILE_MODE.executable, oid: state.oid };
}

/** Yields the text of a patch in pieces. */
export async function* patchText(files: AsyncIterable<DiffedFile>): AsyncGenerator<Uint8Array, undefined> {
  for await (const { change, content } of files) {
    const file = patchFile(change);
    const head = patchHead(file);
    if (content.kind === "lines") yield* linesText(file, content.lines);
    else yield bytesOf(content.kind === "same" ? head : head + binaryNote(file));
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
function patchFile({ path, before, after }: FileChange): PatchFile {
  return { before: sideOf(before, path), after: sideOf(after, path) };
}

function sideOf(state: FileState | undefined, path: string): PatchFile["before"] {
  return state && { path, mode: state.mode, oid: toHex(state.oid) };
}
