/**
 * `/api/v1/tenants/{tenant}/signing-keys`: the keys whose signatures on pushes are accepted.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { Problem } from "../../http/problem.ts";
import { MOST_KEY_BYTES, MOST_KEYS, type SigningKey } from "../../signing/signing-key.ts";
import { readSigningKey } from "../../signing/verify.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { shownName } from "../shown-text.ts";
import { requestedTenant, pathParam } from "./requested.ts";

/** Characters of a title. */
const LONGEST_TITLE = 100;

const addition = v.strictObject({
  title: shownName(LONGEST_TITLE),
  key: v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_KEY_BYTES)),
});

const shownKey = v.strictObject({
  fingerprint: v.string(),
  kind: v.picklist(["ssh", "openpgp"]),
  title: v.string(),
  key: v.string(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
});

const NO_STORE = { "Cache-Control": "no-store" };
const noTenant = (): Problem => new Problem(404, "There is no such tenant.");

function shown({ fingerprint, kind, title, key, createdAt }: SigningKey): v.InferOutput<typeof shownKey> {
  return { fingerprint, kind, title, key, created_at: new Date(createdAt).toISOString() };
}

async function listKeys(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const keys = await context.var.api.tenant(tenant).signingKeys();
  if (keys === undefined) throw noTenant();
  return context.json({ keys: keys.map(shown) }, 200, NO_STORE);
}

async function addKey(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const { title, key: text } = await readJson(context.req.raw, addition);
  const read = await readSigningKey(text, Date.now());
  if (read.kind === "refused") throw new Problem(422, `This key can't be registered: ${read.why}.`);
  const answer = await context.var.api.tenant(tenant).addSigningKey({ ...read.key, title });
  if (answer.kind === "missing") throw noTenant();
  if (answer.kind === "full") throw new Problem(409, `A tenant may have ${MOST_KEYS} signing keys. Remove some first.`);
  return context.json(shown(answer.key), answer.kind === "added" ? 201 : 200, NO_STORE);
}

async function removeKey(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  // If it is not escaped, the base64 of a fingerprint may contain slashes.
  const removed = await context.var.api.tenant(tenant).removeSigningKey(pathParam(context, "fingerprint"));
  if (!removed) throw new Problem(404, "There is no such signing key.");
  return context.body(null, 204);
}

/** The routes of signing keys, below `/api/v1/tenants`. */
export function signingKeyRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/signing-keys",
    describe({
      tag: "tenants",
      summary: "Lists the keys that pushes may be signed with",
      access: "token",
      answers: { 200: { about: "All of them.", json: v.strictObject({ keys: v.array(shownKey) }) } },
    }),
    listKeys,
  );
  routes.post(
    "/:tenant/signing-keys",
    describe({
      tag: "tenants",
      summary: "Registers a key that pushes may be signed with",
      about:
        "`key` is a line as in `authorized_keys` (Ed25519, ECDSA, RSA of 2048 bits and more, and both kinds on a security key), or an " +
        "armoured OpenPGP public key. One that is registered already is answered as it is.",
      access: "token",
      body: addition,
      answers: {
        200: { about: "It was there.", json: shownKey },
        201: { about: "It is registered.", json: shownKey },
      },
      problems: [409],
    }),
    addKey,
  );
  routes.delete(
    "/:tenant/signing-keys/:fingerprint{.+}",
    describe({
      tag: "tenants",
      summary: "Removes a key",
      about: "What it signed before stays as it was judged then.",
      access: "token",
      answers: { 204: { about: "It is not known any more." } },
    }),
    removeKey,
  );
  return routes;
}
