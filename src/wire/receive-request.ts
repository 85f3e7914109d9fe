/**
 * The first part of a push: the refs to update with their old and new values. Push options and the pack follow it.
 *
 * ```text
 * receive-request := *( "shallow" SP oid ) first *command flush         a lone flush: a probe, or nothing to do
 * first           := command NUL capabilities
 * command         := old SP new SP name                                  zeros stand for "no ref"
 * ```
 *
 * A signed push has a certificate in place of all commands: see push-certificate.ts.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git's builtin/receive-pack.c
 */
import { itemAt } from "../bytes/assert.ts";
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import { escapedText } from "../object/escaped-bytes.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { type CapabilityContext, acceptServiceCapabilities } from "./capabilities.ts";
import { CapabilityList } from "./capability-list.ts";
import { ObjectIdList } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeText, startsWith } from "./pkt-line.ts";
import { type PushCertificate, PushCertificateReader } from "./push-certificate.ts";
import { quoteLine, unexpectedPacket } from "./unexpected-line.ts";

const NUL = 0;
const SPACE = 0x20;
const SHALLOW = "shallow ";
/** Bytes of all ref names together. More would not fit into the one call that executes the commands. */
const MAX_NAME_BYTES = 32 * 1024 * 1024;

/** One command of a push. */
export type ReceiveCommand = {
  readonly kind: "create" | "update" | "delete";
  /** The ref name as it was received, as escaped text: not checked (git-check-ref-format(1)), and maybe empty. */
  readonly name: string;
  /** The old object name in hexadecimal; zeros for a creation. */
  readonly oldOid: string;
  /** The new object name in hexadecimal; zeros for a deletion. */
  readonly newOid: string;
};

/** The commands of a push in the client's order. They are kept as bytes, since there may be 100,000. */
export class ReceiveCommandList implements Iterable<ReceiveCommand> {
  /** The old and the new object name of each command in turn. */
  readonly #oids: ObjectIdList;
  readonly #max: number;
  #names: Uint8Array = new Uint8Array(256);
  /** The offset in `#names` at which each ref name ends. */
  readonly #ends: number[] = [];

  /** Creates an empty list. It throws {@link LimitExceeded} when more than `max` commands are added. */
  constructor(format: ObjectFormat, max: number = Number.POSITIVE_INFINITY) {
    this.#oids = new ObjectIdList(format);
    this.#max = max;
  }

  /** The number of commands. */
  get length(): number {
    return this.#ends.length;
  }

