/**
 * Commits and tags that are signed: what is signed, and either with its signature in it.
 *
 * @packageDocumentation
 * @see gitformat-signature(5), commit.c `add_header_signature()`
 */
import { concat } from "../../bytes/chunk.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { type Identity, parseIdentity } from "../../object/identity.ts";

/** What a payload says beside its tree or object, and its message. */
export type PayloadHead = {
  /** The first parent of a commit. */
  readonly parent: string | undefined;
  readonly author: Identity | undefined;
  readonly committer: Identity | undefined;
  readonly tagger: Identity | undefined;
};

const LINE = {
  parent: /^parent ([0-9a-f]+)$/m,
  author: /^author (.*)$/m,
  committer: /^committer (.*)$/m,
  tagger: /^tagger (.*)$/m,
};

function headOf(text: string): string {
  const end = text.indexOf("\n\n");
  return end < 0 ? text : text.slice(0, end);
}

function personIn(head: string, line: RegExp): Identity | undefined {
  const [, value] = line.exec(head) ?? [];
  return value === undefined ? undefined : parseIdentity(value);
}

/** Reads the head of a payload, as far as it is one. Whether it is that of what is to be made is found out by comparing them. */
export function readPayload(payload: Uint8Array): PayloadHead {
  const head = headOf(textOf(payload));
  return {
    parent: LINE.parent.exec(head)?.[1],
    author: personIn(head, LINE.author),
    committer: personIn(head, LINE.committer),
    tagger: personIn(head, LINE.tagger),
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

/** Returns a tag with its signature, which is the end of its message. */
export function withTagSignature(payload: Uint8Array, armoured: string): Uint8Array {
  return concat([payload, bytesOf(`${armoured.trimEnd()}\n`)]);
}
