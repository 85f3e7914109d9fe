/** Jobs that were given up, and how requests ended by day, in the directory's tables. */
import { describe, expect, it } from "vitest";
import { keepDeadLetters } from "../../../../src/cloudflare/dead-letters.ts";
import {
  addDeadLetters,
  countDeadLetters,
  DEAD_LETTER_DAYS,
  DEAD_LETTERS_DDL,
  deleteDeadLetter,
  listDeadLetters,
  MOST_DEAD_LETTERS,
  readDeadLetter,
} from "../../../../src/durable/tenant/tables/dead-letters.ts";
import {
  addOutcomes,
  listOutcomes,
  OUTCOME_DAYS,
  OUTCOME_DAYS_DDL,
} from "../../../../src/durable/tenant/tables/outcome-days.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import type { Job } from "../../../../src/events/job.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const job = (repository: string, type: "server-info" | "maintenance" = "server-info"): Job => ({
  type,
  repository,
  id: "1",
});

function made(ddl: string): SqlDatabase {
  const db = nodeSql();
  for (const statement of ddl.split(";")) db.run(statement);
  return db;
}

describe("jobs that were given up", () => {
  it("are kept once each, with how often and when, the latest first", () => {
    const db = made(DEAD_LETTERS_DDL);
    const deliver: Job = { type: "deliver", repository: "a/b", id: "1", hook: "h" };
    addDeadLetters(db, [job("a/b"), deliver], 10);
    addDeadLetters(db, [job("a/c", "maintenance")], 20);
    addDeadLetters(db, [job("a/b")], 30);
    const all = listDeadLetters(db, undefined, 10);
    expect(all.map((letter) => [letter.job, letter.times, letter.firstAt, letter.lastAt])).toEqual([
      [job("a/b"), 2, 10, 30],
      [job("a/c", "maintenance"), 1, 20, 20],
      [deliver, 1, 10, 10],
    ]);
    expect(countDeadLetters(db)).toEqual({ deliver: 1, maintenance: 1, "server-info": 1 });
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new Error("too few");
    expect(listDeadLetters(db, first, 1)).toEqual([second]);
    expect([deleteDeadLetter(db, first.id), deleteDeadLetter(db, first.id)]).toEqual([true, false]);
    expect([readDeadLetter(db, first.id), readDeadLetter(db, second.id)]).toEqual([undefined, second]);
  });

  it("go after a month, and as soon as there are too many", () => {
    const db = made(DEAD_LETTERS_DDL);
    const jobs = Array.from({ length: MOST_DEAD_LETTERS + 5 }, (_, at) => job(`a/${at}`));
    for (const [at, each] of jobs.entries()) addDeadLetters(db, [each], at);
    expect(countDeadLetters(db)).toEqual({ "server-info": MOST_DEAD_LETTERS });
    expect(listDeadLetters(db, undefined, 1)).toMatchObject([{ job: jobs.at(-1) }]);
    addDeadLetters(db, [job("a/late")], DEAD_LETTER_DAYS * 24 * 3600 * 1000 + 1000);
    // Those that were given up in the first second are older than that.
    expect(countDeadLetters(db)).toEqual({ "server-info": jobs.length - 1000 + 1 });
  });

  it("are acknowledged once they are kept, and what is no job is told", async () => {
    const [kept, told, counted]: [Job[], string[], string[]] = [[], [], []];
    let isFailing = true;
    let acknowledged = 0;
    const message = (body: unknown) => ({ id: "m", timestamp: new Date(0), body, attempts: 1, ack() {}, retry() {} });
    const batch = { messages: [message(job("a/b")), message("nonsense")], ackAll: () => void acknowledged++ };
    const host = {
      keep: async (jobs: readonly Job[]): Promise<void> => {
        if (isFailing) throw new Error("not now");
        kept.push(...jobs);
      },
      onFault: (_: string, error: unknown) => void told.push(String(error)),
      onDead: ({ type }: Job) => void counted.push(type),
    };
    await expect(keepDeadLetters(batch, host)).rejects.toThrow("not now");
    expect([acknowledged, counted]).toEqual([0, []]);
    isFailing = false;
    await keepDeadLetters(batch, host);
    expect([acknowledged, kept, counted, told.length]).toEqual([1, [job("a/b")], ["server-info"], 2]);
  });
});

describe("the outcomes of requests", () => {
  it("are summed up by day, whatever was done, and other counters are passed over", () => {
    const db = made(OUTCOME_DAYS_DDL);
    const counted = (outcome: string, count: number): Record<string, number> => ({
      [`thinpack_requests_total{operation="clone",outcome="${outcome}"}`]: count,
      [`thinpack_requests_total{operation="page",outcome="${outcome}"}`]: count,
      'thinpack_jobs_total{job="deliver",outcome="failed"}': 100,
    });
    addOutcomes(db, counted("failed", 2), 5);
    addOutcomes(db, counted("failed", 1), 5);
    addOutcomes(db, { ...counted("ok", 4), thinpack_r2_read_bytes_total: 9 }, 6);
    addOutcomes(db, { thinpack_r2_read_bytes_total: 9 }, 7);
    const days = [
      { day: 5, outcome: "failed", requests: 6 },
      { day: 6, outcome: "ok", requests: 8 },
    ];
    expect([listOutcomes(db, 0), listOutcomes(db, 6)]).toEqual([days, days.slice(1)]);
    addOutcomes(db, counted("ok", 1), 5 + OUTCOME_DAYS);
    expect(listOutcomes(db, 0).map(({ day }) => day)).toEqual([6, 5 + OUTCOME_DAYS]);
  });
});
