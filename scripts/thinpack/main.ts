/**
 * `thinpack`: the host for people and scripts. Run by `scripts/thinpack.mjs`, bundled, on any Node that is still maintained.
 *
 * @packageDocumentation
 */
import { Command, CommanderError } from "commander";
import { version } from "../../package.json";
import { addAdminCommands } from "./admin-commands.ts";
import { addAuditCommand } from "./audit-command.ts";
import { addApiCommand } from "./api-command.ts";
import { addCommitCommands } from "./commit-commands.ts";
import { addCompletionCommand } from "./completion-command.ts";
import { addCredentialCommand } from "./credential-command.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { addExportCommand } from "./export-command.ts";
import { addHistoryCommands } from "./history-commands.ts";
import { addHookCommands } from "./hook-commands.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addLoginCommands } from "./login-commands.ts";
import { addMergeCommands } from "./merge-commands.ts";
import { addNoteCommands } from "./note-commands.ts";
import { addLfsCommands } from "./lfs-commands.ts";
import { printable } from "./output.ts";
import { addMirrorCommands } from "./mirror-commands.ts";
import { addLargePushCommands } from "./push-large-command.ts";
import { addRepoCommands } from "./repo-commands.ts";
import { addTenantCommands } from "./tenant-commands.ts";
import { addTokenCommands } from "./token-commands.ts";
import { addWhoamiCommand } from "./whoami-command.ts";

const ABOUT_ALL = `
Host and token come from, in this order: --base and --token; THINPACK_BASE and
THINPACK_TOKEN; the last login; the host that \`npm start\` runs on this machine.

Exit codes: 0 success · 1 failure · 2 usage · 3 not allowed · 4 not found

Examples:
  thinpack login https://thinpack.example.workers.dev --git
  thinpack repo create acme/widgets
  thinpack repo clone acme/widgets
  thinpack token create acme --name ci --scope repo:read --expires-in 30d`;

/** Builds the command with all below it. */
function buildProgram(): Command {
  const program = new Command("thinpack")
    .description("Works with a thinpack host.")
    .version(version)
    .option("--base <url>", "the host's address")
    .option("--token <token>", "the token; other users of this machine can see a command line")
    .option("--json", "prints JSON")
    .showHelpAfterError("(--help tells more)")
    .addHelpText("after", ABOUT_ALL)
    .exitOverride();
  for (const add of [
    addLoginCommands,
    addCredentialCommand,
    addTenantCommands,
    addWhoamiCommand,
    addRepoCommands,
    addTokenCommands,
    addMirrorCommands,
    addHookCommands,
    addKeyCommands,
    addExportCommand,
    addLargePushCommands,
    addLfsCommands,
    addCommitCommands,
    addNoteCommands,
    addMergeCommands,
    addHistoryCommands,
    addAuditCommand,
    addAdminCommands,
    addApiCommand,
    addCompletionCommand,
  ]) {
    add(program);
  }
  return program;
}

/** Prints an error, and returns the exit code. */
function explain(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof CommandFailure) {
    // Errors in git's own words stay as they are.
    const message = printable(error.message);
    console.error(message.startsWith("fatal: ") ? message : `thinpack: ${message}`);
    return error.exitCode;
  }
  console.error(error);
  return EXIT.failed;
}

// A reader of the output may stop early, as `head` does: that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : EXIT.failed));
}

buildProgram()
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = explain(error);
  });
