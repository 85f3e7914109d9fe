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
/** An image that is text: it may have comments and a declaration before its first element. */
const SVG =
  /^\uFEFF?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[^]{0,400}?-->\s*)*(?:<!DOCTYPE svg[^>]{0,400}>\s*)?<svg[\s>]/i;
/** The first bytes in which an SVG's element has to begin. */
const SVG_BYTES = 1024;

function begins(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false;
  return Array.from(text).every((c, at) => c === "." || bytes[at] === c.charCodeAt(0));
}

/** Returns what a file that begins with these bytes is shown as; `undefined` if a browser does not show it by itself. */
export function mediaOf(bytes: Uint8Array): Media | undefined {
  const [, known] = BEGINNINGS.find(([text]) => begins(bytes, text)) ?? [];
  if (known !== undefined) return known;
  const text = String.fromCharCode(...bytes.subarray(0, SVG_BYTES));
  return SVG.test(text) ? { kind: "image", type: "image/svg+xml" } : undefined;
}
