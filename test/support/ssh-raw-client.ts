/**
 * A client of SSH that says whatever a test wants, over memory and not over a socket.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import type { ByteSink, ByteSource } from "../../src/bytes/byte-stream.ts";
import { concat } from "../../src/bytes/chunk.ts";
import { Pacer } from "../../src/bytes/pacer.ts";
import { encodeMpint, encodeSshString, SshReader } from "../../src/signing/ssh-reader.ts";
import { agreeOn, CIPHERS, KEX, MACS } from "../../src/ssh/algorithms.ts";
import type { RunSession } from "../../src/ssh/connection.ts";
import { readHostKeys } from "../../src/ssh/host-key.ts";
import { type Field, MESSAGE, message } from "../../src/ssh/message.ts";
import { openerOf, sealerOf } from "../../src/ssh/packet-cipher.ts";
import { type Packet, PacketInput, PacketOutput } from "../../src/ssh/packet-stream.ts";
import { serveSsh, type SshEnd } from "../../src/ssh/ssh-server.ts";
import type { TransportOptions } from "../../src/ssh/transport.ts";
import { makeSshHostKeys } from "../../scripts/ssh-host-keys.ts";

/** One way of a connection in memory. */
class Pipe implements ByteSource, ByteSink {
  readonly #chunks: Uint8Array[] = [];
  #isClosed = false;
  #changed = Promise.withResolvers<void>();
  /** Set to have writes wait, as for a client that reads nothing. */
  isStopped = false;
  written = 0;

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const [first] = this.#chunks;
      if (first !== undefined) {
        const length = Math.min(first.length, buffer.length);
        buffer.set(first.subarray(0, length));
        if (length === first.length) this.#chunks.shift();
        else this.#chunks[0] = first.subarray(length);
        return buffer.subarray(0, length);
      }
      if (this.#isClosed) return buffer.subarray(0, 0);
      await this.#changed.promise;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    while (this.isStopped && !this.#isClosed) await this.#changed.promise;
    if (this.#isClosed) throw new Error("closed");
    this.written += bytes.length;
    if (bytes.length > 0) this.#chunks.push(bytes.slice());
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

const hostKeys = await readHostKeys(makeSshHostKeys());
const encoder = new TextEncoder();

/** A client. */
export class RawSshClient {
  readonly toHost = new Pipe();
  readonly toClient = new Pipe();
  readonly input = new PacketInput(this.toClient);
  readonly output = new PacketOutput(this.toHost);
  /** How the host ends the connection. */
  readonly end: Promise<SshEnd>;
  readonly identification = "SSH-2.0-raw";
  #sessionId: Uint8Array | undefined;
  #hostIdentification: Uint8Array = new Uint8Array(0);

  constructor(run: RunSession = async () => 0, options: Partial<TransportOptions> = {}) {
    const { toHost, toClient } = this;
    const client = {
      input: toHost,
      output: toClient,
      close: () => {
        toHost.close();
        toClient.close();
      },
    };
    const pacer = new Pacer(async () => undefined);
    this.end = serveSsh(client, { hostKeys, software: "thinpack_test", pacer, run, ...options });
  }

  /** Sends bytes as they are. */
  raw(bytes: string | Uint8Array): void {
    this.output.raw(typeof bytes === "string" ? encoder.encode(bytes) : bytes);
  }

  send(type: number, ...fields: readonly Field[]): void {
    this.output.send(message(type, ...fields));
  }

  /** Returns the next message of a type, passing others over. */
  async next(type: number): Promise<SshReader> {
    for (;;) {
      const { payload } = await this.input.packet();
      const reader = new SshReader(payload.slice(1));
      if (payload[0] === type) return reader;
      if (payload[0] === MESSAGE.disconnect)
        throw new Error(`the host has ended it: ${reader.number()}, ${reader.text()}`);
    }
  }

  /** Returns the reason with which the host ends the connection. */
  async reason(): Promise<number> {
    return (await this.next(MESSAGE.disconnect)).number();
  }

  /** Exchanges names. */
  async greet(): Promise<void> {
    this.raw(`${this.identification}\r\n`);
    this.#hostIdentification = await this.input.identification();
  }

  /** The message that offers algorithms. */
  offer({ strict = true, kex = [...KEX.keys()], cipher = [...CIPHERS.keys()], follows = false } = {}): Uint8Array {
    const list = (names: readonly string[]): string => names.join(",");
    const more = strict ? ["kex-strict-c-v00@openssh.com", "ext-info-c"] : [];
    const names = [list([...kex, ...more]), "ssh-ed25519,ecdsa-sha2-nistp256"];
    const macs = list([...MACS.keys()]);
    const rest = [list(cipher), list(cipher), macs, macs, "none", "none", "", ""];
    return message(MESSAGE.kexInit, { raw: new Uint8Array(16) }, ...names, ...rest, follows, 0);
  }

  /** Exchanges keys. `hostInit` is given if the host's offer was read already. */
  async exchange(offer = this.offer(), hostInit?: Packet): Promise<void> {
    this.output.send(offer);
    const theirs = (hostInit ?? (await this.input.packet())).payload.slice();
    const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
    if (!("publicKey" in pair)) throw new TypeError("no pair");
    const ours = await rawKey(pair.publicKey);
    this.send(MESSAGE.kexEcdhInit, ours);
    const reply = await this.next(MESSAGE.kexEcdhReply);
    const [hostKey, hostPart] = [reply.string(), reply.string()];
    const peer = await crypto.subtle.importKey("raw", hostPart.slice(), { name: "X25519" }, false, []);
    const derivation = { name: "X25519", public: peer };
    const secret = encodeMpint(new Uint8Array(await crypto.subtle.deriveBits(derivation, pair.privateKey, 256)));
    const said = [
      encoder.encode(this.identification),
      this.#hostIdentification,
      offer,
      theirs,
      hostKey,
      ours,
      hostPart,
    ];
    const hash = sha256(...said.map((part) => encodeSshString(part)), secret);
    this.#sessionId ??= hash;
    const agreement = agreeOn(offer, ["ssh-ed25519", "ecdsa-sha2-nistp256"]);
    const derive = (letter: string, bytes: number): Uint8Array => {
      let key = sha256(secret, hash, encoder.encode(letter), this.#sessionId ?? hash);
      while (key.length < bytes) key = concat([key, sha256(secret, hash, key)]);
      return key.subarray(0, bytes);
    };
    const keys = ([iv, key, mac]: readonly [string, string, string], way: "toServer" | "toClient") => ({
      ...agreement[way],
      iv: derive(iv, agreement[way].cipher.ivBytes),
      key: derive(key, agreement[way].cipher.keyBytes),
      macKey: derive(mac, agreement[way].mac?.bytes ?? 0),
    });
    await this.next(MESSAGE.newKeys);
    this.send(MESSAGE.newKeys);
    this.output.rekey(await sealerOf(keys(["A", "C", "E"], "toServer")), agreement.isStrict);
    this.input.rekey(await openerOf(keys(["B", "D", "F"], "toClient")), agreement.isStrict);
  }

  /** Greets and exchanges keys. */
  async connect(): Promise<this> {
    await this.greet();
    await this.exchange();
    return this;
  }

  /** Makes a request to log in with a key of its own, signed. `spoil` changes the signature. */
  async loginRequest({ user = "git", spoil = false } = {}): Promise<Uint8Array> {
    const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
    if (!("publicKey" in pair)) throw new TypeError("no pair");
    const blob = concat([encodeSshString("ssh-ed25519"), encodeSshString(await rawKey(pair.publicKey))]);
    const asked = message(MESSAGE.userauthRequest, user, "ssh-connection", "publickey", true, "ssh-ed25519", blob);
    const signed = concat([encodeSshString(this.#sessionId ?? new Uint8Array(0)), asked]);
    const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, signed));
    if (spoil) signature[0] = (signature[0] ?? 0) ^ 1;
    const value = concat([encodeSshString("ssh-ed25519"), encodeSshString(signature)]);
    return concat([asked, encodeSshString(value)]);
  }

  /** Connects and logs in. */
  async logIn(): Promise<this> {
    await this.connect();
    this.send(MESSAGE.serviceRequest, "ssh-userauth");
    await this.next(MESSAGE.serviceAccept);
    this.output.send(await this.loginRequest());
    await this.next(MESSAGE.userauthSuccess);
    return this;
  }

  /** Opens a session, and returns the host's number of it. */
  async open(peer = 0, window = 2 ** 20, packetBytes = 32_768): Promise<number> {
    this.send(MESSAGE.channelOpen, "session", peer, window, packetBytes);
    const reader = await this.next(MESSAGE.channelOpenConfirmation);
    reader.number();
    return reader.number();
  }
}

async function rawKey(key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const exported = await crypto.subtle.exportKey("raw", key);
  if (!(exported instanceof ArrayBuffer)) throw new TypeError("no bytes");
  return new Uint8Array(exported);
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
