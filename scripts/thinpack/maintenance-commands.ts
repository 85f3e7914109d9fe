/**
 * `thinpack repo maintenance` and `thinpack repo restore`: what lies behind a repository's refs.
 *
 * @packageDocumentation
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { commonOptions, confirmed, connectTo, wholeNumber } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { isJson, type Json, listAt, textAt } from "./json.ts";
import { type Column, formatBytes, formatTime, printList, printText } from "./output.ts";
import { withSpinner } from "./progress.ts";

/** Milliseconds between two looks at maintenance that is under way. */
const LOOK_EVERY = 500;

const RUN_COLUMNS: readonly Column[] = [
  ["WHEN", (row) => formatTime(row["at"])],
  ["STEP", "step"],
  ["OUTCOME", (row) => textAt(row, "error") || textAt(row, "outcome")],
  ["PACKS", "packs"],
  ["OBJECTS", "objects"],
  ["READ", (row) => formatBytes(row["bytes_read"])],
  ["WRITTEN", (row) => formatBytes(row["bytes_written"])],
  ["SECONDS", "seconds"],
];
const MOVE_COLUMNS: readonly Column[] = [
  ["REF", "ref"],
  ["FROM", "old"],
  ["TO", "new"],
];

function sumOf(state: Json, member: string): Json {
  const sum = state[member];
  return isJson(sum) ? sum : {};
}

function summaryLine(title: string, sum: Json): string {
  return `${title.padEnd(12)}${String(sum["packs"])} packs, ${String(sum["objects"])} objects, ${formatBytes(sum["bytes"])}`;
}

function printState(state: Json, asJson: boolean): void {
  if (asJson) return printText(JSON.stringify(state));
  printText(summaryLine("all", sumOf(state, "total")));
  printText(summaryLine("unmarked", sumOf(state, "unmarked")));
  printText(summaryLine("unreachable", sumOf(state, "unreachable")));
  const { due } = state;
  if (isJson(due)) printText(`${"due".padEnd(12)}${String(due["packs"])} packs (${textAt(due, "reason")})`);
  printList(listAt(state, "runs"), RUN_COLUMNS, { json: false, what: "runs" });
}

/** Returns the newest run, if it came after the one that began `before` and has failed. */
function newFailure(state: Json, before: string): Json | undefined {
  const [last] = listAt(state, "runs");
  return last !== undefined && textAt(last, "at") !== before && textAt(last, "outcome") === "failed" ? last : undefined;
}

/** Waits until nothing is due, and returns the state. @throws CommandFailure if a step failed. */
async function untilDone(api: ApiConnection, path: string, begun: Json): Promise<Json> {
  const before = textAt(listAt(begun, "runs")[0] ?? {}, "at");
  return await withSpinner("maintenance", async (say) => {
    for (let state = begun; ; state = await api.ask("GET", `${path}/maintenance`)) {
      const packs = String(sumOf(state, "total")["packs"]);
      say(`maintenance: ${packs} packs, ${listAt(state, "runs").length} steps`);
      const failure = newFailure(state, before);
      if (failure !== undefined) throw new CommandFailure(`a step of maintenance failed: ${textAt(failure, "error")}`);
      if (state["due"] === null && state["running_since"] === null) return state;
      await wait(LOOK_EVERY);
    }
  });
}

type MaintenanceOptions = { readonly run?: boolean; readonly purge?: boolean; readonly yes?: boolean };

/** Adds the commands. */
export function addMaintenanceCommands(repos: Command): void {
  repos
    .command("maintenance")
    .summary("shows a repository's packs and what maintenance did, or has it begin")
    .argument("<tenant/name>")
    .option("--run", "has it begin now, and waits until it is done")
    .option("--purge", "removes at once what no ref reaches, and waits until that is done")
    .option("--yes", "don't ask before a purge")
    .addHelpText(
      "after",
      `
Packs are combined behind pushes without being asked for. What no ref reaches is kept for 14 days.

Examples:
  thinpack repo maintenance acme/widgets
  thinpack repo maintenance acme/widgets --purge`,
    )
    .action(async (name: string, { run, purge, yes }: MaintenanceOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      if (purge === true) await confirmed(name, yes);
      const state =
        run === true || purge === true
          ? await untilDone(api, path, await api.ask("POST", `${path}/maintenance`, { purge: purge === true }))
          : await api.ask("GET", `${path}/maintenance`);
      printState(state, commonOptions(command).json);
    });
  repos
    .command("restore")
    .summary("takes a push back: sets the refs that it moved to what they were")
    .argument("<tenant/name>")
    .argument("<push>", "the push's number, as `thinpack reflog` shows it", wholeNumber)
    .addHelpText(
      "after",
      `
A ref that has been moved since refuses it. A deleted branch comes back.

Example:
  thinpack repo restore acme/widgets 17`,
    )
    .action(async (name: string, push: number, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const answer = await api.ask("POST", `${path}/reflog/${push}/restore`);
      printList(listAt(answer, "updates"), MOVE_COLUMNS, { json: commonOptions(command).json, what: "refs" });
    });
}
