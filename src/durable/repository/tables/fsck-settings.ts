/**
 * Table `fsck_settings`: which of git's checks pushes may fail. Without a row, the defaults apply. Pushes and the
 * settings' readers read it, and a repository's readers do not: the list of objects may be long.
 *
 * @packageDocumentation
 */
import { DEFAULT_FSCK, type FsckSettings, MOST_SKIPPED_OBJECTS } from "../../../refs/fsck-settings.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const FSCK_SETTINGS_DDL = `CREATE TABLE IF NOT EXISTS fsck_settings (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  strict INTEGER NOT NULL,
  ignored TEXT NOT NULL,
  skipped TEXT NOT NULL
)`;

const wordsOf = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** Reads the settings. */
export function readFsckSettings(db: SqlDatabase): FsckSettings {
  const row = firstRow(db.rows("SELECT strict, ignored, skipped FROM fsck_settings"));
  if (row === undefined) return DEFAULT_FSCK;
  return { strict: integerAt(row, 0) === 1, ignore: wordsOf(textAt(row, 1)), skip: wordsOf(textAt(row, 2)) };
}

/**
 * Changes the given settings.
 *
 * @throws RangeError if the list of objects is too long.
 */
export function changeFsckSettings(db: SqlDatabase, change: Partial<FsckSettings> = {}): void {
  if (Object.keys(change).length === 0) return;
  const { strict, ignore, skip } = { ...readFsckSettings(db), ...change };
  if (skip.length > MOST_SKIPPED_OBJECTS) throw new RangeError("too many objects that are not checked");
  db.run(
    "INSERT OR REPLACE INTO fsck_settings (one, strict, ignored, skipped) VALUES (1, ?, ?, ?)",
    Number(strict),
    ignore.join("\n"),
    skip.join("\n"),
  );
}
