/**
 * Signs what a request makes with the tenant's key on the host.
 *
 * @packageDocumentation
 */
import type { RequestStorage } from "../cloudflare/open-repository.ts";
import { DetailedProblem } from "../http/problem.ts";
import type { HostKey, HostSigner } from "../signing/signing-key.ts";

const NO_KEY =
  "What is made here has to be signed, and the tenant has no signing key here, or the deployment can't open it any more. PUT …/signing-key makes one.";

function noKey(detail: string, cause?: unknown): DetailedProblem {
  const problem = new DetailedProblem(409, detail, { code: "no_signing_key" });
  problem.cause = cause;
  return problem;
}

/**
 * Seals the private half of a tenant's key anew, if its key of the deployment is not the newest any more: so an old one can be
 * taken away once every signing key was used, or shown, since.
 */
export async function resealHostKey(storage: RequestStorage, tenant: string, { sealed }: HostKey): Promise<void> {
  const fresh = await storage.mirrors.resealed(sealed, { use: "signing-key", id: tenant });
  if (fresh !== undefined) await storage.tenant(tenant).resealHostKey(sealed, fresh);
}

async function openSigner(storage: RequestStorage, tenant: string): Promise<HostSigner> {
  const key = await storage.tenant(tenant).hostKey();
  const secret = key && (await storage.mirrors.open(key.sealed, { use: "signing-key", id: tenant }));
  if (key === undefined || secret === undefined) throw noKey(NO_KEY);
  await resealHostKey(storage, tenant, key);
  return { kind: key.kind, secret, publicKey: key.publicKey };
}

/**
 * Returns what signs for a tenant, in one request. The key is opened for the first signature: a request that was answered before
 * needs none, nor does one that makes nothing. What it returns throws a Problem if there is no key that may sign.
 */
export function hostSignature(storage: RequestStorage, tenant: string): (payload: Uint8Array) => Promise<string> {
  let signer: Promise<HostSigner> | undefined;
  return async (payload) => {
    signer ??= openSigner(storage, tenant);
    const [opened, { signAsHost }, { NoPrivateKey }] = await Promise.all([
      signer,
      import("../signing/host-signer.ts"),
      import("../signing/private-key.ts"),
    ]);
    try {
      return await signAsHost(opened, payload, Date.now());
    } catch (error) {
      if (!(error instanceof NoPrivateKey)) throw error;
      throw noKey(`The tenant's signing key is ${error.message}. PUT …/signing-key sets another.`, error);
    }
  };
}
