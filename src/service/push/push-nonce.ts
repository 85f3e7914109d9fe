/**
 * Nonces of signed pushes: proof that a certificate was made recently, and for this repository. They are made from a
 * secret and the clock, so nothing is kept between the advertisement and the push.
 *
 * ```text
 * nonce := seconds "-" hmac          of "<repository>:<seconds>", under the seed
 * ```
 *
 * @packageDocumentation
 * @see git-receive-pack(1) `GIT_PUSH_CERT_NONCE`, git-config(1) `receive.certNonceSlop`, builtin/receive-pack.c
 *   `check_nonce()`
 */
import type { HashFactory } from "../../bytes/hash.ts";
import { toHex } from "../../bytes/hex.ts";
import { hmac } from "../../bytes/hmac.ts";
import type { NonceStatus } from "../../refs/ref-log.ts";

/**
 * The greatest age of a nonce, in seconds. The client needs this time to sign, and to send the push over a slow line.
 */
export const NONCE_SLOP = 3600;

const encoder = new TextEncoder();

/** The input from which the nonces of one repository are made. */
export type NonceSeed = {
  readonly hash: HashFactory;
  /** The secret. */
  readonly seed: string;
  /** The repository's id. A nonce is valid for no other repository. */
  readonly repository: string;
};

/** Returns the nonce of an instant, in milliseconds since the epoch. */
export function makeNonce(from: NonceSeed, now: number): string {
  return nonceAt(from, Math.floor(now / 1000));
}

function nonceAt({ hash, seed, repository }: NonceSeed, seconds: number): string {
  const code = hmac(hash, "sha256", encoder.encode(seed), encoder.encode(`${repository}:${seconds}`));
  return `${seconds}-${toHex(code)}`;
}

/** The result of checking a nonce. `nonceSlop` is its age in seconds. */
export type NonceCheck = { readonly nonce: NonceStatus; readonly nonceSlop?: number };

/**
 * Compares a certificate's nonce with those issued here. `from` is `undefined` if none are issued. `now` is in
 * milliseconds since the epoch.
 */
export function checkNonce(nonce: string | undefined, from: NonceSeed | undefined, now: number): NonceCheck {
  if (nonce === undefined) return { nonce: "MISSING" };
  if (from === undefined) return { nonce: "UNSOLICITED" };
  const seconds = /^([1-9][0-9]{0,14})-/.exec(nonce)?.[1];
  if (seconds === undefined || !isSame(nonceAt(from, Number(seconds)), nonce)) return { nonce: "BAD" };
  const nonceSlop = Math.floor(now / 1000) - Number(seconds);
  return { nonce: Math.abs(nonceSlop) <= NONCE_SLOP ? "OK" : "SLOP", nonceSlop };
}

/** Whether both texts are equal. The time that this takes reveals only the length. */
function isSame(expected: string, given: string): boolean {
  if (expected.length !== given.length) return false;
  let different = 0;
  for (let i = 0; i < expected.length; i++) different |= expected.charCodeAt(i) ^ given.charCodeAt(i);
  return different === 0;
}
