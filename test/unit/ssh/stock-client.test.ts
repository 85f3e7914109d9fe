/**
 * The server with OpenSSH's client: each algorithm that is offered, keys of each kind, and new keys in the middle of data.
 *
 * @module-tag thorough
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSession } from "../../../src/ssh/connection.ts";
import { noise } from "../../support/git-fixtures.ts";
import { type ClientKey, makeClientKey, type SshBed, sshOptions, startSshBed } from "../../support/ssh-bed.ts";

const PIECE = noise(100_000, 7);
const PIECES = 60;
const DATA = Buffer.concat(Array.from({ length: PIECES }, () => PIECE));
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Answers with the hash of what it gets, or with data; its status is 7, and `stderr` has the key. */
const serves: RunSession = async ({ command, key, input, output, errors, widen }) => {
  await errors.write(Buffer.from(key.fingerprint));
  if (command === "data") {
    for (let piece = 0; piece < PIECES; piece++) await output.write(PIECE);
    return 7;
  }
  widen(500_000);
  const hash = createHash("sha256");
  let buffer = new Uint8Array(65_536);
  for (;;) {
    const bytes = await input.read(buffer);
    if (bytes.length === 0) break;
    hash.update(bytes);
    buffer = new Uint8Array(bytes.buffer);
  }
  await output.write(Buffer.from(hash.digest("hex")));
  return 7;
};

let bed: SshBed;
let key: ClientKey;

beforeAll(async () => {
  bed = await startSshBed(serves);
  key = makeClientKey("ed25519");
});
afterAll(() => bed.stop());

type Ran = { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string };

async function run(used: ClientKey, command: string, options: readonly string[], sent?: Uint8Array): Promise<Ran> {
  const flags = options.flatMap((option) => ["-o", option]);
  const child = spawn("ssh", [...sshOptions(used), ...flags, "-p", `${bed.port}`, "git@127.0.0.1", command]);
  const [out, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (piece: Buffer) => out.push(piece));
  child.stderr.on("data", (piece: Buffer) => errors.push(piece));
  child.stdin.end(sent);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, stdout: Buffer.concat(out), stderr: Buffer.concat(errors).toString() };
}

describe("OpenSSH's client", () => {
  it.each([
    ["Ciphers=aes256-gcm@openssh.com"],
    ["Ciphers=aes128-gcm@openssh.com"],
    ["Ciphers=aes256-ctr", "MACs=hmac-sha2-512"],
    ["Ciphers=aes128-ctr", "MACs=hmac-sha2-256"],
    ["KexAlgorithms=curve25519-sha256@libssh.org", "HostKeyAlgorithms=ecdsa-sha2-nistp256"],
    ["KexAlgorithms=ecdh-sha2-nistp256"],
  ])("gets and sends data with %s", async (...options) => {
    const got = await run(key, "data", options);
    expect({ ...got, stdout: hashOf(got.stdout) }).toEqual({
      status: 7,
      stdout: hashOf(DATA),
      stderr: key.fingerprint,
    });
    const sent = await run(key, "hash", options, DATA);
    expect({ ...sent, stdout: sent.stdout.toString() }).toMatchObject({ status: 7, stdout: hashOf(DATA) });
  });

  it("changes keys in the middle of data, both ways", async () => {
    const options = ["RekeyLimit=1M"];
    expect(hashOf((await run(key, "data", options)).stdout)).toBe(hashOf(DATA));
    expect((await run(key, "hash", options, DATA)).stdout.toString()).toBe(hashOf(DATA));
  });

  it.each([
    ["ecdsa", 256],
    ["ecdsa", 384],
    ["ecdsa", 521],
    ["rsa", 2048],
    ["rsa", 4096],
  ] as const)("logs in with a key of %s, %s bits", async (type, bits) => {
    const other = makeClientKey(type, bits);
    expect(await run(other, "hash", [], PIECE)).toMatchObject({ status: 7, stderr: other.fingerprint });
  });

  it.each([
    ["RSA with SHA-1", ["PubkeyAcceptedAlgorithms=ssh-rsa"], "rsa"],
    ["passwords", ["PubkeyAuthentication=no", "BatchMode=yes"], "ed25519"],
  ] as const)("does not log in with %s", async (_, options, type) => {
    const ran = await run(makeClientKey(type), "hash", options);
    expect(ran.status).toBe(255);
  });

  it.each([["Ciphers=chacha20-poly1305@openssh.com"], ["MACs=hmac-sha2-256-etm@openssh.com", "Ciphers=aes256-ctr"]])(
    "agrees on nothing with %s",
    async (...options) => {
      const ran = await run(key, "hash", options);
      expect(ran.status).toBe(255);
    },
  );
});
