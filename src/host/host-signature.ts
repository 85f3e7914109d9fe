/**
 * Signs what a request makes with the tenant's key on the host.
 *
 * @packageDocumentation
 */
import type { RequestStorage } from "../cloudflare/open-repository.ts";
import { logFault } from "../http/log.ts";
import { DetailedProblem } from "../http/problem.ts";
import type { HostKey, HostSigner, SigningKeyStore, SignMessage } from "../signing/signing-key.ts";

const NO_KEY =
  "What is made here has to be signed, and the tenant has no signing key here, or the deployment can't open it any more. PUT …/signing-key makes one.";

function noKey(detail: string, cause?: unknown): DetailedProblem {
  const problem = new DetailedProblem(409, detail, { code: "no_signing_key" });
  problem.cause = cause;
  return problem;
}

/** What is needed of the platform. */
type KeyStorage = {
  readonly mirrors: Pick<RequestStorage["mirrors"], "open" | "resealed">;
  tenant(name: string): Pick<SigningKeyStore, "hostKey" | "resealHostKey">;
};

/**
 * Seals the private half of a tenant's key anew, if its key of the deployment is not the newest any more: so an old one can be
 * taken away once every signing key was used, or shown, since.
 */
export async function resealHostKey(storage: KeyStorage, tenant: string, { sealed }: HostKey): Promise<void> {
  const fresh = await storage.mirrors.resealed(sealed, { use: "signing-key", id: tenant });
  if (fresh !== undefined) await storage.tenant(tenant).resealHostKey(sealed, fresh);
}

/** Where a key is found, and whose it is. */
type Signature = {
  readonly storage: KeyStorage;
  readonly tenant: string;
  /** Is given work that goes on behind the answer. */
  readonly later: (work: Promise<unknown>) => void;
};

async function findSigner({ storage, tenant, later }: Signature): Promise<HostSigner> {
  const key = await storage.tenant(tenant).hostKey();
  const secret = key && (await storage.mirrors.open(key.sealed, { use: "signing-key", id: tenant }));
  if (key === undefined || secret === undefined) throw noKey(NO_KEY);
  // Nothing waits for this, and it may fail: the key is open, and the next request tries again.
  later(
    resealHostKey(storage, tenant, key).catch((error: unknown) => logFault("a signing key that is sealed anew", error)),
  );
  return { kind: key.kind, secret, publicKey: key.publicKey };
}

async function openSigner(signature: Signature): Promise<SignMessage> {
  const [signer, { openHostSigner }] = await Promise.all([findSigner(signature), import("../signing/host-signer.ts")]);
  return await openHostSigner(signer, Date.now());
}

/**
 * Returns what signs for a tenant, in one request. The key is opened for the first signature, and kept open for the others: a
 * request that was answered before needs none, nor does one that makes nothing. What it returns throws a Problem if there is no
 * key that may sign.
 */
export function hostSignature(signature: Signature): (payload: Uint8Array) => Promise<string> {
  let signer: Promise<SignMessage> | undefined;
  return async (payload) => {
    signer ??= openSigner(signature);
    try {
      return await (
        await signer
      )(payload, Date.now());
    } catch (error) {
      const { NoPrivateKey } = await import("../signing/private-key.ts");
      if (!(error instanceof NoPrivateKey)) throw error;
      throw noKey(`The tenant's signing key is ${error.message}. PUT …/signing-key sets another.`, error);
    }
  };
}
