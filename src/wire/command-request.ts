/**
 * The head of a version 2 request: which command, and with what capabilities. The command's own arguments follow.
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

/** What was requested. */
export type CommandRequest =
  | { readonly kind: "empty" }
  | {
      readonly kind: "command";
      /** A command that was offered. */
      readonly command: string;
      /** What the client says it is. */
      readonly agent: string | undefined;
      /** What the client is known by in its own log, as it says; empty where it says nothing behind `session-id`. */
      readonly sessionId: string | undefined;
      /** Strings of the user's for the server, in order. */
      readonly serverOptions: readonly string[];
      /**
       * Whether the command's arguments follow, up to a flush. If not the flush was read: feed the command's parser a
       * `FLUSH_LINE`.
       */
      readonly argumentsFollow: boolean;
    };

const COMMAND_KEY = "command=";

/** Reads the head of a request: up to the delim-pkt, or the flush-pkt where there are no arguments. */
export class CommandRequestParser {
  readonly #context: CapabilityContext;
  #command: string | undefined;
  #agent: string | undefined;
  #sessionId: string | undefined;
  readonly #serverOptions: string[] = [];
  #clientFormat: ObjectFormatName = "sha1";
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

  /** The request; there once {@link accept} has answered `done`. */
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
    // A session id may be empty.
    if (name === "session-id") this.#sessionId = value ?? "";
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
      argumentsFollow,
    };
  }
}

/** What a client puts into the head of its request; only what the server advertised. */
export type CommandRequestHead = {
  readonly command: string;
  readonly agent?: string;
  readonly objectFormat?: ObjectFormatName;
  readonly sessionId?: string;
  readonly serverOptions?: readonly string[];
};

/** Appends the head of a request and the delim-pkt; arguments and a flush-pkt are to follow. */
export function formatCommandRequest(head: CommandRequestHead, out: PktBuffer): void {
  out.line(`${COMMAND_KEY}${head.command}\n`);
  if (head.agent !== undefined) out.line(`agent=${head.agent}`);
  if (head.objectFormat !== undefined) out.line(`object-format=${head.objectFormat}`);
  if (head.sessionId !== undefined) out.line(`session-id=${head.sessionId}`);
  for (const option of head.serverOptions ?? []) out.line(`server-option=${option}`);
  out.delim();
}
