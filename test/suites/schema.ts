/**
 * How databases of earlier builds come to the present schema. Run on Node's SQLite and on a Durable Object's in workerd.
 *
 * @packageDocumentation
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { LENDER_SCHEMA } from "../../src/durable/lender/lender-database.ts";
import { REPOSITORY_SCHEMA } from "../../src/durable/repository/schema.ts";
import { decodeRefRows } from "../../src/refs/ref-rows.ts";
import { DIRECTORY_SCHEMA, TENANT_SCHEMA } from "../../src/durable/tenant/schema.ts";
import type { DatabaseKind, Woken } from "../support/wake.ts";

/** Runs statements on a fresh database, and wakes its object. */
export type WakeFresh = (kind: DatabaseKind, statements: readonly string[]) => Promise<Woken>;

const SCHEMAS = {
  repository: REPOSITORY_SCHEMA,
  tenant: TENANT_SCHEMA,
  directory: DIRECTORY_SCHEMA,
  lender: LENDER_SCHEMA,
};
const KINDS: readonly DatabaseKind[] = ["repository", "tenant", "directory", "lender"];
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..", "support", "schemas");

/** The versions that there are fixtures of. */
function versionsOf(kind: DatabaseKind): number[] {
  const files = readdirSync(FOLDER).map((name) => new RegExp(`^${kind}-(\\d+)\\.sql$`).exec(name)?.[1]);
  return files.filter((digits) => digits !== undefined).map(Number);
}

/** What a build of that version makes of a fresh database. Version 0 is the oldest build: it kept no version. */
export function statementsOf(kind: DatabaseKind, version: number): string[] {
  const text = readFileSync(join(FOLDER, `${kind}-${version}.sql`), "utf8");
  const statements = text.split(";").filter((statement) => statement.trim() !== "");
  return version === 0 ? statements : [...statements, ...versionStatements(version)];
}

const versionStatements = (version: number): string[] => [
  "CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
  `INSERT INTO schema_version VALUES (1, ${version})`,
];

/** Cuts at commas, those in parentheses aside. */
function cutDefinitions(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

/**
 * A table or index without what may differ: spaces, and the order of columns, since a column that is added comes last. Builds
 * without a version had no defaults where their columns were added with one.
 */
function shapeOf(sql: string, withDefaults: boolean): string {
  const text = sql.replaceAll(/\s+/g, " ");
  const [, head = "", body = "", tail = ""] = /^([^(]*)\((.*)\)([^)]*)$/.exec(text) ?? [];
  if (!head.startsWith("CREATE TABLE")) return text;
  const definitions = cutDefinitions(body).map((part) => (withDefaults ? part : part.replace(/ DEFAULT .*$/, "")));
  return `${head}(${definitions.toSorted().join(", ")})${tail}`;
}

function shapes({ made }: Woken, withDefaults: boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(made).map(([name, sql]) => [name, shapeOf(sql, withDefaults)]));
}

const present = (kind: DatabaseKind): string[] => [
  ...SCHEMAS[kind].tables.flatMap((ddl) => ddl.split(";")),
  ...versionStatements(SCHEMAS[kind].steps.length),
];

const OLD_ROWS = [
  `INSERT INTO repository VALUES (1, 'id', 'sha1', 'private', 'refs/heads/main', 'old', 0, 5, 6, 2, 1, NULL)`,
  `INSERT INTO refs VALUES ('refs/heads/main', x'${"ab".repeat(20)}', NULL)`,
  `INSERT INTO packs (name, checksum, objects, own_objects, pack_bytes, own_bytes, index_bytes, marked, source, created_at, index_head)
   VALUES ('p', '${"cd".repeat(20)}', 3, 3, 100, 80, 1100, 1, 'receive', 5, x'07')`,
  "INSERT INTO pushes (actor, at, options) VALUES ('operator', 6, '[]')",
  `INSERT INTO ref_log (push, name, old, new) VALUES (1, 'refs/heads/main', x'${"00".repeat(20)}', x'${"ab".repeat(20)}')`,
];

