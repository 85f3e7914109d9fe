/**
 * `thinpack push-large` and `thinpack import`: histories larger than a request may be.
 *
 * @packageDocumentation
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { byteCount, commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure, HostRefusal } from "./failure.ts";
import { git, inBare, runGit } from "./git-process.ts";
import { chosenHost } from "./host-choice.ts";
import { endingWith } from "./interruption.ts";
import { fetchFromSource, mayHaveLfs, pushToHost, remoteUrl } from "./lfs-transfer.ts";
import { counted, formatBytes, printDone } from "./output.ts";
import { pushLarge } from "./push-large.ts";

/** Bytes of a part: below what any zone takes in a request, with room for what stands before one. */
const PART_BYTES = 90_000_000;

type PartOptions = { readonly partSize: number };
type ImportOptions = PartOptions & { readonly allRefs?: boolean; readonly lfs: boolean };

const lineCount = (text: string): number => (text === "" ? 0 : text.split("\n").length);

function withPartSize(command: Command): Command {
  return command.option(
    "--part-size <size>",
    "bytes of a part; the host's zone has to take that much in one request",
    byteCount,
    PART_BYTES,
  );
}

/** Returns the branch that a clone of the source checks out. */
async function headOf(directory: string): Promise<string | undefined> {
  const { code, stdout } = await runGit(["symbolic-ref", "-q", "--short", "HEAD"], inBare(directory));
  return code === 0 ? stdout : undefined;
}

/** Makes a repository. One that exists keeps its settings, whatever they are. */
async function makeUnlessThere(api: ApiConnection, path: string, settings: object): Promise<void> {
  try {
    await api.ask("PUT", path, settings);
  } catch (error) {
    if (!(error instanceof HostRefusal) || error.status !== 409) throw error;
    await api.ask("GET", path);
  }
}

async function importInto(
  directory: string,
  [source, name]: [string, string],
  { partSize, allRefs, lfs }: ImportOptions,
  command: Command,
): Promise<void> {
  const { api, path } = connectTo(command, name);
  const progress = process.stderr.isTTY ? ["--progress"] : ["--quiet"];
  const what = allRefs === true ? "--mirror" : "--bare";
  const cloned = await runGit(["clone", what, ...progress, "--", source, directory], { say: (text) => text });
  if (cloned.code !== 0) throw new CommandFailure(`${source} can't be cloned`);
  const takesLfs = lfs && (await mayHaveLfs(directory));
  const hasAllLfs = !takesLfs || (await fetchFromSource(directory));
  const head = await headOf(directory);
  const objectFormat = await git(["rev-parse", "--show-object-format"], inBare(directory));
  await makeUnlessThere(api, path, {
    object_format: objectFormat,
    ...(head === undefined ? {} : { default_branch: head }),
  });
  const remote = remoteUrl({ base: api.base, name });
  // No deletions: where the repository was there, what it has beside stays.
  const refspecs = (allRefs === true ? ["refs/*"] : ["refs/heads/*", "refs/tags/*"]).map((refs) => `${refs}:${refs}`);
  const args = ["--atomic", remote, ...refspecs];
  const options = commonOptions(command);
  const token = chosenHost(options, name.split("/")[0]).token;
  // First, because the repository may refuse pointers whose objects are not there.
  if (takesLfs) await pushToHost(directory, { base: api.base, token, name });
  const code = await pushLarge({ args, partBytes: partSize, ...inBare(directory), quiet: true }, { ...options, token });
  if (code !== 0) throw new CommandFailure(`${name} did not take all refs`);
  const shown = await api.ask("GET", path);
  const refs = lineCount(await git(["for-each-ref", "--format=x"], inBare(directory)));
  const [, objects = "0"] = /^in-pack: (\d+)$/m.exec(await git(["count-objects", "-v"], inBare(directory))) ?? [];
  const counts = `${counted(refs, "ref")}, ${counted(Number(objects), "object")}, ${formatBytes(shown["size_bytes"])}`;
  printDone(`imported ${counts} into ${name}`, shown, options.json);
  if (!hasAllLfs)
    throw new CommandFailure(`${source} does not have all of its Git LFS objects: the others were imported`);
}

/** Adds the commands. */
export function addLargePushCommands(program: Command): void {
  withPartSize(
    program
      .command("push-large")
      .summary("git push of a pack of any size, which is uploaded in parts")
      .description(
        "Runs `git push` with these arguments. If the pack is larger than one request may be, it is uploaded in parts and lands as one " +
          "push. Meanwhile it is kept in the repository's .git: an interrupted push goes on when the same is pushed again.",
      )
      .argument("[arguments...]", "as `git push` takes them: options, remote, refspecs")
      .addHelpText(
        "after",
        `
Examples:
  thinpack push-large origin main
  thinpack push-large --tags https://thinpack.example.workers.dev/acme/widgets.git main`,
      )
      .allowUnknownOption(),
  ).action(async (args: string[], { partSize }: PartOptions, command: Command) => {
    const code = await pushLarge({ args, partBytes: partSize, cwd: process.cwd() }, commonOptions(command));
    if (code !== 0) throw new CommandFailure("git push failed");
  });
  withPartSize(
    program
      .command("import")
      .summary("copies branches and tags of a repository from anywhere else, whatever its size")
      .argument("<url>", "what `git clone` takes")
      .argument("<tenant/name>", "created if it does not exist")
      .option("--all-refs", "all refs, also those that a forge makes for pull requests")
      .option("--no-lfs", "leaves Git LFS objects where they are: pointers alone are imported")
      .addHelpText(
        "after",
        `
Examples:
  thinpack import https://github.com/honojs/hono.git acme/hono
  thinpack import ./widgets.git acme/widgets --all-refs`,
      ),
  ).action(async (source: string, name: string, options: ImportOptions, command: Command) => {
    const directory = mkdtempSync(join(tmpdir(), "thinpack-import-"));
    await endingWith(
      () => rmSync(directory, { recursive: true, force: true }),
      () => importInto(directory, [source, name], options, command),
    );
  });
}
