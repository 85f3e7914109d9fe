/**
 * OpenPGP certificates: a primary key with its users and subkeys, and which of its keys may sign at a time.
 *
 * A signature by the primary key binds each user and each subkey to it; a subkey that signs has signed that in turn. The newest
 * valid one counts. A revocation ends what it is for: at its time, or for ever if the key may have been known to others.
 *
 * @packageDocumentation
 * @see RFC 9580 sections 10.1 and 5.2.1
 */
import { concat } from "../bytes/chunk.ts";
import { type KeyPacket, parseKeyPacket } from "./openpgp-key-packet.ts";
import { MalformedOpenPgp, type OpenPgpPacket, parsePackets, TAG } from "./openpgp-packet.ts";
import {
  isBy,
  parseSignaturePacket,
  SIGNATURE,
  type SignaturePacket,
  verifySignaturePacket,
} from "./openpgp-signature-packet.ts";

/** What signatures bind to the primary key, with the bytes that they sign. */
type Bound = {
  readonly signed: Uint8Array;
  readonly signatures: SignaturePacket[];
  readonly revocations: SignaturePacket[];
};

/** A subkey. */
type Subkey = Bound & { readonly key: KeyPacket };

/** A certificate. */
export type Certificate = {
  readonly primary: KeyPacket;
  /** Signatures and revocations of the primary key alone. */
  readonly direct: Bound;
  readonly users: readonly Bound[];
  readonly subkeys: readonly Subkey[];
  /** All of its packets. */
  readonly bytes: Uint8Array;
};

const IGNORED_TAGS: ReadonlySet<number> = new Set([TAG.marker, TAG.trust, TAG.padding]);
/** Tags from here on may be ignored where they are not known. */
const FIRST_OPTIONAL_TAG = 40;

function bound(signed: Uint8Array): Bound {
  return { signed, signatures: [], revocations: [] };
}

/** Returns the bytes that a certification of a user signs behind those of the primary key. */
function userHashInput(primary: KeyPacket, { tag, body }: OpenPgpPacket): Uint8Array {
  const header = new Uint8Array(5);
  header[0] = tag === TAG.userId ? 0xb4 : 0xd1;
  new DataView(header.buffer).setUint32(1, body.length);
  return concat([primary.hashed, header, body]);
}

/** Puts the packets of a certificate together. */
class CertificateBuilder {
  readonly #primary: KeyPacket;
  readonly #direct: Bound;
  readonly #users: Bound[] = [];
  readonly #subkeys: Subkey[] = [];
  /** What the next signatures are for; `undefined` behind what is passed over. */
  #user: Bound | undefined;
  #subkey: Subkey | undefined;

  constructor(primary: KeyPacket) {
    this.#primary = primary;
    this.#direct = bound(primary.hashed);
  }

  /** Takes the next packet. */
  async add(packet: OpenPgpPacket): Promise<void> {
    switch (packet.tag) {
      case TAG.userId:
        this.#user = bound(userHashInput(this.#primary, packet));
        this.#users.push(this.#user);
        break;
      case TAG.userAttribute:
        // A picture: it makes nobody the key's user, and what certifies it is not for the user before.
        this.#user = bound(packet.body);
        break;
      case TAG.publicSubkey:
        await this.#addSubkey(packet.body);
        break;
      case TAG.signature:
        this.#addSignature(packet.body);
        break;
      default:
        if (!IGNORED_TAGS.has(packet.tag) && packet.tag < FIRST_OPTIONAL_TAG)
          throw new MalformedOpenPgp("a packet that no public key has");
    }
  }

  async #addSubkey(body: Uint8Array): Promise<void> {
    this.#user = undefined;
    const key = await parseKeyPacket(body);
    this.#subkey = key && { key, ...bound(concat([this.#primary.hashed, key.hashed])) };
    if (this.#subkey !== undefined) this.#subkeys.push(this.#subkey);
  }

  #addSignature(body: Uint8Array): void {
    const signature = parseSignaturePacket(body);
    if (signature === undefined) return;
    const { type } = signature;
    const isCertification = type >= SIGNATURE.genericCertification && type <= SIGNATURE.positiveCertification;
    if (isCertification) this.#user?.signatures.push(signature);
    else if (type === SIGNATURE.certificationRevocation) this.#user?.revocations.push(signature);
    else if (type === SIGNATURE.directKey) this.#direct.signatures.push(signature);
    else if (type === SIGNATURE.keyRevocation) this.#direct.revocations.push(signature);
    else if (type === SIGNATURE.subkeyBinding) this.#subkey?.signatures.push(signature);
    else if (type === SIGNATURE.subkeyRevocation) this.#subkey?.revocations.push(signature);
  }

  build(bytes: Uint8Array): Certificate {
    const [primary, direct, users, subkeys] = [this.#primary, this.#direct, this.#users, this.#subkeys];
    return { primary, direct, users, subkeys, bytes };
  }
}

/**
 * Parses the first certificate of some bytes.
 *
 * @throws MalformedOpenPgp if it is malformed, has private parts, or has a version that is not known.
 */
