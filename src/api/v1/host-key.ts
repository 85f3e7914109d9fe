/**
 * `/api/v1/tenants/{tenant}/signing-key`: the key with which the host signs what it makes for a tenant.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { HostKey, NewSigner } from "../../signing/signing-key.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { requestedTenant } from "./requested.ts";

const NO_STORE = { "Cache-Control": "no-store" };
const noTenant = (): Problem => new Problem(404, "There is no such tenant.");
const noKey = (): Problem => new Problem(404, "The tenant has no signing key here.");

/** A key that is taken in; without it, one is made. */
const keyBody = v.strictObject({ private_key: v.optional(v.string()) });
const shownKey = v.strictObject({
  fingerprint: v.string(),
  kind: v.picklist(["ssh", "openpgp"]),
  public_key: v.string(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
});

function shown({ fingerprint, kind, publicKey, createdAt }: HostKey): v.InferOutput<typeof shownKey> {
  const created_at = new Date(createdAt).toISOString();
  return { fingerprint, kind, public_key: publicKey, created_at };
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "show");
  const { api } = context.var;
  const key = await api.tenant(tenant).hostKey();
  if (key === undefined) throw noKey();
  await api.resealHostKey(tenant, key);
  return context.json(shown(key), 200, NO_STORE);
}

/** Returns the key that a body gives, or a new one. @throws InvalidRequest if it gives what is no key to sign with */
async function signerOf({ private_key: text }: v.InferOutput<typeof keyBody>): Promise<NewSigner> {
  if (text === undefined) {
    const { makeSshSigner } = await import("../../signing/ssh-signer.ts");
    return await makeSshSigner();
  }
  const { readHostSigner } = await import("../../signing/host-signer.ts");
  const read = await readHostSigner(text, Date.now());
  if (read.kind === "key") return read.signer;
  const detail = `private_key: it is ${read.why}`;
  throw new InvalidRequest("invalid_member", [{ pointer: "#/private_key", detail }]);
}

/** Sets the key, in place of the one that is there. */
async function set(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const { api } = context.var;
  const { secrets } = api.mirrors;
  if (!secrets.canSeal())
    throw new Problem(422, "This deployment can't keep secrets: its operator has to set MIRROR_KEYS.");
  const { secret, ...signer } = await signerOf(await readJson(context.req.raw, keyBody));
  const sealed = await secrets.seal(secret, { use: "signing-key", id: tenant });
  const key = { ...signer, sealed, createdAt: Date.now() };
  if (!(await api.tenant(tenant).changeHostKey(key))) throw noTenant();
  return context.json(shown(key), 201, NO_STORE);
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  if (!(await context.var.api.tenant(tenant).changeHostKey(undefined))) throw noKey();
  return context.body(null, 204);
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
      summary: "Sets the key with which the host signs for the tenant",
      about:
        "In place of the one that there may be: an Ed25519 key of SSH's that is made here, or `private_key`, one without a passphrase. That is an OpenSSH key " +
        "(Ed25519, or ECDSA on nistp256, nistp384 or nistp521), or an armoured OpenPGP key of version 4 (Ed25519, ECDSA on the same curves, or RSA of 2048 to 4096 bits). " +
        "The private half is kept sealed, and shown to nobody. With `sign: true`, or where a repository's `sign` is `host`, commits, " +
        "merges, picks and tags by the API are signed with it. Whoever trusts the host to sign adds the public half to their `gpg.ssh.allowedSignersFile`, or imports it into gpg.",
      body: keyBody,
      answers: { 201: { about: "Its public half.", json: shownKey } },
    }),
    set,
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
