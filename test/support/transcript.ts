/**
 * Transcripts: what git's client and `git http-backend` said to each other, as text.
 *
 * ```text
 * # …                                 a comment
 * > POST git-upload-pack              opens an exchange; further lines with > are headers
 * C: want 0123…\n                     a pkt-line of the request, as pktText shows it
 * C* 5041434b…                        bytes of the request that are no pkt-lines, in hexadecimal: a pack
 * S: NAK\n                            the same of the answer
 * ```
 *
 * @packageDocumentation
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pktBytes, pktText } from "./pkt.ts";

/** Where transcripts are. */
export const TRANSCRIPTS = join(import.meta.dirname, "..", "transcripts");

/** One side of an exchange. */
export type Side = { readonly lines: string[]; readonly rest: Uint8Array };

/** One HTTP request with its answer. */
export type Exchange = {
  readonly method: string;
  /** Behind the repository's URL: `info/refs?service=git-upload-pack`. */
  readonly path: string;
  readonly protocol: string | undefined;
  readonly request: Side;
  readonly answer: Side;
};

/** Gives the names of all transcripts. */
export function transcriptNames(): string[] {
  return readdirSync(TRANSCRIPTS).filter((name) => name.endsWith(".txt"));
}

/** Takes bytes apart into pkt-lines and the pack behind them. */
export function sideOf(bytes: Uint8Array): Side {
  const lines = pktText(bytes);
  return { lines, rest: bytes.subarray(pktBytes(...lines).length) };
}

/** Formats an exchange. */
export function formatExchange(exchange: Exchange): string {
  const side = (mark: string, { lines, rest }: Side): string[] => [
    ...lines.map((line) => `${mark}: ${line}`),
    ...(rest.length > 0 ? [`${mark}* ${Buffer.from(rest).toString("hex")}`] : []),
  ];
  return [
    `> ${exchange.method} ${exchange.path}`,
    ...(exchange.protocol === undefined ? [] : [`> Git-Protocol: ${exchange.protocol}`]),
    ...side("C", exchange.request),
    ...side("S", exchange.answer),
    "",
  ].join("\n");
}

/** Reads a transcript. */
export function readTranscript(name: string): Exchange[] {
  const blocks = readFileSync(join(TRANSCRIPTS, name), "utf8").split(/^(?=> (?:GET|POST) )/m);
  return blocks.slice(1).map((block) => {
    const lines = block.split("\n");
    const starting = (prefix: string): string[] =>
      lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
    const side = (mark: string): Side => ({
      lines: starting(`${mark}: `),
      rest: new Uint8Array(Buffer.from(starting(`${mark}* `).join(""), "hex")),
    });
    const [method = "", path = ""] = (lines[0] ?? "").slice(2).split(" ");
    return { method, path, protocol: starting("> Git-Protocol: ")[0], request: side("C"), answer: side("S") };
  });
}
