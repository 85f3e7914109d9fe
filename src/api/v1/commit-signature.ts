/**
 * The signature of a commit that is handed in: a first request answers what is to be signed, and a second one brings the signature.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../../access/names.ts";
import type { Host } from "../../http/host.ts";
import { InvalidRequest } from "../../http/problem.ts";
import { bytesOf } from "../../object/byte-text.ts";
import type { Identity } from "../../object/identity.ts";
import type { CommitOrder } from "../../service/commit/make-commit.ts";
import { type PayloadHead, readPayload } from "../../service/commit/signed-payload.ts";
import type { CommitHead } from "./commit-schemas.ts";

/** What was signed. */
export type SignedPayload = PayloadHead & { readonly payload: Uint8Array };

/** Returns what was signed, as a body has it; `undefined` if it brings no signature. @throws InvalidRequest if the host is to sign it, too */
export function signedPayload({ sign, signature }: CommitHead): SignedPayload | undefined {
  if (signature === undefined) return undefined;
  if (sign === true) {
    const detail = "sign: a commit has one signature, and this one is handed in";
    throw new InvalidRequest("invalid_member", [{ pointer: "#/sign", detail }]);
  }
  const payload = bytesOf(atob(signature.payload));
  return { payload, ...readPayload(payload) };
}

/** Returns a person with the moment that was signed, which counts where the request gives no date. */
export function atSigned(by: Identity, signed: Identity | undefined): Identity {
  return signed === undefined ? by : { ...by, time: signed.time, zone: signed.zone };
}

function kindOf(armoured: string): "ssh" | "openpgp" | "x509" {
  if (armoured.startsWith("-----BEGIN SSH ")) return "ssh";
  return armoured.startsWith("-----BEGIN PGP ") ? "openpgp" : "x509";
}

/** Returns what an order says about its signature. */
export function signingOf(
  { sign, signature }: CommitHead,
  signed: SignedPayload | undefined,
  { host, name }: { readonly host: Host; readonly name: RepositoryName },
): Pick<CommitOrder, "showsPayload" | "signature"> {
  if (signature === undefined || signed === undefined) return sign === "detached" ? { showsPayload: true } : {};
  const { armoured } = signature;
  const { payload } = signed;
  const verify = async (): ReturnType<NonNullable<CommitOrder["signature"]>["verify"]> =>
    (await host.verifySignature(name, { kind: kindOf(armoured), armoured }, payload)).signature;
  return { signature: { payload, armoured, verify } };
}
