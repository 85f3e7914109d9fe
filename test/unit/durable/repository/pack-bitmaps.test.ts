/** What is known of packs that came after the one with bitmaps: when it is forgotten, so that it is found out again. */
import { expect, it } from "vitest";
import type { PackBitmapSize } from "../../../../src/catalog/pack-record.ts";
import { forgetDamaged } from "../../../../src/durable/repository/damaged-files.ts";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import { forgetNewest, insertBitmap } from "../../../../src/durable/repository/tables/pack-bitmaps.ts";
import { insertPack, listPackSizes } from "../../../../src/durable/repository/tables/packs.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { CREATION, packRecord } from "../../../suites/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const BASE = { bytes: 5000, commits: 10, tips: 60 };
const NEWEST = { bytes: 0, commits: 0, tips: 50 };
const NONE = { bytes: 0, commits: 0 };

/** A catalog of a pack that can have no bitmaps, the one that has them, and two that came after it. */
function catalog(): SqlDatabase {
  const db = nodeSql();
  new RepositoryDatabase(db, () => "1".repeat(32)).create(CREATION, 0);
  const sizes: [string, number, PackBitmapSize][] = [
    ["larger", 3000, NONE],
    ["base", 2000, BASE],
    ["older", 3, NEWEST],
    ["newer", 4, NONE],
  ];
  for (const [name, objects, bitmap] of sizes) insertPack(db, { ...packRecord(name), objects, bitmap });
  return db;
}

const known = (db: SqlDatabase): (PackBitmapSize | undefined)[] => listPackSizes(db).map(({ bitmap }) => bitmap);

it("that of all of them is forgotten, and of no other pack", () => {
  const db = catalog();
  forgetNewest(db);
  expect(known(db)).toEqual([NONE, BASE, undefined, undefined]);
});

it("that of those without a bundle is forgotten alone", () => {
  const db = catalog();
  forgetNewest(db, { isOpen: true });
  expect(known(db)).toEqual([NONE, BASE, NEWEST, undefined]);
});

it("a borrowed pack keeps what it came with", () => {
  const db = catalog();
  db.run("INSERT INTO borrowed_packs (pack, home, state) VALUES ('older', ?, 'lent')", "2".repeat(32));
  forgetNewest(db);
  expect(known(db)).toEqual([NONE, BASE, NEWEST, undefined]);
});

it("that of two runs at once is what was noted last, unless that is nothing", () => {
  const db = catalog();
  insertBitmap(db, "base", { ...BASE, bytes: 6000 });
  insertBitmap(db, "base", NONE);
  expect(known(db)[1]).toEqual({ ...BASE, bytes: 6000 });
  insertBitmap(db, "larger", { bytes: 7000, commits: 3 });
  expect(known(db)[0]).toEqual({ bytes: 7000, commits: 3 });
});

it("a fork forgets bitmaps on loan that are not as they were, and its owner's others stay", () => {
  const db = catalog();
  const home = "2".repeat(32);
  db.run("INSERT INTO borrowed_packs (pack, home, state) VALUES ('base', ?, 'lent')", home);
  const damaged = (from: string): boolean => forgetDamaged(db, [{ home: from, pack: "base", extension: "bitmap" }], 0);
  expect(damaged("3".repeat(32))).toBe(false);
  expect(known(db)[1]).toEqual(BASE);
  expect(damaged(home)).toBe(true);
  expect(known(db)[1]).toBeUndefined();
  expect(damaged(home)).toBe(false);
});
