/**
 * `thinpack repo`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { wholeName } from "./api-path.ts";
import { addCloneCommand } from "./clone-command.ts";
import {
  collected,
  commonOptions,
  confirmed,
  connect,
  connectTo,
  onOrOff,
  tenantPath,
  wholeNumber,
} from "./command-line.ts";
import { addForkCommands } from "./fork-commands.ts";
import { textAt } from "./json.ts";
import { addMaintenanceCommands } from "./maintenance-commands.ts";
import { addProtectCommand } from "./protect-command.ts";
import { type Column, formatBytes, formatTime, printDone, printList, printThing } from "./output.ts";

const COLUMNS: readonly Column[] = [
  ["REPOSITORY", (row) => `${textAt(row, "tenant")}/${textAt(row, "name")}`],
  ["VISIBILITY", "visibility"],
  ["BRANCH", "default_branch"],
  ["SIZE", (row) => formatBytes(row["size_bytes"])],
  ["PUSHED", (row) => formatTime(row["pushed_at"])],
  ["DESCRIPTION", "description"],
];
const REF_COLUMNS: readonly Column[] = [
  ["OBJECT", "oid"],
  ["REF", "name"],
];

type RepoOptions = {
  readonly public?: boolean;
  readonly private?: boolean;
  readonly defaultBranch?: string;
  readonly description?: string;
  readonly objectFormat?: string;
  readonly readOnly?: boolean;
  readonly graceDays?: number;
  readonly showPast?: boolean;
  readonly fsckStrict?: boolean;
  readonly fsckIgnore?: readonly string[];
  readonly fsckSkip?: readonly string[];
  readonly requireLfsObjects?: boolean;
  readonly lfsAbove?: string;
  readonly offloadFrom?: string;
  readonly sign?: boolean;
};

function fsckOf({ fsckStrict: strict, fsckIgnore: ignore, fsckSkip: skip }: RepoOptions): object {
  const given = Object.entries({ strict, ignore, skip }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { fsck: Object.fromEntries(given) };
}

/** Returns the settings that can be turned off. */
function offOf({ lfsAbove, offloadFrom, sign }: RepoOptions): object {
  return {
    ...(offloadFrom === undefined ? {} : { offload_from: offloadFrom === "off" ? null : Number(offloadFrom) }),
    ...(lfsAbove === undefined ? {} : { lfs_above: lfsAbove === "off" ? null : Number(lfsAbove) }),
    ...(sign === undefined ? {} : { sign: sign ? "host" : null }),
  };
}

function settingsOf(options: RepoOptions): object {
  const { defaultBranch, description, objectFormat, readOnly, graceDays, showPast } = options;
  const visibility = options.public === true ? "public" : options.private === true ? "private" : undefined;
  return {
    ...(visibility === undefined ? {} : { visibility }),
    ...(defaultBranch === undefined ? {} : { default_branch: defaultBranch }),
    ...(description === undefined ? {} : { description }),
    ...(objectFormat === undefined ? {} : { object_format: objectFormat }),
    ...(readOnly === undefined ? {} : { read_only: readOnly }),
    ...(graceDays === undefined ? {} : { grace_days: graceDays }),
    ...(showPast === undefined ? {} : { show_past: showPast }),
    ...fsckOf(options),
    ...(options.requireLfsObjects === undefined ? {} : { require_lfs_objects: options.requireLfsObjects }),
    ...offOf(options),
  };
}

function withSettings(command: Command): Command {
  return command
    .option("--public", "everybody may read it, without a token")
    .option("--private", "only tokens of the tenant may read it (default)")
    .option("--default-branch <name>", "the branch that a clone checks out")
    .option("--description <text>", "what the repository is");
}

