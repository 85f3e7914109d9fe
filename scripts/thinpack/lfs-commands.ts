/**
 * `thinpack lfs`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { chosenHost } from "./host-choice.ts";
import { objectAt } from "./json.ts";
import { fetchFromHost, mayHaveLfs } from "./lfs-transfer.ts";
import { formatBytes, printDone } from "./output.ts";

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
}
