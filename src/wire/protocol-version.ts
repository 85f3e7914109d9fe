/**
 * The version of the wire protocol: the one that a client asks for in a header, and the one that a server's first line
 * states.
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
 * Returns the highest version that the `Git-Protocol` header asks for. Its entries are separated by colons, and unknown
 * ones are ignored, as in git. Without a header or a known version, it is version 0.
 */
export function parseProtocolVersion(header: string | undefined): ProtocolVersion {
  let highest: ProtocolVersion = 0;
  for (const entry of header?.split(":") ?? []) {
    const version = entry.startsWith("version=") ? VERSIONS.get(entry.slice("version=".length)) : undefined;
    if (version !== undefined && version > highest) highest = version;
  }
  return highest;
}

/**
 * Returns the version that the first line of a server's response states; 0 if it states none. A `version 1` line is
 * not one of the refs.
 */
export function detectProtocolVersion(first: PktLine): ProtocolVersion {
  if (first.kind !== "data") return 0;
  const line = decodeLine(first.payload);
  // An unknown version counts as version 0, as gitprotocol-pack(5) says.
  return line.startsWith("version ") ? (VERSIONS.get(line.slice("version ".length)) ?? 0) : 0;
}
