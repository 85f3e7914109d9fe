/** Where in the ref log an instant lies. */
import { expect, it } from "vitest";
import { appendRefLog, placeBefore, REF_LOG_DDL } from "../../../../src/durable/repository/tables/ref-log.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const move = (name: string) => ({ name, oldOid: "00", newOid: "01", forward: true });

it("an instant's place is behind the last move before it, whatever is gone from the log", () => {
  const db = nodeSql();
  for (const statement of REF_LOG_DDL.split(";")) db.run(statement);
  expect(placeBefore(db, 10)).toBe(0);
  const times: number[] = [];
  for (let push = 0; push < 40; push++) {
    const names = Array.from({ length: 1 + (push % 3) }, (_, at) => `refs/heads/${at}`);
    appendRefLog(db, { actor: "operator", at: 10 * push, options: [] }, names.map(move));
    times.push(...names.map(() => 10 * push));
  }
  const expected = (at: number): number => times.filter((time) => time < at).length;
  for (let at = -5; at < 420; at += 5) expect(`${at}: ${placeBefore(db, at)}`).toBe(`${at}: ${expected(at)}`);
  db.run("DELETE FROM ref_log WHERE seq <= 20");
  for (let at = -5; at < 420; at += 5) expect(placeBefore(db, at)).toBe(Math.max(20, expected(at)));
});
