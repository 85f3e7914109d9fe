/**
 * `thinpack audit`: who did what in a tenant.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { commonOptions, connect, tenantPath, wholeNumber } from "./command-line.ts";
import { isJson, type Json, listAt, textAt } from "./json.ts";
import { type Column, formatTime, printList } from "./output.ts";

/** Entries that are shown where nothing else is asked for. */
const SHOWN = 50;

/** Returns an entry's details as a few words. */
function detailsOf(row: Json): string {
  const { details } = row;
  if (!isJson(details)) return "";
  return Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

const COLUMNS: readonly Column[] = [
  ["WHEN", (row) => formatTime(row["at"])],
  ["WHO", (row) => textAt(row, "actor_name") || textAt(row, "actor")],
  ["WHAT", "action"],
  ["TO", "subject"],
  ["DETAILS", detailsOf],
];

type AuditOptions = { readonly action?: string; readonly limit: number };

/** Adds the command. */
export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .summary("lists who did what in a tenant, the newest first")
    .argument("<tenant>")
    .option("--action <action>", "only entries of this action, such as token.create")
    .option("--limit <number>", "how many entries", wholeNumber, SHOWN)
    .addHelpText(
      "after",
      `
Examples:
  thinpack audit acme
  thinpack audit acme --action token.create --limit 10`,
    )
    .action(async (tenant: string, { action, limit }: AuditOptions, command: Command) => {
      const query = new URLSearchParams(action === undefined ? {} : { action });
      const api = connect(command, tenant);
      const rows: Json[] = [];
      for (let cursor = ""; rows.length < limit;) {
        if (cursor !== "") query.set("cursor", cursor);
        const page = await api.ask("GET", `${tenantPath(tenant)}/audit?${query.toString()}`);
        rows.push(...listAt(page, "entries"));
        cursor = textAt(page, "cursor");
        if (cursor === "") break;
      }
      printList(rows.slice(0, limit), COLUMNS, { json: commonOptions(command).json, what: `entries for ${tenant}` });
    });
}
