/**
 * Which host is meant, and with what token: what is given on the line, then the environment, then what was logged in to, then the host
 * that `npm start` runs on this machine.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathPiece } from "./api-path.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { findLogin, originOf, readLogins } from "./logins.ts";

/** The options that every command takes. */
export type HostOptions = { readonly base?: string; readonly token?: string };

/** A host, and a token of it. */
export type HostChoice = { readonly base: string; readonly token: string };

/** A variable that is set to something. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
}

function localBase(): string {
  return `http://localhost:${variable("PORT") ?? "8787"}`;
}

/** Returns the address of the host that is meant. */
export function chosenBase({ base }: HostOptions): string {
  return originOf(base ?? variable("THINPACK_BASE") ?? readLogins().default ?? localBase());
}

/** Returns the token that `npm start` keeps, for hosts on this machine. */
function keptToken(base: string): string | undefined {
  if (!["localhost", "127.0.0.1", "[::1]"].includes(new URL(base).hostname)) return undefined;
  const file = join(variable("STATE_DIR") ?? ".thinpack", "admin-token");
  return variable("ADMIN_TOKEN") ?? (existsSync(file) ? readFileSync(file, "utf8").trim() : undefined);
}

/** Returns the token for a host, and for a tenant where one is asked for; `undefined` if there is none. */
export function findToken(base: string, { token }: HostOptions, tenant?: string): string | undefined {
  return token ?? variable("THINPACK_TOKEN") ?? findLogin(readLogins(), base, tenant) ?? keptToken(base);
}

/** Returns host and token. @throws CommandFailure if there is no token. */
export function chosenHost(options: HostOptions, tenant?: string): HostChoice {
  const base = chosenBase(options);
  const token = findToken(base, options, tenant);
  if (token !== undefined) return { base, token };
  const hint = `run: thinpack login ${base}`;
  throw new CommandFailure(`no token for ${base}: ${hint}, or give --token, or set THINPACK_TOKEN`, EXIT.notLetIn);
}

/** Takes `{tenant}/{repo}` apart. @throws CommandFailure if it is not that. */
export function parseRepositoryPath(text: string): { readonly tenant: string; readonly repo: string; path: string } {
  const [, tenant, repo] = /^([^/]+)\/([^/]+?)(?:\.git)?$/.exec(text) ?? [];
  if (tenant === undefined || repo === undefined) {
    throw new CommandFailure(`${text} is not a repository: give it as tenant/name`, EXIT.usage);
  }
  return { tenant, repo, path: `/repos/${pathPiece(tenant)}/${pathPiece(repo)}` };
}
