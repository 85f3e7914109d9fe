/**
 * `thinpack mirror`.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { collected, commonOptions, connectTo, seconds } from "./command-line.ts";
import { CommandFailure, HostRefusal } from "./failure.ts";
import { type Json, objectAt, textAt } from "./json.ts";
import { printDone, printThing } from "./output.ts";
import { secretFromInput } from "./prompt.ts";
import { withSpinner } from "./progress.ts";

/** Milliseconds between two looks at a sync. */
const LOOK_AGAIN = 500;

type MirrorOptions = {
  readonly interval?: number;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly upstreamTokenStdin?: boolean;
  readonly refspec?: readonly string[];
  readonly policy?: string;
  readonly wait?: boolean;
};

async function settingsOf(upstream: string, options: MirrorOptions): Promise<object> {
  const { interval, username, passwordStdin, upstreamTokenStdin, refspec: refspecs, policy } = options;
  return {
    upstream,
    ...(interval === undefined ? {} : { interval }),
    ...(username === undefined ? {} : { username }),
    ...(passwordStdin === true ? { password: await secretFromInput("The upstream's password") } : {}),
    ...(upstreamTokenStdin === true ? { token: await secretFromInput("The upstream's token") } : {}),
    ...(refspecs === undefined ? {} : { refspecs }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** Says how far a sync is. */
function progressOf(mirror: Json): string {
  const progress = objectAt(mirror, "progress");
  const text = Object.entries(progress).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${textAt({ value }, "value")}`,
  );
  return text.length === 0 ? "syncing" : `syncing: ${text.join(", ")}`;
}

/** Waits for the sync that begins after `since` to end. @throws CommandFailure where it failed. */
async function synced(api: ApiConnection, path: string, since: string): Promise<Json> {
  return await withSpinner("syncing", async (say) => {
    for (;;) {
      const mirror = await api.ask("GET", `${path}/mirror`);
      const isOver = mirror["syncing"] !== true && textAt(mirror, "last_attempt") > since;
      if (isOver && textAt(mirror, "last_error") === "") return mirror;
      if (isOver) throw new CommandFailure(`the sync failed: ${textAt(mirror, "last_error")}`);
      say(progressOf(mirror));
      await wait(LOOK_AGAIN);
    }
  });
}

/** Gives the mirror there is; `{}` where there is none. */
async function currentMirror(api: ApiConnection, path: string): Promise<Json> {
  try {
    return await api.ask("GET", `${path}/mirror`);
  } catch (error) {
    if (error instanceof HostRefusal && error.status === 404) return {};
    throw error;
  }
}

async function setMirror(
  [name, upstream]: readonly [string, string],
  options: MirrorOptions,
  command: Command,
): Promise<void> {
  const { api, path } = connectTo(command, name);
  const settings = await settingsOf(upstream, options);
  await api.ask("PUT", path, {});
  const before = textAt(await currentMirror(api, path), "last_attempt");
  const made = await api.ask("PUT", `${path}/mirror`, settings);
  printThing(options.wait === true ? await synced(api, path, before) : made, commonOptions(command).json);
}

/** Adds the commands. */
export function addMirrorCommands(program: Command): void {
  const mirrors = program.command("mirror").description("Repositories that follow others, elsewhere.");
  mirrors
    .command("set")
    .summary("has an empty repository follow another, or changes how it does")
    .description(
      "Has an empty repository follow another; it is made where it is missing. What is not given stays as it is.",
    )
    .argument("<tenant/name>")
    .argument("<upstream>", "the https:// address of what it follows")
    .option("--interval <time>", "between two syncs, as 15m or 6h; 0 for none", seconds)
    .option("--username <name>", "for the upstream")
    .option("--password-stdin", "reads the password for the upstream from standard input, or asks")
    .option("--upstream-token-stdin", "reads a token for the upstream from standard input, or asks")
    .option("--refspec <refspec>", "what is taken; may be given again", collected)
    .addOption(
      new Option("--policy <policy>", "when the upstream moves a ref otherwise than forward").choices([
        "follow",
        "keep",
        "stop",
      ]),
    )
    .option("--wait", "waits for the first sync")
    .action(async (name: string, upstream: string, options: MirrorOptions, command: Command) =>
      setMirror([name, upstream], options, command),
    );
  mirrors
    .command("show")
    .summary("shows how a mirror goes")
    .argument("<tenant/name>")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("GET", `${path}/mirror`), commonOptions(command).json);
    });
  mirrors
    .command("sync")
    .summary("syncs now")
    .argument("<tenant/name>")
    .option("--wait", "waits for its end")
    .action(async (name: string, options: MirrorOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const before = textAt(await api.ask("GET", `${path}/mirror`), "last_attempt");
      const asked = await api.ask("POST", `${path}/mirror/sync`);
      printThing(options.wait === true ? await synced(api, path, before) : asked, commonOptions(command).json);
    });
  mirrors
    .command("stop")
    .summary("stops mirroring and keeps the repository")
    .argument("<tenant/name>")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      await api.ask("DELETE", `${path}/mirror`);
      printDone(`${name} is a repository like others now`, { name }, commonOptions(command).json);
    });
}
