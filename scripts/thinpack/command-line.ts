/**
 * The common parts of the commands.
 *
 * @packageDocumentation
 */
import { type Command, InvalidArgumentError } from "commander";
import { ApiConnection } from "./api-connection.ts";
import { pathPiece } from "./api-path.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { chosenHost, parseRepositoryPath } from "./host-choice.ts";
import { isJson } from "./json.ts";
import { askPeople } from "./prompt.ts";

/** The options of every command. */
export type CommonOptions = { readonly base?: string; readonly token?: string; readonly json: boolean };

/** Returns the options that all commands have. */
export function commonOptions(command: Command): CommonOptions {
  const options: unknown = command.optsWithGlobals();
  if (!isJson(options)) return { json: false };
  const { base, token, json } = options;
  return {
    ...(typeof base === "string" ? { base } : {}),
    ...(typeof token === "string" ? { token } : {}),
    json: json === true,
  };
}

/** Opens the API of the chosen host, with a token for this tenant. */
export function connect(command: Command, tenant?: string): ApiConnection {
  return new ApiConnection(chosenHost(commonOptions(command), tenant));
}

/** Opens the API for `{tenant}/{repo}`, with the path that it has there. */
export function connectTo(command: Command, text: string): { readonly api: ApiConnection; readonly path: string } {
  const { tenant, path } = parseRepositoryPath(text);
  return { api: connect(command, tenant), path };
}

/** Returns a tenant's path in the API. @throws CommandFailure if it is no name */
export function tenantPath(tenant: string): string {
  return `/tenants/${pathPiece(tenant)}`;
}

/** Reads a whole number of an option. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("It is not a whole number.");
  return value;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3, t: 1000 ** 4 };

/** Reads bytes of an option: `500`, `20MB`, `1.5g`. */
export function byteCount(text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("It is not a number of bytes, as 500, 20MB or 1.5g are.");
  return Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? 1));
}

const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads seconds of an option: `90`, `15m`, `12h`, `30d`. */
export function seconds(text: string): number {
  const [, digits, unit = ""] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("It is not a time, as 90, 15m, 12h or 30d are.");
  return Number(digits) * (SECONDS[unit] ?? 1);
}

/** Reads `on` or `off`. */
export function onOrOff(text: string): boolean {
  if (text !== "on" && text !== "off") throw new InvalidArgumentError("It is on or off.");
  return text === "on";
}

/** Adds a value to those that an option was given before. */
export function collected(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/**
 * Has people confirm what can't be undone by typing its name; scripts pass `--yes`.
 *
 * @throws CommandFailure if they don't.
 */
export async function confirmed(name: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY) throw new CommandFailure("this can't be undone: give --yes", EXIT.usage);
  const typed = await askPeople(`This can't be undone. Type ${name} to go on: `);
  if (typed !== name) throw new CommandFailure("nothing was done");
}
