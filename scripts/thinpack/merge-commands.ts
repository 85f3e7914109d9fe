/**
 * `thinpack merge`, `thinpack cherry-pick` and `thinpack revert`: merges without a clone.
 *
 * @packageDocumentation
 */
import { randomUUID } from "node:crypto";
import { type Command, Option } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { wholeName } from "./api-path.ts";
import { commonOptions, connectTo } from "./command-line.ts";
import { commitOf, SIGN } from "./commit-commands.ts";
import { isJson, type Json, textAt } from "./json.ts";
import { printDone } from "./output.ts";

/** What all of them are given. */
type SharedOptions = {
  readonly favor?: string;
  readonly materialise?: string;
  readonly expectedHead?: string;
  readonly dryRun?: boolean;
  readonly sign?: boolean;
};

type MergeOptions = SharedOptions & { readonly into: string; readonly strategy: string; readonly message?: string };
type PickOptions = SharedOptions & { readonly branch: string; readonly mainline?: number };

/** Adds the options that all of them have. */
function withShared(command: Command): Command {
  return command
    .addOption(new Option("--favor <side>", "the side that settles conflicts within files").choices(["ours", "theirs"]))
    .option("--materialise <branch>", "a new branch that gets the conflict markers, if there are conflicts", wholeName)
    .option("--expected-head <oid>", "where the branch has to be")
    .option("--sign", SIGN)
    .option("--dry-run", "says what would be made, and makes nothing");
}

function sharedMembers({ favor, materialise, dryRun, sign }: SharedOptions): Json {
  return {
    ...(favor === undefined ? {} : { favor }),
    ...(materialise === undefined ? {} : { materialise }),
    ...(dryRun === true ? { dry_run: true } : {}),
    ...(sign === true ? { sign } : {}),
  };
}

/** Sends a request that is done once, however often it is sent. */
async function sent(api: ApiConnection, path: string, json: Json): Promise<Json> {
  const headers = { "Idempotency-Key": randomUUID() };
  const made: unknown = await (await api.send("POST", path, { json, headers })).json();
  return isJson(made) ? made : {};
}

function printMoved(made: Json, { dryRun }: SharedOptions, command: Command): void {
  const [oid, branch] = [textAt(made, "oid"), textAt(made, "branch")];
  const done = dryRun === true ? `${branch} would be at ${oid}` : `${branch} is at ${oid}`;
  printDone(oid === "" ? "already up to date" : done, made, commonOptions(command).json);
}

function addMerge(program: Command): void {
  const merge = program
    .command("merge")
    .summary("merges without a clone")
    .argument("<tenant/name>")
    .argument("<head>", "a branch, a tag, or a commit's full name", wholeName)
    .requiredOption("--into <branch>", "the branch that it is merged into", wholeName)
    .addOption(
      new Option("--strategy <name>", "a merge commit, one commit, forward only, or its commits made again")
        .choices(["merge", "squash", "ff-only", "rebase"])
        .default("merge"),
    )
    .option("-m, --message <text>", "the message of the commit");
  withShared(merge)
    .addHelpText(
      "after",
      `
The tree is the one that git merge makes. Where there are conflicts, they are told, and nothing is written.

Examples:
  thinpack merge acme/widgets topic --into main --dry-run
  thinpack merge acme/widgets topic --into main --strategy squash -m "Add widgets"`,
    )
    .action(async (name: string, head: string, options: MergeOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const { into, strategy, message, expectedHead } = options;
      const made = await sent(api, `${path}/merges`, {
        base: into,
        head,
        strategy,
        ...(message === undefined ? {} : { message }),
        ...(expectedHead === undefined ? {} : { expected_base: expectedHead }),
        ...sharedMembers(options),
      });
      printMoved(made, options, command);
    });
}

function addPicks(program: Command, [word, route, summary]: readonly [string, string, string]): void {
  const picks = program
    .command(word)
    .summary(summary)
    .argument("<tenant/name>")
    .argument("<commits...>", "revisions, in the order in which they are taken")
    .requiredOption("-b, --branch <branch>", "the branch that gets them", wholeName)
    .option("--mainline <number>", "the parent of a merge that counts, from 1", Number);
  withShared(picks).action(
    async (name: string, revisions: readonly string[], options: PickOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const { branch, mainline, expectedHead } = options;
      const commits: string[] = [];
      for (const revision of revisions) commits.push(await commitOf(api, path, revision));
      const made = await sent(api, `${path}/${route}`, {
        branch,
        commits,
        ...(mainline === undefined ? {} : { mainline }),
        ...(expectedHead === undefined ? {} : { expected_head: expectedHead }),
        ...sharedMembers(options),
      });
      printMoved(made, options, command);
    },
  );
}

/** Adds the commands. */
export function addMergeCommands(program: Command): void {
  addMerge(program);
  addPicks(program, ["cherry-pick", "cherry-picks", "brings single commits onto a branch without a clone"]);
  addPicks(program, ["revert", "reverts", "takes single commits back without a clone"]);
}
