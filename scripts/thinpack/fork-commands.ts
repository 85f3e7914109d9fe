/**
 * `thinpack repo fork` and `thinpack repo sync`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { wholeName } from "./api-path.ts";
import { commonOptions, connect, connectTo } from "./command-line.ts";
import { parseRepositoryPath } from "./host-choice.ts";
import { textAt } from "./json.ts";
import { printDone, printThing } from "./output.ts";

/** Adds the commands. */
export function addForkCommands(repos: Command): void {
  repos
    .command("fork")
    .summary("makes a repository that has the refs and objects of another; nothing is copied")
    .argument("<tenant/name>", "the repository to fork")
    .argument("<new>", "the fork: {tenant}/{name}")
    .addHelpText(
      "after",
      `
The token is the one for the fork's tenant, and has to be able to read the repository.

Example:
  thinpack repo fork acme/widgets me/widgets`,
    )
    .action(async (parent: string, fork: string, _options: unknown, command: Command) => {
      const { path } = parseRepositoryPath(parent);
      const { tenant, repo } = parseRepositoryPath(fork);
      const made = await connect(command, tenant).ask("POST", `${path}/forks`, { tenant, repo });
      printThing(made, commonOptions(command).json);
    });
  repos
    .command("sync")
    .summary("brings a branch of a fork up to that of the repository it was forked from")
    .argument("<tenant/name>")
    .argument("[branch]", "another branch than the default one", wholeName)
    .addHelpText(
      "after",
      `
Only forward: a branch with commits of its own stays as it is.

Example:
  thinpack repo sync me/widgets main`,
    )
    .action(async (name: string, branch: string | undefined, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const synced = await api.ask("POST", `${path}/sync`, branch === undefined ? {} : { branch });
      const [oid, old] = [textAt(synced, "oid"), textAt(synced, "old")];
      const what = `${textAt(synced, "branch")} is at ${oid}`;
      printDone(oid === old ? `${what}, as before` : what, synced, commonOptions(command).json);
    });
}
