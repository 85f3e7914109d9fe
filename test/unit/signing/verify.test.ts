/** Signatures that ssh-keygen and gpg make are good, and are not good any more if anything is changed. */
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { SigningKey } from "../../../src/signing/signing-key.ts";
import { decodeBase64, encodeBase64 } from "../../../src/signing/ssh-reader.ts";
import { readSigningKey, verifySignature } from "../../../src/signing/verify.ts";
import { GitSandbox } from "../../support/git-client.ts";
import { endAgent, makePgpKey, makeSshKey, signWithPgp, signWithSsh } from "../../support/signing-keys.ts";

const git = new GitSandbox("signing");
const MESSAGE = "certificate version 0.1\npusher A U Thor\n\n";
/** A time some minutes from now, since keys are made while the tests run. */
const NOW = Date.now() + 600_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

afterAll(() => {
  endAgent(git);
  git.close();
});

async function registered(publicKey: string): Promise<SigningKey> {
  const read = await readSigningKey(publicKey, NOW);
  if (read.kind === "refused") throw new Error(read.why);
  return { ...read.key, title: "test", createdAt: 0 };
}

describe.each([
  ["ed25519", []],
  ["rsa", ["-b", "2048"]],
  ["rsa", ["-b", "3072"]],
  ["ecdsa", ["-b", "256"]],
  ["ecdsa", ["-b", "384"]],
  ["ecdsa", ["-b", "521"]],
])("a signature by an SSH key, %s %j", (type, more) => {
  const key = makeSshKey(git, type, ...more);
  const signature = { kind: "ssh", armoured: signWithSsh(git, key, MESSAGE) } as const;
  let keys: SigningKey[] = [];
  beforeAll(async () => {
    keys = [await registered(makeSshKey(git, "ed25519").publicKey), await registered(key.publicKey)];
  });

  it("is good, with the fingerprint of its key", async () => {
    expect(await verifySignature(signature, bytes(MESSAGE), { keys, now: NOW })).toEqual({
      signature: "good",
      key: key.fingerprint,
    });
    // Many, since an integer with a leading zero is shorter.
    for (let i = 0; i < 8; i++) {
      const message = `${MESSAGE}${i}`;
      const next = { kind: "ssh", armoured: signWithSsh(git, key, message) } as const;
      expect(await verifySignature(next, bytes(message), { keys, now: NOW })).toMatchObject({ signature: "good" });
    }
  });

  it("is bad for another message, and if it was made for another purpose", async () => {
    expect(await verifySignature(signature, bytes(`${MESSAGE} `), { keys, now: NOW })).toEqual({ signature: "bad" });
    const file = { kind: "ssh", armoured: signWithSsh(git, key, MESSAGE, "file") } as const;
    expect(await verifySignature(file, bytes(MESSAGE), { keys, now: NOW })).toEqual({ signature: "bad" });
  });

  it("is of an unknown key if its key is not registered, and unverified if no key is", async () => {
    const others = keys.slice(0, 1);
    expect(await verifySignature(signature, bytes(MESSAGE), { keys: others, now: NOW })).toEqual({
      signature: "unknown-key",
    });
    expect(await verifySignature(signature, bytes(MESSAGE), { keys: [], now: NOW })).toEqual({
      signature: "unverified",
    });
  });

  it("is never good, and never an error, with a byte changed or cut short", async () => {
    const lines = signature.armoured.trim().split("\n");
    const raw = decodeBase64(lines.slice(1, -1).join("\n")) ?? new Uint8Array();
    for (let at = 0; at < raw.length; at += 3) {
      const changed = raw.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      const armoured = `${lines[0]}\n${encodeBase64(changed)}\n${lines.at(-1)}\n`;
      const verdict = await verifySignature({ kind: "ssh", armoured }, bytes(MESSAGE), { keys, now: NOW });
      expect(["bad", "unknown-key"]).toContain(verdict.signature);
    }
    for (let length = 0; length < raw.length; length += 7) {
      const armoured = `${lines[0]}\n${encodeBase64(raw.subarray(0, length))}\n${lines.at(-1)}\n`;
      const verdict = await verifySignature({ kind: "ssh", armoured }, bytes(MESSAGE), { keys, now: NOW });
      expect(verdict).toEqual({ signature: "bad" });
    }
  });
});

