/**
 * The tokens that people gave to `thinpack login`, in `$XDG_CONFIG_HOME/thinpack/logins.json`, which only they may read.
 *
 * ```text
 * { "default": "https://host", "hosts": { "https://host": { "": operator's token, "acme": token of tenant acme } } }
 * ```
 *
 * @packageDocumentation
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CommandFailure } from "./failure.ts";
import { type Json, isJson, objectAt } from "./json.ts";

/** The tokens of one host by tenant; "" for the operator's. */
export type HostLogins = Readonly<Record<string, string>>;

/** The content of the file. */
export type Logins = { readonly default?: string; readonly hosts: Readonly<Record<string, HostLogins>> };

/** Returns the tenant that a token names; "" if it names none, like the operator's. */
export function tenantOf(token: string): string {
  return /^tpk_([A-Za-z0-9._-]+)_[0-9A-Za-z]{38}$/.exec(token)?.[1] ?? "";
}

/** Returns a host's address as it is kept: its origin. @throws CommandFailure if it can't be one. */
export function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new CommandFailure(`${address} is not the address of a host: give it as https://host`);
  }
  return url.origin;
}

/** Returns the file's name. */
export function loginsFile(env: NodeJS.ProcessEnv = process.env): string {
  const given = env["XDG_CONFIG_HOME"];
  const base = given === undefined || given === "" ? join(env["HOME"] ?? homedir(), ".config") : given;
  return join(base, "thinpack", "logins.json");
}

function tokensOf(json: Json): HostLogins {
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Reads the file. An invalid file is an error, or the next login would overwrite it. */
export function readLogins(file: string = loginsFile()): Logins {
  if (!existsSync(file)) return { hosts: {} };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new CommandFailure(`${file} can't be read: delete it and log in again`, undefined, { cause });
  }
  if (!isJson(json)) throw new CommandFailure(`${file} is not what this command wrote: delete it and log in again`);
  const hosts = objectAt(json, "hosts");
  const chosen = json["default"];
  return {
    ...(typeof chosen === "string" ? { default: chosen } : {}),
    hosts: Object.fromEntries(Object.keys(hosts).map((host) => [host, tokensOf(objectAt(hosts, host))])),
  };
}

/** Writes the file by renaming, so that a concurrent reader sees all of the old content or all of the new. */
export function writeLogins(logins: Logins, file: string = loginsFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(logins, undefined, 2)}\n`, { mode: 0o600 });
  // A file left by a crash may have other permissions.
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

/** Adds a token, replacing one of the same tenant. */
export function withLogin(logins: Logins, origin: string, token: string): Logins {
  const tokens = { ...logins.hosts[origin], [tenantOf(token)]: token };
  return { ...logins, hosts: { ...logins.hosts, [origin]: tokens } };
}

/** Removes a host's tokens, or only those equal to `token`. */
export function withoutLogin(logins: Logins, origin: string, token?: string): Logins {
  const kept = Object.entries(logins.hosts[origin] ?? {}).filter(([, each]) => token !== undefined && each !== token);
  const others = Object.entries(logins.hosts).filter(([host]) => host !== origin);
  const hosts = Object.fromEntries([...others, ...(kept.length === 0 ? [] : [[origin, Object.fromEntries(kept)]])]);
  if (logins.default !== undefined && hosts[logins.default] !== undefined) return { default: logins.default, hosts };
  return { hosts };
}

/** Returns the token for a tenant of a host: its own, else the operator's, else the only one there is. */
export function findLogin(logins: Logins, origin: string, tenant: string | undefined): string | undefined {
  const tokens = logins.hosts[origin] ?? {};
  const own = tenant === undefined ? undefined : tokens[tenant];
  const all = Object.values(tokens);
  return own ?? tokens[""] ?? (all.length === 1 ? all[0] : undefined);
}
