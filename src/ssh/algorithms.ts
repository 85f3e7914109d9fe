/**
 * What is offered, in order, and what is agreed on.
 *
 * @packageDocumentation
 * @see RFC 4253 section 7.1, RFC 8731, RFC 5656, RFC 8332; OpenSSH's PROTOCOL, section 1.9 (strict key exchange)
 */
import { SshReader } from "../signing/ssh-reader.ts";
import { Disconnect, MESSAGE, message } from "./message.ts";
import type { CipherKind, MacKind } from "./packet-cipher.ts";

/** A key exchange: a curve of the platform's, and how long a public key of it is. */
export type KexKind = {
  readonly algorithm: { readonly name: "X25519" } | { readonly name: "ECDH"; readonly namedCurve: "P-256" };
  readonly publicBytes: number;
};

const X25519: KexKind = { algorithm: { name: "X25519" }, publicBytes: 32 };

/** Key exchanges. All of them hash with SHA-256. */
export const KEX: ReadonlyMap<string, KexKind> = new Map([
  ["curve25519-sha256", X25519],
  ["curve25519-sha256@libssh.org", X25519],
  ["ecdh-sha2-nistp256", { algorithm: { name: "ECDH", namedCurve: "P-256" }, publicBytes: 65 }],
]);

/** Ciphers. */
export const CIPHERS: ReadonlyMap<string, CipherKind> = new Map([
  ["aes256-gcm@openssh.com", { kind: "gcm", name: "aes-256-gcm", keyBytes: 32, ivBytes: 12 }],
  ["aes128-gcm@openssh.com", { kind: "gcm", name: "aes-128-gcm", keyBytes: 16, ivBytes: 12 }],
  ["aes256-ctr", { kind: "ctr", name: "aes-256-ctr", keyBytes: 32, ivBytes: 16 }],
  ["aes128-ctr", { kind: "ctr", name: "aes-128-ctr", keyBytes: 16, ivBytes: 16 }],
]);

/** MACs, for the ciphers that need one. */
export const MACS: ReadonlyMap<string, MacKind> = new Map([
  ["hmac-sha2-256", { hash: "SHA-256", bytes: 32 }],
  ["hmac-sha2-512", { hash: "SHA-512", bytes: 64 }],
]);

/** The algorithms of signatures with which a client may log in, in `server-sig-algs`. SHA-1 is not among them. */
export const SIGNATURE_ALGORITHMS =
  "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," +
  "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";

const COOKIE_BYTES = 16;
const STRICT_SERVER = "kex-strict-s-v00@openssh.com";
const STRICT_CLIENT = "kex-strict-c-v00@openssh.com";

/** Makes the message with which a key exchange begins. `hostKeys`: the algorithms of the host's keys, in order. */
export function kexInit(hostKeys: readonly string[]): Uint8Array<ArrayBuffer> {
  const list = (names: Iterable<string>): string => [...names].join(",");
  const [ciphers, macs] = [list(CIPHERS.keys()), list(MACS.keys())];
  const cookie = { raw: crypto.getRandomValues(new Uint8Array(COOKIE_BYTES)) };
  const kex = list([...KEX.keys(), STRICT_SERVER]);
  const lists = [kex, list(hostKeys), ciphers, ciphers, macs, macs, "none", "none", "", ""];
  return message(MESSAGE.kexInit, cookie, ...lists, false, 0);
}

/** One direction's algorithms. */
export type Direction = { readonly cipher: CipherKind; readonly mac: MacKind | undefined };

/** What both sides have agreed on. */
export type Agreement = {
  readonly kex: KexKind;
  readonly hostKey: string;
  readonly toServer: Direction;
  readonly toClient: Direction;
  /** Whether the client has sent a first message of another key exchange than the one agreed on: it is passed over. */
  readonly skipsNext: boolean;
  /** Whether the client knows the strict key exchange, and `EXT_INFO`. Only its first offer says so. */
  readonly isStrict: boolean;
  readonly takesExtInfo: boolean;
};

/** Returns the first name of the client's that the host has, too. @throws Disconnect if there is none */
function agree(what: string, wanted: readonly string[], has: (name: string) => boolean): string {
  const found = wanted.find((name) => has(name));
  if (found === undefined) throw new Disconnect("keyExchangeFailed", `no ${what} that both sides have`);
  return found;
}

function pick<Kind>(what: string, wanted: readonly string[], kinds: ReadonlyMap<string, Kind>): Kind {
  const kind = kinds.get(agree(what, wanted, (name) => kinds.has(name)));
  if (kind === undefined) throw new TypeError("a map that has a name and no value");
  return kind;
}

function direction(ciphers: readonly string[], macs: readonly string[]): Direction {
  const cipher = pick("cipher", ciphers, CIPHERS);
  return { cipher, mac: cipher.kind === "gcm" ? undefined : pick("MAC", macs, MACS) };
}

/** Compares a client's offer with the host's. @throws Disconnect, MalformedSsh */
export function agreeOn(offer: Uint8Array, hostKeys: readonly string[]): Agreement {
  const reader = new SshReader(offer);
  reader.take(1 + COOKIE_BYTES);
  const list = (): string[] => reader.text().split(",");
  const [kex, keys] = [list(), list()];
  const [ciphersIn, ciphersOut, macsIn, macsOut] = [list(), list(), list(), list()];
  const [compressionIn, compressionOut] = [list(), list()];
  reader.string();
  reader.string();
  const guesses = reader.take(1)[0] !== 0;
  for (const names of [compressionIn, compressionOut]) agree("compression", names, (name) => name === "none");
  const [agreedKex, hostKey] = [
    agree("key exchange", kex, (name) => KEX.has(name)),
    agree("host key", keys, (name) => hostKeys.includes(name)),
  ];
  return {
    kex: pick("key exchange", [agreedKex], KEX),
    hostKey,
    toServer: direction(ciphersIn, macsIn),
    toClient: direction(ciphersOut, macsOut),
    skipsNext: guesses && (kex[0] !== agreedKex || keys[0] !== hostKey),
    isStrict: kex.includes(STRICT_CLIENT),
    takesExtInfo: kex.includes("ext-info-c"),
  };
}
