/**
 * Files that are sealed with AES-256-GCM, in pieces, so that they are made and read as streams.
 *
 * ```text
 * magic, salt (32 bytes), { piece: ciphertext, tag (16 bytes) }
 * ```
 *
 * Each file has a key of its own, made from the operator's and the salt. A piece's nonce is its number and whether it is the
 * last: a file that is cut off, put together of pieces, or has another name than it was sealed under can't be opened.
 *
 * @packageDocumentation
 * @see Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance": STREAM
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { CommandFailure } from "../failure.ts";
import type { BackupKey } from "./backup-key.ts";

const MAGIC = Buffer.from("thinpack sealed 1\n");
const SALT_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** Bytes of each piece but the last, before it is sealed. */
const PIECE = 256 * 1024;

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(number, 4);
  nonce.writeUInt8(isLast ? 1 : 0, NONCE_BYTES - 1);
  return nonce;
}

/** Yields the input in pieces of `size` bytes; the last, which comes in any case, has as many or fewer. */
async function* cutInto(
  input: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const bytes of input) {
    waiting.push(Buffer.from(bytes));
    length += bytes.length;
    // One byte more shows that a piece is not the last.
    if (length <= size) continue;
    const all = Buffer.concat(waiting);
    let at = 0;
    for (; all.length - at > size; at += size) yield { bytes: all.subarray(at, at + size), isLast: false };
    waiting = [all.subarray(at)];
    length = all.length - at;
  }
  yield { bytes: Buffer.concat(waiting), isLast: true };
}

/** Seals a stream under a name. */
export async function* sealed(input: AsyncIterable<Uint8Array>, key: BackupKey, name: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const fileKey = key.fileKey(salt);
  yield Buffer.concat([MAGIC, salt]);
  let number = 0;
  for await (const { bytes, isLast } of cutInto(input, PIECE)) {
    const cipher = createCipheriv("aes-256-gcm", fileKey, nonceOf(number++, isLast));
    cipher.setAAD(Buffer.from(name));
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Splits off the head of a sealed file. Returns the salt, and the rest. */
async function headOf(
  input: AsyncIterable<Uint8Array>,
  refuse: () => CommandFailure,
): Promise<{ readonly salt: Buffer; readonly rest: AsyncIterable<Uint8Array> }> {
  const iterator = input[Symbol.asyncIterator]();
  const size = MAGIC.length + SALT_BYTES;
  let head = Buffer.alloc(0);
  while (head.length < size) {
    const next = await iterator.next();
    if (next.done === true) throw refuse();
    head = Buffer.concat([head, next.value]);
  }
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw refuse();
  const rest = (async function* restOf(): AsyncGenerator<Uint8Array> {
    yield head.subarray(size);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  })();
  return { salt: head.subarray(MAGIC.length, size), rest };
}

/** Opens a sealed stream. @throws CommandFailure if it is not what was sealed under this name with this key. */
export async function* opened(input: AsyncIterable<Uint8Array>, key: BackupKey, name: string): AsyncGenerator<Buffer> {
  const refuse = (): CommandFailure => new CommandFailure(`the sealed copy of ${name} is damaged, or of another key`);
  const { salt, rest } = await headOf(input, refuse);
  const fileKey = key.fileKey(salt);
  let number = 0;
  for await (const { bytes, isLast } of cutInto(rest, PIECE + TAG_BYTES)) {
    if (bytes.length < TAG_BYTES) throw refuse();
    const decipher = createDecipheriv("aes-256-gcm", fileKey, nonceOf(number++, isLast));
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const begun = decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw refuse();
    }
    yield begun;
  }
}
