/**
 * How what a request makes is signed: by the host, or by the one who asks, elsewhere. For the latter a first request answers what is
 * to be signed, and a second one brings the signature.
 *
 * @packageDocumentation
 */
import type * as v from "valibot";
import type { RepositoryName } from "../../access/names.ts";
import { equal } from "../../bytes/chunk.ts";
import type { Host } from "../../http/host.ts";
import { DetailedProblem, InvalidRequest } from "../../http/problem.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import type { Identity } from "../../object/identity.ts";
import { type PayloadHead, readPayload } from "../../writing/commit/signed-payload.ts";
import type { Signing, WriteExchange } from "../../writing/commit/write-session.ts";
import type { SignatureCheck } from "../../signing/verify.ts";
import type { signing } from "./commit-schemas.ts";

type Asked = { [name in keyof typeof signing]?: v.InferOutput<(typeof signing)[name]> };

/** Who asks, of which repository. */
type Place = { readonly host: Host; readonly name: RepositoryName };

/** The members of an answer that tell of a signature. */
type SignedMembers = { readonly payload?: string; readonly signature?: SignatureCheck["signature"] };

function invalid(member: string, detail: string): InvalidRequest {
  return new InvalidRequest("invalid_member", [{ pointer: `#/${member}`, detail: `${member}: ${detail}` }]);
}

function kindOf(armoured: string): "ssh" | "openpgp" | "x509" {
  if (armoured.startsWith("-----BEGIN SSH ")) return "ssh";
  return armoured.startsWith("-----BEGIN PGP ") ? "openpgp" : "x509";
}

/** Returns a person with the moment that was signed, which counts where the request gives no date. */
export function atSigned(by: Identity, signed: Identity | undefined): Identity {
  return signed === undefined ? by : { ...by, time: signed.time, zone: signed.zone };
}

/** How one request has signed what it makes. */
export class AskedSigning {
  /** What was signed elsewhere says of itself; absent if no signature is handed in. */
  readonly head: PayloadHead | undefined;
  /** Whether the answer only tells what is to be signed. */
  readonly isTrial: boolean;
  readonly #sign: boolean | "detached" | undefined;
  readonly #given: { readonly payload: Uint8Array; readonly armoured: string } | undefined;
  readonly #place: Place;
  #shown: Uint8Array | undefined;
  #verdict: SignatureCheck["signature"] | undefined;

  /** @throws InvalidRequest if the host is to sign what has a signature already. */
  constructor({ sign, signature }: Asked, place: Place) {
    if (signature !== undefined && sign === true)
      throw invalid("sign", "there is one signature to each thing, and this one is handed in");
    this.#sign = sign;
    this.#place = place;
    this.#given = signature && { payload: bytesOf(atob(signature.payload)), armoured: signature.armoured };
    this.head = this.#given && readPayload(this.#given.payload);
    this.isTrial = sign === "detached" && signature === undefined;
  }

  /** Refuses what can't be signed elsewhere: it would be several commits, or none. @throws InvalidRequest */
  assertOne(isOne: boolean, detail: string): void {
    if (!isOne && (this.isTrial || this.#given !== undefined))
      throw invalid(this.#given === undefined ? "sign" : "signature", detail);
  }

  /** Returns the exchange of a request that signs in this way. */
  with<Exchange extends WriteExchange>(exchange: Exchange): Exchange {
    const sign = this.#signer();
    if (sign !== undefined) return { ...exchange, signing: { isAsked: true, sign } };
    const { signing } = exchange;
    return this.#sign === true && signing !== undefined
      ? { ...exchange, signing: { ...signing, isAsked: true } }
      : exchange;
  }

  /** Returns what stands in for the host where somebody else signs. */
  #signer(): Signing["sign"] | undefined {
    const given = this.#given;
    if (given !== undefined) return async (payload, number) => await this.#handIn(given, payload, number);
    if (!this.isTrial) return undefined;
    return async (payload, number) => {
      assertFirst(number);
      this.#shown = payload;
      return undefined;
    };
  }

  async #handIn(
    { payload: signed, armoured }: { readonly payload: Uint8Array; readonly armoured: string },
    payload: Uint8Array,
    number: number,
  ): Promise<string> {
    assertFirst(number);
    if (!equal(payload, signed)) {
      const detail = "What would be made is not what was signed. Ask again for what is to be signed.";
      throw new DetailedProblem(409, detail, { code: "payload_differs" });
    }
    const { host, name } = this.#place;
    const check = await host.verifySignature(name, { kind: kindOf(armoured), armoured }, payload);
    this.#verdict = check.signature;
    return armoured;
  }

  /** What an answer tells of the signature, once it is made. */
  get members(): SignedMembers {
    return {
      ...(this.#shown === undefined ? {} : { payload: btoa(textOf(this.#shown)) }),
      ...(this.#verdict === undefined ? {} : { signature: this.#verdict }),
    };
  }
}

function assertFirst(number: number): void {
  if (number > 1) throw invalid("sign", "several commits would be made, and one signature is for one of them");
}
