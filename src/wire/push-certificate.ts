/**
 * Push certificates: what a signed push says in place of its commands, with a signature over it.
 *
 * ```text
 * certificate := "certificate version 0.1" LF
 *                "pusher" SP ident LF  [ "pushee" SP url LF ]  [ "nonce" SP nonce LF ]  *( "push-option" SP option LF )
 *                LF  *( old SP new SP name LF )  signature
 * on the wire := "push-cert" NUL capabilities  *line  "push-cert-end" LF          a pkt-line for each line, line feed included
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-push(1) `--signed`, builtin/receive-pack.c `queue_commands_from_cert()`
 */
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { decodeText, startsWith } from "./pkt-line.ts";

const LF = 0x0a;
/** The first line: without it, the signature of a commit or a tag, which git makes in the same way, would be that of a push. */
const VERSION_LINE = "certificate version 0.1";
/** Bytes of the largest certificate: it is kept whole, in one row. About 8,000 commands. */
export const MAX_CERTIFICATE_BYTES = 1_048_576;

/** How a signature begins, by its kind. */
const ARMOURS = [
  ["-----BEGIN PGP SIGNATURE-----", "openpgp"],
  ["-----BEGIN PGP MESSAGE-----", "openpgp"],
  ["-----BEGIN SSH SIGNATURE-----", "ssh"],
  ["-----BEGIN SIGNED MESSAGE-----", "x509"],
] as const;

/** Kinds of signatures that git makes. */
export type SignatureKind = (typeof ARMOURS)[number][1];

/** A certificate. Bytes are views of what was parsed. */
export type PushCertificate = {
  /** All of it, as it came. */
  readonly content: Uint8Array;
  /** What was signed: all but the signature. */
  readonly payload: Uint8Array;
  /** The signature with its armour; absent where there is none. */
  readonly signature?: { readonly kind: SignatureKind; readonly armoured: string };
  /** Who pushes, as it says itself: "" where it does not. */
  readonly pusher: string;
  readonly pushee?: string;
  readonly nonce?: string;
  readonly pushOptions: readonly string[];
  /** The commands, a line each, without its line feed. */
  readonly commands: readonly Uint8Array[];
};

/** Gives each line with where it begins; the last may lack its line feed. */
function* linesOf(bytes: Uint8Array, from = 0): Generator<{ readonly at: number; readonly line: Uint8Array }> {
  for (let at = from; at < bytes.length;) {
    const feed = bytes.indexOf(LF, at);
    const end = feed < 0 ? bytes.length : feed;
    yield { at, line: bytes.subarray(at, end) };
    at = end + 1;
  }
}

/** Finds the signature: as git does, from the last line on that opens one. */
function findSignature(content: Uint8Array): { readonly at: number; readonly kind: SignatureKind } | undefined {
  let found: { at: number; kind: SignatureKind } | undefined;
  for (const { at, line } of linesOf(content)) {
    const armour = ARMOURS.find(([opening]) => startsWith(line, opening));
    if (armour !== undefined) found = { at, kind: armour[1] };
  }
  return found;
}

/** Reads a certificate. @throws ProtocolError in git's words where its first line is another, or its header has no end. */
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
    // A certificate without a pusher names nobody.
    pusher: headers.get("pusher") ?? "",
    ...(pushee === undefined ? {} : { pushee }),
    ...(nonce === undefined ? {} : { nonce }),
    pushOptions,
    commands: Array.from(linesOf(payload, body), ({ line }) => line),
  };
}

/** What a certificate says before it is signed. */
export type PushCertificateContent = {
  readonly pusher: string;
  readonly pushee?: string;
  readonly nonce?: string;
  readonly pushOptions?: Iterable<string>;
  readonly commands: Iterable<{ readonly name: string; readonly oldOid: string; readonly newOid: string }>;
};

/** Gives the text to sign; a signature with its armour goes right behind it. */
export function formatPushCertificate(content: PushCertificateContent): string {
  const lines = [VERSION_LINE, `pusher ${content.pusher}`];
  if (content.pushee !== undefined) lines.push(`pushee ${content.pushee}`);
  if (content.nonce !== undefined) lines.push(`nonce ${content.nonce}`);
  for (const option of content.pushOptions ?? []) lines.push(`push-option ${option}`);
  lines.push("");
  for (const { name, oldOid, newOid } of content.commands) lines.push(`${oldOid} ${newOid} ${name}`);
  return `${lines.join("\n")}\n`;
}

/** Collects the lines of a certificate from the wire. */
export class PushCertificateReader {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Takes a payload as it came; `done` at the line that ends the certificate. @throws LimitExceeded where it is too large. */
  accept(payload: Uint8Array): "more" | "done" {
    if (decodeText(payload) === "push-cert-end\n") return "done";
    const length = this.#length + payload.length;
    if (length > MAX_CERTIFICATE_BYTES) {
      throw new LimitExceeded(
        "push-certificate",
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

  /** Gives the certificate. @throws ProtocolError where it is malformed. */
  result(): PushCertificate {
    return parsePushCertificate(this.#bytes.slice(0, this.#length));
  }
}

/** Appends the lines of a signed certificate, from its opening to its end, without the flush-pkt. */
export function writePushCertificate(certificate: Uint8Array, capabilities: string, out: PktBuffer): void {
  out.line(`push-cert\0${capabilities}`);
  for (const { line } of linesOf(certificate)) out.line(`${decodeText(line)}\n`);
  out.line("push-cert-end\n");
}
