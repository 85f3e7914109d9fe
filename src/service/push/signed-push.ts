/**
 * Checks the certificate of a signed push: its nonce, its signature, and whether it matches what the push does. As with
 * C git, a bad certificate refuses nothing by itself; a rule of the repository may require a good one.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `prepare_push_cert_sha1()`, `check_cert_push_options()`
 */
import type { StoredCertificate } from "../../refs/ref-log.ts";
import type { PushCertificate } from "../../wire/push-certificate.ts";
import type { PushExchange } from "../exchange.ts";
import { checkNonce, makeNonce, type NonceSeed } from "./push-nonce.ts";
import type { PushRequest } from "./push-request.ts";

/** The most characters of the signer's name that are kept beside the certificate. */
const LONGEST_SIGNER = 1000;

/** Returns what nonces are made from; `undefined` if there is no secret. */
export function nonceSeed(
  { repository, pushCertSeed }: Pick<PushExchange, "repository" | "pushCertSeed">,
  id: string,
  ownSeed: string | undefined,
): NonceSeed | undefined {
  const seed = pushCertSeed ?? ownSeed;
  return seed === undefined ? undefined : { hash: repository.hash, seed, repository: id };
}

/** Returns the nonce to advertise now; `undefined` if signed pushes can't be offered. */
export function advertisedNonce(
  exchange: Pick<PushExchange, "repository" | "pushCertSeed">,
  id: string,
  ownSeed: string | undefined,
): string | undefined {
  const seed = nonceSeed(exchange, id, ownSeed);
  return seed === undefined ? undefined : makeNonce(seed, exchange.repository.now());
}

/** Checks the certificate of a push to the repository with this id. Returns `undefined` if the push is not signed. */
export async function checkCertificate(
  exchange: PushExchange,
  { certificate }: Pick<PushRequest, "certificate">,
  { id, ownSeed }: { readonly id: string; readonly ownSeed: string | undefined },
): Promise<StoredCertificate | undefined> {
  if (certificate === undefined) return undefined;
  const nonce = checkNonce(certificate.nonce, nonceSeed(exchange, id, ownSeed), exchange.repository.now());
  const signature = await verdictOf(exchange, certificate);
  const signer = certificate.pusher.replace(/ \d+ [+-]\d{4}$/, "").slice(0, LONGEST_SIGNER);
  const digest = exchange.repository.hash("sha256");
  digest.update(certificate.payload);
  return { ...nonce, ...signature, signer, content: certificate.content, digest: digest.digest() };
}

async function verdictOf(
  { verifySignature }: PushExchange,
  { signature, payload }: PushCertificate,
): Promise<Pick<StoredCertificate, "signature" | "key">> {
  if (signature === undefined || verifySignature === undefined) return { signature: "unverified" };
  return await verifySignature(signature, payload);
}

/** Whether a certificate is good in every respect: made recently, for this repository, with a registered key. */
export function isGood(certificate: StoredCertificate | undefined): boolean {
  return certificate?.nonce === "OK" && certificate.signature === "good";
}

/** Whether the push options in the certificate equal those that were sent. */
export function optionsAgree({ certificate, pushOptions }: Pick<PushRequest, "certificate" | "pushOptions">): boolean {
  if (certificate === undefined) return true;
  const signed = certificate.pushOptions;
  return signed.length === pushOptions.length && signed.every((option, i) => option === pushOptions[i]);
}
