/**
 * A load of many clients on this host and on C git's server, one after the other, on the same machine.
 *
 *     npm run load                                200 clients for ten minutes each
 *     … --clients 200 --seconds 600 --pause 8     pause: seconds between two operations of a client, on average
 *     … --json docs/load.json --svg docs/load.svg --page docs/benchmark.md
 *
 * Ends with status 1 where a client met an error that no limit defines.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { GitSandbox } from "../test/support/git-client.ts";
import { measureLoad } from "./load/measure.ts";
import { plotLoad } from "./load/plot.ts";
import { countErrors, LOAD_FIGURES, loadSummary, loadTable } from "./load/table.ts";
import { replaceTable } from "./marked-table.ts";
import { optionsOrUsage } from "./usage.ts";

const USAGE = `Usage: npm run load -- [options]

Puts a load of many clients on this host and on C git's server, one after the other.

  --clients N     clients at once (200)
  --seconds N     how long each server is under load (600)
  --pause N       seconds between two operations of a client, on average (8)
  --json FILE     writes the figures as JSON
  --svg FILE      draws them
  --page FILE     writes the table of this page`;

const values = optionsOrUsage(USAGE, {
  clients: { type: "string", default: "200" },
  seconds: { type: "string", default: "600" },
  pause: { type: "string", default: "8" },
  json: { type: "string" },
  svg: { type: "string" },
  page: { type: "string" },
});

const git = new GitSandbox("load", "sha1");
try {
  const size = { clients: Number(values.clients), seconds: Number(values.seconds), pause: Number(values.pause) };
  const report = await measureLoad(git, size, (line) => console.error(line));
  const table = loadTable(report);
  for (const row of table) console.log(row.map((cell) => cell.padEnd(12)).join(" "));
  console.log(loadSummary(report));
  for (const [error, count] of Object.entries(report.thinpack.errors)) console.log(`${count} × ${error}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.svg !== undefined) writeFileSync(values.svg, plotLoad(report));
  if (values.page !== undefined)
    writeFileSync(values.page, replaceTable(readFileSync(values.page, "utf8"), LOAD_FIGURES, table));
  if (countErrors(report).thinpack > 0) process.exitCode = 1;
} finally {
  git.close();
}
