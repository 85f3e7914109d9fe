/**
 * The text of a tenant's token.
 *
 * ```text
 * tpk_{tenant}_{secret}{checksum}
 * tpk_acme_3RkD0pQnE7uVb2XyZ6cWfHs9LtGmJa4i0f9Kq2
 *          '--------- 32 ---------------''- 6 -'
 * ```
 *
 * `secret` and `checksum` are written with `0-9A-Za-z`. The secret has 190 random bits. The checksum is the CRC-32 of
 * everything before it. A secret scanner finds tokens with the expression `tpk_[A-Za-z0-9._-]{1,100}_[A-Za-z0-9]{38}`,
 * and the checksum tells them from chance matches. The host, too, refuses a mistyped token without any look-up. The
 * text has the tenant's name, so that one look-up finds the token wherever it is used.
 *
 * @packageDocumentation
 */
import { crc32 } from "../bytes/crc32.ts";
import { folded, isTenantName } from "./names.ts";

const PREFIX = "tpk_";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TAIL = /^[0-9A-Za-z]{38}$/;
/** Matches a token anywhere in a text, such as in a URL, where it must not be. */
const ANYWHERE = /tpk_[A-Za-z0-9._-]{1,100}_[0-9A-Za-z]{38}/;

/**
 * Random bytes that {@link formatToken} takes: more than the digits, since it skips bytes that would favour some
 * digits.
 */
export const TOKEN_RANDOM_BYTES = 64;

function checksumOf(text: string): string {
  let value = crc32(new TextEncoder().encode(text));
  let digits = "";
  for (let at = 0; at < CHECKSUM_LENGTH; at++) {
    digits = DIGITS.charAt(value % DIGITS.length) + digits;
    value = Math.floor(value / DIGITS.length);
  }
  return digits;
}

/**
 * Makes the text of a token from {@link TOKEN_RANDOM_BYTES} random bytes.
 *
 * @throws RangeError if the bytes make too few digits, which practically never happens; the caller may try with others.
 */
export function formatToken(tenant: string, random: Uint8Array): string {
  // The largest multiple of 62 that fits into a byte. Bytes beyond it would make some digits more frequent than others.
  const even = 256 - (256 % DIGITS.length);
  const secret = Array.from(
    random.filter((byte) => byte < even),
    (byte) => DIGITS.charAt(byte % DIGITS.length),
  );
  if (secret.length < SECRET_LENGTH) throw new RangeError("too few random bytes");
  const text = `${PREFIX}${tenant}_${secret.slice(0, SECRET_LENGTH).join("")}`;
  return text + checksumOf(text);
}

/** Returns the tenant in a token's text, in lower case; `undefined` if the text is not a token or its checksum is wrong. */
export function tenantOfToken(text: string): string | undefined {
  const end = text.lastIndexOf("_");
  if (!text.startsWith(PREFIX) || end < PREFIX.length || !TAIL.test(text.slice(end + 1))) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (checksumOf(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  const tenant = text.slice(PREFIX.length, end);
  return isTenantName(tenant) ? folded(tenant) : undefined;
}

/** Returns a text in which everything with the form of a token is cut to its prefix, for a log. */
export function withoutTokens(text: string): string {
  return text.replaceAll(new RegExp(ANYWHERE, "g"), `${PREFIX}…`);
}

/** Whether a part of the text has the form of a token. */
export function mentionsToken(text: string): boolean {
  return ANYWHERE.test(text);
}
