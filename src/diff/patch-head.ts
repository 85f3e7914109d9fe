/**
 * The lines above the hunks of a file in a patch: which file it was, which it is, and what else changed.
 *
 * @packageDocumentation
 * @see git-diff(1), "Generating patch text with -p"
 */
import { modeText } from "../object/tree.ts";
import { quotedPath } from "./quoted-path.ts";

/** One side of a file in a patch. */
export type PatchSide = {
  /** One character per byte. */
  readonly path: string;
  readonly mode: number;
  /** Hexadecimal. */
  readonly oid: string;
};

/** A file in a patch; a side is missing where the file is created or deleted. */
export type PatchFile = {
  readonly before?: PatchSide | undefined;
  readonly after?: PatchSide | undefined;
  /** For a file that has another path on each side: what it is, and how similar both are, in percent. */
  readonly moved?: { readonly as: "rename" | "copy"; readonly similarity: number } | undefined;
};

/** Returns the head, one character per byte. It says nothing of the content. */
export function patchHead(file: PatchFile): string {
  const { moved } = file;
  const [before, after] = [file.before ?? file.after, file.after ?? file.before];
  if (before === undefined || after === undefined) return "";
  const lines = [
    `diff --git ${quotedPath(`a/${before.path}`)} ${quotedPath(`b/${after.path}`)}`,
    ...modeLines(file),
    ...(moved === undefined ? [] : [`similarity index ${moved.similarity}%`]),
    ...(moved === undefined ? [] : [`${moved.as} from ${quotedPath(before.path)}`]),
    ...(moved === undefined ? [] : [`${moved.as} to ${quotedPath(after.path)}`]),
    ...indexLine(file),
  ];
  return `${lines.join("\n")}\n`;
}

function modeLines({ before, after }: PatchFile): string[] {
  if (before?.mode === after?.mode) return [];
  if (before === undefined) return after === undefined ? [] : [`new file mode ${modeText(after.mode)}`];
  if (after === undefined) return [`deleted file mode ${modeText(before.mode)}`];
  return [`old mode ${modeText(before.mode)}`, `new mode ${modeText(after.mode)}`];
}

function indexLine({ before, after }: PatchFile): string[] {
  if (before === undefined) return after === undefined ? [] : [`index ${nullOid(after.oid)}..${after.oid}`];
  if (after === undefined) return [`index ${before.oid}..${nullOid(before.oid)}`];
  if (before.oid === after.oid) return [];
  return [`index ${before.oid}..${after.oid}${before.mode === after.mode ? ` ${modeText(before.mode)}` : ""}`];
}

function nullOid(like: string): string {
  return "0".repeat(like.length);
}

/** Whether the head is shown even if no line of the file is: it says something by itself. */
export function headSpeaks({ before, after, moved }: PatchFile): boolean {
  return moved !== undefined || before?.mode !== after?.mode;
}

function labels({ before, after }: PatchFile): readonly [string, string] {
  return [
    before === undefined ? "/dev/null" : quotedPath(`a/${before.path}`),
    after === undefined ? "/dev/null" : quotedPath(`b/${after.path}`),
  ];
}

/** Returns the two lines before the first hunk. A path with a blank ends in a tabulator, which ends it for patch(1). */
export function hunksHead(file: PatchFile): string {
  const [before, after] = labels(file).map((label) => (label.includes(" ") ? `${label}\t` : label));
  return `--- ${before}\n+++ ${after}\n`;
}

/** Returns the line in place of hunks that can't be shown. */
export function binaryNote(file: PatchFile): string {
  const [before, after] = labels(file);
  return `Binary files ${before} and ${after} differ\n`;
}
