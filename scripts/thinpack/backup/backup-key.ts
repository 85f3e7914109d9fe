/**
 * The operator's key, under which a backup seals what objects hold.
 *
 * @packageDocumentation
 */
import { createHash, hkdfSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { CommandFailure, EXIT } from "../failure.ts";

/** Bytes of a key, and of what is derived from it. */
const KEY_BYTES = 32;
/** Characters of a key's name. */
const NAME_LENGTH = 16;

/** A key. */
export type BackupKey = {
  /** Derives the key of one file. */
  fileKey(salt: Uint8Array): Uint8Array;
  /** Tells the key from others, and tells nobody the key. */
  readonly name: string;
};

function derived(key: Uint8Array, salt: Uint8Array, use: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `thinpack backup: ${use}`, KEY_BYTES));
}

/** Returns the 32 bytes of a key file: raw, in base64 or in hexadecimal. */
function keyBytes(content: Buffer): Buffer | undefined {
  if (content.length === KEY_BYTES) return content;
  const text = content.toString("latin1").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** Makes a key of 32 bytes. */
export function backupKey(bytes: Uint8Array): BackupKey {
  const name = createHash("sha256")
    .update(derived(bytes, new Uint8Array(), "name"))
    .digest("hex");
  return { fileKey: (salt) => derived(bytes, salt, "file"), name: name.slice(0, NAME_LENGTH) };
}

/** Reads a key. @throws CommandFailure */
export function readBackupKey(file: string): BackupKey {
  const bytes = existsSync(file) ? keyBytes(readFileSync(file)) : undefined;
  if (bytes !== undefined) return backupKey(bytes);
  const how = `make one with: openssl rand -base64 32 > ${file}`;
  throw new CommandFailure(`${file} holds no key of 32 bytes; ${how}`, EXIT.usage);
}
