/**
 * The head of a bundle: what stands before its pack. A bundle of a SHA-256 repository is one of version 3, which can say so.
 *
 * ```text
 * head := "# v2 git bundle" LF  *( oid SP name LF )  LF
 *       | "# v3 git bundle" LF "@object-format=sha256" LF  *( oid SP name LF )  LF
 * ```
 *
 * No head here names prerequisites: the packs that follow have everything that their tips reach.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5)
 */
import { concat } from "../bytes/chunk.ts";
import { bytesOfEscaped, escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormatName } from "../object/object-id.ts";

/** A ref of a bundle. `name` is escaped text (see `escaped-bytes.ts`), and `oid` hexadecimal. */
export type BundleTip = { readonly name: string; readonly oid: string };

const LINE_FEED = 0x0a;
const encoder = new TextEncoder();

/** Formats refs as they stand in the head, a line each. */
export function formatTips(tips: readonly BundleTip[]): Uint8Array<ArrayBuffer> {
  const newline = Uint8Array.of(LINE_FEED);
  return concat(tips.flatMap(({ name, oid }) => [encoder.encode(`${oid} `), bytesOfEscaped(name), newline]));
}

/** Reads back what {@link formatTips} wrote. A line that is cut off is left out. */
export function parseTips(bytes: Uint8Array): BundleTip[] {
  const tips: BundleTip[] = [];
  let at = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, at)) {
    const line = escapedText(bytes.subarray(at, end));
    const space = line.indexOf(" ");
    tips.push({ oid: line.slice(0, space), name: line.slice(space + 1) });
    at = end + 1;
  }
  return tips;
}

/** Formats the head of a bundle. */
export function formatBundleHead(format: ObjectFormatName, tips: readonly BundleTip[]): Uint8Array<ArrayBuffer> {
  const signature = format === "sha1" ? "# v2 git bundle\n" : `# v3 git bundle\n@object-format=${format}\n`;
  return concat([encoder.encode(signature), formatTips(tips), Uint8Array.of(LINE_FEED)]);
}
