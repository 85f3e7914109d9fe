/**
 * `thinpack reflog` and `thinpack events`: the past and present moves of a repository's refs.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { apiUrl, wholeName } from "./api-path.ts";
import { commonOptions, connectTo, wholeNumber } from "./command-line.ts";
import { listenTo } from "./event-stream.ts";
import { CommandFailure, EXIT, HostRefusal } from "./failure.ts";
import { isJson, type Json, listAt, textAt } from "./json.ts";
import { type Column, formatTime, printList, printText } from "./output.ts";

/** Characters of an object name in a table, about as many as in `git log --oneline`. */
const SHORT = 12;
/** Milliseconds before a connection that ended is opened again. */
const AGAIN_AFTER = 1000;

const short = (row: Json, name: string): string => textAt(row, name).replace(/^0+$/, "-").slice(0, SHORT);
const COLUMNS: readonly Column[] = [
  ["PUSH", "push"],
  ["WHEN", (row) => formatTime(row["at"])],
  ["WHO", (row) => textAt(row, "actor_name") || textAt(row, "actor")],
  ["REF", "ref"],
  ["OLD", (row) => short(row, "old")],
  ["NEW", (row) => short(row, "new")],
];

/** Returns up to `limit` moves of refs, the newest first, each with the push that it was a part of. */
async function movesOf(api: ApiConnection, path: string, { ref, limit }: LogOptions): Promise<Json[]> {
  const rows: Json[] = [];
  const query = new URLSearchParams(ref === undefined ? {} : { ref });
  for (let cursor = ""; ;) {
    if (cursor !== "") query.set("cursor", cursor);
    const page = await api.ask("GET", `${path}/reflog?${query.toString()}`);
    for (const push of listAt(page, "pushes")) {
      rows.push(
        ...listAt(push, "updates").map((update) => ({
          ...update,
          actor: push["actor"],
          actor_name: push["actor_name"],
          at: push["at"],
          push: push["id"],
        })),
      );
    }
    cursor = textAt(page, "cursor");
    if (cursor === "" || rows.length >= limit) return rows.slice(0, limit);
  }
}

type LogOptions = { readonly ref?: string; readonly limit: number };

function eventLine(event: Json, asJson: boolean): string {
  if (asJson) return JSON.stringify(event);
  if (event["type"] === "gap") return "some events were missed: read the refs";
  const [old, fresh] = [short(event, "old"), short(event, "new")];
  return `${textAt(event, "at")}  ${textAt(event, "name")}  ${old} -> ${fresh}`;
}

/** Prints events as they come. If the connection ends, listens again from the last event that was printed. */
async function follow(api: ApiConnection, path: string, since: number | undefined, asJson: boolean): Promise<never> {
  let last = since;
  for (let opened = false; ; opened = true) {
    const query = last === undefined ? "" : `?since=${last}`;
    try {
      for await (const message of listenTo(apiUrl(api.base, `${path}/events${query}`), api.authorization)) {
        const event: unknown = JSON.parse(message);
        if (!isJson(event)) continue;
        printText(eventLine(event, asJson));
        if (typeof event["seq"] === "number") last = event["seq"];
      }
    } catch (error) {
      // A host that is unreachable may come back, but one that has refused won't change its answer.
      if (!opened || error instanceof HostRefusal) throw error;
    }
    await wait(AGAIN_AFTER);
  }
}

/** Adds the commands. */
export function addHistoryCommands(program: Command): void {
  program
    .command("reflog")
    .summary("lists who moved which ref, the newest first")
    .argument("<tenant/name>")
    .option("--ref <ref>", "only the moves of this ref, such as refs/heads/main", wholeName)
    .option("--limit <n>", "how many moves at most", wholeNumber, 50)
    .action(async (name: string, options: LogOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const rows = await movesOf(api, path, options);
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: "pushes" });
    });
  program
    .command("events")
    .summary("prints each ref as it moves, until it is interrupted")
    .description("Prints a line for each ref that moves; with --json one JSON object per line.")
    .argument("<tenant/name>")
    .option("--follow", "waits for events; the only way there is so far")
    .option("--since <seq>", "begins after this event; 0 for all that are kept", wholeNumber)
    .action(async (name: string, options: { follow?: boolean; since?: number }, command: Command) => {
      if (options.follow !== true) {
        throw new CommandFailure("give --follow to wait for events; `thinpack reflog` lists the past", EXIT.usage);
      }
      const { api, path } = connectTo(command, name);
      await follow(api, path, options.since, commonOptions(command).json);
    });
}
