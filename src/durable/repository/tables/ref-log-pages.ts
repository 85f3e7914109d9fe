/**
 * Reads tables `pushes` and `ref_log` in pages, newest first, for people.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import type { LoggedMove, LoggedPush, RefLogPage, RefLogQuery } from "../../../refs/ref-log.ts";
import { integerAt, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";
import { actorNameAt } from "./ref-log.ts";
import { readCertificateChecks } from "./push-certificates.ts";

type MoveRow = LoggedMove & { readonly push: number };

function moveOf(row: SqlRow): MoveRow {
  return {
    seq: integerAt(row, 0),
    push: integerAt(row, 1),
    name: textAt(row, 2),
    oldOid: textAt(row, 3),
    newOid: textAt(row, 4),
  };
}

function movesBefore(db: SqlDatabase, query: RefLogQuery): MoveRow[] {
  const { before = Number.MAX_SAFE_INTEGER, limit, name, push } = query;
  const limits = [
    ...(name === undefined ? [] : [{ sql: " AND name = ?", value: name }]),
    ...(push === undefined ? [] : [{ sql: " AND push = ?", value: push }]),
  ];
  const rows = db.rows(
    `SELECT seq, push, name, lower(hex(old)), lower(hex(new)) FROM ref_log
      WHERE seq < ?${limits.map(({ sql }) => sql).join("")} ORDER BY seq DESC LIMIT ?`,
    before,
    ...limits.map(({ value }) => value),
    limit + 1,
  );
  return Array.from(rows, moveOf);
}

function optionsAt(row: SqlRow, column: number): string[] {
  const list: unknown = JSON.parse(textAt(row, column));
  if (!Array.isArray(list)) throw new CorruptStore("push options");
  return list.filter((item) => typeof item === "string");
}

/** Returns the pushes with these ids, without their moves. */
function readPushes(db: SqlDatabase, ids: readonly number[]): Map<number, Omit<LoggedPush, "moves">> {
  const certificates = readCertificateChecks(db, ids);
  const rows = db.rows(
    "SELECT seq, actor, at, options, actor_name FROM pushes WHERE seq IN (SELECT value FROM json_each(?))",
    JSON.stringify(ids),
  );
  return new Map(
    Array.from(rows, (row) => {
      const id = integerAt(row, 0);
      const certificate = certificates.get(id);
      const who = { actor: textAt(row, 1), ...actorNameAt(row, 4) };
      const push = { id, ...who, at: integerAt(row, 2), options: optionsAt(row, 3) };
      return [id, certificate === undefined ? push : { ...push, certificate }] as const;
    }),
  );
}

/** Returns one page of the log. */
export function readRefLogPage(db: SqlDatabase, query: RefLogQuery): RefLogPage {
  const found = movesBefore(db, query);
  const moves = found.slice(0, query.limit);
  const byPush = new Map<number, LoggedMove[]>();
  for (const { push, ...move } of moves) {
    const list = byPush.get(push);
    if (list === undefined) byPush.set(push, [move]);
    else list.push(move);
  }
  const pushes = readPushes(db, [...byPush.keys()]);
  const last = moves.at(-1);
  return {
    pushes: [...byPush].flatMap(([id, list]) => {
      const push = pushes.get(id);
      return push === undefined ? [] : [{ ...push, moves: list }];
    }),
    ...(found.length > moves.length && last !== undefined ? { before: last.seq } : {}),
  };
}
