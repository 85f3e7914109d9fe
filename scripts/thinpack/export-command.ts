/**
 * `thinpack export`.
 *
 * @packageDocumentation
 */
import { type Command, Option } from "commander";
import { commonOptions, connectTo } from "./command-line.ts";
import { exportRepository, type RefFormat } from "./export-repository.ts";
import { CommandFailure } from "./failure.ts";
import { runGit } from "./git-process.ts";
import { chosenHost } from "./host-choice.ts";
import { fetchFromHost, mayHaveLfs } from "./lfs-transfer.ts";
import { counted, formatBytes, printDone } from "./output.ts";
import { ByteBar } from "./progress.ts";

const hostOf = (command: Command, name: string): { base: string; token: string } =>
  chosenHost(commonOptions(command), name.split("/")[0]);

type ExportOptions = { readonly lfs: boolean; readonly refFormat: RefFormat };

/**
 * Checks that git can write refs in this format, before anything is copied.
 *
 * @throws CommandFailure
 */
async function assertWritable(format: RefFormat): Promise<void> {
  // It shows its usage, with this code, or says that it is no command.
  if (format === "files" || (await runGit(["refs", "migrate", "-h"])).code === 129) return;
  throw new CommandFailure("--ref-format=reftable needs git 2.46 or later, which has `git refs migrate`");
}

/** Adds the command. */
export function addExportCommand(program: Command): void {
  program
    .command("export")
    .summary("copies a repository out, as a bare repository that git takes as its own")
    .description(
      "Copies a repository out, as it is at one moment, into a new directory. The copy is checked: all packs are whole, and have what\n" +
        "the refs name. If anything is wrong, or the command is interrupted, no directory is left.",
    )
    .argument("<tenant/name>")
    .argument("<directory>", "must not exist, or be empty")
    .addHelpText(
      "after",
      `
Examples:
  thinpack export acme/widgets ./widgets.git`,
    )
    .option("--no-lfs", "leaves out Git LFS objects: the copy has their pointers alone")
    .addOption(
      new Option("--ref-format <format>", "how the copy keeps its refs; reftable needs git 2.46")
        .choices(["files", "reftable"])
        .default("files"),
    )
    .action(async (name: string, directory: string, { lfs, refFormat }: ExportOptions, command: Command) => {
      await assertWritable(refFormat);
      const { api, path } = connectTo(command, name);
      let bar: ByteBar | undefined;
      try {
        let hasAllLfs = true;
        const withLfs = async (copy: string): Promise<void> => {
          bar?.stop();
          if (!(await mayHaveLfs(copy))) return;
          hasAllLfs = await fetchFromHost(copy, { ...hostOf(command, name), name }, { here: true });
        };
        const { files, bytes, refs } = await exportRepository(
          api,
          path,
          { directory, refFormat },
          {
            begin: (total) => void (bar = new ByteBar("export", total)),
            add: (count) => bar?.add(count),
            ...(lfs ? { copied: withLfs } : {}),
          },
        );
        bar?.stop();
        printDone(
          `exported ${name} to ${directory}: ${counted(refs, "ref")}, ${formatBytes(bytes)}`,
          { files, bytes, refs, directory },
          commonOptions(command).json,
        );
        if (!hasAllLfs)
          throw new CommandFailure(`${name} does not have all Git LFS objects that it names: the copy has the others`);
      } finally {
        bar?.stop();
      }
    });
}
