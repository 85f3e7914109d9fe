/** Private keys that ssh-keygen and gpg make are taken in, and what is signed with them is good for these programs. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openHostSigner, readHostSigner } from "../../../src/signing/host-signer.ts";
import { MOST_KEY_BYTES, type NewSigner } from "../../../src/signing/signing-key.ts";
import { decodeBase64, encodeBase64 } from "../../../src/signing/ssh-reader.ts";
import { makeSshSigner } from "../../../src/signing/ssh-signer.ts";
import { concat } from "../../../src/bytes/chunk.ts";
import { MOST_OWN_SIGNATURES } from "../../../src/signing/openpgp-private-key.ts";
import { decodeArmour, encodeArmour, parsePackets, TAG } from "../../../src/signing/openpgp-packet.ts";
import { GitSandbox } from "../../support/git-client.ts";
import {
  addPgpSubkey,
  endAgent,
  makePgpKey,
  makeSshKey,
  pgpSecretOf,
  protectedPgpSecret,
  verifyWithPgp,
  verifyWithSsh,
} from "../../support/signing-keys.ts";

const git = new GitSandbox("host-signer");
/** Keys are made while the tests run, and gpg takes no signature from the future. */
const now = (): number => Date.now();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Several messages, since a number with a leading zero is shorter. */
const MESSAGES = Array.from({ length: 8 }, (_, at) => `tree 1234\n\nmessage ${at}, ü\n`);

afterAll(() => {
  endAgent(git);
  git.close();
});

async function signerOf(text: string): Promise<NewSigner> {
  const read = await readHostSigner(text, now());
  if (read.kind === "refused") throw new Error(read.why);
  return read.signer;
}

async function signAsHost(signer: NewSigner, message: Uint8Array, at: number): Promise<string> {
  return await (
    await openHostSigner(signer, at)
  )(message, at);
}

/** Returns why a key is refused. */
async function refusal(text: string): Promise<string> {
  const read = await readHostSigner(text, now());
  return read.kind === "refused" ? read.why : "taken";
}

/** Expects that gpg takes a signature. */
function expectGoodPgp(armoured: string, message: string): void {
  expect(verifyWithPgp(git, armoured, message)).toMatch(/GOODSIG [\s\S]*VALIDSIG/);
}

describe("an SSH key", () => {
  it.each([
    ["ed25519", []],
    ["ecdsa", ["-b", "256"]],
    ["ecdsa", ["-b", "384"]],
    ["ecdsa", ["-b", "521"]],
  ])("of ssh-keygen -t %s %j signs, and ssh-keygen verifies", async (type, more) => {
    const pair = makeSshKey(git, type, ...more);
    const signer = await signerOf(readFileSync(pair.file, "utf8"));
    expect(signer).toMatchObject({ kind: "ssh", fingerprint: pair.fingerprint });
    expect(pair.publicKey).toContain(signer.publicKey);
    for (const message of MESSAGES) {
      const armoured = await signAsHost(signer, bytes(message), now());
      expect(verifyWithSsh(git, pair.publicKey, armoured, message)).toMatch(/^Good "git" signature/);
    }
  });

  it("that was made here signs, and ssh-keygen verifies", async () => {
    const signer = await makeSshSigner();
    const armoured = await signAsHost(signer, bytes("x\n"), now());
    expect(verifyWithSsh(git, signer.publicKey, armoured, "x\n")).toMatch(/^Good "git" signature/);
  });

  it("is refused with a passphrase, as RSA, as a public one, in the old format, and as another text", async () => {
    const secret = (type: string, ...more: string[]): string =>
      readFileSync(makeSshKey(git, type, ...more).file, "utf8");
    expect(await refusal(secret("rsa", "-b", "2048"))).toContain("of another type");
    expect(await refusal(secret("ecdsa", "-m", "PEM"))).toBe("no armour of an OpenSSH key");
    expect(await refusal(makeSshKey(git, "ed25519").publicKey)).toBe("no armour of an OpenSSH key");
    const locked = makeSshKey(git, "ed25519");
    locked.protect("a passphrase");
    expect(await refusal(readFileSync(locked.file, "utf8"))).toContain("protected by a passphrase");
    for (const text of ["", "key", "x".repeat(MOST_KEY_BYTES + 1)]) expect(await refusal(text)).not.toBe("taken");
  });

  it("is taken or refused, and never a fault, with a byte changed or cut short", async () => {
    const text = readFileSync(makeSshKey(git, "ed25519").file, "utf8");
    const [begin = "", ...lines] = text.trim().split("\n");
    const end = lines.pop() ?? "";
    const whole = decodeBase64(lines.join("")) ?? new Uint8Array(0);
    const armour = (changed: Uint8Array): string => `${begin}\n${encodeBase64(changed)}\n${end}\n`;
    let taken = 0;
    for (let at = 0; at < whole.length; at += 3) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      if ((await refusal(armour(changed))) === "taken") taken++;
      if (at > 0) expect(await refusal(armour(whole.subarray(0, at)))).not.toBe("no");
    }
    // A comment, and what fills the last block, may be anything.
    expect(taken).toBeLessThan(40);
  });
});

