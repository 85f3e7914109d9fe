/**
 * `thinpack token`.
 *
 * @packageDocumentation
 */
import { type Command, Option } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { pathPiece } from "./api-path.ts";
import { collected, commonOptions, connect, seconds, tenantPath } from "./command-line.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { shownValue, textAt } from "./json.ts";
import { lookForRepositories } from "./missing-repositories.ts";
import { type Column, counted, formatTime, printDone, printList } from "./output.ts";

const COLUMNS: readonly Column[] = [
  ["ID", "id"],
  ["NAME", "name"],
  ["SCOPES", "scopes"],
  ["REPOSITORIES", (row) => shownValue(row["repos"]) || "all"],
  ["EXPIRES", (row) => formatTime(row["expires_at"] ?? "never")],
  ["LAST USED", (row) => formatTime(row["last_used_at"] ?? "never")],
  ["CHILDREN", (row) => shownValue(row["children"])],
];

type TokenOptions = {
  readonly name: string;
  readonly scope: readonly string[];
  readonly repo?: readonly string[];
  readonly expiresIn?: number;
};

/** Finds a token by its id or its name. @throws CommandFailure if several have the name */
async function tokenId(api: ApiConnection, tenant: string, given: string): Promise<string> {
  const tokens = await api.list(`${tenantPath(tenant)}/tokens`, "tokens");
  const named = tokens.filter((token) => token["name"] === given).map((token) => textAt(token, "id"));
  // An id goes first, and one that is not listed may be known to the host all the same.
  if (named.length === 0 || tokens.some((token) => token["id"] === given)) return given;
  if (named.length === 1) return named[0] ?? given;
  throw new CommandFailure(`several tokens are named ${given}: give the id, one of ${named.join(", ")}`, EXIT.usage);
}

/** Adds the commands. */
export function addTokenCommands(program: Command): void {
  const tokens = program.command("token").description("Tokens of a tenant: who may do what.");
  tokens
    .command("list")
    .summary("lists a tenant's tokens, without their texts")
    .argument("<tenant>")
    .action(async (tenant: string, _options: unknown, command: Command) => {
      const rows = await connect(command, tenant).list(`${tenantPath(tenant)}/tokens`, "tokens");
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: `tokens in ${tenant}` });
    });
  tokens
    .command("create")
    .summary("makes a token and prints it, this once")
    .description(
      "Makes a token. Its text is all that is printed, unless with --json, and can't be shown again. " +
        "A token may be made before its repository: a warning says that there is none yet.",
    )
    .argument("<tenant>")
    .requiredOption("--name <name>", "a name to recognise it by")
    .addOption(
      new Option("--scope <scope>", "repo:read, repo:write or tenant:admin; may be given again")
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .option("--repo <name>", "only for this repository; may be given again", collected)
    .addHelpText(
      "after",
      `
Examples:
  thinpack token create acme --name ci --scope repo:read --repo widgets --expires-in 30d
  thinpack token create acme --name laptop --scope repo:write`,
    )
    .option("--expires-in <time>", "such as 12h or 30d; by default it does not expire", seconds)
    .action(async (tenant: string, options: TokenOptions, command: Command) => {
      const { name, scope: scopes, repo: repos, expiresIn } = options;
      const api = connect(command, tenant);
      const warn = await lookForRepositories(api, tenant, repos);
      const made = await api.ask("POST", `${tenantPath(tenant)}/tokens`, {
        name,
        scopes,
        ...(repos === undefined ? {} : { repos }),
        ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
      });
      printDone(textAt(made, "token"), made, commonOptions(command).json);
      warn();
    });
  tokens
    .command("revoke")
    .summary("revokes a token: the next request with it is refused")
    .argument("<tenant>")
    .argument("<token>", "its id or its name, as `token list` shows them")
    .option("--children", "with it the tokens that it made, and those that they made")
    .action(async (tenant: string, given: string, options: { readonly children?: true }, command: Command) => {
      const api = connect(command, tenant);
      const id = await tokenId(api, tenant, given);
      const query = options.children === true ? "?children=1" : "";
      // The host counts what it revoked where more than one token may go.
      const answer = await api.ask("DELETE", `${tenantPath(tenant)}/tokens/${pathPiece(id)}${query}`);
      const revoked = Number(answer["revoked"] ?? 1);
      const others = revoked > 1 ? `, and ${counted(revoked - 1, "token")} that came of it` : "";
      printDone(`revoked ${id}${others}`, { id, revoked }, commonOptions(command).json);
    });
}
