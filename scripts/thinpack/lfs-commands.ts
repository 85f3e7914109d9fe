/**
 * `thinpack lfs`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { byteCount, commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { git } from "./git-process.ts";
import { chosenHost } from "./host-choice.ts";
import { objectAt } from "./json.ts";
import { runLfsAgent } from "./lfs-agent.ts";
import { quoted } from "./login-commands.ts";
import { fetchFromHost, mayHaveLfs } from "./lfs-transfer.ts";
import { formatBytes, printDone } from "./output.ts";

/** The name by which hosts know what this command does for `git lfs`. */
const TRANSFER = "thinpack";
/** Bytes of a part: below what any zone takes in a request. */
const PART_BYTES = 90_000_000;

async function showUsage(name: string, _options: unknown, command: Command): Promise<void> {
  const { api, path } = connectTo(command, name);
  const stored = objectAt(await api.ask("GET", `${path}/usage`), "stored");
  const { lfs_bytes: bytes, git_bytes: gitBytes } = stored;
  const shown = { lfs_bytes: bytes, git_bytes: gitBytes };
  const text = `${name} has ${formatBytes(bytes)} of Git LFS objects, and ${formatBytes(gitBytes)} of packs`;
  printDone(text, shown, commonOptions(command).json);
}

async function fetchAll(name: string, { directory }: { directory: string }, command: Command): Promise<void> {
  const options = commonOptions(command);
  const host = chosenHost(options, name.split("/")[0]);
  await mayHaveLfs(directory);
  const isWhole = await fetchFromHost(directory, { ...host, name });
  if (!isWhole) throw new CommandFailure(`${name} does not have all Git LFS objects that are named here`);
  printDone(`fetched all Git LFS objects of ${name}`, { name, directory }, options.json);
}

type AgentOptions = { readonly partSize: number };

/** Where `git lfs` finds this command, and what it may have it do. */
async function install({ local, partSize }: AgentOptions & { local?: boolean }): Promise<void> {
  const where = local === true ? "--local" : "--global";
  const transfer = `lfs.customtransfer.${TRANSFER}`;
  const args = [quoted(__filename), "lfs-agent", "--part-size", String(partSize)].join(" ");
  for (const [name, value] of [
    ["path", process.execPath],
    ["args", args],
    ["concurrent", "true"],
    ["direction", "both"],
  ] as const)
    await git(["config", where, `${transfer}.${name}`, value]);
}

const withPartSize = (command: Command): Command =>
  command.option(
    "--part-size <size>",
    "bytes of a part; the host's zone has to take that much in one request",
    byteCount,
    PART_BYTES,
  );

/** Adds the commands. */
export function addLfsCommands(program: Command): void {
  const lfs = program.command("lfs").description("Git LFS objects of a repository.");
  lfs
    .command("show")
    .summary("shows how much a repository's Git LFS objects take")
    .argument("<tenant/name>")
    .action(showUsage);
  lfs
    .command("fetch")
    .summary("fetches all Git LFS objects of a repository into a clone")
    .description(
      "Runs `git lfs fetch --all` in a clone, with this command as the credential helper: all objects that branches and tags of\n" +
        "the clone name. Of a mirror, the host fetches those that it lacks from the upstream, and keeps them.",
    )
    .argument("<tenant/name>")
    .option("--directory <directory>", "the clone", ".")
    .action(fetchAll);
  withPartSize(
    lfs
      .command("install")
      .summary("has git lfs transfer files of any size to and from hosts, in parts")
      .description(
        "Configures this command as a transfer of `git lfs`. A file that is larger than --part-size goes up in parts, and a transfer that\n" +
          "was interrupted, up or down, goes on where it was. Other servers than thinpack's are not affected.",
      )
      .option("--local", "for the repository here, and not for all of yours"),
  ).action(async (options: AgentOptions & { local?: boolean }, command: Command) => {
    await install(options);
    printDone("git lfs transfers large files in parts now", {}, commonOptions(command).json);
  });
  withPartSize(program.command("lfs-agent", { hidden: true }).description("Started by git lfs.")).action(
    async ({ partSize }: AgentOptions) => runLfsAgent(partSize),
  );
}
