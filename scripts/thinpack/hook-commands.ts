/**
 * `thinpack hook`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { pathPiece } from "./api-path.ts";
import { collected, commonOptions, connectTo, onOrOff } from "./command-line.ts";
import { listAt } from "./json.ts";
import { type Column, formatTime, printDone, printList, printThing } from "./output.ts";
import { secretFromInput } from "./prompt.ts";

const COLUMNS: readonly Column[] = [
  ["ID", "id"],
  ["URL", "url"],
  ["EVENTS", "events"],
  ["ACTIVE", "active"],
  ["WHY NOT", "disabled_reason"],
];
const DELIVERY_COLUMNS: readonly Column[] = [
  ["ID", "id"],
  ["EVENT", "event"],
  ["REF", "ref"],
  ["STATE", "state"],
  ["STATUS", "status"],
  ["ATTEMPTS", "attempts"],
  ["ATTEMPTED", (row) => formatTime(row["attempted_at"])],
  ["ERROR", "error"],
];

type HookOptions = { readonly event?: readonly string[]; readonly secretStdin?: boolean; readonly active?: boolean };

async function settingsOf({ event: events, secretStdin, active }: HookOptions): Promise<object> {
  return {
    ...(events === undefined ? {} : { events }),
    ...(secretStdin === true ? { secret: await secretFromInput("The secret that deliveries are signed with") } : {}),
    ...(active === undefined ? {} : { active }),
  };
}

const at = (path: string, id: string): string => `${path}/hooks/${pathPiece(id)}`;

function addChanges(hooks: Command): void {
  hooks
    .command("add")
    .summary("adds a webhook")
    .argument("<tenant/name>")
    .argument("<url>", "where events are sent")
    .addHelpText(
      "after",
      `
Examples:
  thinpack hook add acme/widgets https://ci.example.com/hook --event push --secret-stdin < secret`,
    )
    .option(
      "--event <event>",
      "push, create, delete, sync, sync_failed, status or lock; may be given again (push)",
      collected,
    )
    .option("--secret-stdin", "reads the secret that deliveries are signed with from standard input, or asks")
    .action(async (name: string, url: string, options: HookOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(
        await api.ask("POST", `${path}/hooks`, { url, ...(await settingsOf(options)) }),
        commonOptions(command).json,
      );
    });
  hooks
    .command("set")
    .summary("changes a webhook")
    .argument("<tenant/name>")
    .argument("<id>")
    .option("--event <event>", "instead of those it has; may be given again", collected)
    .option("--secret-stdin", "reads a new secret")
    .option("--active <on|off>", "whether it is sent anything", onOrOff)
    .action(async (name: string, id: string, options: HookOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("PATCH", at(path, id), await settingsOf(options)), commonOptions(command).json);
    });
  hooks
    .command("remove")
    .summary("removes a webhook")
    .argument("<tenant/name>")
    .argument("<id>")
    .action(async (name: string, id: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      await api.ask("DELETE", at(path, id));
      printDone(`removed ${id}`, { id }, commonOptions(command).json);
    });
}

/** Adds the commands. */
export function addHookCommands(program: Command): void {
  const hooks = program.command("hook").description("Webhooks of a repository.");
  hooks
    .command("list")
    .summary("lists a repository's webhooks")
    .argument("<tenant/name>")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      printList(listAt(await api.ask("GET", `${path}/hooks`), "hooks"), COLUMNS, {
        json: commonOptions(command).json,
        what: `webhooks in ${name}`,
      });
    });
  addChanges(hooks);
  hooks
    .command("deliveries")
    .summary("lists what a webhook was sent, the newest first")
    .argument("<tenant/name>")
    .argument("<id>")
    .action(async (name: string, id: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const rows = listAt(await api.ask("GET", `${at(path, id)}/deliveries`), "deliveries");
      printList(rows, DELIVERY_COLUMNS, { json: commonOptions(command).json, what: "deliveries" });
    });
  hooks
    .command("ping")
    .summary("sends a ping to a webhook")
    .argument("<tenant/name>")
    .argument("<id>")
    .action(async (name: string, id: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      printThing(await api.ask("POST", `${at(path, id)}/pings`), commonOptions(command).json);
    });
  hooks
    .command("redeliver")
    .summary("sends the same event once more")
    .argument("<tenant/name>")
    .argument("<id>", "of the webhook")
    .argument("<delivery>", "its id, as `hook deliveries` shows it")
    .action(async (...[name, id, delivery, , command]: [string, string, string, unknown, Command]) => {
      const { api, path } = connectTo(command, name);
      const sent = await api.ask("POST", `${at(path, id)}/deliveries/${pathPiece(delivery)}/redeliver`);
      printThing(sent, commonOptions(command).json);
    });
}
