/**
 * The alarms of a local host that is down, and whose clock goes forward before it is started again.
 *
 * @packageDocumentation
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Nanoseconds, in which the runtime keeps times, in a millisecond. */
const NANOSECONDS = 1_000_000n;
/** The file in which the runtime keeps when to wake the objects of a class. What each object knows is in a file of its own beside. */
const ALARMS = "metadata.sqlite";
/** The key of an object's alarm, among what the runtime keeps in the object's own file. */
const ALARM_KEY = 1;

function changed(path: string, sql: string, by: bigint): void {
  const db = new DatabaseSync(path);
  const [, table = ""] = /^UPDATE (\w+)/.exec(sql) ?? [];
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) !== undefined) db.prepare(sql).run(by);
  db.close();
}

/**
 * Has every alarm that is set in a state directory go off earlier: by as much as the Worker's clock will be further ahead of the machine's.
 * The runtime wakes objects by the machine's clock, so that an alarm set for an hour later would else come an hour later also where a
 * test lets a day go by. `by` is in milliseconds. No host may run on the directory.
 */
export function advanceAlarms(state: string, by: number): void {
  const objects = join(state, "storage", "do");
  if (!existsSync(objects)) return;
  const files = readdirSync(objects, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite"));
  const nanoseconds = BigInt(by) * NANOSECONDS;
  for (const file of files) {
    const path = join(objects, file);
    if (file.endsWith(ALARMS)) changed(path, "UPDATE _cf_ALARM SET scheduled_time = scheduled_time - ?", nanoseconds);
    else
      changed(
        path,
        `UPDATE _cf_METADATA SET value = value - ? WHERE key = ${ALARM_KEY} AND value IS NOT NULL`,
        nanoseconds,
      );
  }
}
