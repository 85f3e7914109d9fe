/**
 * Which version of the protocol is spoken: what a client asks for beside the request, and what a server's first line says.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), gitprotocol-v2(5)
 */
import { type PktLine, decodeLine } from "./pkt-line.ts";

/** A version of the wire protocol. */
export type ProtocolVersion = 0 | 1 | 2;

const VERSIONS = new Map<string, ProtocolVersion>([
  ["0", 0],
  ["1", 1],
  ["2", 2],
]);

/**
 * Gives the highest version that the `Git-Protocol` header asks for: entries separated by colons, unknown ones ignored, as git
 * does. `undefined` and garbage are version 0.
 */
export function parseProtocolVersion(header: string | undefined): ProtocolVersion {
  let highest: ProtocolVersion = 0;
  for (const entry of header?.split(":") ?? []) {
    const version = entry.startsWith("version=") ? VERSIONS.get(entry.slice("version=".length)) : undefined;
    if (version !== undefined && version > highest) highest = version;
  }
  return highest;
}

/** Gives the version that a server speaks, by the first line of its answer. A `version 1` line is no part of the refs. */
export function detectProtocolVersion(first: PktLine): ProtocolVersion {
  if (first.kind !== "data") return 0;
  const line = decodeLine(first.payload);
  // A version that is not known is version 0, as gitprotocol-pack(5) has it.
  return line.startsWith("version ") ? (VERSIONS.get(line.slice("version ".length)) ?? 0) : 0;
}
