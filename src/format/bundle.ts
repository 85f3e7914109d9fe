/**
 * The head of a bundle: what stands before its pack. A bundle of a SHA-256 repository is one of version 3, which can say so.
 *
 * ```text
 * head := "# v2 git bundle" LF  *prerequisite *reference  LF
 *       | "# v3 git bundle" LF "@object-format=sha256" LF  *prerequisite *reference  LF
 * prerequisite := "-" oid SP LF
 * reference := oid SP name LF
 * ```
 *
 * A pack's `.tips` file has the lines of its head. Where there are prerequisites, the packs in which they lie come before them, and
 * the number of bytes that follow comes first: a step that was done twice may have written another file than the catalog tells of, and
 * no prerequisite may be lost with its end.
 *
 * ```text
 * tips := [ "=" bytes LF  *( "@" name of a pack LF ) ]  *prerequisite *reference
 * ```
 *
 * @packageDocumentation
 * @see gitformat-bundle(5)
 */
import { concat } from "../bytes/chunk.ts";
import { bytesOfEscaped, escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormatName } from "../object/object-id.ts";

/** A ref of a bundle. `name` is escaped text (see `escaped-bytes.ts`), and `oid` hexadecimal. */
export type BundleTip = { readonly name: string; readonly oid: string };

/** What a pack's `.tips` file says. */
export type PackTips = {
  /** The names of the packs in which the prerequisites lie. */
  readonly needs: readonly string[];
  /** The commits on which the bundle builds, in hexadecimal. Whoever has what they reach, and the pack, has what the tips reach. */
  readonly prerequisites: readonly string[];
  readonly tips: readonly BundleTip[];
};

/** A file of tips, and where its lines are. */
export type ReadTips = PackTips & {
  readonly bytes: Uint8Array;
  /** Where the lines of the head begin. */
  readonly headAt: number;
  /** Where the lines of the refs begin, and at last where the file ends. */
  readonly lines: readonly number[];
};

const LINE_FEED = 0x0a;
const LENGTH = "=";
const NEED = "@";
const PREREQUISITE = "-";
const encoder = new TextEncoder();

/** Formats a pack's `.tips` file. */
export function formatTips({ needs, prerequisites, tips }: PackTips): Uint8Array<ArrayBuffer> {
  const newline = Uint8Array.of(LINE_FEED);
  const before = [
    ...needs.map((name) => `${NEED}${name}\n`),
    ...prerequisites.map((oid) => `${PREREQUISITE}${oid} \n`),
  ];
  const lines = concat([
    encoder.encode(before.join("")),
    ...tips.flatMap(({ name, oid }) => [encoder.encode(`${oid} `), bytesOfEscaped(name), newline]),
  ]);
  return before.length === 0 ? lines : concat([encoder.encode(`${LENGTH}${lines.length}\n`), lines]);
}

/** Reads what {@link formatTips} wrote. A line that is cut off is left out, and of a file with prerequisites everything. */
export function parseTips(bytes: Uint8Array): ReadTips {
  const [needs, prerequisites, tips]: [string[], string[], BundleTip[]] = [[], [], []];
  const lines = [0];
  let headAt = 0;
  // All of it becomes text at once: there are thousands of lines.
  for (const line of escapedText(bytes).split("\n").slice(0, -1)) {
    const at = lines.at(-1) ?? 0; // It has the beginning.
    const end = bytes.indexOf(LINE_FEED, at) + 1;
    const space = line.indexOf(" ");
    if (line.startsWith(LENGTH) || line.startsWith(NEED)) {
      if (line.startsWith(NEED)) needs.push(line.slice(1));
      else if (line !== `${LENGTH}${bytes.length - end}`) return parseTips(new Uint8Array(0));
      headAt = end;
      lines[0] = end;
    } else if (line.startsWith(PREREQUISITE)) {
      prerequisites.push(line.slice(1, space));
      lines[0] = end;
    } else {
      tips.push({ oid: line.slice(0, space), name: line.slice(space + 1) });
      lines.push(end);
    }
  }
  return { bytes, needs, prerequisites, tips, headAt, lines };
}

/** Formats the head of a bundle, with the refs that are shown. */
export function formatBundleHead(
  format: ObjectFormatName,
  { bytes, tips, headAt, lines }: ReadTips,
  isShown: (tip: BundleTip) => boolean,
): Uint8Array<ArrayBuffer> {
  const signature = format === "sha1" ? "# v2 git bundle\n" : `# v3 git bundle\n@object-format=${format}\n`;
  const pieces: Uint8Array[] = [encoder.encode(signature)];
  // Mostly all are shown, and then there is one piece.
  let from = headAt;
  for (const [i, tip] of tips.entries()) {
    if (isShown(tip)) continue;
    pieces.push(bytes.subarray(from, lines[i]));
    from = lines[i + 1] ?? bytes.length;
  }
  pieces.push(bytes.subarray(from, lines.at(-1)), Uint8Array.of(LINE_FEED));
  return concat(pieces);
}
