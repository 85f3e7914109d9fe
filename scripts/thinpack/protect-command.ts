/**
 * `thinpack repo protect`: the rules that say which tokens may move a ref, and how.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { wholeName } from "./api-path.ts";
import { collected, commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { isJson, type Json, listAt, shownValue, textAt } from "./json.ts";
import { type Column, printList } from "./output.ts";

const yes = (row: Json, name: string): string => (row[name] === true ? "yes" : "no");
const COLUMNS: readonly Column[] = [
  ["PATTERN", "pattern"],
  ["PUSHERS", (row) => (row["pushers"] === null ? "everybody" : shownValue(row["pushers"]) || "nobody")],
  ["FORCE PUSH", (row) => yes(row, "allow_force_push")],
  ["DELETION", (row) => yes(row, "allow_deletion")],
  ["ONLY SIGNED", (row) => yes(row, "require_signed")],
  ["CONTEXTS", (row) => shownValue(row["required_contexts"])],
];

type ProtectOptions = {
  readonly pusher?: readonly string[];
  readonly allowForcePush?: boolean;
  readonly allowDeletion?: boolean;
  readonly requireSigned?: boolean;
  readonly requireContext?: readonly string[];
  readonly remove?: boolean;
};

/** Returns the rules with one more or less. A pattern has one rule; options that are not given are those of a new rule. */
function changedRules(rules: readonly Json[], pattern: string, options: ProtectOptions): Json[] {
  const others = rules.filter((rule) => rule["pattern"] !== pattern);
  if (options.remove === true) {
    if (others.length === rules.length) throw new CommandFailure(`there is no rule for ${pattern}`, EXIT.notFound);
    return others;
  }
  const { pusher: pushers, allowForcePush, allowDeletion, requireSigned, requireContext = [] } = options;
  const rule = {
    pattern,
    allow_force_push: allowForcePush === true,
    allow_deletion: allowDeletion === true,
    require_signed: requireSigned === true,
    required_contexts: requireContext,
    ...(pushers === undefined ? {} : { pushers }),
  };
  return [...others, rule];
}

/** Adds the command. */
export function addProtectCommand(repos: Command): void {
  repos
    .command("protect")
    .summary("protects branches or tags; without a pattern, lists the rules")
    .description(
      "Sets the rule for the refs that a pattern matches: they may not be deleted or moved other than forward, unless the options allow it.",
    )
    .argument("<tenant/name>")
    .argument("[pattern]", "a branch such as main or release/*, or a full name such as refs/tags/*", wholeName)
    .option("--pusher <token>", "only this token may push, by its name or id; may be repeated", collected)
    .option("--allow-force-push", "refs may also move other than forward")
    .option("--allow-deletion", "refs may be deleted")
    .option("--require-signed", "pushes have to be signed")
    .option("--require-context <name>", "commits have to have the status success in it; may be repeated", collected)
    .option("--remove", "removes the rule")
    .addHelpText(
      "after",
      `
Examples:
  thinpack repo protect acme/widgets main --pusher release-bot
  thinpack repo protect acme/widgets 'refs/tags/*'
  thinpack repo protect acme/widgets main --remove`,
    )
    .action(async (...[name, pattern, options, command]: [string, string | undefined, ProtectOptions, Command]) => {
      const { api, path } = connectTo(command, name);
      const answer = await api.send("GET", path);
      const etag = answer.headers.get("ETag");
      const shown: unknown = await answer.json();
      let rules = listAt(isJson(shown) ? shown : {}, "protected");
      if (pattern !== undefined) {
        // Only what was seen is changed: a rule that somebody adds meanwhile is not lost.
        const headers = etag === null ? {} : { "If-Match": etag };
        await api.send("PATCH", path, { json: { protected: changedRules(rules, pattern, options) }, headers });
        rules = listAt(await api.ask("GET", path), "protected");
      }
      printList(
        rules.toSorted((a, b) => textAt(a, "pattern").localeCompare(textAt(b, "pattern"))),
        COLUMNS,
        { json: commonOptions(command).json, what: `rules in ${name}` },
      );
    });
}
