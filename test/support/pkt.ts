/**
 * Messages of pkt-lines as lists of text lines, for tests and transcripts: `0000`, `0001` and `0002` stand for themselves, any other
 * line for a payload with `\n`, `\0`, `\\` and `\xNN` escaped. Written without the code under test.
 *
 * @packageDocumentation
 */
import type { PktLine } from "../../src/wire/pkt-line.ts";

const CONTROL = new Map<string, PktLine>([
  ["0000", { kind: "flush" }],
  ["0001", { kind: "delim" }],
  ["0002", { kind: "response-end" }],
]);
const ESCAPES: Record<string, string> = { "\n": "\\n", "\0": "\\0", "\\": "\\\\" };
/** Each byte as {@link escapePayload} shows it. */
const SHOWN = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return ESCAPES[character] ?? (byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, "0")}`);
});

/** Runs through a format that yields between its lines. */
export function runThrough(lines: Iterable<void>): void {
  Array.from(lines);
}

/** Gives a payload as one line of text. */
export function escapePayload(payload: Uint8Array): string {
  // A payload that looks like a control packet is told from one by its first character.
  let text = "";
  for (const byte of payload) text += SHOWN[byte];
  return CONTROL.has(text) ? `\\x30${text.slice(1)}` : text;
}

/** Gives the payload that {@link escapePayload} shows. Characters beyond ASCII stand for their UTF-8. */
export function unescapePayload(text: string): Uint8Array {
  const latin1 = Buffer.from(text, "utf8").toString("latin1");
  const raw = latin1.replaceAll(
    /\\(?:x([0-9a-f]{2})|(.))/g,
    (_: string, hex: string | undefined, character: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      return character === "n" ? "\n" : character === "0" ? "\0" : character;
    },
  );
  return new Uint8Array(Buffer.from(raw, "latin1"));
}

/** Gives the bytes of a message. */
export function pktBytes(...lines: string[]): Uint8Array<ArrayBuffer> {
  const pieces = lines.map((line) => {
    if (CONTROL.has(line)) return Buffer.from(line);
    const payload = unescapePayload(line);
    return Buffer.concat([Buffer.from((payload.length + 4).toString(16).padStart(4, "0")), payload]);
  });
  return new Uint8Array(Buffer.concat(pieces));
}

/** Gives the lines of a message; bytes behind the last whole line are an error, unless they are a pack, which is left out. */
export function pktText(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = Buffer.from(bytes.subarray(at, at + 4)).toString("latin1");
    if (head === "PACK") break;
    const length = Number.parseInt(head, 16);
    if (!/^[0-9a-f]{4}$/.test(head) || at + length > bytes.length) throw new Error(`not a pkt-line at ${at}: ${head}`);
    lines.push(CONTROL.has(head) ? head : escapePayload(bytes.subarray(at + 4, at + length)));
    at += Math.max(length, 4);
  }
  return lines;
}

/** Gives a line as parsers take it. */
export function pktLine(text: string): PktLine {
  return CONTROL.get(text) ?? { kind: "data", payload: unescapePayload(text) };
}

/** Feeds lines to a parser until it says something other than `more`, and gives what it said and the lines left over. */
export function feed<Answer extends string>(
  parser: { accept: (line: PktLine) => Answer | "more" },
  lines: readonly string[],
): { readonly answer: Answer | "more"; readonly rest: string[] } {
  for (const [index, text] of lines.entries()) {
    const answer = parser.accept(pktLine(text));
    if (answer !== "more") return { answer, rest: lines.slice(index + 1) };
  }
  return { answer: "more", rest: [] };
}