function addChanges(repos: Command): void {
  withSettings(
    repos.command("create").summary("makes a repository; one that exists has to be as asked").argument("<tenant/name>"),
  )
    .option("--object-format <sha1|sha256>", "the hash function")
    .addHelpText(
      "after",
      `
Examples:
  thinpack repo create acme/widgets --description "parts of widgets"
  thinpack repo create acme/site --public --default-branch trunk`,
    )
    .action(async (name: string, options: RepoOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("PUT", path, settingsOf(options)), commonOptions(command).json);
    });
  withSettings(repos.command("set").summary("changes a repository's settings").argument("<tenant/name>"))
    .option("--read-only <on|off>", "whether pushes are refused", onOrOff)
    .option("--grace-days <n>", "how many days what no ref reaches is kept", wholeNumber)
    .option("--show-past <on|off>", "whether readers may have the refs as they were, within that time", onOrOff)
    .option(
      "--fsck-strict <on|off>",
      "whether slips in names, dates and modes refuse a push, in place of a warning",
      onOrOff,
    )
    .option("--fsck-ignore <msg-id>", "lets a kind of slip pass without a word; may be repeated", collected)
    .option("--fsck-skip <oid>", "an object that is not checked; may be repeated", collected)
    .option(
      "--require-lfs-objects <on|off>",
      "whether a push of Git LFS pointers whose objects are missing is refused",
      onOrOff,
    )
    .option("--offload-from <bytes|off>", "from how many bytes on blobs are left out for clients that fetch them later")
    .option(
      "--sign <on|off>",
      "whether the host signs every commit and annotated tag that the API makes: see thinpack key host",
      onOrOff,
    )
    .option("--lfs-above <bytes|off>", "above how many bytes a file has to go to Git LFS")
    .addHelpText(
      "after",
      `
The lists that --fsck-ignore and --fsck-skip give take the place of those there were.

Examples:
  thinpack repo set acme/widgets --fsck-strict on
  thinpack repo set acme/widgets --fsck-ignore badTimezone --fsck-ignore badDate`,
    )
    .action(async (name: string, options: RepoOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("PATCH", path, settingsOf(options)), commonOptions(command).json);
    });
  repos
    .command("rename")
    .summary("gives a repository another name; its old address leads to the new one")
    .argument("<tenant/name>")
    .argument("<new>", "the new name, or {tenant}/{name}, which takes the operator's token")
    .addHelpText(
      "after",
      `
Hooks, tokens and mirrors go along. The old address answers with a redirect until a repository is made there.

Example:
  thinpack repo rename acme/widgets gadgets`,
    )
    .action(async (name: string, renamed: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const [repo = "", tenant] = renamed.split("/").toReversed();
      const asked = { name: repo, ...(tenant === undefined ? {} : { tenant }) };
      printThing(await api.ask("PATCH", path, asked), commonOptions(command).json);
    });
  repos
    .command("delete")
    .summary("deletes a repository")
    .argument("<tenant/name>")
    .option("--yes", "don't ask")
    .action(async (name: string, { yes }: { yes?: boolean }, command: Command) => {
      const { api, path } = connectTo(command, name);
      await confirmed(name, yes);
      await api.ask("DELETE", path);
      printDone(`deleted ${name}`, { name }, commonOptions(command).json);
    });
}

/** Adds the commands. */
export function addRepoCommands(program: Command): void {
  const repos = program.command("repo").description("Repositories of a tenant.");
  repos
    .command("list")
    .summary("lists a tenant's repositories")
    .argument("<tenant>")
    .action(async (tenant: string, _options: unknown, command: Command) => {
      const rows = await connect(command, tenant).list(`${tenantPath(tenant)}/repos`, "repos");
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: `repositories in ${tenant}` });
    });
  repos
    .command("show")
    .summary("shows a repository")
    .argument("<tenant/name>")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("GET", path), commonOptions(command).json);
    });
  repos
    .command("refs")
    .summary("lists a repository's refs")
    .argument("<tenant/name>")
    .option("--prefix <prefix>", "only those whose name begins so, such as refs/heads/", wholeName)
    .action(async (name: string, { prefix = "" }: { prefix?: string }, command: Command) => {
      const { api, path } = connectTo(command, name);
      const rows = await api.list(`${path}/refs?prefix=${encodeURIComponent(prefix)}`, "refs");
      printList(rows, REF_COLUMNS, { json: commonOptions(command).json, what: "refs" });
    });
  addChanges(repos);
  addCloneCommand(repos);
  addForkCommands(repos);
  addProtectCommand(repos);
  addMaintenanceCommands(repos);
}
