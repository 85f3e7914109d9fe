/**
 * The port to a tenant's SSH keys. A key is to a connection by SSH what a token is to a request by HTTP: it has scopes and
 * repositories, and every use of it asks the tenant whether it is in force.
 *
 * @packageDocumentation
 */
import type { Excess, Page, TokenCheck, TokenRecord } from "./token-store.ts";

/** A registered key. Without `deploys` it is a person's, and with it a deploy key. */
export type SshKeyRecord = Omit<TokenRecord, "children"> & {
  /** `SHA256:` and base64, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  /** A line of `authorized_keys` without its comment. */
  readonly key: string;
  /** The only repository, in lower case, that a deploy key is for. It follows a rename, and goes with the repository. */
  readonly deploys?: string;
};

/** The data of a key that is to be registered. */
export type AddSshKeyRequest = Pick<
  SshKeyRecord,
  "fingerprint" | "key" | "name" | "scopes" | "repos" | "deploys" | "expiresAt" | "createdBy"
>;

/**
 * The result of registering a key. `exists`: it is there already, in the same place and with the same rights; `taken`:
 * the tenant has it elsewhere, or with other rights; `missing`: there is no such tenant or repository; `full`: there are
 * too many; `no-maker` and `excess` are those of a token.
 */
export type AddSshKeyAnswer =
  | { readonly kind: "added" | "exists"; readonly key: SshKeyRecord }
  | { readonly kind: "taken" | "missing" | "full" | "no-maker" }
  | { readonly kind: "excess"; readonly of: Excess };

/** The keys that are listed or removed: those of people, or those of one repository. */
export type SshKeyPlace = { readonly deploys?: string };

/** Bytes of the longest line with a key: an RSA key of 16,384 bits takes less than 3,000. */
export const MOST_SSH_KEY_BYTES = 8192;
/** The maximum number of a tenant's keys, deploy keys counted in. Expired ones make room for new ones. */
export const MOST_SSH_KEYS = 10_000;
/** The maximum number of a repository's deploy keys. */
export const MOST_DEPLOY_KEYS = 100;

/** The SSH keys of one tenant. */
export interface SshKeyStore {
  /**
   * Looks up the key with this fingerprint, if it is in force, and notes its use. `repo` is the repository that it is used
   * on.
   */
  checkSshKey(fingerprint: string, repo?: string): Promise<TokenCheck | undefined>;
  addSshKey(request: AddSshKeyRequest): Promise<AddSshKeyAnswer>;
  /** Lists the keys of a place behind the id `after`, in order; `undefined` if there is no such tenant. */
  sshKeys(place: SshKeyPlace, after: string, limit: number): Promise<Page<SshKeyRecord> | undefined>;
  /** Removes a key of a place: the next look-up does not know it. Returns whether there was one. */
  removeSshKey(place: SshKeyPlace, id: string): Promise<boolean>;
}
