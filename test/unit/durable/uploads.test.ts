/** Uploads under way: how many, how large, and until when. */
import { expect, it } from "vitest";
import { RepositoryDatabase } from "../../../src/durable/repository/repository-database.ts";
import { MOST_UPLOADS, type UploadAnswer, type UploadRequest } from "../../../src/refs/upload-store.ts";
import { CREATION } from "../../suites/ref-store.ts";
import { nodeSql } from "../../support/node-sql.ts";

const HOUR = 60 * 60 * 1000;

function repository(): { database: RepositoryDatabase; ask: (request: UploadRequest, now?: number) => UploadAnswer } {
  const database = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  database.create(CREATION, 0);
  return { database, ask: (request, now = 0) => database.upload(request, now) };
}

const announce = (name: string, number: number, bytes: number, most?: number): UploadRequest => ({
  kind: "announce",
  name,
  part: { number, bytes },
  ...(most === undefined ? {} : { most }),
});

it("are not there where there is no repository, or none of that name", () => {
  const empty = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  expect(empty.upload({ kind: "begin", name: "a" }, 0)).toEqual({ kind: "missing" });
  const { ask } = repository();
  for (const request of [{ kind: "show", name: "a" }, { kind: "hold", name: "a" }, announce("a", 1, 1)] as const) {
    expect(ask(request)).toEqual({ kind: "missing" });
  }
});

it("know their parts in order, and of each the last length that was said", () => {
  const { ask } = repository();
  ask({ kind: "begin", name: "a" });
  for (const [number, bytes] of [
    [3, 30],
    [1, 5],
    [2, 20],
    [1, 10],
  ] as const)
    ask(announce("a", number, bytes));
  expect(ask({ kind: "show", name: "a" })).toMatchObject({
    upload: {
      parts: [
        { number: 1, bytes: 10 },
        { number: 2, bytes: 20 },
        { number: 3, bytes: 30 },
      ],
    },
  });
});

it("keep to a quota together", () => {
  const { ask } = repository();
  for (const name of ["a", "b"]) ask({ kind: "begin", name });
  expect(ask(announce("a", 1, 60, 100)).kind).toBe("found");
  expect(ask(announce("b", 1, 41, 100))).toEqual({ kind: "over-quota", used: 60 });
  expect(ask(announce("a", 1, 100, 100)).kind).toBe("found");
  expect(ask(announce("a", 1, 101, 100))).toEqual({ kind: "over-quota", used: 0 });
  ask({ kind: "end", name: "a" });
  expect(ask(announce("b", 1, 100, 100)).kind).toBe("found");
});

it("are not too many", () => {
  const { ask } = repository();
  for (let count = 0; count < MOST_UPLOADS; count++)
    expect(ask({ kind: "begin", name: `u${count}` }).kind).toBe("found");
  expect(ask({ kind: "begin", name: "more" })).toEqual({ kind: "full" });
  ask({ kind: "end", name: "u0" });
  expect(ask({ kind: "begin", name: "more" }).kind).toBe("found");
});

it("end a day after the last that was heard of them, and are swept then", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  ask(announce("a", 1, 10), 20 * HOUR);
  expect(database.dueWork(43 * HOUR).expiredPacks).toEqual([]);
  expect(ask({ kind: "show", name: "a" }, 43 * HOUR).kind).toBe("found");
  expect(ask({ kind: "hold", name: "a" }, 44 * HOUR)).toEqual({ kind: "missing" });
  expect(database.dueWork(44 * HOUR).expiredPacks).toEqual(["a"]);
  database.abandonPush("a");
  expect(database.dueWork(44 * HOUR).expiredPacks).toEqual([]);
  for (let count = 0; count < MOST_UPLOADS; count++) ask({ kind: "begin", name: `u${count}` });
  expect(ask({ kind: "show", name: "u19" }).kind).toBe("found");
});

it("leave a lease when they end, for a part that comes late", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  expect(ask({ kind: "end", name: "a" }).kind).toBe("found");
  expect(ask({ kind: "show", name: "a" })).toEqual({ kind: "missing" });
  expect(database.dueWork(25 * HOUR).expiredPacks).toEqual(["a"]);
});

it("go with their repository", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  database.remove(1);
  database.create(CREATION, 2);
  expect(ask({ kind: "show", name: "a" })).toEqual({ kind: "missing" });
});