const ADDED: readonly (readonly [string, string])[] = [
  ["packs", "kinds"],
  ["ref_log", "forward"],
  ["mirror", "hook_key"],
  ["mirror", "hook"],
  ["mirror", "fsck_ignore"],
  ["mirror", "fsck_skip"],
  ["mirror", "fetch_through"],
];

/** The suite. */
export function schemaSuite(name: string, wakeFresh: WakeFresh): void {
  describe(`databases of earlier builds (${name})`, () => {
    for (const kind of KINDS) {
      for (const version of versionsOf(kind)) {
        it(`${kind}: version ${version} comes to be as the present one`, async () => {
          const migrated = shapes(await wakeFresh(kind, statementsOf(kind, version)), version > 0);
          const fresh = shapes(await wakeFresh(kind, present(kind)), version > 0);
          // Where this fails, a table was changed without a step: add one to the kind's `schema.ts`, and a fixture of what it
          // comes to. Fixtures of versions that were deployed stay as they are.
          expect(migrated).toEqual(fresh);
        });
      }

      it(`${kind}: there is a fixture of each version, the present one as it is`, async () => {
        const { length } = SCHEMAS[kind].steps;
        expect(versionsOf(kind).toSorted((a, b) => a - b)).toEqual(Array.from({ length: length + 1 }, (_, n) => n));
        const kept = shapes(await wakeFresh(kind, statementsOf(kind, length)), true);
        expect(kept).toEqual(shapes(await wakeFresh(kind, present(kind)), true));
      });

      it(`${kind}: one that a later build has written to is refused`, async () => {
        const later = SCHEMAS[kind].steps.length + 1;
        const statements = [...present(kind), `UPDATE schema_version SET version = ${later}`];
        await expect(wakeFresh(kind, statements)).rejects.toThrow(`schema ${later}, and this build knows ${later - 1}`);
      });

      it(`${kind}: a fresh one stays empty`, async () => {
        expect((await wakeFresh(kind, [])).made).toEqual({});
      });
    }

    it.each(ADDED)("a build without a version that had no %s.%s", async (table, column) => {
      const statements = [
        ...statementsOf("repository", 1),
        "DROP TABLE schema_version",
        `ALTER TABLE ${table} DROP COLUMN ${column}`,
      ];
      const fresh = shapes(await wakeFresh("repository", present("repository")), false);
      expect(shapes(await wakeFresh("repository", statements), false)).toEqual(fresh);
    });

    it("migrations keep the content of the tables", async () => {
      const { opened } = await wakeFresh("repository", [...statementsOf("repository", 0), ...OLD_ROWS]);
      expect(opened).toMatchObject({
        kind: "found",
        record: { id: "id", description: "old", visibility: "private", rules: [] },
        version: 2,
        headOid: "ab".repeat(20),
        packs: [{ name: "p", objects: 3, marked: true }],
      });
    });

    it("migrations keep names of refs that are not ASCII, in the order of their bytes", async () => {
      const refs = ["refs/heads/main", "refs/heads/Ã©", "refs/heads/é", "refs/heads/\u9000", "refs/tags/\u{1f600}"];
      const rows = refs.map(
        (ref) => `INSERT INTO refs VALUES ('${ref}', x'${"ab".repeat(20)}', x'${"cd".repeat(20)}')`,
      );
      const { opened } = await wakeFresh("repository", [
        ...statementsOf("repository", 0),
        ...OLD_ROWS.slice(0, 1),
        ...rows,
      ]);
      const found = opened?.kind === "found" ? [...decodeRefRows(opened.refs, 20)] : [];
      expect(found.map((row) => row.name)).toEqual(refs);
      expect(found.every(({ peeled }) => peeled?.[0] === 0xcd)).toBe(true);
    });
  });
}
