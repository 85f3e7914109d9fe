/**
 * `thinpack export`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions, connectTo } from "./command-line.ts";
import { exportRepository } from "./export-repository.ts";
import { printDone } from "./output.ts";
import { ByteBar } from "./progress.ts";

/** Adds the command. */
export function addExportCommand(program: Command): void {
  program
    .command("export")
    .summary("copies a repository out, as a bare repository that git takes as its own")
    .argument("<tenant/name>")
    .argument("<directory>")
    .action(async (name: string, directory: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      let bar: ByteBar | undefined;
      try {
        const { files, bytes } = await exportRepository(api, path, directory, {
          begin: (total) => void (bar = new ByteBar("export", total)),
          add: (count) => bar?.add(count),
        });
        bar?.stop();
        printDone(
          `${files} files, ${bytes} bytes in ${directory}`,
          { files, bytes, directory },
          commonOptions(command).json,
        );
      } finally {
        bar?.stop();
      }
    });
}
