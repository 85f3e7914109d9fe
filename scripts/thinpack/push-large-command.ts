/**
 * `thinpack push-large` and `thinpack import`: histories larger than a request may be.
 *
 * @packageDocumentation
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { byteCount, commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { git, runGit } from "./git-process.ts";
import { chosenHost } from "./host-choice.ts";
import { printThing } from "./output.ts";
import { pushLarge } from "./push-large.ts";

/** Bytes of a part: below what any zone takes in a request, with room for what stands before one. */
const PART_BYTES = 90_000_000;

type PartOptions = { readonly partSize: number };

function withPartSize(command: Command): Command {
  return command.option(
    "--part-size <size>",
    "bytes of a part, less than the host's zone takes in a request",
    byteCount,
    PART_BYTES,
  );
}

/** Gives the branch that a clone of the source checks out. */
async function headOf(cwd: string): Promise<string | undefined> {
  const { code, stdout } = await runGit(["symbolic-ref", "-q", "--short", "HEAD"], { cwd });
  return code === 0 ? stdout : undefined;
}

async function importInto(
  directory: string,
  [source, name]: [string, string],
  { partSize }: PartOptions,
  command: Command,
): Promise<void> {
  const { api, path } = connectTo(command, name);
  const progress = process.stderr.isTTY ? ["--progress"] : [];
  const cloned = await runGit(["clone", "--mirror", ...progress, "--", source, directory], { say: (text) => text });
  if (cloned.code !== 0) throw new CommandFailure(`${source} can't be cloned`);
  const head = await headOf(directory);
  await api.ask("PUT", path, {
    object_format: await git(["rev-parse", "--show-object-format"], { cwd: directory }),
    ...(head === undefined ? {} : { default_branch: head }),
  });
  const remote = `${api.base}/${name.replace(/\.git$/, "")}.git`;
  // No deletions: where the repository was there, what it has beside stays.
  const args = ["--atomic", remote, "refs/*:refs/*"];
  const options = commonOptions(command);
  const token = chosenHost(options, name.split("/")[0]).token;
  const code = await pushLarge({ args, partBytes: partSize, cwd: directory }, { ...options, token });
  if (code !== 0) throw new CommandFailure(`${name} did not take all refs`);
  printThing(await api.ask("GET", path), options.json);
}

/** Adds the commands. */
export function addLargePushCommands(program: Command): void {
  withPartSize(
    program
      .command("push-large")
      .summary("git push, in parts where the pack is larger than a request may be")
      .description(
        "Runs `git push` with the arguments given, and sends the pack in parts where it is larger than one part may be. The host lands it\n" +
          "as one push. While it lasts the pack is kept in the repository's .git; one that was interrupted goes on when the same is pushed\n" +
          "again.",
      )
      .argument("[arguments...]", "as `git push` takes them: options, remote, refspecs")
      .allowUnknownOption(),
  ).action(async (args: string[], { partSize }: PartOptions, command: Command) => {
    const code = await pushLarge({ args, partBytes: partSize, cwd: process.cwd() }, commonOptions(command));
    if (code !== 0) throw new CommandFailure("git push failed");
  });
  withPartSize(
    program
      .command("import")
      .summary("copies a repository from anywhere else: all its refs, whatever its size")
      .argument("<url>", "what `git clone` takes")
      .argument("<tenant/name>", "made where it is missing"),
  ).action(async (source: string, name: string, options: PartOptions, command: Command) => {
    const directory = mkdtempSync(join(tmpdir(), "thinpack-import-"));
    const remove = (): void => rmSync(directory, { recursive: true, force: true });
    process.once("SIGINT", () => {
      remove();
      process.exit(130);
    });
    try {
      await importInto(directory, [source, name], options, command);
    } finally {
      remove();
    }
  });
}
