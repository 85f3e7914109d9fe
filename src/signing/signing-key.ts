/**
 * Public keys that a tenant registers: whose signature on a push is good.
 *
 * @packageDocumentation
 */

/** Kinds of keys whose signatures are verified. */
export type SigningKeyKind = "ssh" | "openpgp";

/** A registered key. */
export type SigningKey = {
  /** `SHA256:` and base64, as `ssh-keygen -l` shows it; of OpenPGP the fingerprint in hex, as `gpg` shows it. */
  readonly fingerprint: string;
  readonly kind: SigningKeyKind;
  /** What its owner calls it. */
  readonly title: string;
  /** The public key: a line as in `authorized_keys`, without its comment, or an armoured block. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
};

/** Bytes of the longest public key taken. An OpenPGP key with its certifications may be long. */
export const MOST_KEY_BYTES = 32_768;
/** The most keys a tenant may register. */
export const MOST_KEYS = 200;

/** What became of a key to be registered; `exists`: it is there already, as it was. */
export type AddKeyAnswer =
  | { readonly kind: "added" | "exists"; readonly key: SigningKey }
  | { readonly kind: "missing" }
  | { readonly kind: "full" };

/** The signing keys of one tenant. */
export interface SigningKeyStore {
  /** Lists all keys, by fingerprint; `undefined` where there is no such tenant. */
  signingKeys(): Promise<readonly SigningKey[] | undefined>;
  addSigningKey(key: Omit<SigningKey, "createdAt">): Promise<AddKeyAnswer>;
  /** From the very next push on the key is not known any more. Gives whether there was one. */
  removeSigningKey(fingerprint: string): Promise<boolean>;
}
