/**
 * A commit that somebody signs who makes it here: what is signed, and the commit with the signature in it.
 *
 * @packageDocumentation
 * @see gitformat-signature(5), commit.c `add_header_signature()`
 */
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { type Identity, parseIdentity } from "../../object/identity.ts";

/** A signature that was made elsewhere, over the commit without it. */
export type DetachedSignature = {
  /** The bytes of the commit without the signature. */
  readonly payload: Uint8Array;
  readonly armoured: string;
  /** Verifies it with the keys that the tenant has registered. */
  readonly verify: () => Promise<SignatureVerdict>;
};

/** What came of verifying a signature. */
export type SignatureVerdict = "good" | "bad" | "unknown-key" | "unverified";

/** What a payload says beside its tree and its message. */
export type PayloadHead = {
  readonly parent: string | undefined;
  readonly author: Identity | undefined;
  readonly committer: Identity | undefined;
};

const LINE = { parent: /^parent ([0-9a-f]+)$/m, author: /^author (.*)$/m, committer: /^committer (.*)$/m };

function headOf(text: string): string {
  const end = text.indexOf("\n\n");
  return end < 0 ? text : text.slice(0, end);
}

function personIn(head: string, line: RegExp): Identity | undefined {
  const [, value] = line.exec(head) ?? [];
  return value === undefined ? undefined : parseIdentity(value);
}

/** Reads the head of a payload, as far as it is one. Whether it is that of the commit to be made is found out by comparing them. */
export function readPayload(payload: Uint8Array): PayloadHead {
  const head = headOf(textOf(payload));
  return {
    parent: LINE.parent.exec(head)?.[1],
    author: personIn(head, LINE.author),
    committer: personIn(head, LINE.committer),
  };
}

/** Returns a commit with its signature: in a header behind the others, whose further lines begin with a space. */
export function withSignature(payload: Uint8Array, armoured: string, hash: "sha1" | "sha256"): Uint8Array {
  const text = textOf(payload);
  const head = headOf(text);
  const name = hash === "sha1" ? "gpgsig" : "gpgsig-sha256";
  const header = `${name} ${armoured.trimEnd().replaceAll("\n", "\n ")}`;
  return bytesOf(`${head}\n${header}${text.slice(head.length)}`);
}
