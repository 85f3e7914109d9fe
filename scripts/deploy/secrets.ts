/** The secrets of a deployment, and the plan for each. */
import { randomBytes } from "node:crypto";
import { SecretBox } from "../../src/cloudflare/sealed-secrets.ts";
import { describeHostKeys, hostKeysFault, makeSshHostKeys } from "../ssh-host-keys.ts";

/** A secret of the Worker's. */
export type Secret = {
  readonly name: string;
  /** Its purpose, and what does not work without it. */
  readonly purpose: string;
  /** Returns the fault of a value, if any. */
  readonly fault: (value: string) => string | undefined;
  /**
   * Makes a value if the operator wants none of their own. Absent for a secret that is only used if the environment has
   * it.
   */
  readonly make?: () => string;
  /** Returns what the operator is to know of a value that is uploaded, which is not secret. */
  readonly tells?: (value: string) => readonly string[];
};

/** The fewest characters of a secret that can't be guessed. */
const LEAST_LENGTH = 20;

function tooShort(value: string): string | undefined {
  return value.length < LEAST_LENGTH ? `has to have at least ${LEAST_LENGTH} characters` : undefined;
}

function unreadableKeys(value: string): string | undefined {
  try {
    return new SecretBox(value).canSeal ? undefined : "has no key";
  } catch {
    return "has to be a name, a colon and 32 bytes in base64; several with commas";
  }
}

/** Every secret of `src/env.ts`. */
export const SECRETS: readonly Secret[] = [
  {
    name: "ADMIN_TOKEN",
    purpose: "the operator's token; without it nobody can make tenants or tokens",
    fault: tooShort,
    make: () => randomBytes(24).toString("base64url"),
  },
  {
    name: "MIRROR_KEYS",
    purpose: "seals the credentials of mirrors' upstreams; without it mirrors can have none",
    fault: unreadableKeys,
    make: () => `first:${randomBytes(32).toString("base64")}`,
  },
  {
    name: "SSH_HOST_KEYS",
    purpose: "the keys by which clients of SSH know the host; without it there is no SSH",
    fault: hostKeysFault,
    make: makeSshHostKeys,
    tells: (value) => ["  Clients of SSH are shown these; the records are for DNS:", ...describeHostKeys(value)],
  },
  {
    name: "PUSH_CERT_SEED",
    purpose: "makes the nonces of signed pushes; without it each repository has its own",
    fault: tooShort,
  },
  {
    name: "R2_ACCESS_KEY_ID",
    purpose:
      "with R2_SECRET_ACCESS_KEY and R2_ACCOUNT_ID: large files go to the bucket itself; without them through the Worker",
    fault: tooShort,
  },
  {
    name: "R2_SECRET_ACCESS_KEY",
    purpose: "belongs to R2_ACCESS_KEY_ID",
    fault: tooShort,
  },
];

/** The plan for a secret: it stays as it is deployed, gets a value, is asked for, or stays unset. */
export type SecretPlan =
  | { readonly kind: "keep" | "unset"; readonly secret: Secret }
  | { readonly kind: "set"; readonly secret: Secret; readonly value: string }
  | { readonly kind: "ask"; readonly secret: Secret; readonly make: () => string };

/** The facts that plans are made from. */
export type SecretFacts = {
  /** The names of the secrets that the Worker has. */
  readonly deployed: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
};

/** Returns the plan for each secret. A value from the environment is uploaded even if one is deployed. */
export function planSecrets({ deployed, environment, interactive }: SecretFacts): SecretPlan[] {
  return SECRETS.map((secret) => {
    const value = environment[secret.name];
    if (value !== undefined && value !== "") return { kind: "set", secret, value };
    if (deployed.includes(secret.name)) return { kind: "keep", secret };
    if (interactive && secret.make !== undefined) return { kind: "ask", secret, make: secret.make };
    return { kind: "unset", secret };
  });
}
