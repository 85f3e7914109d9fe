/** Small objects that are made by themselves: how long they are kept, and in which pieces they are told. */
import { expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { KeptBlobAnswer, KeptObject } from "../../../../src/refs/kept-blobs.ts";
import { CREATION } from "../../../suites/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const DAY = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;

function repository(): RepositoryDatabase {
  const database = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  database.create(CREATION, 0);
  return database;
}

const objects = (count: number, bytes: number): KeptObject[] =>
  Array.from({ length: count }, (_, number) => ({
    oid: String(number * 7919).padStart(40, "0"),
    type: "blob",
    bytes: new Uint8Array(bytes).fill(number),
  }));

const found = (answer: KeptBlobAnswer): Extract<KeptBlobAnswer, { kind: "objects" }> => {
  if (answer.kind !== "objects") throw new Error(answer.kind);
  return answer;
};

it("kept objects are told in pieces that a call carries, in the order of their names", () => {
  const { kept } = repository();
  const all = objects(20, MIB);
  kept.answer({ kind: "keep-objects", objects: all }, 0);
  let left = all.map(({ oid }) => oid).toReversed();
  const told: string[] = [];
  for (let calls = 0; left.length > 0 && calls < 20; calls++) {
    const piece = found(kept.answer({ kind: "find-objects", oids: left }, 1));
    expect(piece.objects.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(5 * MIB);
    told.push(...piece.objects.map(({ oid }) => oid));
    left = piece.isCut ? left.filter((oid) => oid > String(told.at(-1))) : [];
  }
  expect(told).toEqual(all.map(({ oid }) => oid));
});

it("kept objects are dropped by the alarm when their day is over", () => {
  const database = repository();
  database.derivedFilesWritten("1".repeat(32), 0);
  const before = database.nextDue(0);
  const [first, second] = objects(2, 10);
  if (first === undefined || second === undefined) throw new Error("two objects");
  database.kept.answer({ kind: "keep-objects", objects: [first] }, 1000);
  expect(before === undefined || before > DAY + 1000).toBe(true);
  expect(database.nextDue(1000)).toBe(DAY + 1000);
  database.kept.answer({ kind: "keep-objects", objects: [second] }, 5000);
  const toldAt = (asked: number): string[] =>
    found(
      // As if it were asked before: what is still there is told.
      database.kept.answer({ kind: "find-objects", oids: [first.oid, second.oid] }, asked),
    ).objects.map(({ oid }) => oid);
  database.dueWork(DAY + 999);
  expect(toldAt(0)).toEqual([first.oid, second.oid]);
  database.dueWork(DAY + 1000);
  expect(toldAt(0)).toEqual([second.oid]);
  expect(database.nextDue(DAY + 1000)).toBe(DAY + 5000);
  database.dueWork(DAY + 5000);
  expect(toldAt(0)).toEqual([]);
  expect(database.nextDue(DAY + 5000)).toBe(before);
});

it("kept objects are dropped by a purge", () => {
  const database = repository();
  const [object] = objects(1, 10);
  if (object === undefined) throw new Error("an object");
  database.kept.answer({ kind: "keep-objects", objects: [object] }, 0);
  const opened = database.open({});
  if (opened.kind !== "found") throw new Error(opened.kind);
  const walked = { version: opened.version, marks: [], unmarks: [], kept: [], keptGraphs: 0 };
  const replace = (purges: boolean): string[] => {
    const request = { id: opened.record.id, added: [], replaced: [], found: { ...walked, purges } };
    const answer = database.maintenance.replacePacks(request, 1);
    const { objects: told } = found(database.kept.answer({ kind: "find-objects", oids: [object.oid] }, 1));
    return [answer.kind, ...told.map(({ oid }) => oid)];
  };
  expect(replace(false)).toEqual(["done", object.oid]);
  walked.version = (database.open({}) as typeof opened).version;
  expect(replace(true)).toEqual(["done"]);
});
