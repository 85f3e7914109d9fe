/** All rows of an object's database, out and back. */
import { describe, expect, it } from "vitest";
import { addColumn, type Schema, Tables } from "../../../../src/durable/sql/migrations.ts";
import { type CopiedKind, ObjectCopy } from "../../../../src/durable/sql/object-copy.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { type CopyPlace, PIECE_BYTES } from "../../../../src/access/object-copies.ts";
import { DIRECTORY_SCHEMA, TENANT_SCHEMA } from "../../../../src/durable/tenant/schema.ts";
import { LENDER_SCHEMA } from "../../../../src/durable/lender/lender-database.ts";
import { REPOSITORY_SCHEMA } from "../../../../src/durable/repository/schema.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const SCHEMA: Schema = {
  first: "things",
  tables: [
    `CREATE TABLE IF NOT EXISTS things (
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB,
  PRIMARY KEY (name, part)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS things_part ON things (part) WHERE bytes IS NOT NULL`,
    "CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)",
  ],
  steps: [() => undefined],
};
const KIND: CopiedKind = {
  kind: "tenant",
  schema: SCHEMA,
  settle: (db) => db.run("UPDATE log SET what = 'settled' WHERE seq = 1"),
};

function filled(schema = SCHEMA): SqlDatabase {
  const db = nodeSql();
  const tables = new Tables(db, schema);
  tables.transaction(() => tables.make());
  for (let at = 0; at < 50; at++) {
    db.run(
      "INSERT INTO things (name, part, bytes) VALUES (?, ?, ?)",
      `ünames ${at % 7}`,
      at,
      at % 3 === 0 ? null : new Uint8Array([at, 0, 255]),
    );
    db.run("INSERT INTO log (what) VALUES (?)", at === 9 ? null : `line\n"${at}"`);
  }
  return db;
}

/** Gives a whole copy, made in pages of `most` characters. */
function copyOf(
  copy: ObjectCopy,
  most: number,
  between: () => void = () => undefined,
): { bytes: Uint8Array; pages: number } | "changed" {
  const pages: Uint8Array[] = [];
  for (let place: CopyPlace | undefined, isFirst = true; isFirst || place !== undefined; isFirst = false) {
    const page = copy.page(place, most);
    if (page.kind !== "page") return "changed";
    pages.push(page.bytes);
    place = page.next;
    between();
  }
  return { bytes: Buffer.concat(pages), pages: pages.length };
}

function stage(copy: ObjectCopy, bytes: Uint8Array, size = PIECE_BYTES): void {
  for (let at = 0, piece = 0; at < bytes.length; at += size) copy.staged.stage(piece++, bytes.subarray(at, at + size));
}

const all = (db: SqlDatabase): unknown[] =>
  [
    "SELECT * FROM things ORDER BY name, part",
    "SELECT * FROM log ORDER BY seq",
    "SELECT name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY name",
  ].map((sql) => Array.from(db.rows(sql)));

