/**
 * Table `push_certificates`: the certificates of signed pushes, one row per push, with the push's id. A certificate
 * lands once: `digest`, the hash of the signed text, is unique. It is null in rows of builds that kept none.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import type { CertificateCheck, NonceStatus, SignatureVerdict, StoredCertificate } from "../../../refs/ref-log.ts";
import { blobAt, firstRow, integerAt, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const PUSH_CERTIFICATES_DDL = `CREATE TABLE IF NOT EXISTS push_certificates (
  push INTEGER PRIMARY KEY,
  nonce TEXT NOT NULL,
  nonce_slop INTEGER,
  signature TEXT NOT NULL,
  key TEXT,
  signer TEXT NOT NULL,
  content BLOB NOT NULL,
  digest BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS push_certificates_digest ON push_certificates (digest) WHERE digest IS NOT NULL`;

const NONCE_STATUSES: readonly NonceStatus[] = ["OK", "SLOP", "BAD", "MISSING", "UNSOLICITED"];
const VERDICTS: readonly SignatureVerdict[] = ["good", "bad", "unknown-key", "unverified"];

/** Stores the certificate of a push. */
export function insertCertificate(db: SqlDatabase, push: number, certificate: StoredCertificate): void {
  db.run(
    `INSERT INTO push_certificates (push, nonce, nonce_slop, signature, key, signer, content, digest)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    push,
    certificate.nonce,
    certificate.nonceSlop ?? null,
    certificate.signature,
    certificate.key ?? null,
    certificate.signer,
    certificate.content,
    certificate.digest,
  );
}

/** Whether a certificate with the same signed text has landed. */
export function hasLanded(db: SqlDatabase, { digest }: Pick<StoredCertificate, "digest">): boolean {
  const sql = "SELECT 1 FROM push_certificates WHERE digest = ? AND digest IS NOT NULL";
  return firstRow(db.rows(sql, digest)) !== undefined;
}

function oneOf<T extends string>(row: SqlRow, column: number, values: readonly T[]): T {
  const text = textAt(row, column);
  const value = values.find((known) => known === text);
  if (value === undefined) throw new CorruptStore(`${text} in a push certificate`);
  return value;
}

function checkOf(row: SqlRow): CertificateCheck {
  return {
    nonce: oneOf(row, 1, NONCE_STATUSES),
    ...(row[2] === null ? {} : { nonceSlop: integerAt(row, 2) }),
    signature: oneOf(row, 3, VERDICTS),
    ...(row[4] === null ? {} : { key: textAt(row, 4) }),
    signer: textAt(row, 5),
  };
}

/** Returns the results of checking the certificates of some pushes, by push. */
export function readCertificateChecks(db: SqlDatabase, pushes: readonly number[]): Map<number, CertificateCheck> {
  const rows = db.rows(
    `SELECT push, nonce, nonce_slop, signature, key, signer FROM push_certificates
      WHERE push IN (SELECT value FROM json_each(?))`,
    JSON.stringify(pushes),
  );
  return new Map(Array.from(rows, (row) => [integerAt(row, 0), checkOf(row)] as const));
}

/** Returns the certificate of a push as it came; `undefined` if it had none. */
export function readCertificate(db: SqlDatabase, push: number): Uint8Array | undefined {
  const row = firstRow(db.rows("SELECT content FROM push_certificates WHERE push = ?", push));
  return row === undefined ? undefined : blobAt(row, 0);
}
