/**
 * A key exchange by elliptic curves, on the host's side.
 *
 * @packageDocumentation
 * @see RFC 4253 sections 7.2 and 8, RFC 5656 section 4, RFC 8731
 */
import { createHash } from "node:crypto";
import { concat } from "../bytes/chunk.ts";
import { encodeMpint, encodeSshString, SshReader } from "../signing/ssh-reader.ts";
import type { Agreement, Direction } from "./algorithms.ts";
import type { HostKey } from "./host-key.ts";
import { Disconnect, MESSAGE, message } from "./message.ts";
import type { CipherKeys } from "./packet-cipher.ts";

/** What both sides have said before the exchange; all of it is signed. */
export type Transcript = {
  readonly clientIdentification: Uint8Array;
  readonly hostIdentification: Uint8Array;
  readonly clientInit: Uint8Array;
  readonly hostInit: Uint8Array;
};

/** What an exchange has brought. */
export type ExchangedKeys = {
  /** The answer to the client. */
  readonly reply: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly toServer: CipherKeys;
  readonly toClient: CipherKeys;
};

/** Bits of a secret of either curve. */
const SECRET_BITS = 256;

/** Returns the host's part, and the secret that it shares with the client. @throws Disconnect */
async function agreeSecretly(
  { kex }: Agreement,
  theirs: Uint8Array<ArrayBuffer>,
): Promise<{ readonly ours: Uint8Array; readonly secret: Uint8Array }> {
  const { subtle } = crypto;
  if (theirs.length !== kex.publicBytes) throw new Disconnect("keyExchangeFailed", "a public key of another length");
  const pair = await subtle.generateKey(kex.algorithm, true, ["deriveBits"]);
  if (!("publicKey" in pair)) throw new TypeError("no pair of keys");
  const exported = await subtle.exportKey("raw", pair.publicKey);
  if (!(exported instanceof ArrayBuffer)) throw new TypeError("a raw key that is no bytes");
  const ours = new Uint8Array(exported);
  try {
    const peer = await subtle.importKey("raw", theirs, kex.algorithm, false, []);
    // The platform's types have another name for `public`.
    const derivation = { name: kex.algorithm.name, public: peer };
    const bits = await subtle.deriveBits(derivation, pair.privateKey, SECRET_BITS);
    const secret = new Uint8Array(bits);
    // A point of small order gives a secret that everybody knows. RFC 7748, section 6.1.
    if (secret.every((byte) => byte === 0)) throw new RangeError("a secret of zeros");
    return { ours, secret };
  } catch (cause) {
    throw new Disconnect("keyExchangeFailed", "a public key that is none", { cause });
  }
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The letters by which the six keys differ. RFC 4253, section 7.2. */
const LETTERS = { toServer: ["A", "C", "E"], toClient: ["B", "D", "F"] } as const;

/** Derives the keys of both directions. */
class Derivation {
  readonly #secret: Uint8Array;
  readonly #hash: Uint8Array;
  readonly #sessionId: Uint8Array;

  constructor(secret: Uint8Array, hash: Uint8Array, sessionId: Uint8Array) {
    this.#secret = encodeMpint(secret);
    this.#hash = hash;
    this.#sessionId = sessionId;
  }

  #derive(letter: string, bytes: number): Uint8Array {
    let key = sha256(this.#secret, this.#hash, new TextEncoder().encode(letter), this.#sessionId);
    while (key.length < bytes) key = concat([key, sha256(this.#secret, this.#hash, key)]);
    return key.subarray(0, bytes);
  }

  keys(way: keyof typeof LETTERS, { cipher, mac }: Direction): CipherKeys {
    const [iv, key, macKey] = LETTERS[way];
    return {
      cipher,
      mac,
      iv: this.#derive(iv, cipher.ivBytes),
      key: this.#derive(key, cipher.keyBytes),
      macKey: this.#derive(macKey, mac?.bytes ?? 0), // A cipher with a tag has no MAC.
    };
  }
}

/**
 * Answers the client's part of an exchange. `sessionId` is that of the connection, which its first exchange makes.
 *
 * @throws Disconnect, MalformedSsh
 */
export async function exchangeKeys(
  agreement: Agreement,
  {
    transcript,
    hostKey,
    init,
    sessionId,
  }: {
    readonly transcript: Transcript;
    readonly hostKey: HostKey;
    /** The client's message with its public key. */
    readonly init: Uint8Array;
    readonly sessionId: Uint8Array | undefined;
  },
): Promise<ExchangedKeys> {
  const reader = new SshReader(init.subarray(1));
  const theirs = reader.string().slice();
  reader.end();
  const { ours, secret } = await agreeSecretly(agreement, theirs);
  const { clientIdentification, hostIdentification, clientInit, hostInit } = transcript;
  const said = [clientIdentification, hostIdentification, clientInit, hostInit, hostKey.blob, theirs, ours];
  const hash = sha256(...said.map((part) => encodeSshString(part)), encodeMpint(secret));
  const derivation = new Derivation(secret, hash, sessionId ?? hash);
  return {
    reply: message(MESSAGE.kexEcdhReply, hostKey.blob, ours, await hostKey.sign(hash)),
    sessionId: sessionId ?? hash,
    toServer: derivation.keys("toServer", agreement.toServer),
    toClient: derivation.keys("toClient", agreement.toClient),
  };
}
