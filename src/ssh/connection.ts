/**
 * What a client that has logged in may ask for: sessions, each of which runs one command. No shell, no terminal, no
 * subsystem, no forwarding.
 *
 * @packageDocumentation
 * @see RFC 4254, OpenSSH's PROTOCOL
 */
import { u8At } from "../bytes/assert.ts";
import { SshReader } from "../signing/ssh-reader.ts";
import type { LoginKey } from "./authentication.ts";
import { Channel } from "./channel.ts";
import { Disconnect, MESSAGE, message, OPEN_FAILURE } from "./message.ts";
import type { Packet } from "./packet-stream.ts";
import { DATA_BYTES, MOST_CHANNELS, MOST_COMMAND, WINDOW } from "./ssh-limits.ts";
import type { Transport } from "./transport.ts";

/** A command that a client wants to run. */
export type SshSession = Pick<Channel, "input" | "output" | "errors" | "widen"> & {
  /** `undefined` if the client wants a shell. */
  readonly command: string | undefined;
  /** The variables that were asked for and are among {@link VARIABLES}. */
  readonly environment: ReadonlyMap<string, string>;
  readonly key: LoginKey;
  /** The client's own name and version, such as `OpenSSH_9.2p1`. */
  readonly software: string;
  /** Aborted when the client has closed the session, or is gone. */
  readonly signal: AbortSignal;
};

/** Runs a command, and returns its exit status. It throws nothing. */
export type RunSession = (session: SshSession) => Promise<number>;

/** The variables that a client may set. */
const VARIABLES: ReadonlySet<string> = new Set(["GIT_PROTOCOL"]);
/** Channels that would lead elsewhere. */
const FORWARDING = /^(?:direct-|forwarded-|x11|tun@|auth-agent)/;

type OpenChannel = {
  readonly channel: Channel;
  readonly environment: Map<string, string>;
  readonly gone: AbortController;
  /** Whether a command runs, or ran. */
  isUsed: boolean;
  /** Whether the host has closed it: the client has to do so, too. */
  isClosed: boolean;
};

/** The sessions of one connection. */
export class Connection {
  readonly #transport: Transport;
  readonly #key: LoginKey;
  readonly #run: RunSession;
  readonly #channels = new Map<number, OpenChannel>();
  readonly #running = new Set<Promise<void>>();
  #next = 0;
  #isClosedToSessions = false;
  /** When there was a session last, in milliseconds since the epoch. */
  usedAt = Date.now();

  constructor(transport: Transport, key: LoginKey, run: RunSession) {
    this.#transport = transport;
    this.#key = key;
    this.#run = run;
  }

  /** Whether there is a session. */
  get isBusy(): boolean {
    return this.#channels.size > 0;
  }

  /** Answers one message. @throws Disconnect, MalformedSsh */
  handle(packet: Packet): void {
    const { payload } = packet;
    const reader = new SshReader(payload.subarray(1));
    switch (u8At(payload, 0)) {
      case MESSAGE.globalRequest:
        return this.#global(reader);
      case MESSAGE.channelOpen:
        return this.#open(reader);
      case MESSAGE.channelWindowAdjust:
        return this.#channel(reader).channel.opened(reader.number());
      case MESSAGE.channelData:
        return this.#data(reader);
      case MESSAGE.channelEof:
        return this.#channel(reader).channel.end();
      case MESSAGE.channelClose:
        return this.#close(reader);
      case MESSAGE.channelRequest:
        return this.#request(reader);
      // The answer to a question for a sign of life. Nobody logs in twice, and a client has no errors to send.
      case MESSAGE.requestSuccess:
      case MESSAGE.requestFailure:
      case MESSAGE.channelExtendedData:
      case MESSAGE.userauthRequest:
      case MESSAGE.extInfo:
        return;
      default:
        this.#transport.unimplemented(packet);
    }
  }

  /** Ends all sessions, and waits until they have noticed. */
  async end(): Promise<void> {
    for (const { channel, gone } of this.#channels.values()) {
      gone.abort();
      channel.close();
    }
    await Promise.all(this.#running);
  }

  #global(reader: SshReader): void {
    const name = reader.text();
    const wantsReply = reader.take(1)[0] !== 0;
    if (name === "no-more-sessions@openssh.com") this.#isClosedToSessions = true;
    if (wantsReply) this.#transport.post(message(MESSAGE.requestFailure));
  }

