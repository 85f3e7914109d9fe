/**
 * The text of a tenant's token.
 *
 * ```text
 * tpk_{tenant}_{secret}{checksum}
 * tpk_acme_3RkD0pQnE7uVb2XyZ6cWfHs9LtGmJa4i0f9Kq2
 *          '--------- 32 ---------------''- 6 -'
 * ```
 *
 * `secret` and `checksum` are written with `0-9A-Za-z`. The secret has 190 random bits. The checksum is the CRC-32 of all before it:
 * what a secret scanner finds with the expression `tpk_[A-Za-z0-9._-]{1,100}_[A-Za-z0-9]{38}` it can tell from an accident, and the
 * host turns a mistyped token away without asking anybody. The tenant stands in it so that one look-up finds it, wherever it is
 * shown.
 *
 * @packageDocumentation
 */
import { crc32 } from "../bytes/crc32.ts";
import { isTenantName } from "./names.ts";

const PREFIX = "tpk_";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TAIL = /^[0-9A-Za-z]{38}$/;
/** The same, anywhere in a text: in a URL, where it must not be. */
const ANYWHERE = /tpk_[A-Za-z0-9._-]{1,100}_[0-9A-Za-z]{38}/;

/** Random bytes that {@link formatToken} asks for: more than digits, since it passes over those that would favour some. */
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
 * Makes a token from {@link TOKEN_RANDOM_BYTES} random bytes.
 *
 * @throws RangeError where they hold too few digits, which random ones do about never: ask again.
 */
export function formatToken(tenant: string, random: Uint8Array): string {
  // The largest multiple of 62 that fits a byte: above it some digits would come up more often than others.
  const even = 256 - (256 % DIGITS.length);
  const secret = Array.from(
    random.filter((byte) => byte < even),
    (byte) => DIGITS.charAt(byte % DIGITS.length),
  );
  if (secret.length < SECRET_LENGTH) throw new RangeError("too few random bytes");
  const text = `${PREFIX}${tenant}_${secret.slice(0, SECRET_LENGTH).join("")}`;
  return text + checksumOf(text);
}

/** Gives the tenant whose token this may be; `undefined` where it is nobody's. */
export function tenantOfToken(text: string): string | undefined {
  const end = text.lastIndexOf("_");
  if (!text.startsWith(PREFIX) || end < PREFIX.length || !TAIL.test(text.slice(end + 1))) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (checksumOf(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  const tenant = text.slice(PREFIX.length, end);
  return isTenantName(tenant) ? tenant : undefined;
}

/** Gives the text with what has the form of a token cut short, for a log. */
export function withoutTokens(text: string): string {
  return text.replaceAll(new RegExp(ANYWHERE, "g"), `${PREFIX}…`);
}

/** Says whether something in the text has the form of a token. */
export function mentionsToken(text: string): boolean {
  return ANYWHERE.test(text);
}
