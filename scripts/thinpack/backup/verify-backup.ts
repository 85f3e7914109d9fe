/**
 * Checks a backup by itself, without the host: every file has its checksum, every sealed copy opens and is whole, and what
 * rows name is there.
 *
 * @packageDocumentation
 */
import { existsSync, statSync } from "node:fs";
import { CommandFailure } from "../failure.ts";
import { textAt } from "../json.ts";
import { type BackupDirectory, fileSha256, shownUnit, type UnitName } from "./backup-directory.ts";
import { lfsFilesOf } from "./make-backup.ts";
import { RowReader } from "./object-rows.ts";

/** What was checked. */
export type Verified = { units: number; files: number; bytes: number };

/** Returns what is wrong with a file; `undefined` if it is as it was copied. */
async function faultOf(path: string, what: string, sha256: string): Promise<string | undefined> {
  if (!existsSync(path)) return `${what} is missing`;
  return (await fileSha256(path)) === sha256 ? undefined : `${what} is damaged`;
}

/** Checks one object. Returns what is wrong. */
async function checkUnit(directory: BackupDirectory, name: UnitName, verified: Verified): Promise<string[]> {
  const unit = directory.readUnit(name);
  if (unit === undefined) return [`${shownUnit(name)} is missing`];
  const faults: (string | undefined)[] = [
    await faultOf(directory.rowsPath(name, unit.sha256), `the copy of ${shownUnit(name)}`, unit.sha256),
  ];
  if (faults[0] !== undefined) return [faults[0]];
  const packs = new Set<string>();
  const reader = new RowReader(["packs"], (_, row) => void packs.add(textAt(row, "name")));
  try {
    for await (const _ of reader.pass(directory.rows(unit)));
  } catch (error) {
    if (error instanceof CommandFailure) return [error.message];
    throw error;
  }
  for (const { key, sha256, size } of unit.files) {
    faults.push(await faultOf(directory.copyPath({ key, sha256 }), key, sha256));
    verified.files += 1;
    verified.bytes += size;
    if (key.endsWith(".pack")) packs.delete(key.slice(key.lastIndexOf("/pack-") + "/pack-".length, -".pack".length));
  }
  faults.push(...[...packs].map((pack) => `pack ${pack} of ${shownUnit(name)} is missing`));
  for await (const { key, oid } of lfsFilesOf(directory.rows(unit))) {
    faults.push(await faultOf(directory.filePath(key), key, oid));
    verified.files += 1;
    verified.bytes += existsSync(directory.filePath(key)) ? statSync(directory.filePath(key)).size : 0;
  }
  verified.units += 1;
  return faults.filter((fault) => fault !== undefined);
}

/** Checks objects of a backup. @throws CommandFailure that names all that is wrong. */
export async function verifyUnits(
  directory: BackupDirectory,
  units: readonly UnitName[],
  say: (text: string) => void,
): Promise<Verified> {
  const verified: Verified = { units: 0, files: 0, bytes: 0 };
  const faults: string[] = [];
  for (const unit of units) {
    say(`checking ${shownUnit(unit)}`);
    faults.push(...(await checkUnit(directory, unit, verified)));
  }
  if (faults.length > 0) throw new CommandFailure(`the backup is damaged:\n${faults.join("\n")}`);
  return verified;
}
