/**
 * `thinpack export`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions, connectTo } from "./command-line.ts";
import { exportRepository } from "./export-repository.ts";
import { counted, formatBytes, printDone } from "./output.ts";
import { ByteBar } from "./progress.ts";

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
    .action(async (name: string, directory: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      let bar: ByteBar | undefined;
      try {
        const { files, bytes, refs } = await exportRepository(api, path, directory, {
          begin: (total) => void (bar = new ByteBar("export", total)),
          add: (count) => bar?.add(count),
        });
        bar?.stop();
        printDone(
          `exported ${name} to ${directory}: ${counted(refs, "ref")}, ${formatBytes(bytes)}`,
          { files, bytes, refs, directory },
          commonOptions(command).json,
        );
      } finally {
        bar?.stop();
      }
    });
}
