/** What the transaction of a push is spared, and what it looks at all the same. */
import { beforeEach, describe, expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import type { RefRule } from "../../../../src/refs/ref-policy.ts";
import type { CommitPushAnswer, CommitPushRequest } from "../../../../src/refs/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";
import { NEW_REPOSITORY } from "../../service/memory-service.ts";

const RULE = { allowForcePush: false, allowDeletion: false, requireSigned: false };
/** Rules that search long names, so that ten of these take more than one turn. */
const SEARCHING = Array.from({ length: 100 }, (_, at): RefRule => ({ ...RULE, pattern: `*${at}x*` }));
const LONG = `${"y".repeat(200)}/`.repeat(19);
const oid = (number: number): string => number.toString(16).padStart(40, "0");

let statements: string[] = [];
let database: RepositoryDatabase;

/** Whether somebody changes the rules each time before they are read. */
let changesEachTime = false;

/** A database that tells which statements it ran. */
function counting(): SqlDatabase {
  const sql = nodeSql();
  const rows: SqlDatabase["rows"] = (statement, ...parameters) => {
    statements.push(statement);
    if (changesEachTime && statement.includes("FROM ref_rules"))
      sql.run("UPDATE ref_rules SET pattern = pattern || 'z'");
    return sql.rows(statement, ...parameters);
  };
  return { ...sql, run: (statement, ...parameters) => sql.run(statement, ...parameters), rows };
}

function pushOf(names: readonly string[]): CommitPushRequest {
  const updates = names.map((name, at) => ({ name, oldOid: oid(0), newOid: oid(at + 1), forward: true }));
  const by = { actor: "tok_1", pusher: { identities: ["tok_1"] }, signed: false, pushOptions: [] };
  return { id: database.describe()?.id ?? "", updates, atomic: false, ...by };
}

const land = async (names: readonly string[]): Promise<CommitPushAnswer> =>
  await database.commitPush(pushOf(names), () => 1);

const whys = (answer: CommitPushAnswer): string[] =>
  answer.kind === "done" ? answer.outcomes.map((each) => (each.kind === "ok" ? "ok" : each.why.kind)) : [answer.kind];

const change = (rules: readonly RefRule[]): unknown => database.change({ rules }, 1);

beforeEach(() => {
  database = new RepositoryDatabase(counting(), () => "id");
  database.create(NEW_REPOSITORY, 1);
  statements = [];
  changesEachTime = false;
});

describe("a push to a repository with rules", () => {
  const names = Array.from({ length: 10 }, (_, at) => `refs/heads/${LONG}${at}`);

  it("gives way to others while its names are compared", async () => {
    change(SEARCHING);
    let others = 0;
    const timer = setInterval(() => others++, 0);
    expect(new Set(whys(await land(names)))).toEqual(new Set(["ok"]));
    clearInterval(timer);
    expect(others).toBeGreaterThan(0);
  });

  it("is judged by the rules that there are when it lands", async () => {
    change(SEARCHING);
    const landing = land(names);
    change([{ ...RULE, pattern: "*", pushers: ["tok_2"] }]);
    expect(new Set(whys(await landing))).toEqual(new Set(["rule"]));
    expect(database.refLog({ limit: 1 })?.pushes).toEqual([]);
  });

  it("is refused where the rules change each time", async () => {
    change(SEARCHING);
    changesEachTime = true;
    expect(whys(await land(["refs/heads/a"]))).toEqual(["rules-moved"]);
    changesEachTime = false;
    expect(whys(await land(["refs/heads/a"]))).toEqual(["ok"]);
  });

  it("asks once in which contexts its commits succeeded, however many refs and rules there are", async () => {
    change(Array.from({ length: 20 }, (_, at) => ({ ...RULE, pattern: `*${at}*`, requiredContexts: ["ci"] })));
    const kinds = whys(await land(Array.from({ length: 300 }, (_, at) => `refs/heads/b${at}`)));
    expect(kinds).toEqual(kinds.map(() => "rule"));
    expect(statements.filter((statement) => statement.includes("commit_statuses"))).toHaveLength(1);
  });
});

describe("a push of names within very many directories", () => {
  const deep = (at: number): string => `refs/heads/${at}/${"a/".repeat(2000)}b`;

  it("is refused before a directory is looked for", async () => {
    expect(new Set(whys(await land(Array.from({ length: 20 }, (_, at) => deep(at)))))).toEqual(
      new Set(["too-many-directories"]),
    );
    expect(statements.filter((statement) => statement.includes("refs r"))).toEqual([]);
  });

  it("lands where the names are few, or have the same directories, or one each", async () => {
    expect(whys(await land([deep(0), `${deep(0)}2`]))).toEqual(["ok", "ok"]);
    const changes = Array.from({ length: 3000 }, (_, at) => `refs/changes/${at % 100}/${at}/1`);
    expect(new Set(whys(await land(changes)))).toEqual(new Set(["ok"]));
  });
});
