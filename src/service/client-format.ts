/**
 * Tells a client's hash function from the first lines of its request. It has to be known before the request can be parsed, and
 * the repository, which would tell, is opened only once it is known what to open it with: one call of the Durable Object, not two.
 *
 * @packageDocumentation
 * @see githash-function-transition(7)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { type ObjectFormatName, objectFormat } from "../object/object-id.ts";
import { type PktLine, decodeLine, hexDigitValue, startsWith } from "../wire/pkt-line.ts";

const FORMAT_KEY = "object-format=";
const CERTIFICATE = "push-cert\0";

/** What object names of so many digits are. Any other length is left for the parser to refuse. */
function formatOfLength(digits: number): ObjectFormatName {
  return digits === objectFormat("sha256").hexSize ? "sha256" : "sha1";
}

function hexRun(payload: Uint8Array, from: number): number {
  let at = from;
  while (hexDigitValue(u8OrNul(payload, at)) >= 0) at++;
  return at - from;
}

/** By the head of a version 2 request: what it says, SHA-1 where it says nothing. What it says wrongly, its parser refuses. */
export function formatOfCommand(head: readonly PktLine[]): ObjectFormatName {
  for (const line of head) {
    if (line.kind === "data" && decodeLine(line.payload) === `${FORMAT_KEY}sha256`) return "sha256";
  }
  return "sha1";
}

/** By the first line of an upload-request: the length of the name that is wanted. */
export function formatOfWant(line: PktLine): ObjectFormatName {
  if (line.kind !== "data" || !startsWith(line.payload, "want ")) return "sha1";
  return formatOfLength(hexRun(line.payload, "want ".length));
}

/**
 * By the first line of a receive-request: the length of the old name, or of a commit at which the client is shallow. A certificate
 * has its names later; what stands behind its NUL says it.
 */
export function formatOfPush(line: PktLine): ObjectFormatName {
  if (line.kind !== "data") return "sha1";
  if (startsWith(line.payload, CERTIFICATE)) {
    const capabilities = decodeLine(line.payload).slice(CERTIFICATE.length).split(" ");
    return capabilities.includes(`${FORMAT_KEY}sha256`) ? "sha256" : "sha1";
  }
  return formatOfLength(hexRun(line.payload, startsWith(line.payload, "shallow ") ? "shallow ".length : 0));
}
