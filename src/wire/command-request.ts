/**
 * The head of a version 2 request: the command and the capabilities. The command's own arguments follow.
 *
 * ```text
 * request := flush                                                    the client is done
 *          | *( "command=" name | capability ) [ delim *argument ] flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's serve.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormatName } from "../object/object-id.ts";
import { type CapabilityContext, advertised, findCapability } from "./capabilities.ts";
import { parseCapability } from "./capability-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, decodeLine } from "./pkt-line.ts";
import { acceptsOffer } from "./promisor-remote.ts";

/** The parsed head of a request. `empty` is a lone flush-pkt. */
export type CommandRequest =
  | { readonly kind: "empty" }
  | {
      readonly kind: "command";
      /** The command, which is one that was offered. */
      readonly command: string;
      /** The client's name and version, as the client states them. */
      readonly agent: string | undefined;
      /** The client's name for this session in its own log; empty if `session-id` came without a value. */
      readonly sessionId: string | undefined;
      /** The strings that the user sends to the server (`--server-option`), in order. */
      readonly serverOptions: readonly string[];
      /** Whether the client takes what this host offers as a promisor remote. */
      readonly acceptsPromisor: boolean;
      /**
       * Whether the command's arguments follow, up to a flush-pkt. If not, that flush-pkt has been read already: the
       * caller feeds a `FLUSH_LINE` to the command's parser.
       */
      readonly argumentsFollow: boolean;
    };

const COMMAND_KEY = "command=";

/** Reads the head of a request, up to the delim-pkt, or up to the flush-pkt if there are no arguments. */
export class CommandRequestParser {
  readonly #context: CapabilityContext;
  #command: string | undefined;
  #agent: string | undefined;
  #sessionId: string | undefined;
  readonly #serverOptions: string[] = [];
  #clientFormat: ObjectFormatName = "sha1";
  #acceptsPromisor = false;
  #seenAny = false;
  #result: CommandRequest | undefined;

  constructor(context: CapabilityContext) {
    this.#context = context;
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on a command or capability that was not offered.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "data") {
      this.#acceptKey(decodeLine(line.payload));
      this.#seenAny = true;
      return "more";
    }
    if (line.kind === "response-end") throw new ProtocolError("unexpected response end packet");
    const isEmpty = line.kind === "flush" && !this.#seenAny;
    this.#result = isEmpty ? { kind: "empty" } : this.#finish(line.kind === "delim");
    return "done";
  }

  /** The request, once {@link accept} has returned `done`. @throws ProtocolError before that. */
  get result(): CommandRequest {
    if (this.#result === undefined) throw new ProtocolError("the remote end hung up unexpectedly");
    return this.#result;
  }

  #acceptKey(key: string): void {
    if (key.startsWith(COMMAND_KEY)) this.#acceptCommand(key.slice(COMMAND_KEY.length));
    else this.#acceptCapability(key);
  }

  #acceptCommand(name: string): void {
    if (this.#command !== undefined) {
      throw new ProtocolError(`command '${name}' requested after already requesting command '${this.#command}'`);
    }
    const row = findCapability("v2", name);
    if (row?.command !== true || advertised(row, this.#context).length === 0) {
      throw new ProtocolError(`invalid command '${name}'`);
    }
    this.#command = name;
  }

  #acceptCapability(key: string): void {
    const { name, value } = parseCapability(key);
    const row = findCapability("v2", name);
    if (row === undefined || row.command === true || advertised(row, this.#context).length === 0) {
      throw new ProtocolError(`unknown capability '${key}'`);
    }
    if (name === "agent") this.#agent = value;
    if (name === "object-format") this.#acceptObjectFormat(value);
    // `session-id` without a value is the empty session id.
    if (name === "session-id") this.#sessionId = value ?? "";
    if (name === "promisor-remote" && value !== undefined) this.#acceptsPromisor = acceptsOffer(value);
    if (name === "server-option" && value !== undefined) this.#serverOptions.push(value);
  }

  #acceptObjectFormat(value: string | undefined): void {
    if (value === undefined) throw new ProtocolError("object-format capability requires an argument");
    if (value !== "sha1" && value !== "sha256") throw new ProtocolError(`unknown object format '${value}'`);
    this.#clientFormat = value;
  }

  #finish(argumentsFollow: boolean): CommandRequest {
    if (this.#command === undefined) throw new ProtocolError("no command requested");
    const { objectFormat } = this.#context;
    if (this.#clientFormat !== objectFormat) {
      throw new ProtocolError(`mismatched object format: server ${objectFormat}; client ${this.#clientFormat}`);
    }
    return {
      kind: "command",
      command: this.#command,
      agent: this.#agent,
      sessionId: this.#sessionId,
      serverOptions: this.#serverOptions,
      acceptsPromisor: this.#acceptsPromisor,
      argumentsFollow,
    };
  }
}

/** The fields that a client puts into the head of its request. A client sends only what the server advertised. */
export type CommandRequestHead = {
  readonly command: string;
  readonly agent?: string;
  readonly objectFormat?: ObjectFormatName;
  readonly sessionId?: string;
  readonly serverOptions?: readonly string[];
};

/** Appends the head of a request and the delim-pkt. The caller appends arguments and a flush-pkt. */
export function formatCommandRequest(head: CommandRequestHead, out: PktBuffer): void {
  out.line(`${COMMAND_KEY}${head.command}\n`);
  if (head.agent !== undefined) out.line(`agent=${head.agent}`);
  if (head.objectFormat !== undefined) out.line(`object-format=${head.objectFormat}`);
  if (head.sessionId !== undefined) out.line(`session-id=${head.sessionId}`);
  for (const option of head.serverOptions ?? []) out.line(`server-option=${option}`);
  out.delim();
}