describe("an OpenPGP key", () => {
  it.each(["ed25519", "rsa2048", "rsa3072", "nistp256", "nistp384", "nistp521"])(
    "of gpg's %s signs, and gpg verifies",
    async (algorithm) => {
      const pair = makePgpKey(git, algorithm);
      const signer = await signerOf(pgpSecretOf(git, pair));
      expect(signer).toMatchObject({ kind: "openpgp", fingerprint: pair.fingerprint });
      expect(signer.publicKey).not.toContain("PRIVATE");
      for (const message of MESSAGES) expectGoodPgp(await signAsHost(signer, bytes(message), now()), message);
    },
  );

  it("signs with its newest subkey that may sign, and passes over those that encrypt", async () => {
    const pair = makePgpKey(git, "rsa2048");
    addPgpSubkey(git, pair, "cv25519", "encrypt");
    addPgpSubkey(git, pair, "ed25519", "sign");
    const signer = await signerOf(pgpSecretOf(git, pair));
    const armoured = await signAsHost(signer, bytes("m\n"), now());
    expectGoodPgp(armoured, "m\n");
    // Ed25519 takes less room than RSA.
    expect(armoured.length).toBeLessThan(330);
    expect(signer.fingerprint).toBe(pair.fingerprint);
  });

  it("signs with a subkey where the primary key is elsewhere", async () => {
    const pair = makePgpKey(git, "rsa2048");
    addPgpSubkey(git, pair, "ed25519", "sign");
    const signer = await signerOf(pgpSecretOf(git, pair, true));
    expect(signer.fingerprint).toBe(pair.fingerprint);
    expectGoodPgp(await signAsHost(signer, bytes("m\n"), now()), "m\n");
  });

  it("is refused with a passphrase, as a public one, and where nothing of it signs", async () => {
    const pair = makePgpKey(git, "ed25519");
    expect(await refusal(pair.publicKey)).not.toBe("taken");
    const alone = pgpSecretOf(git, makePgpKey(git, "rsa2048"), true);
    expect(await refusal(alone)).toBe("one of which nothing can sign now");
    expect(await refusal(protectedPgpSecret(git))).toContain("protected by a passphrase");
  });

  it("is verified once for all that a request signs", async () => {
    const signer = await signerOf(pgpSecretOf(git, makePgpKey(git, "nistp521")));
    const verify = vi.spyOn(crypto.subtle, "verify");
    const imported = vi.spyOn(crypto.subtle, "importKey");
    try {
      const sign = await openHostSigner(signer, now());
      const calls = [verify.mock.calls.length, imported.mock.calls.length];
      expect(calls).not.toContain(0);
      for (const message of MESSAGES) expectGoodPgp(await sign(bytes(message), now()), message);
      expect([verify.mock.calls.length, imported.mock.calls.length]).toEqual(calls);
    } finally {
      verify.mockRestore();
      imported.mockRestore();
    }
  });

  it("is refused with very many signatures on itself", async () => {
    const text = pgpSecretOf(git, makePgpKey(git, "ed25519"));
    const packets = parsePackets(decodeArmour(text, "PRIVATE KEY BLOCK"));
    const own = packets.find(({ tag }) => tag === TAG.signature)?.whole ?? new Uint8Array(0);
    const with_ = (count: number): string => {
      const more = Array.from({ length: count }, () => own);
      return encodeArmour(concat([...packets.map(({ whole }) => whole), ...more]), "PRIVATE KEY BLOCK");
    };
    expect(await refusal(with_(MOST_OWN_SIGNATURES - 1))).toBe("taken");
    expect(await refusal(with_(MOST_OWN_SIGNATURES))).toContain("signed itself more than 64 times");
  });

  it("is refused once it has expired, and signs nothing from then on", async () => {
    const pair = makePgpKey(git, "ed25519", "1d");
    const text = pgpSecretOf(git, pair);
    const signer = await signerOf(text);
    const later = now() + 2 * 24 * 3600 * 1000;
    await expect(signAsHost(signer, bytes("m\n"), later)).rejects.toThrow("may not sign any more");
    expect(await readHostSigner(text, later)).toMatchObject({ kind: "refused" });
  });

  it("is taken or refused, and never a fault, with a byte changed or cut short", async () => {
    const text = pgpSecretOf(git, makePgpKey(git, "ed25519"));
    const body = text.slice(text.indexOf("\n\n") + 2, text.lastIndexOf("\n="));
    const whole = decodeBase64(body) ?? new Uint8Array(0);
    expect(whole.length).toBeGreaterThan(100);
    const kind = "PGP PRIVATE KEY BLOCK";
    const armour = (changed: Uint8Array): string =>
      `-----BEGIN ${kind}-----\n\n${encodeBase64(changed)}\n-----END ${kind}-----\n`;
    for (let at = 0; at < whole.length; at += 3) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      expect(await refusal(armour(changed))).toMatch(/./);
      if (at > 0) expect(await refusal(armour(whole.subarray(0, at)))).toMatch(/./);
    }
  });
});
