/**
 * The public keys that a tenant registers. A signature on a push is good if one of these keys made it.
 *
 * @packageDocumentation
 */

/** The kinds of keys whose signatures are verified. */
export type SigningKeyKind = "ssh" | "openpgp";

/** A registered key. */
export type SigningKey = {
  /**
   * SSH: `SHA256:` and base64, as `ssh-keygen -l` shows it. OpenPGP: the fingerprint in hexadecimal, as `gpg` shows it.
   */
  readonly fingerprint: string;
  readonly kind: SigningKeyKind;
  /** The name that its owner gave it. */
  readonly title: string;
  /** The public key: a line as in `authorized_keys` without its comment, or an armoured block. */
  readonly key: string;
  /** The time of registration, in milliseconds since the epoch. */
  readonly createdAt: number;
};

/** Bytes of the longest public key that is accepted. An OpenPGP key with its certifications may be long. */
export const MOST_KEY_BYTES = 32_768;
/** The maximum number of keys of a tenant. */
export const MOST_KEYS = 200;

/**
 * The result of registering a key. `exists`: it was registered before and is unchanged; `missing`: there is no such
 * tenant.
 */
export type AddKeyAnswer =
  | { readonly kind: "added" | "exists"; readonly key: SigningKey }
  | { readonly kind: "missing" }
  | { readonly kind: "full" };

/** A key that signs for a tenant. */
export type HostSigner = {
  readonly kind: SigningKeyKind;
  /**
   * The private half: PKCS #8, in base64. That of an OpenPGP key stands behind the fingerprint of the key or subkey that it
   * is of, and a space.
   */
  readonly secret: string;
  /** A line as in `authorized_keys` without its comment, or an armoured block. */
  readonly publicKey: string;
};

/** Signs a message with a key that was opened. Returns the armoured signature. `now` is in milliseconds since the epoch. */
export type SignMessage = (message: Uint8Array, now: number) => Promise<string>;

/** A key that is to sign for a tenant, with its fingerprint as in {@link SigningKey}. */
export type NewSigner = HostSigner & { readonly fingerprint: string };

/** A secret that is sealed under a key of the deployment, which it names. */
type Sealed = { readonly key: string; readonly data: string };

/** The key with which the host signs what it makes for a tenant. Its private half is sealed, and only requests open it. */
export type HostKey = Omit<NewSigner, "secret"> & {
  readonly sealed: Sealed;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
};

/** The signing keys of one tenant. */
export interface SigningKeyStore {
  /** Returns all keys in the order of their fingerprints; `undefined` if there is no such tenant. */
  signingKeys(): Promise<readonly SigningKey[] | undefined>;
  addSigningKey(key: Omit<SigningKey, "createdAt">): Promise<AddKeyAnswer>;
  /** Removes a key, so that the very next push does not know it any more. Returns whether there was one. */
  removeSigningKey(fingerprint: string): Promise<boolean>;
  /** Returns the key with which the host signs; `undefined` if there is none. */
  hostKey(): Promise<HostKey | undefined>;
  /** Sets that key, in place of another, or removes it. Returns whether there is such a tenant, or such a key to be removed. */
  changeHostKey(key: HostKey | undefined): Promise<boolean>;
  /** Replaces the private half of that key, if it is still sealed as `old`, by the same that is sealed anew. */
  resealHostKey(old: Sealed, fresh: Sealed): Promise<void>;
}
