/**
 * `thinpack login`, `logout`, `logins`.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import type { Command } from "commander";
import { ApiConnection } from "./api-connection.ts";
import { commonOptions, tenantPath } from "./command-line.ts";
import { CommandFailure, EXIT, HostRefusal } from "./failure.ts";
import { chosenBase } from "./host-choice.ts";
import { loginsFile, originOf, readLogins, tenantOf, withLogin, withoutLogin, writeLogins } from "./logins.ts";
import { printDone, printList } from "./output.ts";
import { askPeople, readInput } from "./prompt.ts";

/** Asks the host whether it takes the token. @throws HostRefusal where it does not. */
async function checkToken(base: string, token: string): Promise<void> {
  const tenant = tenantOf(token);
  const api = new ApiConnection({ base, token });
  try {
    await api.ask("GET", tenant === "" ? "/tenants?limit=1" : tenantPath(tenant));
  } catch (error) {
    if (error instanceof HostRefusal && error.status === 401) {
      throw new CommandFailure(`${base} does not take this token`, EXIT.notLetIn, { cause: error });
    }
    throw error;
  }
}

async function givenToken(given: string | undefined): Promise<string> {
  const token =
    given ?? (process.stdin.isTTY ? await askPeople("Token (it is not shown): ", true) : (await readInput()).trim());
  if (token === "" || /\s/.test(token)) throw new CommandFailure("that is no token", EXIT.usage);
  return token;
}

/** Has git ask this command for the credentials of a host. */
function tellGit(base: string): void {
  // By its own path: what `npx` finds depends on the directory, and takes ten times as long.
  const helper = `!"${process.execPath}" "${realpathSync(process.argv[1] ?? "")}" credential`;
  execFileSync("git", ["config", "--global", `credential.${base}.helper`, helper], { stdio: ["ignore", 2, 2] });
}

/** Adds the commands. */
export function addLoginCommands(program: Command): void {
  program
    .command("login")
    .summary("keeps a token, for later commands and for git")
    .description(
      "Keeps a token in the user's own configuration. Without --token it is asked for, or read from standard input.\n" +
        "A tenant's token is kept beside those of other tenants; the host becomes the one that commands mean.",
    )
    .argument("[base]", "the host's address, such as https://thinpack.example.workers.dev")
    .option("--git", "also has git ask this command for the token, wherever it talks to this host")
    .action(async (address: string | undefined, { git }: { git?: boolean }, command: Command) => {
      const options = commonOptions(command);
      const base = address === undefined ? chosenBase(options) : originOf(address);
      const token = await givenToken(options.token);
      await checkToken(base, token);
      writeLogins({ ...withLogin(readLogins(), base, token), default: base });
      if (git === true) tellGit(base);
      const tenant = tenantOf(token);
      const who = tenant === "" ? "its operator" : `tenant ${tenant}`;
      printDone(`logged in to ${base} as ${who}; kept in ${loginsFile()}`, { base, tenant }, options.json);
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
      printList(rows, columns, commonOptions(command).json);
    });
}
