/** The keys by which clients of SSH know the host: makes them, and says what people compare and publish. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { hostKeyBlobs } from "../src/ssh/host-key.ts";

/** The numbers of algorithms and of the digest in SSHFP records. RFC 6594, RFC 7479. */
const SSHFP_ALGORITHMS = { "ssh-ed25519": 4, "ecdsa-sha2-nistp256": 3 } as const;
const SSHFP_SHA256 = 2;

/** Makes an Ed25519 and an ECDSA key, as the Worker's secret SSH_HOST_KEYS has them. */
export function makeSshHostKeys(): string {
  const pairs = [generateKeyPairSync("ed25519"), generateKeyPairSync("ec", { namedCurve: "P-256" })];
  return JSON.stringify(pairs.map(({ privateKey }) => privateKey.export({ format: "jwk" })));
}

/** Returns what is wrong with host keys, if anything is. */
export function hostKeysFault(secret: string): string | undefined {
  try {
    hostKeyBlobs(secret);
    return undefined;
  } catch {
    return "has to be a JSON array of JSON Web Keys, Ed25519 or P-256, with their private parts";
  }
}

/** Returns the fingerprints of host keys, as `ssh` shows them, and records for DNS. @throws BadHostKeys */
export function describeHostKeys(secret: string): string[] {
  return hostKeyBlobs(secret).flatMap(({ algorithm, blob }) => {
    const digest = createHash("sha256").update(blob).digest();
    const fingerprint = `SHA256:${digest.toString("base64").replace(/=+$/, "")}`;
    const record = `IN SSHFP ${SSHFP_ALGORITHMS[algorithm]} ${SSHFP_SHA256} ${digest.toString("hex")}`;
    return [`${algorithm} ${fingerprint}`, `  your.host. ${record}`];
  });
}
