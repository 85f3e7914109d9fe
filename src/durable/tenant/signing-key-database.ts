/**
 * The signing keys of a tenant on a SQL database.
 *
 * @packageDocumentation
 */
import { type AddKeyAnswer, MOST_KEYS, type SigningKey } from "../../signing/signing-key.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
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
