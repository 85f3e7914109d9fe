/**
 * `thinpack key`: with which keys pushes may be signed.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { commonOptions, connect, tenantPath } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { listAt } from "./json.ts";
import { type Column, formatTime, printDone, printList, printThing } from "./output.ts";
import { readInput } from "./prompt.ts";

const COLUMNS: readonly Column[] = [
  ["FINGERPRINT", "fingerprint"],
  ["KIND", "kind"],
  ["TITLE", "title"],
  ["ADDED", (row) => formatTime(row["created_at"])],
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

/**
 * Returns what a key is to be called: an SSH key's comment, else the name of its file. @see sshd(8), "AUTHORIZED_KEYS
 * FILE FORMAT"
 */
function titleOf(key: string, file: string): string {
  const [, comment = ""] = /^(?:ssh|ecdsa|sk)-\S+ +\S+ +([^\n]+)/.exec(key) ?? [];
  return comment.trim() || (file === "-" ? "a key" : basename(file));
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
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: `signing keys in ${tenant}` });
    });
  keys
    .command("add")
    .summary("registers a public key: SSH, or OpenPGP in armour")
    .argument("<tenant>")
    .argument("<file>", "such as ~/.ssh/id_ed25519.pub; - for standard input")
    .option("--title <title>", "whose key it is; by default the key's own comment, or the file's name")
    .action(async (tenant: string, file: string, { title }: { title?: string }, command: Command) => {
      const api = connect(command, tenant);
      const key = await readKey(file);
      const made = await api.ask("POST", path(tenant), { title: title ?? titleOf(key, file), key });
      printThing(made, commonOptions(command).json);
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
