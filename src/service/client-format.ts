/**
 * Detects a client's hash function from the first lines of its request. The function must be known before the request
 * can be parsed. The repository would tell, but it is opened only after parsing, so that one call of the Durable Object
 * is enough.
 *
 * @packageDocumentation
 * @see githash-function-transition(7)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { type ObjectFormatName, objectFormat } from "../object/object-id.ts";
import { type PktLine, decodeLine, hexDigitValue, startsWith } from "../wire/pkt-line.ts";

const FORMAT_KEY = "object-format=";
const CERTIFICATE = "push-cert\0";

/**
 * Returns the object format whose names have this many digits. Any length but SHA-256's counts as SHA-1, for the parser
 * to refuse.
 */
function formatOfLength(digits: number): ObjectFormatName {
  return digits === objectFormat("sha256").hexSize ? "sha256" : "sha1";
}

function hexRun(payload: Uint8Array, from: number): number {
  let at = from;
  while (hexDigitValue(u8OrNul(payload, at)) >= 0) at++;
  return at - from;
}

/**
 * Returns the object format that the head of a version 2 request names; SHA-1 if it names none. A wrong name is left
 * for the parser to refuse.
 */
export function formatOfCommand(head: readonly PktLine[]): ObjectFormatName {
  for (const line of head) {
    if (line.kind === "data" && decodeLine(line.payload) === `${FORMAT_KEY}sha256`) return "sha256";
  }
  return "sha1";
}

/** Returns the object format of an upload-request, from the length of the wanted name in its first line. */
export function formatOfWant(line: PktLine): ObjectFormatName {
  if (line.kind !== "data" || !startsWith(line.payload, "want ")) return "sha1";
  return formatOfLength(hexRun(line.payload, "want ".length));
}

/**
 * Returns the object format of a receive-request, from the length of a name in its first line: the old value of a ref,
 * or a commit at which the client is shallow. A certificate has its names further on, but capabilities with the object
 * format behind its NUL.
 */
export function formatOfPush(line: PktLine): ObjectFormatName {
  if (line.kind !== "data") return "sha1";
  if (startsWith(line.payload, CERTIFICATE)) {
    const capabilities = decodeLine(line.payload).slice(CERTIFICATE.length).split(" ");
    return capabilities.includes(`${FORMAT_KEY}sha256`) ? "sha256" : "sha1";
  }
  return formatOfLength(hexRun(line.payload, startsWith(line.payload, "shallow ") ? "shallow ".length : 0));
}
