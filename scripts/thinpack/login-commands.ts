/**
 * `thinpack login`, `logout`, `logins`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions } from "./command-line.ts";
import { CommandFailure, EXIT, HostRefusal } from "./failure.ts";
import { git, runGit } from "./git-process.ts";
import { chosenBase } from "./host-choice.ts";
import { loginsFile, originOf, readLogins, tenantOf, withLogin, withoutLogin, writeLogins } from "./logins.ts";
import { printDone, printList } from "./output.ts";
import { askPeople, readInput } from "./prompt.ts";
import { checkToken } from "./whoami-command.ts";

/** @throws CommandFailure if the host does not take the token */
async function checkLogin(base: string, token: string): Promise<void> {
  try {
    await checkToken(base, token);
  } catch (error) {
    if (!(error instanceof HostRefusal) || error.status !== 401) throw error;
    throw new CommandFailure(`${base} does not take this token`, EXIT.notLetIn, { cause: error });
  }
}

/**
 * Forgets the other tokens of a host that it takes no longer: a tenant's goes before the operator's, and one that has expired would hide
 * the login that was just made. Returns their tenants.
 */
async function forgetDeadTokens(base: string, fresh: string): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const [tenant, token] of Object.entries(readLogins().hosts[base] ?? {})) {
    if (token === fresh) continue;
    try {
      await checkToken(base, token);
    } catch (error) {
      // Where the host says anything else, the token may be good.
      if (!(error instanceof HostRefusal) || error.status !== 401) continue;
      writeLogins(withoutLogin(readLogins(), base, token));
      gone.push(tenant === "" ? "the operator's token" : `the token of ${tenant}`);
    }
  }
  return gone;
}

async function givenToken(given: string | undefined): Promise<string> {
  const token =
    given ?? (process.stdin.isTTY ? await askPeople("Token (it is not shown): ", true) : (await readInput()).trim());
  if (token === "" || /\s/.test(token)) throw new CommandFailure("that is no token", EXIT.usage);
  return token;
}

/** Quotes a word for the shell that git runs helpers in. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Returns what git runs to ask this command for credentials. The command is named by the file of its bundle: `npx`, or
 * the script that looks whether the bundle is new, would take longer with each fetch.
 */
export function helperLine(): string {
  return `!${quoted(process.execPath)} ${quoted(__filename)} credential`;
}

/**
 * Makes git ask this command, and no other helper, for the credentials of a host. The empty helper resets the list: any other would be
 * given the token to keep.
 *
 * @see gitcredentials(7): "If credential.helper is configured to the empty string, this resets the helper list to empty"
 */
async function tellGit(base: string): Promise<void> {
  const name = `credential.${base}.helper`;
  // Away first, so that it is written at the end of the file: helpers further down would be asked, too.
  await runGit(["config", "--global", "--unset-all", name]);
  for (const value of ["", helperLine()]) await git(["config", "--global", "--add", name, value]);
}

/** Adds the commands. */
export function addLoginCommands(program: Command): void {
  program
    .command("login")
    .summary("keeps a token, for later commands and for git")
    .description(
      "Keeps a token in the user's own configuration. Without --token it is asked for, or read from standard input.\n" +
        "A tenant's token is kept beside those of other tenants; those that the host takes no longer are forgotten.\n" +
        "Later commands use this host unless told otherwise.",
    )
    .argument("[base]", "the host's address, such as https://thinpack.example.workers.dev")
    .addHelpText(
      "after",
      `
Examples:
  thinpack login https://thinpack.example.workers.dev --git
  thinpack login < token`,
    )
    .option("--git", "also makes git ask this command, and no other helper, for this host's token")
    .action(async (address: string | undefined, { git: isForGit }: { git?: boolean }, command: Command) => {
      const options = commonOptions(command);
      const base = address === undefined ? chosenBase(options) : originOf(address);
      const token = await givenToken(options.token);
      await checkLogin(base, token);
      writeLogins({ ...withLogin(readLogins(), base, token), default: base });
      const gone = await forgetDeadTokens(base, token);
      if (isForGit === true) await tellGit(base);
      const tenant = tenantOf(token);
      const who = tenant === "" ? "its operator" : `tenant ${tenant}`;
      printDone(`logged in to ${base} as ${who}; kept in ${loginsFile()}`, { base, tenant }, options.json);
      for (const each of gone) console.error(`forgot ${each}, which ${base} takes no longer`);
    });
  program
    .command("logout")
    .summary("forgets the tokens of a host")
    .argument("[base]", "the host's address")
    .action((address: string | undefined, _options: unknown, command: Command) => {
      const options = commonOptions(command);
      const base = address === undefined ? chosenBase(options) : originOf(address);
      writeLogins(withoutLogin(readLogins(), base));
      printDone(`forgot ${base}`, { base }, options.json);
    });
  program
    .command("logins")
    .summary("lists the hosts that tokens are kept for, without the tokens")
    .action((_options: unknown, command: Command) => {
      const { hosts, default: chosen } = readLogins();
      const rows = Object.entries(hosts).flatMap(([base, tokens]) =>
        Object.keys(tokens).map((tenant) => ({ base, tenant, operator: tenant === "", default: base === chosen })),
      );
      const columns = [
        ["HOST", "base"],
        ["AS", (row: { readonly tenant?: unknown }) => row.tenant || "operator"],
        ["DEFAULT", (row: { readonly default?: unknown }) => (row.default === true ? "yes" : "")],
      ] as const;
      printList(rows, columns, { json: commonOptions(command).json, what: "logins" });
    });
}