describe("a copy of an object", () => {
  it.each([1, 90, 10_000_000])("brings every row back, in pages of %d characters and pieces of 7 bytes", (most) => {
    const db = filled();
    const made = copyOf(new ObjectCopy(db, KIND), most);
    if (made === "changed") throw new Error("changed");
    expect(made.pages > 1).toBe(most < 10_000);
    const empty = nodeSql();
    const copy = new ObjectCopy(empty, KIND);
    expect(copy.exists).toBe(false);
    stage(copy, made.bytes, 7);
    expect(copy.install(false)).toEqual({ kind: "installed", rows: 100 });
    db.run("UPDATE log SET what = 'settled' WHERE seq = 1");
    expect(all(empty)).toEqual(all(db));
    expect(new Tables(empty, SCHEMA).exist).toBe(true);
  });

  it("is not made of two states", () => {
    const db = filled();
    const copy = new ObjectCopy(db, KIND);
    expect(copyOf(copy, 90, () => db.run("UPDATE log SET what = 'x' WHERE seq = 3"))).toBe("changed");
  });

  it("takes the steps of the schema that it lacks", () => {
    const made = copyOf(new ObjectCopy(filled(), KIND), 1e6);
    if (made === "changed") throw new Error("changed");
    const later: Schema = {
      ...SCHEMA,
      tables: [...SCHEMA.tables, "CREATE TABLE IF NOT EXISTS more (one INTEGER PRIMARY KEY)"],
      steps: [
        ...SCHEMA.steps,
        (db) => (addColumn(db, "log", "added INTEGER NOT NULL DEFAULT 0"), db.run("UPDATE log SET added = seq * 2")),
      ],
    };
    const db = nodeSql();
    const copy = new ObjectCopy(db, { ...KIND, schema: later });
    stage(copy, made.bytes);
    expect(copy.install(false).kind).toBe("installed");
    expect(Array.from(db.rows("SELECT added FROM log WHERE seq = 50"))).toEqual([[100]]);
    expect(Array.from(db.rows("SELECT count(*) FROM more"))).toEqual([[0]]);
  });

  it("stays away from what is there, unless it is to replace that, and replaces all of it", () => {
    const made = copyOf(new ObjectCopy(filled(), KIND), 1e6);
    if (made === "changed") throw new Error("changed");
    const db = filled();
    db.run("INSERT INTO things (name, part) VALUES ('later', 99)");
    const copy = new ObjectCopy(db, KIND);
    const before = all(db);
    stage(copy, made.bytes);
    expect(copy.install(false)).toEqual({ kind: "taken" });
    expect(all(db)).toEqual(before);
    stage(copy, made.bytes);
    expect(copy.install(true)).toEqual({ kind: "installed", rows: 100 });
    expect(Array.from(db.rows("SELECT count(*) FROM things"))).toEqual([[50]]);
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, text.lastIndexOf('{"rows"'))],
    ["without a row", (text: string) => text.replace(/\n\[.*\]/, "")],
    ["of another kind", (text: string) => text.replace('"tenant"', '"lender"')],
    ["of a later build", (text: string) => text.replace('"version":1', '"version":2')],
    ["with another statement", (text: string) => text.replace("CREATE TABLE log (", "CREATE TABLE logs (")],
    ["with two statements in one", (text: string) => text.replace("what TEXT)", "what TEXT); DROP TABLE things")],
    ["with a column that is none", (text: string) => text.replace('["seq","what"]', '["seq","what) VALUES (1,2)--"]')],
    ["with a row of another width", (text: string) => text.replace('[1,"', '[1,2,"')],
    ["no JSON", () => "nonsense\n"],
    ["with a row twice", (text: string) => text.replace(/(\n\[.*\])/, "$1$1").replace('{"rows":100}', '{"rows":101}')],
    ["with nothing where something is needed", (text: string) => text.replace(/\n\["[^"]*",/, "\n[null,")],
  ])("is refused, and changes nothing, if it is %s", (_, spoil) => {
    const made = copyOf(new ObjectCopy(filled(), KIND), 1e6);
    if (made === "changed") throw new Error("changed");
    const text = new TextDecoder().decode(made.bytes);
    expect(spoil(text)).not.toBe(text);
    const db = filled();
    const copy = new ObjectCopy(db, KIND);
    const before = all(db);
    stage(copy, new TextEncoder().encode(spoil(text)));
    expect(copy.install(true).kind).toBe("refused");
    // What was staged has gone, too.
    expect(all(db)).toEqual(before);
  });

  it("is refused if its bytes are no UTF-8", () => {
    const made = copyOf(new ObjectCopy(filled(), KIND), 1e6);
    if (made === "changed") throw new Error("changed");
    const bytes = new Uint8Array(made.bytes);
    bytes[bytes.indexOf(0xc3)] = 0xff;
    const copy = new ObjectCopy(nodeSql(), KIND);
    stage(copy, bytes, 7);
    expect(copy.install(false)).toEqual({ kind: "refused", why: "it is not UTF-8" });
    expect(copy.staged.isThere).toBe(false);
  });

  it("is not done with a repository before that is entered everywhere", () => {
    const things: Schema = { ...SCHEMA, tables: ["CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY)"] };
    const repositories = {
      whereabouts: () => ({ kind: "unknown" }) as const,
      departed: () => [],
      leaseStrays: () => undefined,
    };
    const kind: CopiedKind = { kind: "repository", schema: things, settle: () => undefined, repositories };
    const db = nodeSql();
    const tables = new Tables(db, things);
    tables.transaction(() => tables.make());
    const copy = new ObjectCopy(db, kind);
    expect(copy.page()).toEqual({ kind: "missing" });
    db.run("INSERT INTO things (id) VALUES ('a')");
    const made = copyOf(copy, 1e6);
    if (made === "changed") throw new Error("changed");
    const states: boolean[] = [copy.isUnentered];
    stage(copy, made.bytes);
    expect(copy.install(true)).toEqual({ kind: "installed", rows: 1 });
    states.push(copy.isUnentered);
    // Another one has the name.
    db.run("UPDATE things SET id = 'b'");
    states.push(copy.isUnentered);
    db.run("UPDATE things SET id = 'a'");
    states.push(copy.isUnentered);
    copy.entered();
    expect([...states, copy.isUnentered]).toEqual([false, true, false, true, false]);
    // Tables without a repository are no copy of one.
    stage(
      copy,
      new TextEncoder().encode(new TextDecoder().decode(made.bytes).replace('["a"]\n{"rows":1}', '{"rows":0}')),
    );
    expect(copy.install(true)).toEqual({ kind: "refused", why: "it has no repository" });
  });

  it("leaves what outlives the object, also when that goes back in time", () => {
    const kind: CopiedKind = { ...KIND, outliving: ["things"] };
    const made = copyOf(new ObjectCopy(filled(), kind), 1e6);
    if (made === "changed") throw new Error("changed");
    const db = filled();
    db.run("INSERT INTO things (name, part) VALUES ('later', 99)");
    db.run("DELETE FROM things WHERE part = 3");
    db.run("UPDATE things SET bytes = x'77' WHERE part = 4");
    const copy = new ObjectCopy(db, kind);
    stage(copy, made.bytes);
    expect(copy.install(true)).toEqual({ kind: "installed", rows: 100 });
    const present = "SELECT name, part, hex(bytes) FROM things WHERE part IN (3, 4, 99) ORDER BY part";
    const kept = [
      ["\u00fcnames 3", 3, ""],
      ["\u00fcnames 4", 4, "77"],
      ["later", 99, ""],
    ];
    expect(Array.from(db.rows(present))).toEqual(kept);
    // An earlier moment may be one at which there was nothing.
    for (const past of [filled(), nodeSql()]) {
      new ObjectCopy(past, kind).settle(copy.keptRows());
      expect(Array.from(past.rows(present))).toEqual(kept);
    }
  });

  it.each([
    ["repository", REPOSITORY_SCHEMA],
    ["tenant", TENANT_SCHEMA],
    ["directory", DIRECTORY_SCHEMA],
    ["lender", LENDER_SCHEMA],
  ] as const)("can be made of every table of a %s", (kind, schema) => {
    const db = nodeSql();
    const tables = new Tables(db, schema);
    tables.transaction(() => tables.make());
    const made = copyOf(new ObjectCopy(db, { kind, schema, settle: () => undefined }), 1e6);
    if (made === "changed") throw new Error("changed");
    const other = nodeSql();
    const copy = new ObjectCopy(other, { kind, schema, settle: () => undefined });
    stage(copy, made.bytes);
    expect(copy.install(false)).toEqual({ kind: "installed", rows: 0 });
    const shape = (each: SqlDatabase): unknown[] =>
      Array.from(each.rows("SELECT name, sql FROM sqlite_master ORDER BY name"));
    expect(shape(other)).toEqual(shape(db));
  });
});
