/**
 * `thinpack`: the host for people and scripts. Run by `scripts/thinpack.mjs`, bundled, on any Node that is still maintained.
 *
 * @packageDocumentation
 */
import { Command, CommanderError } from "commander";
import { version } from "../../package.json";
import { addCredentialCommand } from "./credential-command.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { addExportCommand } from "./export-command.ts";
import { addHookCommands } from "./hook-commands.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addLoginCommands } from "./login-commands.ts";
import { addMirrorCommands } from "./mirror-commands.ts";
import { addLargePushCommands } from "./push-large-command.ts";
import { addRepoCommands } from "./repo-commands.ts";
import { addTenantCommands } from "./tenant-commands.ts";
import { addTokenCommands } from "./token-commands.ts";

const ABOUT_ALL = `
Which host, and with what token: --base and --token, else THINPACK_BASE and THINPACK_TOKEN, else what was
logged in to, else the host that \`npm start\` runs on this machine.

Ends with 0 where it was done, 2 for a wrong command, 3 where the host does not let this token do it,
4 where there is no such thing, 1 for all else.`;

/** Builds the command with all below it. */
function buildProgram(): Command {
  const program = new Command("thinpack")
    .description("Works with a thinpack host.")
    .version(version)
    .option("--base <url>", "the host's address")
    .option("--token <token>", "the token; others on this machine may see what is on a command line")
    .option("--json", "prints JSON")
    .showHelpAfterError("(--help tells more)")
    .addHelpText("after", ABOUT_ALL)
    .exitOverride();
  for (const add of [
    addLoginCommands,
    addCredentialCommand,
    addTenantCommands,
    addRepoCommands,
    addTokenCommands,
    addMirrorCommands,
    addHookCommands,
    addKeyCommands,
    addExportCommand,
    addLargePushCommands,
  ]) {
    add(program);
  }
  return program;
}

/** Says what went wrong, and gives what the process ends with. */
function explain(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof CommandFailure) {
    // In git's own words where git has some.
    console.error(error.message.startsWith("fatal: ") ? error.message : `thinpack: ${error.message}`);
    return error.exitCode;
  }
  console.error(error);
  return EXIT.failed;
}

buildProgram()
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = explain(error);
  });