  /**
   * Appends the command in `line`. Returns false if it is malformed.
   *
   * @throws LimitExceeded over the list's bound.
   */
  pushLine(line: Uint8Array): boolean {
    if (this.length >= this.#max)
      throw new LimitExceeded("commands", this.#max, `too many commands: more than ${this.#max}`);
    const { hexSize } = this.#oids.format;
    if (line[hexSize] !== SPACE || line[2 * hexSize + 1] !== SPACE) return false;
    if (!this.#oids.pushHexPrefix(line, 0) || !this.#oids.pushHexPrefix(line, hexSize + 1)) return false;
    this.#pushName(line.subarray(2 * hexSize + 2));
    return true;
  }

  /** Returns the command at `index`. @throws Bug outside the list. */
  at(index: number): ReceiveCommand {
    const bytes = this.#names.subarray(index === 0 ? 0 : itemAt(this.#ends, index - 1), itemAt(this.#ends, index));
    const [isCreation, isDeletion] = [isZero(this.oldOidAt(index)), isZero(this.newOidAt(index))];
    return {
      kind: isDeletion ? "delete" : isCreation ? "create" : "update",
      name: escapedText(bytes),
      oldOid: this.#oids.hexAt(2 * index),
      newOid: this.#oids.hexAt(2 * index + 1),
    };
  }

  /**
   * Returns a view of a command's raw old object name, valid until the list grows.
   *
   * @throws RangeError outside the list.
   */
  oldOidAt(index: number): Uint8Array {
    return this.#oids.at(2 * index);
  }

  /**
   * Returns a view of a command's raw new object name, valid until the list grows.
   *
   * @throws RangeError outside the list.
   */
  newOidAt(index: number): Uint8Array {
    return this.#oids.at(2 * index + 1);
  }

  /** Whether every command is a deletion, so that no pack follows. */
  get deletesOnly(): boolean {
    for (let index = 0; index < this.length; index++) if (!isZero(this.newOidAt(index))) return false;
    return true;
  }

  /** Yields each command in order. */
  *[Symbol.iterator](): Generator<ReceiveCommand> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  #pushName(name: Uint8Array): void {
    // The first name begins at the start.
    const start = this.#ends.at(-1) ?? 0;
    const end = start + name.length;
    if (end > MAX_NAME_BYTES)
      throw new LimitExceeded(
        "ref-name-bytes",
        MAX_NAME_BYTES,
        "too many commands: their ref names are too long together",
      );
    if (end > this.#names.length) {
      const grown = new Uint8Array(Math.max(end, this.#names.length * 2));
      grown.set(this.#names.subarray(0, start));
      this.#names = grown;
    }
    this.#names.set(name, start);
    this.#ends.push(end);
  }
}

function isZero(oid: Uint8Array): boolean {
  return oid.every((byte) => byte === 0);
}

/** A parsed receive-request. */
export type ReceiveRequest = {
  /** The commands. An empty list is a probe, or a push with nothing to do. */
  readonly commands: ReceiveCommandList;
  /** The capabilities that the client requested. All of them were offered. */
  readonly capabilities: CapabilityList;
  /** The commits at which the client's own history is cut. */
  readonly shallows: ObjectIdList;
  /** The certificate of a signed push. `commands` has its commands. */
  readonly certificate?: PushCertificate;
};

/**
 * Reads a receive-request up to its flush-pkt. Push options follow if requested, then a pack unless all commands
 * delete.
 */
export class ReceiveRequestParser {
  readonly #context: CapabilityContext;
  readonly #commands: ReceiveCommandList;
  readonly #shallows: ObjectIdList;
  #capabilities: CapabilityList | undefined;
  /** The reader of the certificate whose lines are being received, if any. */
  #open: PushCertificateReader | undefined;
  #certificate: PushCertificate | undefined;

  /** Creates a parser that accepts at most `maxCommands` commands and as many shallow lines. */
  constructor(context: CapabilityContext, maxCommands?: number) {
    const format = objectFormat(context.objectFormat);
    this.#context = context;
    this.#commands = new ReceiveCommandList(format, maxCommands);
    this.#shallows = new ObjectIdList(format, maxCommands);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError on a capability that was not offered, and in git's words on a line that is malformed.
   * @throws LimitExceeded on more commands or shallow lines than are allowed, or names or a certificate that are too
   * long.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") {
      this.#close();
      return "done";
    }
    // C git accepts a delim-pkt as the end, too, but the protocol does not have it.
    if (line.kind !== "data") throw unexpectedPacket(line);
    if (this.#open !== undefined) {
      if (this.#open.accept(line.payload) === "done") this.#close();
      return "more";
    }
    const payload = chompLine(line.payload);
    if (startsWith(payload, SHALLOW)) this.#acceptShallow(payload);
    else this.#acceptCommand(payload);
    return "more";
  }

  /** The request, complete once {@link accept} has returned `done`. */
  get result(): ReceiveRequest {
    return {
      commands: this.#commands,
      capabilities: this.#capabilities ?? new CapabilityList(),
      shallows: this.#shallows,
      ...(this.#certificate === undefined ? {} : { certificate: this.#certificate }),
    };
  }

  /** Ends the open certificate, if any, and takes its commands as those of the push. */
  #close(): void {
    if (this.#open === undefined) return;
    const certificate = this.#open.result();
    this.#open = undefined;
    this.#certificate = certificate;
    for (const command of certificate.commands) this.#push(command);
  }

  #acceptShallow(payload: Uint8Array): void {
    if (this.#shallows.pushHex(payload, SHALLOW.length)) return;
    throw new ProtocolError(
      `protocol error: expected shallow sha, got '${quoteLine(payload.subarray(SHALLOW.length))}'`,
    );
  }

  #acceptCommand(payload: Uint8Array): void {
    const nul = payload.indexOf(NUL);
    const command = nul < 0 ? payload : payload.subarray(0, nul);
    if (nul >= 0) this.#acceptCapabilities(payload.subarray(nul + 1));
    this.#capabilities ??= new CapabilityList();
    const isCertificate = decodeText(command) === "push-cert";
    if (this.#certificate !== undefined || (isCertificate && this.#commands.length > 0)) {
      throw new ProtocolError("protocol error: got both push certificate and unsigned commands");
    }
    if (isCertificate) this.#open = new PushCertificateReader();
    else this.#push(command);
  }

  #push(command: Uint8Array): void {
    if (this.#commands.pushLine(command)) return;
    throw new ProtocolError(`protocol error: expected old/new/ref, got '${quoteLine(command)}'`);
  }

  #acceptCapabilities(text: Uint8Array): void {
    // C git reads capabilities behind any NUL, and so cuts a ref name that has one.
    if (this.#capabilities !== undefined)
      throw new ProtocolError("protocol error: a NUL in a command behind the first");
    if (text.includes(NUL)) throw new ProtocolError("protocol error: a NUL in the capabilities");
    this.#capabilities = acceptServiceCapabilities("receive-pack", this.#context, decodeText(text));
  }
}

/** A receive-request as a client composes it. */
export type ReceiveRequestMessage = {
  readonly commands: Iterable<Pick<ReceiveCommand, "name" | "oldOid" | "newOid">>;
  /** The text behind the NUL, which git's client starts with a space. */
  readonly capabilities: string;
  readonly shallows?: Iterable<Uint8Array>;
};

/** Appends a receive-request with its flush-pkt. */
export function formatReceiveRequest(request: ReceiveRequestMessage, out: PktBuffer): void {
  for (const oid of request.shallows ?? []) out.begin().text(SHALLOW).hex(oid).end();
  let capabilities = `\0${request.capabilities}`;
  for (const { name, oldOid, newOid } of request.commands) {
    out.begin().text(`${oldOid} ${newOid} `).escaped(name).text(capabilities).end();
    capabilities = "";
  }
  out.flush();
}
