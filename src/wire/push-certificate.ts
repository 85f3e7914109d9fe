/**
 * Push certificates: the text that a signed push sends in place of its commands, with a signature over that text.
 *
 * ```text
 * certificate := "certificate version 0.1" LF
 *                "pusher" SP ident LF  [ "pushee" SP url LF ]  [ "nonce" SP nonce LF ]  *( "push-option" SP option LF )
 *                LF  *( old SP new SP name LF )  signature
 * on the wire := "push-cert" NUL capabilities  *line  "push-cert-end" LF      a pkt-line per line, with its line feed
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-push(1) `--signed`, builtin/receive-pack.c `queue_commands_from_cert()`
 */
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { decodeText, startsWith } from "./pkt-line.ts";

const LF = 0x0a;
/** The first line. It is required, so that a signature made for a commit or a tag does not pass for that of a push. */
const VERSION_LINE = "certificate version 0.1";
/** Bytes of the largest certificate, about 8,000 commands. A certificate is stored whole, in one row. */
export const MAX_CERTIFICATE_BYTES = 1_048_576;

/** The first line of each kind of signature. */
const ARMOURS = [
  ["-----BEGIN PGP SIGNATURE-----", "openpgp"],
  ["-----BEGIN PGP MESSAGE-----", "openpgp"],
  ["-----BEGIN SSH SIGNATURE-----", "ssh"],
  ["-----BEGIN SIGNED MESSAGE-----", "x509"],
] as const;

/** The kinds of signatures that git makes. */
export type SignatureKind = (typeof ARMOURS)[number][1];

/** A certificate. Its byte fields are views of the parsed buffer. */
export type PushCertificate = {
  /** The whole certificate as it was received. */
  readonly content: Uint8Array;
  /** The signed bytes: everything before the signature. */
  readonly payload: Uint8Array;
  /** The signature with its armour; absent if there is none. */
  readonly signature?: { readonly kind: SignatureKind; readonly armoured: string };
  /** The pusher's ident as the certificate states it; empty if it states none. */
  readonly pusher: string;
  readonly pushee?: string;
  readonly nonce?: string;
  readonly pushOptions: readonly string[];
  /** The commands, one line each, without line feeds. */
  readonly commands: readonly Uint8Array[];
};

/** Yields each line, without its line feed, and the offset at which it begins. The last line may lack its line feed. */
function* linesOf(bytes: Uint8Array, from = 0): Generator<{ readonly at: number; readonly line: Uint8Array }> {
  for (let at = from; at < bytes.length;) {
    const feed = bytes.indexOf(LF, at);
    const end = feed < 0 ? bytes.length : feed;
    yield { at, line: bytes.subarray(at, end) };
    at = end + 1;
  }
}

/** Finds the signature, which begins at the last line that opens one, as in git. */
function findSignature(content: Uint8Array): { readonly at: number; readonly kind: SignatureKind } | undefined {
  let found: { at: number; kind: SignatureKind } | undefined;
  for (const { at, line } of linesOf(content)) {
    const armour = ARMOURS.find(([opening]) => startsWith(line, opening));
    if (armour !== undefined) found = { at, kind: armour[1] };
  }
  return found;
}

/** Parses a certificate. @throws ProtocolError in git's words if its first line is wrong or its header has no end. */
export function parsePushCertificate(content: Uint8Array): PushCertificate {
  const signature = findSignature(content);
  const payload = content.subarray(0, signature?.at ?? content.length);
  const headers = new Map<string, string>();
  const pushOptions: string[] = [];
  let body: number | undefined;
  for (const { at, line } of linesOf(payload)) {
    if (at === 0 && decodeText(line) !== VERSION_LINE) break;
    if (line.length === 0) {
      body = at + 1;
      break;
    }
    const [key = "", ...rest] = decodeText(line).split(" ");
    const value = rest.join(" ");
    if (key === "push-option") pushOptions.push(value);
    else if (!headers.has(key)) headers.set(key, value);
  }
  if (body === undefined) throw new ProtocolError(`malformed push certificate ${decodeText(content.subarray(0, 100))}`);
  const [pushee, nonce] = [headers.get("pushee"), headers.get("nonce")];
  return {
    content,
    payload,
    ...(signature === undefined
      ? {}
      : { signature: { kind: signature.kind, armoured: decodeText(content.subarray(signature.at)) } }),
    // A certificate may have no pusher line.
    pusher: headers.get("pusher") ?? "",
    ...(pushee === undefined ? {} : { pushee }),
    ...(nonce === undefined ? {} : { nonce }),
    pushOptions,
    commands: Array.from(linesOf(payload, body), ({ line }) => line),
  };
}

/** The content of a certificate that is not signed yet. */
export type PushCertificateContent = {
  readonly pusher: string;
  readonly pushee?: string;
  readonly nonce?: string;
  readonly pushOptions?: Iterable<string>;
  readonly commands: Iterable<{ readonly name: string; readonly oldOid: string; readonly newOid: string }>;
};

/** Returns the text to sign. The armoured signature is appended to it directly. */
export function formatPushCertificate(content: PushCertificateContent): string {
  const lines = [VERSION_LINE, `pusher ${content.pusher}`];
  if (content.pushee !== undefined) lines.push(`pushee ${content.pushee}`);
  if (content.nonce !== undefined) lines.push(`nonce ${content.nonce}`);
  for (const option of content.pushOptions ?? []) lines.push(`push-option ${option}`);
  lines.push("");
  for (const { name, oldOid, newOid } of content.commands) lines.push(`${oldOid} ${newOid} ${name}`);
  return `${lines.join("\n")}\n`;
}

/** Collects the lines of a certificate as they are received. */
export class PushCertificateReader {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /**
   * Takes the payload of a pkt-line. Returns `done` at the last line.
   *
   * @throws LimitExceeded if the certificate is too large.
   */
  accept(payload: Uint8Array): "more" | "done" {
    if (decodeText(payload) === "push-cert-end\n") return "done";
    const length = this.#length + payload.length;
    if (length > MAX_CERTIFICATE_BYTES) {
      throw new LimitExceeded(
        "push-certificate-bytes",
        MAX_CERTIFICATE_BYTES,
        `a push certificate of more than ${MAX_CERTIFICATE_BYTES} bytes; push in parts`,
      );
    }
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(payload, this.#length);
    this.#length = length;
    return "more";
  }

  /** Returns the certificate. @throws ProtocolError if it is malformed. */
  result(): PushCertificate {
    return parsePushCertificate(this.#bytes.slice(0, this.#length));
  }
}

/** Appends the lines of a signed certificate, from `push-cert` to `push-cert-end`, without the flush-pkt. */
export function writePushCertificate(certificate: Uint8Array, capabilities: string, out: PktBuffer): void {
  out.line(`push-cert\0${capabilities}`);
  for (const { line } of linesOf(certificate)) out.line(`${decodeText(line)}\n`);
  out.line("push-cert-end\n");
}
