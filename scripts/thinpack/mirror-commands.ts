/**
 * `thinpack mirror`.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { collected, commonOptions, connect, connectTo, seconds, tenantPath } from "./command-line.ts";
import { CommandFailure, HostRefusal } from "./failure.ts";
import { type Json, objectAt, textAt } from "./json.ts";
import { type Column, formatSeconds, formatTime, printDone, printList, printThing } from "./output.ts";
import { secretFromInput } from "./prompt.ts";
import { withSpinner } from "./progress.ts";

/** Milliseconds between two looks at a sync. */
const LOOK_AGAIN = 500;

const COLUMNS: readonly Column[] = [
  ["REPOSITORY", "repository"],
  ["UPSTREAM", "upstream"],
  [
    "EVERY",
    (row) => (typeof row["interval"] === "number" && row["interval"] > 0 ? formatSeconds(row["interval"]) : "-"),
  ],
  ["SYNCED", (row) => formatTime(row["last_sync"] ?? "never")],
  ["LAG", (row) => (typeof row["lag"] === "number" ? formatSeconds(row["lag"]) : "-")],
  ["STATE", (row) => textAt(row, "last_error") || textAt(row, "state")],
];

type MirrorOptions = {
  readonly interval?: number;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly upstreamTokenStdin?: boolean;
  readonly refspec?: readonly string[];
  readonly policy?: string;
  readonly lfs?: string;
  readonly wait?: boolean;
};

async function settingsOf(upstream: string, options: MirrorOptions): Promise<object> {
  const { interval, username, passwordStdin, upstreamTokenStdin, refspec: refspecs, policy, lfs } = options;
  return {
    upstream,
    ...(interval === undefined ? {} : { interval }),
    ...(username === undefined ? {} : { username }),
    ...(passwordStdin === true ? { password: await secretFromInput("The upstream's password") } : {}),
    ...(upstreamTokenStdin === true ? { token: await secretFromInput("The upstream's token") } : {}),
    ...(refspecs === undefined ? {} : { refspecs }),
    ...(policy === undefined ? {} : { policy }),
    ...(lfs === undefined ? {} : { lfs }),
  };
}

/** Returns how far a sync is. */
function progressOf(mirror: Json): string {
  const progress = objectAt(mirror, "progress");
  const text = Object.entries(progress).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${textAt({ value }, "value")}`,
  );
  return text.length === 0 ? "syncing" : `syncing: ${text.join(", ")}`;
}

/** Waits for the sync that begins after `since` to end. @throws CommandFailure if it failed. */
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

/** Returns the present settings of a mirror; `{}` if it is no mirror. */
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
  const { status } = await api.send("PUT", path, { json: {} });
  const before = textAt(await currentMirror(api, path), "last_attempt");
  let made: Json;
  try {
    made = await api.ask("PUT", `${path}/mirror`, settings);
  } catch (error) {
    // Nothing is left of a mirror that was refused.
    if (status === 201) await api.ask("DELETE", path);
    throw error;
  }
  printThing(options.wait === true ? await synced(api, path, before) : made, commonOptions(command).json);
}

/** Adds the commands. */
export function addMirrorCommands(program: Command): void {
  const mirrors = program.command("mirror").description("Repositories that follow others, elsewhere.");
  mirrors
    .command("list")
    .summary("lists mirrors and how they go: a tenant's, or all, which takes the operator's token")
    .argument("[tenant]")
    .option("--failing", "only those whose last sync failed")
    .action(async (tenant: string | undefined, { failing }: { failing?: boolean }, command: Command) => {
      const path = tenant === undefined ? "/mirrors" : `${tenantPath(tenant)}/mirrors`;
      const rows = await connect(command, tenant).list(failing === true ? `${path}?state=failing` : path, "mirrors");
      const what = tenant === undefined ? "mirrors" : `mirrors in ${tenant}`;
      printList(rows, COLUMNS, { json: commonOptions(command).json, what });
    });
  mirrors
    .command("set")
    .summary("makes an empty repository follow another, or changes how it does")
    .description(
      "Makes an empty repository follow another. It is created if it does not exist. Settings that are not given stay as they are.",
    )
    .argument("<tenant/name>")
    .argument("<upstream>", "the https:// address of what it follows")
    .option("--interval <time>", "time between two syncs, such as 15m or 6h; 0 for none", seconds)
    .option("--username <name>", "for the upstream")
    .option("--password-stdin", "reads the password for the upstream from standard input, or asks")
    .option("--upstream-token-stdin", "reads a token for the upstream from standard input, or asks")
    .option("--refspec <refspec>", "what is taken; may be given again", collected)
    .addOption(new Option("--lfs <which>", "which objects of Git LFS to have here").choices(["requests", "all"]))
    .addOption(
      new Option("--policy <policy>", "when the upstream moves a ref otherwise than forward").choices([
        "follow",
        "keep",
        "stop",
      ]),
    )
    .option("--wait", "waits for the first sync")
    .addHelpText(
      "after",
      `
Examples:
  thinpack mirror set acme/hono https://github.com/honojs/hono.git --interval 15m --wait
  thinpack mirror set acme/inner https://git.example/inner.git --upstream-token-stdin < token`,
    )
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