describe.each(["ed25519", "rsa2048", "nistp256"])("a signature by an OpenPGP key, %s", (algorithm) => {
  const key = makePgpKey(git, algorithm);
  const signature = { kind: "openpgp", armoured: signWithPgp(git, key, MESSAGE) } as const;
  let keys: SigningKey[] = [];
  beforeAll(async () => {
    keys = [await registered(makePgpKey(git, "ed25519").publicKey), await registered(key.publicKey)];
  });

  it("is good, with the fingerprint of its key", async () => {
    expect(await verifySignature(signature, bytes(MESSAGE), { keys, now: NOW })).toEqual({
      signature: "good",
      key: key.fingerprint,
    });
  });

  it("is bad for another message", async () => {
    expect(await verifySignature(signature, bytes(`${MESSAGE} `), { keys, now: NOW })).toEqual({ signature: "bad" });
  });

  it("is of an unknown key if its key is not registered", async () => {
    expect(await verifySignature(signature, bytes(MESSAGE), { keys: keys.slice(0, 1), now: NOW })).toEqual({
      signature: "unknown-key",
    });
  });
});

describe("verifySignature", () => {
  it("reports bad for an OpenPGP signature with an outdated hash function", async () => {
    const key = makePgpKey(git, "rsa2048");
    const armoured = signWithPgp(git, key, MESSAGE, "--digest-algo", "SHA1");
    const keys = [await registered(key.publicKey)];
    expect(await verifySignature({ kind: "openpgp", armoured }, bytes(MESSAGE), { keys, now: NOW })).toEqual({
      signature: "bad",
    });
  });

  it("reports bad for malformed signatures, and unverified for X.509", async () => {
    const ssh = makeSshKey(git, "ed25519");
    const keys = [await registered(ssh.publicKey), await registered(makePgpKey(git, "ed25519").publicKey)];
    for (const [kind, armoured, expected] of [
      ["ssh", "-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----\n", "bad"],
      ["ssh", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "bad"],
      ["ssh", signWithSsh(git, ssh, MESSAGE).replace("-----END", "----END"), "bad"],
      ["openpgp", "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n", "bad"],
      ["openpgp", "-----BEGIN PGP SIGNATURE-----\n", "bad"],
      ["x509", "-----BEGIN SIGNED MESSAGE-----\n", "unverified"],
    ] as const) {
      const verdict = await verifySignature({ kind, armoured }, bytes(MESSAGE), { keys, now: NOW });
      expect({ armoured, ...verdict }).toEqual({ armoured, signature: expected });
    }
  });
});

describe("a key to register", () => {
  it("is known by its fingerprint, and is kept without its comment", async () => {
    const ssh = makeSshKey(git, "ed25519");
    const read = await readSigningKey(`  ${ssh.publicKey}\n`, NOW);
    expect(read).toEqual({
      kind: "key",
      key: { kind: "ssh", fingerprint: ssh.fingerprint, key: ssh.publicKey.split(" ").slice(0, 2).join(" ") },
    });
    const pgp = makePgpKey(git, "ed25519");
    expect(await readSigningKey(pgp.publicKey, NOW)).toMatchObject({
      kind: "key",
      key: { kind: "openpgp", fingerprint: pgp.fingerprint },
    });
  });

  test.each([
    ["", "no line with a type and a key"],
    ["hello", "no line with a type and a key"],
    ["ssh-ed25519 !!!!", "no line with a type and a key"],
    ["ssh-ed25519 AAAA", "a message that ends too early"],
    [`ssh-rsa ${makeSshKey(git, "ed25519").publicKey.split(" ")[1]}`, "a key of another type than its line says"],
    [makeSshKey(git, "rsa", "-b", "1024").publicKey, "an RSA key of 1024 bits"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\n", "it is a private key"],
    [
      "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
      "nothing of this OpenPGP key",
    ],
    ["x".repeat(40_000), "it is longer than 32768 bytes"],
  ])("is refused if it is %.40j", async (text, why) => {
    expect(await readSigningKey(text, NOW)).toMatchObject({ kind: "refused", why: expect.stringContaining(why) });
  });

  it("is refused if it has expired", async () => {
    const pgp = makePgpKey(git, "ed25519", "1d");
    expect(await readSigningKey(pgp.publicKey, NOW + 2 * 86_400_000)).toMatchObject({ kind: "refused" });
    const keys = [await registered(pgp.publicKey)];
    const signature = { kind: "openpgp", armoured: signWithPgp(git, pgp, MESSAGE) } as const;
    expect(await verifySignature(signature, bytes(MESSAGE), { keys, now: NOW })).toMatchObject({ signature: "good" });
  });
});
