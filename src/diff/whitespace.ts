/**
 * Ways to ignore white space when lines are compared. Lines are compared after a normalisation, so that the comparison
 * itself has one form.
 *
 * @packageDocumentation
 * @see git-diff(1), `--ignore-space-at-eol`, `-b`, `-w`
 */
import { u32At, u8At } from "../bytes/assert.ts";

/**
 * The white space that counts: all of it (`exact`), not that at the ends of lines (`at-eol`), only whether there is any
 * (`change`, `-b`), or none (`all`, `-w`).
 */
export type Whitespace = "exact" | "at-eol" | "change" | "all";

/** Bytes, and where each of their lines begins; one more number says where the last one ends. */
export type Lines = { readonly bytes: Uint8Array; readonly starts: Uint32Array };

const SPACE = 32;

/** Whether git takes a byte for white space: a blank, a tabulator, or the end of a line. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 9 || byte === 10 || byte === 13;
}

/** Returns lines whose bytes are the same where the given ones only differ in white space that is ignored. */
export function normalized({ bytes, starts }: Lines, mode: Whitespace): Lines {
  if (mode === "exact") return { bytes, starts };
  const kept = new Uint8Array(bytes.length);
  const keptStarts = new Uint32Array(starts.length);
  let length = 0;
  for (let line = 0; line + 1 < starts.length; line++) {
    keptStarts[line] = length;
    const end = endOfText(bytes, u32At(starts, line), u32At(starts, line + 1));
    for (let at = u32At(starts, line); at < end; at++) {
      const byte = u8At(bytes, at);
      if (mode === "at-eol" || !isSpace(byte)) kept[length++] = byte;
      else if (mode === "change" && !isSpace(u8At(bytes, at + 1))) kept[length++] = SPACE;
    }
  }
  keptStarts[starts.length - 1] = length;
  return { bytes: kept.subarray(0, length), starts: keptStarts };
}

/** Returns where the white space at the end of a line begins. */
function endOfText(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(u8At(bytes, at - 1))) at--;
  return at;
}