  #open(reader: SshReader): void {
    const type = reader.text();
    const [peer, window, packetBytes] = [reader.number(), reader.number(), reader.number()];
    const refusal = this.#refusal(type, packetBytes);
    if (refusal !== undefined) {
      const [reason, why] = refusal;
      this.#transport.post(message(MESSAGE.channelOpenFailure, peer, OPEN_FAILURE[reason], why, ""));
      return;
    }
    const id = this.#next;
    this.#next = (id + 1) % 2 ** 32;
    const channel = new Channel(this.#transport, { peer, window, packetBytes });
    const gone = new AbortController();
    this.#channels.set(id, { channel, environment: new Map(), gone, isUsed: false, isClosed: false });
    this.#transport.post(message(MESSAGE.channelOpenConfirmation, peer, id, WINDOW, DATA_BYTES));
  }

  #refusal(type: string, packetBytes: number): readonly [keyof typeof OPEN_FAILURE, string] | undefined {
    if (FORWARDING.test(type)) return ["prohibited", "nothing is forwarded here"];
    if (type !== "session") return ["unknownType", "only sessions are known"];
    if (this.#isClosedToSessions) return ["prohibited", "no more sessions, as was asked for"];
    // A command may go on for a moment after its client has closed it.
    const isFull = this.#channels.size >= MOST_CHANNELS || this.#running.size >= 2 * MOST_CHANNELS;
    if (isFull) return ["shortage", `${MOST_CHANNELS} sessions are open`];
    return packetBytes === 0 ? ["connectFailed", "packets of no bytes"] : undefined;
  }

  /** @throws Disconnect if the client has no such channel open */
  #channel(reader: SshReader): OpenChannel {
    const found = this.#channels.get(reader.number());
    if (found === undefined) throw new Disconnect("protocolError", "a channel that is not open");
    return found;
  }

  #data(reader: SshReader): void {
    const { channel, isUsed, isClosed } = this.#channel(reader);
    const data = reader.string();
    reader.end();
    if (!isUsed) throw new Disconnect("protocolError", "data without a command");
    // What is still on its way to a command that has ended is dropped.
    if (!isClosed) channel.arrive(data);
  }

  #close(reader: SshReader): void {
    const id = reader.number();
    const found = this.#channels.get(id);
    if (found === undefined) throw new Disconnect("protocolError", "a channel that is not open");
    this.#channels.delete(id);
    this.usedAt = Date.now();
    found.gone.abort();
    found.channel.close();
    if (!found.isClosed) this.#transport.post(message(MESSAGE.channelClose, found.channel.peer));
    found.isClosed = true;
  }

  #request(reader: SshReader): void {
    const open = this.#channel(reader);
    const type = reader.text();
    const wantsReply = reader.take(1)[0] !== 0;
    const isTaken = this.#takes(open, type, reader);
    if (open.isClosed || !wantsReply) return;
    const { peer } = open.channel;
    this.#transport.post(message(isTaken ? MESSAGE.channelSuccess : MESSAGE.channelFailure, peer));
  }

  /** Does what is asked, if it is known. */
  #takes(open: OpenChannel, type: string, reader: SshReader): boolean {
    switch (type) {
      case "env":
        return setVariable(open, reader);
      case "exec":
        return this.#begin(open, boundedText(reader));
      case "shell":
        return this.#begin(open, undefined);
      default:
        return false;
    }
  }

  #begin(open: OpenChannel, command: string | undefined): boolean {
    if (open.isUsed) return false;
    open.isUsed = true;
    // A connection without a session has small buffers.
    this.#transport.widen();
    // It begins in its own time: the answer that it may begin goes first.
    const running = Promise.resolve()
      .then(() => this.#serve(open, command))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    return true;
  }

  async #serve(open: OpenChannel, command: string | undefined): Promise<void> {
    const { channel, environment, gone } = open;
    const { input, output, errors, peer } = channel;
    const widen = (window: number): void => channel.widen(window);
    const status = await this.#run({
      command,
      environment,
      key: this.#key,
      software: this.#transport.clientSoftware,
      input,
      output,
      errors,
      widen,
      signal: gone.signal,
    });
    try {
      if (open.isClosed) return;
      await this.#transport.send(message(MESSAGE.channelEof, peer));
      await this.#transport.send(message(MESSAGE.channelRequest, peer, "exit-status", false, status));
      // The client may have closed it meanwhile.
      if (!open.isClosed) await this.#transport.send(message(MESSAGE.channelClose, peer));
      open.isClosed = true;
    } catch {
      // The connection is gone, and its loop has noticed.
    }
  }
}

/** Reads a text of bounded length. @throws Disconnect */
function boundedText(reader: SshReader): string {
  const text = reader.text();
  if (text.length > MOST_COMMAND) throw new Disconnect("protocolError", "a command that is too long");
  return text;
}

function setVariable({ environment, isUsed }: OpenChannel, reader: SshReader): boolean {
  const [name, value] = [boundedText(reader), boundedText(reader)];
  if (isUsed || !VARIABLES.has(name)) return false;
  environment.set(name, value);
  return true;
}
