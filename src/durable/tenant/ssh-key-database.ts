/**
 * The SSH keys of a tenant on a SQL database.
 *
 * @packageDocumentation
 */
import {
  type AddSshKeyAnswer,
  type AddSshKeyRequest,
  MOST_DEPLOY_KEYS,
  MOST_SSH_KEYS,
  type SshKeyPlace,
  type SshKeyRecord,
} from "../../access/ssh-key-store.ts";
import { type Page, USE_INTERVAL } from "../../access/token-store.ts";
import type { NewId } from "../repository/repository-database.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { boundByMaker } from "./issue-token.ts";
import {
  countSshKeys,
  deleteSshKey,
  deleteSshKeys,
  findSshKey,
  insertSshKey,
  listSshKeys,
  noteSshKeyUse,
} from "./tables/ssh-keys.ts";

/** The facts about the tenant that its keys depend on. */
export type KeyOwner = {
  /** Whether there is a tenant. */
  exists(): boolean;
  /** Whether the tenant has a repository of this name, which is not being removed. */
  hasRepo(name: string): boolean;
  readonly newId: NewId;
};

/** Whether a registered key is in the place, and has the rights, that are asked for. */
function isAsAsked(key: SshKeyRecord, asked: AddSshKeyRequest): boolean {
  const rights = ({ scopes, repos, deploys }: Pick<SshKeyRecord, "scopes" | "repos" | "deploys">): string =>
    JSON.stringify([scopes, repos ?? null, deploys ?? null]);
  return rights(key) === rights(asked) && (asked.expiresAt === undefined || asked.expiresAt === key.expiresAt);
}

/** The SSH keys of one tenant. */
export class SshKeyDatabase {
  readonly #db: SqlDatabase;
  readonly #owner: KeyOwner;

  constructor(db: SqlDatabase, owner: KeyOwner) {
    this.#db = db;
    this.#owner = owner;
  }

  /** Returns the key with this fingerprint if it is in force, and notes its use. */
  use(fingerprint: string, now: number): SshKeyRecord | undefined {
    const key = findSshKey(this.#db, fingerprint, now);
    if (key === undefined) return undefined;
    if (key.usedAt === undefined || key.usedAt + USE_INTERVAL <= now) noteSshKeyUse(this.#db, key.id, now);
    return key;
  }

  add(asked: AddSshKeyRequest, now: number): AddSshKeyAnswer {
    return this.#db.transaction(() => this.#add(asked, now));
  }

  #add(asked: AddSshKeyRequest, now: number): AddSshKeyAnswer {
    if (!this.#isThere(asked)) return { kind: "missing" };
    deleteSshKeys(this.#db, now);
    const bound = boundByMaker(this.#db, asked, now);
    if (bound.kind !== "within") return bound;
    const known = findSshKey(this.#db, asked.fingerprint, now);
    if (known !== undefined) return isAsAsked(known, asked) ? { kind: "exists", key: known } : { kind: "taken" };
    if (this.#isFull(asked)) return { kind: "full" };
    const { expiresAt } = bound;
    const request = expiresAt === undefined ? asked : { ...asked, expiresAt };
    insertSshKey(this.#db, this.#owner.newId(), request, now);
    const key = findSshKey(this.#db, asked.fingerprint, now);
    if (key === undefined) throw new Error("a row that was inserted is not there");
    return { kind: "added", key };
  }

  #isThere({ deploys }: SshKeyPlace): boolean {
    return this.#owner.exists() && (deploys === undefined || this.#owner.hasRepo(deploys));
  }

  #isFull(place: SshKeyPlace): boolean {
    if (countSshKeys(this.#db, {}) >= MOST_SSH_KEYS) return true;
    return place.deploys !== undefined && countSshKeys(this.#db, place) >= MOST_DEPLOY_KEYS;
  }

  list(place: SshKeyPlace, after: string, limit: number): Page<SshKeyRecord> | undefined {
    if (!this.#owner.exists()) return undefined;
    const found = listSshKeys(this.#db, place, after, limit + 1);
    return { items: found.slice(0, limit), more: found.length > limit };
  }

  remove(place: SshKeyPlace, id: string): boolean {
    return this.#owner.exists() && deleteSshKey(this.#db, place, id);
  }
}
