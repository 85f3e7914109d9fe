/**
 * Secrets that have to be used again, so that no hash will do: upstreams' credentials. AES-256-GCM under a key of the deployment,
 * which the Durable Objects that keep them never see.
 *
 * ```text
 * MIRROR_KEYS := key *( "," key )        the first seals; all open, so that a new one can be put in front
 * key         := name ":" 32 bytes in base64
 * data        := nonce (12 bytes) ciphertext tag (16 bytes)       in base64
 * ```
 *
 * @packageDocumentation
 */
import type { SealedSecret } from "../refs/mirror-store.ts";

const NONCE_BYTES = 12;
/** The length of the data that is opened when there is no secret: a nonce, a secret of usual length and a tag. */
const NOTHING_BYTES = NONCE_BYTES + 32 + 16;
const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Returns the deployment's keys, in order.
 *
 * @throws Error if the variable is malformed; the message contains nothing of it.
 */
function parseKeys(text: string): Map<string, Uint8Array<ArrayBuffer>> {
  const keys = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const part of text.split(",")) {
    const [, name, value] = KEY.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined) throw new Error("MIRROR_KEYS is not a list of name:key");
    keys.set(name, new Uint8Array(Buffer.from(value, "base64url")));
  }
  return keys;
}

/** Seals and opens secrets. A secret's context is authenticated with it: moved elsewhere, it does not open. */
export class SecretBox {
  readonly #keys: Map<string, Uint8Array<ArrayBuffer>>;

  /** `keys` is the value of `MIRROR_KEYS`. */
  constructor(keys: string | undefined) {
    this.#keys = keys === undefined || keys === "" ? new Map() : parseKeys(keys);
  }

  /** Whether there is a key. */
  get canSeal(): boolean {
    return this.#keys.size > 0;
  }

  /** Whether a secret was sealed with another key than the first, which is the newest. */
  isStale(secret: SealedSecret): boolean {
    const [first] = this.#keys.keys();
    return secret.key !== first;
  }

  /** Seals a secret for what `context` names. @throws Error if there is no key. */
  async seal(secret: string, context: string): Promise<SealedSecret> {
    const [key] = this.#keys.keys();
    if (key === undefined) throw new Error("there is no key in MIRROR_KEYS");
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(context) };
    const sealed = await crypto.subtle.encrypt(algorithm, await this.#import(key, "encrypt"), encoder.encode(secret));
    return { key, data: Buffer.concat([nonce, new Uint8Array(sealed)]).toString("base64") };
  }

  /** Opens a secret; `undefined` if its key is gone, or if it was not sealed for this context. */
  async open(secret: SealedSecret, context: string): Promise<string | undefined> {
    if (!this.#keys.has(secret.key)) return undefined;
    const bytes = new Uint8Array(Buffer.from(secret.data, "base64"));
    const algorithm = {
      name: "AES-GCM",
      iv: bytes.subarray(0, NONCE_BYTES),
      additionalData: encoder.encode(context),
    };
    try {
      const key = await this.#import(secret.key, "decrypt");
      return decoder.decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(NONCE_BYTES)));
    } catch {
      // WebCrypto only says that it failed, and there is no more to say.
      return undefined;
    }
  }

  /**
   * Does the work of opening a secret when there is none, and returns nothing. So the time that an answer takes does
   * not tell whether there is one.
   */
  async openNothing(): Promise<undefined> {
    const [key] = this.#keys.keys();
    // Without a key, no secret opens either.
    if (key === undefined) return;
    const data = Buffer.from(crypto.getRandomValues(new Uint8Array(NOTHING_BYTES))).toString("base64");
    await this.open({ key, data }, "");
  }

  async #import(name: string, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
    const key = this.#keys.get(name) ?? new Uint8Array(0);
    return await crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);
  }
}
