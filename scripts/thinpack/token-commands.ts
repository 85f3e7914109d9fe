/**
 * `thinpack token`.
 *
 * @packageDocumentation
 */
import { type Command, Option } from "commander";
import { collected, commonOptions, connect, seconds, tenantPath } from "./command-line.ts";
import { shownValue, textAt } from "./json.ts";
import { type Column, printDone, printList } from "./output.ts";

const COLUMNS: readonly Column[] = [
  ["ID", "id"],
  ["NAME", "name"],
  ["SCOPES", "scopes"],
  ["REPOSITORIES", (row) => shownValue(row["repos"]) || "all"],
  ["EXPIRES", (row) => row["expires_at"] ?? "never"],
  ["LAST USED", (row) => row["last_used_at"] ?? "never"],
];

type TokenOptions = {
  readonly name: string;
  readonly scope: readonly string[];
  readonly repo?: readonly string[];
  readonly expiresIn?: number;
};

/** Adds the commands. */
export function addTokenCommands(program: Command): void {
  const tokens = program.command("token").description("Tokens of a tenant: who may do what.");
  tokens
    .command("list")
    .summary("lists a tenant's tokens, without their texts")
    .argument("<tenant>")
    .action(async (tenant: string, _options: unknown, command: Command) => {
      const rows = await connect(command, tenant).list(`${tenantPath(tenant)}/tokens`, "tokens");
      printList(rows, COLUMNS, commonOptions(command).json);
    });
  tokens
    .command("create")
    .summary("makes a token and prints it, this once")
    .description("Makes a token. Its text is all that is printed, unless with --json, and can't be shown again.")
    .argument("<tenant>")
    .requiredOption("--name <name>", "what it is for")
    .addOption(
      new Option("--scope <scope>", "repo:read, repo:write or tenant:admin; may be given again")
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .option("--repo <name>", "only for this repository; may be given again", collected)
    .option("--expires-in <time>", "as 12h or 30d; by default it does not expire", seconds)
    .action(async (tenant: string, options: TokenOptions, command: Command) => {
      const { name, scope: scopes, repo: repos, expiresIn } = options;
      const made = await connect(command, tenant).ask("POST", `${tenantPath(tenant)}/tokens`, {
        name,
        scopes,
        ...(repos === undefined ? {} : { repos }),
        ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
      });
      printDone(textAt(made, "token"), made, commonOptions(command).json);
    });
  tokens
    .command("revoke")
    .summary("revokes a token: the next request with it is refused")
    .argument("<tenant>")
    .argument("<id>", "as `token list` shows it")
    .action(async (tenant: string, id: string, _options: unknown, command: Command) => {
      await connect(command, tenant).ask("DELETE", `${tenantPath(tenant)}/tokens/${encodeURIComponent(id)}`);
      printDone(`revoked ${id}`, { id }, commonOptions(command).json);
    });
}
