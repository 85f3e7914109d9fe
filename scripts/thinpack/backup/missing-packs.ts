/**
 * Which packs a repository names that its bucket does not have.
 *
 * @packageDocumentation
 */
import { textAt } from "../json.ts";
import type { UnitName } from "./backup-directory.ts";
import type { Deployment } from "./deployment.ts";
import { CopyBrokeOff, RowReader } from "./object-rows.ts";

/** How often the rows of an object are read anew that changes meanwhile. */
const MOST_TRIES = 5;

/**
 * Returns the keys of the packs in the catalog of a repository that are not in the bucket, those among them that it borrows.
 *
 * @throws CopyBrokeOff if the repository changes whenever it is looked at.
 */
export async function missingPacks(host: Deployment, unit: UnitName): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await missingPacksOnce(host, unit);
    } catch (error) {
      if (!(error instanceof CopyBrokeOff) || tries >= MOST_TRIES) throw error;
    }
  }
}

async function missingPacksOnce(host: Deployment, unit: UnitName): Promise<string[]> {
  const rows = await host.rows(unit, "");
  if (rows === undefined || rows === "same") return [];
  let id = "";
  const packs = new Set<string>();
  const homes = new Map<string, string>();
  const reader = new RowReader(["repository", "packs", "borrowed_packs"], (table, row) => {
    if (table === "repository") id = textAt(row, "id");
    else if (table === "packs") packs.add(textAt(row, "name"));
    else homes.set(textAt(row, "pack"), textAt(row, "home"));
  });
  for await (const _ of reader.pass(rows.body));
  const missing: string[] = [];
  for (const pack of packs) {
    const key = `repos/${homes.get(pack) ?? id}.git/objects/pack/pack-${pack}.pack`; // A pack that is not borrowed is its own.
    if ((await host.file(key)) === undefined) missing.push(key);
  }
  return missing;
}
