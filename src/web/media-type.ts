/**
 * The types of files that a browser shows by itself, told by their first bytes: a name may say anything.
 *
 * @packageDocumentation
 * @see https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
 */

/** What a page shows a file as, and the type under which it is sent. */
export type Media = { readonly kind: "image" | "audio" | "video" | "pdf"; readonly type: string };

/** Beginnings, with one character per byte. A dot stands for any byte. */
const BEGINNINGS: readonly (readonly [string, Media])[] = [
  ["\x89PNG\r\n\x1a\n", { kind: "image", type: "image/png" }],
  ["\xff\xd8\xff", { kind: "image", type: "image/jpeg" }],
  ["GIF87a", { kind: "image", type: "image/gif" }],
  ["GIF89a", { kind: "image", type: "image/gif" }],
  ["RIFF....WEBP", { kind: "image", type: "image/webp" }],
  ["....ftypavif", { kind: "image", type: "image/avif" }],
  ["\0\0\x01\0", { kind: "image", type: "image/x-icon" }],
  ["%PDF-", { kind: "pdf", type: "application/pdf" }],
  ["OggS\0", { kind: "audio", type: "audio/ogg" }],
  ["ID3", { kind: "audio", type: "audio/mpeg" }],
  ["fLaC", { kind: "audio", type: "audio/flac" }],
  ["RIFF....WAVE", { kind: "audio", type: "audio/wav" }],
  ["....ftypisom", { kind: "video", type: "video/mp4" }],
  ["....ftypmp42", { kind: "video", type: "video/mp4" }],
  ["\x1aE\xdf\xa3", { kind: "video", type: "video/webm" }],
];
/** The kinds of files by the ends of their names, for those whose bytes are elsewhere. */
const ENDS: readonly (readonly [RegExp, Media["kind"]])[] = [
  [/\.(?:avif|gif|ico|jpe?g|png|svg|webp)$/i, "image"],
  [/\.(?:flac|mp3|ogg|wav)$/i, "audio"],
  [/\.(?:mp4|webm)$/i, "video"],
];
/** The first bytes in which an SVG's element has to begin. */
const SVG_BYTES = 1024;

function begins(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false;
  return Array.from(text).every((c, at) => c === "." || bytes[at] === c.charCodeAt(0));
}

/** Whether a text is an SVG: its first element is one. Comments and declarations may come before. */
function isSvg(text: string): boolean {
  let at = 0;
  for (;;) {
    while (/\s|\xef|\xbb|\xbf/.test(text.charAt(at))) at++;
    const end = text.startsWith("<!--", at)
      ? text.indexOf("-->", at + 4) + 2
      : /^<(?:\?xml|!doctype svg)/i.test(text.slice(at, at + 16))
        ? text.indexOf(">", at)
        : -1;
    if (end <= at) return /^<svg[\s>]/.test(text.slice(at, at + 5));
    at = end + 1;
  }
}

/** Returns what a file that begins with these bytes is shown as; `undefined` if a browser does not show it by itself. */
export function mediaOf(bytes: Uint8Array): Media | undefined {
  const [, known] = BEGINNINGS.find(([text]) => begins(bytes, text)) ?? [];
  if (known !== undefined) return known;
  return isSvg(String.fromCharCode(...bytes.subarray(0, SVG_BYTES)))
    ? { kind: "image", type: "image/svg+xml" }
    : undefined;
}

/** Returns what a file of this name is most likely shown as; `undefined` if nothing is known of such names. */
export function mediaKindOf(name: string): Media["kind"] | undefined {
  return ENDS.find(([end]) => end.test(name))?.[1];
}
