/**
 * The signing keys of a tenant on a SQL database.
 *
 * @packageDocumentation
 */
import { type AddKeyAnswer, type HostKey, MOST_KEYS, type SigningKey } from "../../signing/signing-key.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteHostKey, readHostKey, writeHostKey } from "./tables/host-key.ts";
import { deleteSigningKeys, insertSigningKey, listSigningKeys, readSigningKeyRow } from "./tables/signing-keys.ts";

/** The signing keys of one tenant. */
export class SigningKeyDatabase {
  readonly #db: SqlDatabase;
  readonly #exists: () => boolean;

  /** `exists` says whether there is a tenant. */
  constructor(db: SqlDatabase, exists: () => boolean) {
    this.#db = db;
    this.#exists = exists;
  }

  list(): SigningKey[] | undefined {
    return this.#exists() ? listSigningKeys(this.#db) : undefined;
  }

  hostKey(): HostKey | undefined {
    return this.#exists() ? readHostKey(this.#db) : undefined;
  }

  changeHostKey(key: HostKey | undefined): boolean {
    return this.#db.transaction(() => {
      if (!this.#exists() || (key === undefined && this.hostKey() === undefined)) return false;
      if (key === undefined) deleteHostKey(this.#db);
      else writeHostKey(this.#db, key);
      return true;
    });
  }

  /** See `SigningKeyStore.resealHostKey`. */
  resealHostKey(old: HostKey["sealed"], fresh: HostKey["sealed"]): void {
    this.#db.transaction(() => {
      const key = this.hostKey();
      if (key?.sealed.data === old.data) writeHostKey(this.#db, { ...key, sealed: fresh });
    });
  }

  /** Removes all keys, that of the host, too, as a part of the caller's transaction. */
  removeAll(): void {
    deleteSigningKeys(this.#db);
    deleteHostKey(this.#db);
  }

  add(added: Omit<SigningKey, "createdAt">, now: number): AddKeyAnswer {
    return this.#db.transaction(() => {
      if (!this.#exists()) return { kind: "missing" };
      const known = readSigningKeyRow(this.#db, added.fingerprint);
      if (known !== undefined) return { kind: "exists", key: known };
      if (listSigningKeys(this.#db).length >= MOST_KEYS) return { kind: "full" };
      const key = { ...added, createdAt: now };
      insertSigningKey(this.#db, key);
      return { kind: "added", key };
    });
  }

  remove(fingerprint: string): boolean {
    return this.#db.transaction(() => {
      if (!this.#exists() || readSigningKeyRow(this.#db, fingerprint) === undefined) return false;
      deleteSigningKeys(this.#db, fingerprint);
      return true;
    });
  }
}
