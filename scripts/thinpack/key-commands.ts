/**
 * `thinpack key`: with which keys pushes may be signed.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { commonOptions, connect, tenantPath } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { listAt } from "./json.ts";
import { type Column, printDone, printList, printThing } from "./output.ts";
import { readInput } from "./prompt.ts";

const COLUMNS: readonly Column[] = [
  ["FINGERPRINT", "fingerprint"],
  ["KIND", "kind"],
  ["TITLE", "title"],
  ["ADDED", "created_at"],
];

async function readKey(file: string): Promise<string> {
  if (file === "-") return (await readInput()).trim();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandFailure(`${file} can't be read`, undefined, { cause });
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(text))
    throw new CommandFailure(`${file} is a private key: give the public one`);
  return text.trim();
}

/** Adds the commands. */
export function addKeyCommands(program: Command): void {
  const keys = program
    .command("key")
    .description("Keys of a tenant that pushes may be signed with (git push --signed).");
  const path = (tenant: string): string => `${tenantPath(tenant)}/signing-keys`;
  keys
    .command("list")
    .summary("lists a tenant's signing keys")
    .argument("<tenant>")
    .action(async (tenant: string, _options: unknown, command: Command) => {
      const rows = listAt(await connect(command, tenant).ask("GET", path(tenant)), "keys");
      printList(rows, COLUMNS, commonOptions(command).json);
    });
  keys
    .command("add")
    .summary("registers a public key: SSH, or OpenPGP in armour")
    .argument("<tenant>")
    .argument("<file>", "as ~/.ssh/id_ed25519.pub; - for standard input")
    .option("--title <title>", "whose it is; by default the file's name")
    .action(async (tenant: string, file: string, { title = file }: { title?: string }, command: Command) => {
      const api = connect(command, tenant);
      printThing(await api.ask("POST", path(tenant), { title, key: await readKey(file) }), commonOptions(command).json);
    });
  keys
    .command("remove")
    .summary("removes a key")
    .argument("<tenant>")
    .argument("<fingerprint>", "as `key list` shows it")
    .action(async (tenant: string, fingerprint: string, _options: unknown, command: Command) => {
      await connect(command, tenant).ask("DELETE", `${path(tenant)}/${encodeURIComponent(fingerprint)}`);
      printDone(`removed ${fingerprint}`, { fingerprint }, commonOptions(command).json);
    });
}
