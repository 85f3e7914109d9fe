/**
 * `thinpack export`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions, connectTo } from "./command-line.ts";
import { exportRepository } from "./export-repository.ts";
import { CommandFailure } from "./failure.ts";
import { chosenHost } from "./host-choice.ts";
import { fetchFromHost, mayHaveLfs } from "./lfs-transfer.ts";
import { counted, formatBytes, printDone } from "./output.ts";
import { ByteBar } from "./progress.ts";

const hostOf = (command: Command, name: string): { base: string; token: string } =>
  chosenHost(commonOptions(command), name.split("/")[0]);

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
    .option("--no-lfs", "leaves out Git LFS objects: the copy has their pointers alone")
    .action(async (name: string, directory: string, { lfs }: { lfs: boolean }, command: Command) => {
      const { api, path } = connectTo(command, name);
      let bar: ByteBar | undefined;
      try {
        let hasAllLfs = true;
        const withLfs = async (copy: string): Promise<void> => {
          bar?.stop();
          if (await mayHaveLfs(copy)) hasAllLfs = await fetchFromHost(copy, { ...hostOf(command, name), name });
        };
        const { files, bytes, refs } = await exportRepository(api, path, directory, {
          begin: (total) => void (bar = new ByteBar("export", total)),
          add: (count) => bar?.add(count),
          ...(lfs ? { copied: withLfs } : {}),
        });
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
