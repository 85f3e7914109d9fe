/**
 * `thinpack key`: with which keys pushes may be signed, and which keys may use git by SSH.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { pathPiece } from "./api-path.ts";
import { collected, commonOptions, connect, connectTo, seconds, tenantPath } from "./command-line.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { listAt, shownValue, textAt } from "./json.ts";
import { lookForRepositories } from "./missing-repositories.ts";
import { type Column, formatTime, printDone, printList, printThing } from "./output.ts";
import { readInput } from "./prompt.ts";

const COLUMNS: readonly Column[] = [
  ["FINGERPRINT", "fingerprint"],
  ["KIND", "kind"],
  ["TITLE", "title"],
  ["ADDED", (row) => formatTime(row["created_at"])],
];

const USE: readonly Column[] = [
  ["EXPIRES", (row) => formatTime(row["expires_at"] ?? "never")],
  ["LAST USED", (row) => formatTime(row["last_used_at"] ?? "never")],
];
const NAMED: readonly Column[] = [
  ["ID", "id"],
  ["NAME", "name"],
  ["FINGERPRINT", "fingerprint"],
];
const SSH_COLUMNS: readonly Column[] = [
  ...NAMED,
  ["SCOPES", "scopes"],
  ["REPOSITORIES", (row) => shownValue(row["repos"]) || "all"],
  ...USE,
];
const DEPLOY_COLUMNS: readonly Column[] = [
  ...NAMED,
  ["WRITE", (row) => (row["write"] === true ? "yes" : "no")],
  ...USE,
];

async function readText(file: string): Promise<string> {
  if (file === "-") return (await readInput()).trim();
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new CommandFailure(`${file} can't be read`, undefined, { cause });
  }
}

async function readKey(file: string): Promise<string> {
  const text = await readText(file);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(text))
    throw new CommandFailure(`${file} is a private key: give the public one`);
  return text;
}

/**
 * Returns what a key is to be called: an SSH key's comment, else the name of its file. @see sshd(8), "AUTHORIZED_KEYS
 * FILE FORMAT"
 */
function titleOf(key: string, file: string): string {
  const [, comment = ""] = /^(?:ssh|ecdsa|sk)-\S+ +\S+ +([^\n]+)/.exec(key) ?? [];
  return comment.trim() || (file === "-" ? "a key" : basename(file));
}

/** The keys that a command is about: those that sign, those that people use by SSH, or the deploy keys of a repository. */
type Place = {
  readonly api: ApiConnection;
  readonly path: string;
  readonly kind: "signing" | "ssh" | "deploy";
  readonly what: string;
};

function placeOf(command: Command, given: string, { ssh }: { readonly ssh?: true }): Place {
  if (given.includes("/")) {
    const { api, path } = connectTo(command, given);
    return { api, path: `${path}/deploy-keys`, kind: "deploy", what: `deploy keys of ${given}` };
  }
  const api = connect(command, given);
  if (ssh === true) return { api, path: `${tenantPath(given)}/ssh-keys`, kind: "ssh", what: `SSH keys in ${given}` };
  return { api, path: `${tenantPath(given)}/signing-keys`, kind: "signing", what: `signing keys in ${given}` };
}

type AddOptions = {
  readonly title?: string;
  readonly ssh?: true;
  readonly scope?: readonly string[];
  readonly repo?: readonly string[];
  readonly write?: true;
  readonly expiresIn?: number;
};

/** Returns what is asked of the host, beside the key. @throws CommandFailure for options that are for other keys */
function requestOf(kind: Place["kind"], title: string, options: AddOptions): Record<string, unknown> {
  const { scope, repo, write, expiresIn } = options;
  const expiry = expiresIn === undefined ? {} : { expires_in: expiresIn };
  const given = (["scope", "repo", "write", "expiresIn"] as const).filter((name) => options[name] !== undefined);
  const known = { signing: [], ssh: ["scope", "repo", "expiresIn"], deploy: ["write", "expiresIn"] }[kind];
  const odd = given.find((name) => !known.some((other) => other === name));
  if (odd !== undefined) {
    const flag = odd === "expiresIn" ? "expires-in" : odd;
    throw new CommandFailure(`--${flag} is not for ${kind === "ssh" ? "an SSH" : `a ${kind}`} key`, EXIT.usage);
  }
  if (kind === "signing") return { title };
  if (kind === "deploy") return { name: title, write: write === true, ...expiry };
  if (scope === undefined) throw new CommandFailure("--scope is needed, such as --scope repo:write", EXIT.usage);
  return { name: title, scopes: scope, ...(repo === undefined ? {} : { repos: repo }), ...expiry };
}

