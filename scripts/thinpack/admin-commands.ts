/**
 * `thinpack admin`: what only the operator does, to all that a host holds.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { BackupDirectory } from "./backup/backup-directory.ts";
import { readBackupKey } from "./backup/backup-key.ts";
import { Deployment } from "./backup/deployment.ts";
import { BackupRun } from "./backup/make-backup.ts";
import { recoverTo } from "./backup/recover.ts";
import { RestoreRun } from "./backup/restore-backup.ts";
import { verifyUnits } from "./backup/verify-backup.ts";
import { commonOptions, confirmed, connect } from "./command-line.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { counted, formatBytes, printDone } from "./output.ts";
import { withSpinner } from "./progress.ts";

const KEY_OPTION = ["--key <file>", "32 bytes that seal what the host keeps of tenants and repositories"] as const;

type BackupOptions = { readonly key: string; readonly verify: boolean };

async function backUp(path: string, { key: file, verify }: BackupOptions, command: Command): Promise<void> {
  const key = readBackupKey(file);
  const directory = new BackupDirectory(path, key);
  const { json } = commonOptions(command);
  if (verify) {
    directory.assertFinished();
    const { units, files, bytes } = await withSpinner("checking", (say) =>
      verifyUnits(directory, directory.units(), say),
    );
    const said = `${path} is whole: ${counted(units, "object")}, ${counted(files, "file")}, ${formatBytes(bytes)}`;
    printDone(said, { objects: units, files, bytes }, json);
    return;
  }
  const host = new Deployment(connect(command));
  const { copied, unchanged, files } = await withSpinner("backing up", (say) =>
    new BackupRun(host, directory, key, say).run(),
  );
  printDone(
    `backed up to ${path}: ${counted(copied, "object")} and ${counted(files, "file")} copied, ${formatBytes(host.bytes)}; ${counted(unchanged, "object")} unchanged`,
    { objects: copied, unchanged, files, bytes: host.bytes },
    json,
  );
}

type RestoreCommandOptions = {
  readonly key: string;
  readonly only?: string;
  readonly replace: boolean;
  readonly missing: boolean;
};

async function restore(path: string, options: RestoreCommandOptions, command: Command): Promise<void> {
  const { key, only, replace, missing } = options;
  if (replace && missing)
    throw new CommandFailure("--replace and --missing are two ways to go on: give one", EXIT.usage);
  const directory = new BackupDirectory(path, readBackupKey(key));
  const host = new Deployment(connect(command));
  const present = replace ? "replace" : missing ? "keep" : "refuse";
  const done = await withSpinner("restoring", (say) =>
    new RestoreRun(host, directory, say).run({ present, ...(only === undefined ? {} : { only }) }),
  );
  const { objects, kept, files, incomplete, refused, unseen } = done;
  printDone(
    `restored from ${path}: ${counted(objects, "object")} and ${counted(files, "file")}, ${formatBytes(host.bytes)}; ${counted(kept, "object")} left as it was`,
    { objects, kept, files, bytes: host.bytes, incomplete, refused, unseen },
    commonOptions(command).json,
  );
  const lost = incomplete.map(({ repository, missing: packs }) => [`repository ${repository}:`, ...packs].join("\n  "));
  failWith([
    ["not restored; all else was:", refused],
    [
      "neither the bucket nor the backup has these packs, which were made after the backup. --only with --replace puts such a repository back as a whole:",
      lost,
    ],
    ["changed each time when their packs were looked for; --missing once more looks again:", unseen],
  ]);
}

/** Ends with an error that has each list that is not empty below its heading. @throws CommandFailure unless all are empty. */
function failWith(lists: readonly (readonly [heading: string, lines: readonly string[]])[]): void {
  const left = lists.flatMap(([heading, lines]) => (lines.length === 0 ? [] : [heading, ...lines]));
  if (left.length > 0) throw new CommandFailure(left.join("\n"));
}

async function recover(
  time: string,
  only: string | undefined,
  { yes }: { yes: boolean },
  command: Command,
): Promise<void> {
  const at = new Date(time);
  if (Number.isNaN(at.getTime()))
    throw new CommandFailure(`${time} is no time, such as 2026-01-31T12:00:00Z`, EXIT.usage);
  await confirmed(only ?? "everything", yes);
  const host = new Deployment(connect(command));
  const asked = { at: at.toISOString(), ...(only === undefined ? {} : { only: only.toLowerCase() }) };
  const { objects, missing, refused } = await withSpinner("recovering", (say) => recoverTo(host, asked, say));
  printDone(
    `put back to ${asked.at}: ${counted(objects.length, "object")}`,
    { at: asked.at, objects, missing, refused },
    commonOptions(command).json,
  );
  failWith([
    ["not put back; all else was:", refused],
    ["packs have gone from the bucket since; restore them from a backup with --missing:", missing],
  ]);
}

/** Adds the commands. */
export function addAdminCommands(program: Command): void {
  const admin = program.command("admin").description("What the operator does to all that a host holds.");
  admin
    .command("backup")
    .summary("backs up everything that the host holds")
    .description(
      "Copies everything into a directory: tenants, repositories, objects of Git LFS. A directory that has an earlier backup gets what is\n" +
        "new; after an interruption the command goes on. What the host keeps of tenants and repositories is sealed with the key; packs and\n" +
        "Git LFS objects lie there as they are.",
    )
    .argument("<directory>")
    .requiredOption(...KEY_OPTION)
    .option("--verify", "checks the backup, and asks no host", false)
    .addHelpText(
      "after",
      `
Examples:
  openssl rand -base64 32 > backup.key
  thinpack admin backup /srv/backup --key backup.key
  thinpack admin backup /srv/backup --key backup.key --verify`,
    )
    .action(backUp);
  admin
    .command("restore")
    .summary("restores a host, a tenant or a repository from a backup")
    .description(
      "Checks the backup, and then writes what it has. Without --replace or --missing nothing is done where anything is there.",
    )
    .argument("<directory>")
    .requiredOption(...KEY_OPTION)
    .option("--only <tenant[/repository]>", "restores that alone")
    .option("--replace", "replaces what is there", false)
    .option("--missing", "leaves what is there, and restores the rest; goes on after an interruption", false)
    .action(restore);
  admin
    .command("recover-to")
    .summary("puts a host, a tenant or a repository back to an earlier moment")
    .description(
      "Has the platform put databases back, up to 30 days. It takes no backup; but the bucket does not go back: packs that have gone since are\n" +
        "named. Whatever was pushed or set since is lost.",
    )
    .argument("<time>", "such as 2026-01-31T12:00:00Z")
    .argument("[tenant[/repository]]", "that alone; everything if it is left out")
    .option("--yes", "don't ask", false)
    .action(recover);
}
