/**
 * `bundle-uri`: the version 2 command that tells where bundles are. Its answer is a list of settings, as a configuration would have
 * them.
 *
 * ```text
 * arguments := flush
 * response  := *( key "=" value ) flush
 * ```
 *
 * C git ends no line of the response with a line feed.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git-config(1) `bundle.*`, bundle-uri.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import type { PktLine } from "./pkt-line.ts";
import { chompLine } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

/** A bundle of a list. */
export type ListedBundle = {
  /** Letters, digits and dashes. */
  readonly id: string;
  /** Where it is: an absolute address. */
  readonly uri: string;
  /** Bundles with a greater token than a client has seen are new to it. */
  readonly creationToken: number;
};

/** Checks that the command has no arguments. */
export class BundleUriRequestParser {
  /** Takes the next line. @throws ProtocolError in git's words if there is an argument. */
  accept(line: PktLine): "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("bundle-uri: expected flush after arguments");
    throw new ProtocolError(`bundle-uri: unexpected argument: '${quoteLine(chompLine(line.payload))}'`);
  }
}

/**
 * Returns the settings that stand for a list, as keys and values. An empty list has none. Keys are in lower case, as git's own
 * servers send them: clients know no others.
 */
function settingsOf(bundles: readonly ListedBundle[]): (readonly [key: string, value: string])[] {
  if (bundles.length === 0) return [];
  return [
    ["bundle.version", "1"],
    ["bundle.mode", "all"],
    ["bundle.heuristic", "creationToken"],
    ...bundles.flatMap(({ id, uri, creationToken }) => [
      [`bundle.${id}.uri`, uri] as const,
      [`bundle.${id}.creationtoken`, String(creationToken)] as const,
    ]),
  ];
}

/** Appends the answer to the command, with its flush-pkt. */
export function formatBundleUris(bundles: readonly ListedBundle[], out: PktBuffer): void {
  for (const [key, value] of settingsOf(bundles)) out.line(`${key}=${value}`);
  out.flush();
}

/** Formats a list as a file, which `git clone --bundle-uri` takes. */
export function formatBundleList(bundles: readonly ListedBundle[]): string {
  const lines = settingsOf(bundles).map(([key, value]) => {
    const [, id, name] = /^bundle\.(?:(.*)\.)?([^.]*)$/.exec(key) ?? [];
    return `[bundle${id === undefined ? "" : ` "${id}"`}]\n\t${name} = ${value}\n`;
  });
  return lines.join("");
}
