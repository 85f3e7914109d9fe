/** OpenPGP keys and signatures of many shapes: the verdict is that of OpenPGP.js, and never better, whatever byte is changed. */
import { type Config, createMessage, enums, generateKey, readKey, readPrivateKey, revokeKey, sign } from "openpgp";
import { describe, expect, it } from "vitest";
import { decodeArmour, encodeArmour } from "../../../src/signing/openpgp-packet.ts";
import { readOpenPgpKey, verifyOpenPgpSignature } from "../../../src/signing/openpgp-signature.ts";
import { referenceFingerprint, referenceVerdict } from "../../support/openpgp-reference.ts";

const MESSAGE = "certificate version 0.1\npusher A U Thor\r\n\nline\n";
const DAY = 86_400_000;
const NOW = new Date("2026-03-01T12:00:00Z");
const days = (count: number): Date => new Date(NOW.getTime() + count * DAY);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const USER = { name: "A U Thor", email: "author@example.com" };

/** A public key and a signature. */
type Case = { readonly key: string; readonly signature: string };

/** How a case is made. */
type Shape = {
  readonly options?: Partial<Parameters<typeof generateKey>[0]>;
  readonly config?: Partial<Config>;
  readonly signedAt?: Date;
  readonly text?: boolean;
  /** The reason of a revocation, and its time. */
  readonly revoked?: { readonly flag: enums.reasonForRevocation; readonly date: Date };
};

async function make({ options, config = {}, signedAt = days(-1), text = false, revoked }: Shape): Promise<Case> {
  const made = await generateKey({
    type: "ecc",
    userIDs: [USER],
    date: days(-100),
    ...options,
    config,
    format: "armored",
  });
  const privateKey = await readPrivateKey({ armoredKey: made.privateKey });
  const message = text ? await createMessage({ text: MESSAGE }) : await createMessage({ binary: bytes(MESSAGE) });
  const signature = await sign({ message, signingKeys: privateKey, detached: true, date: signedAt, config });
  if (revoked === undefined) return { key: made.publicKey, signature: String(signature) };
  const { publicKey } = await revokeKey({
    key: privateKey,
    reasonForRevocation: { flag: revoked.flag },
    date: revoked.date,
    format: "armored",
  });
  return { key: publicKey, signature: String(signature) };
}

const SHAPES: Readonly<Record<string, Shape>> = {
  "Ed25519 of the legacy kind": {},
  Ed25519: { options: { type: "curve25519" } },
  "Ed25519 of version 6": { options: { type: "curve25519" }, config: { v6Keys: true } },
  "P-256": { options: { curve: "nistP256" } },
  "P-384": { options: { curve: "nistP384" } },
  "P-521": { options: { curve: "nistP521" } },
  "P-256 of version 6": { options: { curve: "nistP256" }, config: { v6Keys: true } },
  RSA: { options: { type: "rsa", rsaBits: 2048 } },
  "a subkey that signs": { options: { subkeys: [{ sign: true }] } },
  "a subkey of version 6 that signs": {
    options: { type: "curve25519", subkeys: [{ sign: true }] },
    config: { v6Keys: true },
  },
  "a subkey that signs, and has expired since": {
    options: { subkeys: [{ sign: true }], keyExpirationTime: 8_600_000 },
  },
  "a key with several users": { options: { userIDs: [{ name: "First" }, USER, { name: "Third" }] } },
  "a signature of text": { text: true },
  "a signature from the future": { signedAt: days(3) },
  "a signature older than its key": { options: { date: days(-2) }, signedAt: days(-2) },
  "a key that has expired since": { options: { keyExpirationTime: 99.5 * 86_400 } },
  "a key that was superseded since": { revoked: { flag: enums.reasonForRevocation.keySuperseded, date: days(-0.5) } },
  "a key that was retired before": { revoked: { flag: enums.reasonForRevocation.keyRetired, date: days(-2) } },
  "a key that was compromised": { revoked: { flag: enums.reasonForRevocation.keyCompromised, date: days(-0.5) } },
  "a key that was revoked without a reason": {
    revoked: { flag: enums.reasonForRevocation.noReason, date: days(-0.5) },
  },
};

async function compare({ key, signature }: Case, message = bytes(MESSAGE), now = NOW): Promise<string> {
  const ours = await verifyOpenPgpSignature(signature, message, { keys: [key], now });
  expect(ours).toEqual(await referenceVerdict(signature, message, { keys: [key], now }));
  const read = await readOpenPgpKey(key, now);
  expect(read?.fingerprint).toBe(await referenceFingerprint(key, now));
  return ours.kind;
}

/** Returns a copy with a bit flipped. */
function flipped(whole: Uint8Array, at: number): Uint8Array {
  const changed = whole.slice();
  changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
  return changed;
}

describe.each(Object.entries(SHAPES))("%s", (name, shape) => {
  it("has the verdict of OpenPGP.js, now and then", async () => {
    const made = await make(shape);
    const kind = await compare(made);
    const isBad = /future|retired|compromised|without a reason/.test(name);
    expect(kind).toBe(isBad ? "bad" : "good");
    expect(await compare(made, bytes(`${MESSAGE}!`))).toBe("bad");
    for (const at of [-300, -99, -0.9, 2, 5, 4000]) await compare(made, undefined, days(at));
    const stranger = await make({});
    expect(await compare({ ...made, key: stranger.key })).toBe("unknown-key");
  });

  it("is kept so that it is read again", async () => {
    const { key } = await make(shape);
    const at = days(-1.5);
    const read = await readOpenPgpKey(key, at);
    if (/without a reason|compromised|retired/.test(name)) return expect(read).toBeUndefined();
    const again = await readKey({ armoredKey: read?.armoured ?? "" });
    expect(again.getFingerprint().toUpperCase()).toBe(read?.fingerprint);
    expect(await readOpenPgpKey(read?.armoured ?? "", at)).toEqual(read);
  });
});

// Without a subkey for encryption, in which what is malformed is of no account here.
describe.each([
  ["of one key", { options: { subkeys: [] } }],
  ["of one key of version 6", { options: { type: "curve25519", subkeys: [] }, config: { v6Keys: true } }],
  ["with a subkey", { options: { subkeys: [{ sign: true }] } }],
] satisfies [string, Shape][])("a certificate %s", (_name, shape) => {
  it("is never better than with OpenPGP.js, and never an error, with a bit changed", async () => {
    const made = await make(shape);
    const key = decodeArmour(made.key, "PUBLIC KEY BLOCK");
    const signature = decodeArmour(made.signature, "SIGNATURE");
    const cases = [
      ...Array.from(key, (_, at) => ({ ...made, key: encodeArmour(flipped(key, at), "PUBLIC KEY BLOCK") })),
      ...Array.from(signature, (_, at) => ({ ...made, signature: encodeArmour(flipped(signature, at), "SIGNATURE") })),
      ...Array.from(key, (_, at) => ({ ...made, key: encodeArmour(key.subarray(0, at), "PUBLIC KEY BLOCK") })),
    ];
    expect(await compare(made)).toBe("good");
    for (const each of cases) {
      const ours = await verifyOpenPgpSignature(each.signature, bytes(MESSAGE), { keys: [each.key], now: NOW });
      // Few are good, since few bits are of no account.
      if (ours.kind === "good")
        expect(await referenceVerdict(each.signature, bytes(MESSAGE), { keys: [each.key], now: NOW })).toEqual(ours);
    }
  });
});
