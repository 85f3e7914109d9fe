/**
 * Turns a request's credentials into a principal: the one place that reads them, so that Basic and Bearer can't differ.
 *
 * @packageDocumentation
 * @see RFC 7617, RFC 6750
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Principal } from "../access/principal.ts";
import type { Scope } from "../access/scope.ts";
import { tenantOfToken } from "../access/token.ts";

/** The password beside which the user name is the token, as GitHub has it. */
const NO_PASSWORD = new Set(["", "x-oauth-basic"]);

/**
 * Returns the token of an `Authorization` header: the credentials of `Bearer` or `token`, or Basic's password with any
 * user. The token may also be the user, without a password.
 */
export function tokenOf(header: string): string | undefined {
  const space = header.indexOf(" ");
  const scheme = header.slice(0, Math.max(space, 0)).toLowerCase();
  const credentials = header.slice(space + 1).trim();
  if (scheme === "bearer" || scheme === "token") return credentials;
  if (scheme !== "basic" || !/^[A-Za-z0-9+/]+={0,2}$/.test(credentials)) return undefined;
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  const password = text.slice(colon + 1);
  return NO_PASSWORD.has(password) ? text.slice(0, colon) : password;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** What credentials are lent for, if a ticket stands for them: one repository of the tenant's, its id where that is known, and whether to write. */
type Lent = { readonly repo: string; readonly repoId?: string; readonly writes: boolean };

/** An SSH key with which the client has signed, and the tenant that may know it: that of the repository asked for. */
export type KeyCredentials = {
  readonly kind: "key";
  readonly tenant: string;
  /** As `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  readonly lent?: Lent;
};

/** What another Worker of the account may do here, as its binding says: nothing is looked up for it. */
export type BindingCredentials = {
  readonly kind: "binding";
  readonly tenant: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The names, in lower case, of the only repositories that it is for. */
  readonly repos?: readonly string[];
};

/**
 * The credentials before anything is looked up: a known principal, a token's SHA-256 and the tenant that has to know
 * it, an SSH key, the operator's right to read one repository, or a binding.
 */
export type Credentials =
  | Exclude<Principal, { kind: "token" }>
  | { readonly kind: "unchecked"; readonly tenant: string; readonly hash: Uint8Array; readonly lent?: Lent }
  | { readonly kind: "lent"; readonly tenant: string; readonly repo: string; readonly repoId?: string }
  | BindingCredentials
  | KeyCredentials;

/**
 * Reads the credentials. Secrets are hashed before they are compared, so that the time shows neither length nor
 * content.
 */
export function readCredentials(header: string | undefined, adminToken: string | undefined): Credentials {
  if (header === undefined) return { kind: "anonymous" };
  const token = tokenOf(header);
  if (token === undefined) return { kind: "invalid" };
  const hash = digest(token);
  const isSet = adminToken !== undefined && adminToken !== "";
  if (isSet && timingSafeEqual(hash, digest(adminToken))) return { kind: "operator" };
  const tenant = tenantOfToken(token);
  return tenant === undefined ? { kind: "invalid" } : { kind: "unchecked", tenant, hash };
}
