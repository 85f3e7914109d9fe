/**
 * `ls-refs`: the version 2 command that lists refs.
 *
 * ```text
 * arguments := *( "peel" | "symrefs" | "unborn" | "ref-prefix" SP prefix ) flush
 * response  := *( ( oid | "unborn" ) SP name [ SP "symref-target:" name ] [ SP "peeled:" oid ] "\n" ) flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's ls-refs.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import { escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ArgumentCount } from "./argument-count.ts";
import { parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, startsWith } from "./pkt-line.ts";
import { quoteLine, unexpectedLine } from "./unexpected-line.ts";

/** The arguments of `ls-refs`. */
export type LsRefsRequest = {
  /** Whether to list the object that each annotated tag finally points to. */
  readonly peel: boolean;
  /** Whether to list the target of each symbolic ref. */
  readonly symrefs: boolean;
  /** Whether to list HEAD even if its branch does not exist. It has an effect together with `symrefs` only. */
  readonly unborn: boolean;
  /**
   * Literal prefixes of ref names as escaped text, in the client's order; an empty list asks for every ref. More refs
   * may be listed. A prefix may end inside a character: git cuts a pattern at its first `*`.
   */
  readonly prefixes: readonly string[];
};

/** The number of prefixes from which on git drops them all and lists every ref. */
const TOO_MANY_PREFIXES = 65_536;
/**
 * Characters of all prefixes together from which on this server does the same. Real clients send a few dozen short
 * prefixes.
 */
const TOO_LONG_PREFIXES = 1_048_576;

const PREFIX = "ref-prefix ";

/** Reads the arguments of `ls-refs`. */
export class LsRefsRequestParser {
  readonly #count = new ArgumentCount();
  #peel = false;
  #symrefs = false;
  #unborn = false;
  #prefixes: string[] = [];
  #prefixCharacters = 0;
  #tooMany = false;

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on an unknown argument.
   * @throws LimitExceeded on too many arguments.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("expected flush after ls-refs arguments");
    this.#count.add();
    // Prefixes that are dropped are not even decoded.
    if (this.#tooMany && startsWith(line.payload, PREFIX)) return "more";
    const argument = escapedText(chompLine(line.payload));
    if (argument === "peel") this.#peel = true;
    else if (argument === "symrefs") this.#symrefs = true;
    else if (argument === "unborn") this.#unborn = true;
    else if (argument.startsWith(PREFIX)) this.#acceptPrefix(argument.slice(PREFIX.length));
    else throw unexpectedLine(line.payload);
    return "more";
  }

  /** The request, complete once {@link accept} has returned `done`. */
  get result(): LsRefsRequest {
    return { peel: this.#peel, symrefs: this.#symrefs, unborn: this.#unborn, prefixes: this.#prefixes };
  }

  #acceptPrefix(prefix: string): void {
    this.#prefixes.push(prefix);
    this.#prefixCharacters += prefix.length;
    if (this.#prefixes.length < TOO_MANY_PREFIXES && this.#prefixCharacters < TOO_LONG_PREFIXES) return;
    this.#tooMany = true;
    this.#prefixes = [];
  }
}

/** Appends the arguments and their flush-pkt. They follow the head of the request. */
export function formatLsRefsArguments(request: LsRefsRequest, out: PktBuffer): void {
  if (request.peel) out.line("peel\n");
  if (request.symrefs) out.line("symrefs\n");
  if (request.unborn) out.line("unborn\n");
  for (const prefix of request.prefixes) out.begin().text(PREFIX).escaped(prefix).text("\n").end();
  out.flush();
}

/** One ref of the response. */
export type ListedRef = {
  /** The name, as escaped text. */
  readonly name: string;
  /** The raw object name; `undefined` for a symbolic ref to a branch that does not exist. */
  readonly oid: Uint8Array | undefined;
  readonly symrefTarget?: string | undefined;
  readonly peeled?: Uint8Array | undefined;
};

/** Appends one ref. The caller appends a flush-pkt after the last. */
export function formatListedRef(ref: ListedRef, out: PktBuffer): void {
  out.begin();
  if (ref.oid === undefined) out.text("unborn");
  else out.hex(ref.oid);
  out.text(" ").escaped(ref.name);
  if (ref.symrefTarget !== undefined) out.text(" symref-target:").escaped(ref.symrefTarget);
  if (ref.peeled !== undefined) out.text(" peeled:").hex(ref.peeled);
  out.text("\n").end();
}

/**
 * Parses one line of the response. Unknown attributes are ignored.
 *
 * @throws ProtocolError in git's words on a line that does not list a ref.
 */
export function parseListedRef(payload: Uint8Array, format: ObjectFormat): ListedRef {
  const text = escapedText(chompLine(payload));
  const [first = "", name = "", ...attributes] = text.split(" ");
  const oid = parseRawObjectId(payload, 0, format);
  const wellFormed = first === "unborn" || (oid !== undefined && first.length === format.hexSize);
  if (!wellFormed || name === "") throw new ProtocolError(`invalid ls-refs response: ${quoteLine(payload)}`);
  let symrefTarget: string | undefined;
  let peeled: Uint8Array | undefined;
  for (const attribute of attributes) {
    if (attribute.startsWith("symref-target:")) symrefTarget = attribute.slice("symref-target:".length);
    if (attribute.startsWith("peeled:")) peeled = parsePeeled(attribute, format);
  }
  return { name, oid: first === "unborn" ? undefined : oid, symrefTarget, peeled };
}

const encoder = new TextEncoder();

function parsePeeled(attribute: string, format: ObjectFormat): Uint8Array {
  const bytes = encoder.encode(attribute);
  const at = "peeled:".length;
  const peeled = bytes.length === at + format.hexSize ? parseRawObjectId(bytes, at, format) : undefined;
  if (peeled === undefined) throw new ProtocolError(`invalid ls-refs response: ${attribute}`);
  return peeled;
}