async function listKeys(given: string, options: { readonly ssh?: true }, command: Command): Promise<void> {
  const { api, path, kind, what } = placeOf(command, given, options);
  const isSigning = kind === "signing";
  const rows = isSigning ? listAt(await api.ask("GET", path), "keys") : await api.list(path, "keys");
  const columns = { signing: COLUMNS, ssh: SSH_COLUMNS, deploy: DEPLOY_COLUMNS }[kind];
  printList(rows, columns, { json: commonOptions(command).json, what });
}

type HostKeyOptions = { readonly make?: true; readonly set?: string; readonly remove?: true };

async function addKey(given: string, file: string, options: AddOptions, command: Command): Promise<void> {
  const { api, path, kind } = placeOf(command, given, options);
  const key = await readKey(file);
  const asked = requestOf(kind, options.title ?? titleOf(key, file), options);
  // Only an SSH key of a tenant takes names of repositories.
  const warn = await lookForRepositories(api, given, options.repo);
  printThing(await api.ask("POST", path, { ...asked, key }), commonOptions(command).json);
  warn();
}

async function hostKey(tenant: string, options: HostKeyOptions, command: Command): Promise<void> {
  const api = connect(command, tenant);
  const path = `${tenantPath(tenant)}/signing-key`;
  const { json } = commonOptions(command);
  if ([options.make, options.set, options.remove].filter((given) => given !== undefined).length > 1)
    throw new CommandFailure("only one of --make, --set and --remove may be given", EXIT.usage);
  if (options.set !== undefined) {
    printThing(await api.ask("PUT", path, { private_key: await readText(options.set) }), json);
    return;
  }
  if (options.remove === true) {
    await api.ask("DELETE", path);
    printDone(`the host signs for ${tenant} no more`, {}, json);
    return;
  }
  printThing(await api.ask(options.make === true ? "PUT" : "GET", path), json);
}

/** Finds a key by its id or its fingerprint. */
async function keyId(api: ApiConnection, path: string, given: string): Promise<string> {
  if (!given.startsWith("SHA256:")) return given;
  const found = (await api.list(path, "keys")).find((key) => key["fingerprint"] === given);
  return found === undefined ? given : textAt(found, "id");
}

async function removeKey(
  given: string,
  key: string,
  options: { readonly ssh?: true },
  command: Command,
): Promise<void> {
  const { api, path, kind } = placeOf(command, given, options);
  const id = kind === "signing" ? key : await keyId(api, path, key);
  await api.ask("DELETE", `${path}/${pathPiece(id)}`);
  printDone(`removed ${key}`, kind === "signing" ? { fingerprint: key } : { id }, commonOptions(command).json);
}

const SSH = "those that may use git by SSH";

/** Adds the commands. */
export function addKeyCommands(program: Command): void {
  const keys = program
    .command("key")
    .description(
      "Keys of a tenant that pushes may be signed with (git push --signed), keys that may use git by SSH (--ssh), and " +
        "the deploy keys of a repository.",
    );
  keys
    .command("list")
    .summary("lists a tenant's signing keys or SSH keys, or a repository's deploy keys")
    .argument("<of>", "a tenant, or tenant/repo for deploy keys")
    .option("--ssh", SSH)
    .action(listKeys);
  keys
    .command("add")
    .summary("registers a public key: SSH, or for signing also OpenPGP in armour")
    .argument("<of>", "a tenant, or tenant/repo for a deploy key")
    .argument("<file>", "such as ~/.ssh/id_ed25519.pub; - for standard input")
    .option("--title <title>", "whose key it is; by default the key's own comment, or the file's name")
    .option("--ssh", "it may use git by SSH; without this it signs pushes")
    .option("--scope <scope>", "with --ssh: repo:read, repo:write or tenant:admin; may be given again", collected)
    .option("--repo <name>", "with --ssh: only for this repository; may be given again", collected)
    .option("--write", "a deploy key: it may push, too")
    .option("--expires-in <time>", "not for signing keys: such as 12h or 30d", seconds)
    .addHelpText(
      "after",
      `
Examples:
  thinpack key add acme ~/.ssh/id_ed25519.pub --ssh --scope repo:write
  thinpack key add acme/widgets deploy.pub --write`,
    )
    .action(addKey);
  keys
    .command("remove")
    .summary("removes a key")
    .argument("<of>", "a tenant, or tenant/repo for a deploy key")
    .argument("<key>", "its fingerprint, or its id, as `key list` shows them")
    .option("--ssh", SSH)
    .action(removeKey);
  keys
    .command("host")
    .summary("shows, makes, sets or removes the key with which the host signs for a tenant")
    .argument("<tenant>")
    .option("--make", "makes a new one, in place of the one that there may be")
    .option(
      "--set <file>",
      "sets a private key without a passphrase, of OpenSSH or armoured OpenPGP; - for standard input",
    )
    .option("--remove", "removes it")
    .action(hostKey);
}
