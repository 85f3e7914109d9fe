/**
 * `/api/v1/tenants/{tenant}/signing-key`: the key with which the host signs what it makes for a tenant.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { DetailedProblem, Problem } from "../../http/problem.ts";
import type { WriteExchange } from "../../service/commit/write-session.ts";
import type { HostKey } from "../../signing/signing-key.ts";
import { makeSshSigner, signWithSsh, type SshSigner } from "../../signing/ssh-signer.ts";
import type { ApiEnv, ApiHost } from "../api-host.ts";
import { describe } from "../describe.ts";
import { requestedTenant } from "./requested.ts";

const NO_STORE = { "Cache-Control": "no-store" };
const noTenant = (): Problem => new Problem(404, "There is no such tenant.");
const noKey = (): Problem => new Problem(404, "The tenant has no signing key here.");

const shownKey = v.strictObject({
  fingerprint: v.string(),
  kind: v.literal("ssh"),
  public_key: v.string(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
});

function shown({ fingerprint, publicKey, createdAt }: HostKey): v.InferOutput<typeof shownKey> {
  const created_at = new Date(createdAt).toISOString();
  return { fingerprint, kind: "ssh", public_key: publicKey, created_at };
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "show");
  const key = await context.var.api.tenant(tenant).hostKey();
  if (key === undefined) throw noKey();
  return context.json(shown(key), 200, NO_STORE);
}

/** Makes a new key, in place of the one that is there. */
async function make(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const { api } = context.var;
  const { secrets } = api.mirrors;
  if (!secrets.canSeal())
    throw new Problem(422, "This deployment can't keep secrets: its operator has to set MIRROR_KEYS.");
  const { secret, publicKey, fingerprint } = await makeSshSigner();
  const sealed = await secrets.seal(secret, { use: "signing-key", id: tenant });
  const key = { fingerprint, publicKey, sealed, createdAt: Date.now() };
  if (!(await api.tenant(tenant).changeHostKey(key))) throw noTenant();
  return context.json(shown(key), 201, NO_STORE);
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  if (!(await context.var.api.tenant(tenant).changeHostKey(undefined))) throw noKey();
  return context.body(null, 204);
}

/**
 * Returns how what a request makes is signed: with the tenant's key, if that is asked for. The key is opened for the first signature: a
 * request that was answered before needs none, nor does one that makes nothing. @throws Problem from what signs, if there is no key
 */
export function hostSigning(context: Context<ApiEnv>, tenant: string, sign: unknown): Pick<WriteExchange, "sign"> {
  if (sign !== true) return {};
  let signer: Promise<SshSigner> | undefined;
  return {
    sign: async (payload) => {
      signer ??= signerOf(context.var.api, tenant);
      return await signWithSsh(await signer, payload);
    },
  };
}

async function signerOf(api: ApiHost, tenant: string): Promise<SshSigner> {
  const key = await api.tenant(tenant).hostKey();
  const secret = key && (await api.mirrors.secrets.open(key.sealed, { use: "signing-key", id: tenant }));
  if (key === undefined || secret === undefined) {
    const detail = "sign: the tenant has no signing key here, or the deployment can't open it any more. PUT …/signing-key makes one."; // prettier-ignore
    throw new DetailedProblem(409, detail, { code: "no_signing_key" });
  }
  return { secret, publicKey: key.publicKey };
}

/** The routes of the host's key, below `/api/v1/tenants`. */
export function hostKeyRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const base = { tag: "tenants", access: "token" } as const;
  routes.get(
    "/:tenant/signing-key",
    describe({
      ...base,
      summary: "Shows the key with which the host signs for the tenant",
      answers: { 200: { about: "Its public half.", json: shownKey } },
    }),
    show,
  );
  routes.put(
    "/:tenant/signing-key",
    describe({
      ...base,
      summary: "Makes a key with which the host signs for the tenant",
      about:
        "An Ed25519 key of SSH's, in place of the one that there may be. Its private half is kept sealed, and shown to nobody. With `sign: true` commits, " +
        "merges, picks and tags by the API are signed with it. Whoever trusts the host to sign adds the public half to their `gpg.ssh.allowedSignersFile`.",
      answers: { 201: { about: "Its public half.", json: shownKey } },
    }),
    make,
  );
  routes.delete(
    "/:tenant/signing-key",
    describe({
      ...base,
      summary: "Removes the key with which the host signs for the tenant",
      answers: { 204: { about: "Nothing is signed with it any more." } },
    }),
    remove,
  );
  return routes;
}