export async function parseCertificate(bytes: Uint8Array): Promise<Certificate> {
  const all = parsePackets(bytes);
  if (all.some(({ tag }) => tag === TAG.secretKey || tag === TAG.secretSubkey))
    throw new MalformedOpenPgp("a private key");
  const first = all.findIndex(({ tag }) => tag === TAG.publicKey);
  const next = all.findIndex(({ tag }, at) => tag === TAG.publicKey && at > first);
  const packets = first < 0 ? [] : all.slice(first, next < 0 ? all.length : next);
  const [head, ...rest] = packets;
  const primary = head && (await parseKeyPacket(head.body));
  if (primary === undefined) throw new MalformedOpenPgp("no key");
  const builder = new CertificateBuilder(primary);
  for (const packet of rest) await builder.add(packet);
  return builder.build(concat(packets.map(({ whole }) => whole)));
}

/** Returns how many signatures say that the primary key made them: these may have to be verified. */
export function countOwnSignatures({ primary, direct, users, subkeys }: Certificate): number {
  const all = [direct, ...users, ...subkeys].flatMap(({ signatures, revocations }) => [...signatures, ...revocations]);
  return all.filter((signature) => isBy(signature, primary)).length;
}

/** Returns the newest signature by the primary key that is valid at a time; of those of one second, the last. */
async function newestValid(
  { signed, signatures }: Bound,
  primary: KeyPacket,
  at: number,
): Promise<SignaturePacket | undefined> {
  let newest: SignaturePacket | undefined;
  for (const signature of signatures.toReversed()) {
    if (newest !== undefined && signature.created <= newest.created) continue;
    if (await verifySignaturePacket(signature, primary, signed, at)) newest = signature;
  }
  return newest;
}

/** Whether what was bound had been revoked at a time. */
async function isRevoked({ signed, revocations }: Bound, primary: KeyPacket, at: number): Promise<boolean> {
  for (const revocation of revocations) {
    const from = revocation.isSoftRevocation ? at : undefined;
    if (await verifySignaturePacket(revocation, primary, signed, from)) return true;
  }
  return false;
}

/** Whether a key may be used at a time, as far as the signature that binds it says when it expires. */
function isAlive({ created }: KeyPacket, { keyExpiresAfter }: SignaturePacket, at: number): boolean {
  return created <= at && (keyExpiresAfter === 0 || at < created + keyExpiresAfter);
}

/**
 * Returns the signature that says what the primary key is for. In version 4, that is the one of the user who is marked as the primary one, or
 * is the newest.
 */
async function selfSignature(
  { primary, direct, users }: Certificate,
  at: number,
): Promise<SignaturePacket | undefined> {
  if (primary.version === 6) return await newestValid(direct, primary, at);
  let best: SignaturePacket | undefined;
  for (const user of users) {
    const own = await newestValid(user, primary, at);
    if (own === undefined || (await isRevoked(user, primary, at))) continue;
    const order = best === undefined ? 1 : Number(own.isPrimaryUserId) - Number(best.isPrimaryUserId);
    if (best === undefined || order > 0 || (order === 0 && own.created >= best.created)) best = own;
  }
  return best;
}

/** Returns the primary key's own signature if the key is valid at a time. */
async function validSelfSignature(certificate: Certificate, at: number): Promise<SignaturePacket | undefined> {
  const { primary, direct } = certificate;
  if (primary.material === undefined || (await isRevoked(direct, primary, at))) return undefined;
  const own = await selfSignature(certificate, at);
  if (own === undefined || !isAlive(primary, own, at)) return undefined;
  const whole = await newestValid(direct, primary, at);
  return whole === undefined || isAlive(primary, whole, at) ? own : undefined;
}

async function maySign(subkey: Subkey, primary: KeyPacket, at: number): Promise<boolean> {
  const binding = await newestValid(subkey, primary, at);
  if (binding === undefined || !binding.signsData || binding.embedded?.type !== SIGNATURE.keyBinding) return false;
  if (!isAlive(subkey.key, binding, at) || (await isRevoked(subkey, primary, at))) return false;
  return await verifySignaturePacket(binding.embedded, subkey.key, subkey.signed, at);
}

/** Returns the key or subkey with an ID, whether it may sign or not. */
export function keyWithId({ primary, subkeys }: Certificate, id: string | undefined): KeyPacket | undefined {
  return [primary, ...subkeys.map(({ key }) => key)].find(({ keyId }) => keyId === id);
}

/**
 * Whether a certificate has a key that may sign at a time: the one with an ID, or any.
 *
 * @param at - In seconds since the epoch.
 */
export async function hasSigningKey(certificate: Certificate, id: string | undefined, at: number): Promise<boolean> {
  const { primary, subkeys } = certificate;
  const own = await validSelfSignature(certificate, at);
  if (own === undefined) return false;
  if (own.signsData && (id ?? primary.keyId) === primary.keyId) return true;
  for (const subkey of subkeys)
    if ((id ?? subkey.key.keyId) === subkey.key.keyId && (await maySign(subkey, primary, at))) return true;
  return false;
}
