/**
 * `thinpack repo clone`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { pathPiece } from "./api-path.ts";
import { commonOptions } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { gitConfiguration, runGit } from "./git-process.ts";
import { chosenHost, parseRepositoryPath } from "./host-choice.ts";
import { helperLine } from "./login-commands.ts";

/** Adds the command. */
export function addCloneCommand(repos: Command): void {
  repos
    .command("clone")
    .summary("clones a repository, with the token that is kept for it")
    .description(
      "Runs `git clone` with this command as its credential helper. The token gets neither into the URL nor into a file.",
    )
    .argument("<tenant/name>")
    .argument("[directory]", "by default the repository's name")
    .argument("[git-arguments...]", "after --: for git clone, such as --depth=1")
    .action(async (...[name, directory, args, , command]: [string, string | undefined, string[], unknown, Command]) => {
      const { tenant, repo } = parseRepositoryPath(name);
      const { base, token } = chosenHost(commonOptions(command), tenant);
      const setting = `credential.${base}.helper`;
      const env = {
        ...gitConfiguration([
          [setting, ""],
          [setting, helperLine()],
        ]),
        THINPACK_BASE: base,
        THINPACK_TOKEN: token,
      };
      // An option in the place of the directory is git's.
      const [target, more] =
        directory?.startsWith("-") === true ? [repo, [directory, ...args]] : [directory ?? repo, args];
      const progress = process.stderr.isTTY ? ["--progress"] : [];
      const url = `${base}/${pathPiece(tenant)}/${pathPiece(repo)}.git`;
      const { code } = await runGit(["clone", ...progress, ...more, "--", url, target], { env, say: (text) => text });
      if (code !== 0) throw new CommandFailure(`${name} was not cloned`);
    });
}
