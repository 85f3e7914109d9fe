/**
 * Refs that do not fit one answer of a Durable Object.
 *
 * @module-tag thorough
 */
import { expect, it } from "vitest";
import { openWhole } from "../../../../src/cloudflare/durable-refs.ts";
import { decodeRefRows } from "../../../../src/refs/ref-rows.ts";
import type { OpenAnswer } from "../../../../src/refs/ref-store.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { create, oid, push } from "../../../suites/ref-store.ts";

// Long names, so that few refs fill a page.
const PADDING = "x".repeat(30_000);
const COUNT = 1200;
const name = (index: number): string => `refs/heads/${String(index).padStart(5, "0")}/${PADDING}`;

function namesOf(answer: OpenAnswer): string[] {
  if (answer.kind === "missing") throw new Error("missing");
  return Array.from(decodeRefRows(answer.refs, 20), (row) => row.name);
}

async function filled(): Promise<ReturnType<typeof memoryRefStore>> {
  const store = memoryRefStore();
  const updates = Array.from({ length: COUNT }, (_, index) => create(name(index), oid(index + 1)));
  await push(store, updates);
  return store;
}

it("reads refs that do not fit one answer in pages, each ref once and in order", async () => {
  const store = await filled();
  const all = Array.from({ length: COUNT }, (_, index) => name(index));
  for (const refPrefixes of [
    [],
    ["refs/heads/"],
    ["refs/heads/000", "refs/heads/001", "refs/heads/00", "refs/heads/01"],
  ]) {
    let pages = 0;
    const answer = await openWhole({ refPrefixes }, async (after) => {
      pages++;
      return store.database.open({ refPrefixes }, after);
    });
    expect(pages).toBeGreaterThan(2);
    expect(answer).not.toHaveProperty("refsGoOnAfter");
    const names = namesOf(answer);
    expect(names.length).toBe(COUNT);
    expect(names.every((found, index) => found === all[index])).toBe(true);
  }
});

it("begins anew when the refs change between two pages", async () => {
  const store = await filled();
  let pages = 0;
  const answer = await openWhole({ refPrefixes: [] }, async (after) => {
    pages++;
    if (pages === 2) await push(store, [create("refs/heads/a", oid(1)), create("refs/heads/00000/a", oid(1))]);
    return store.database.open({ refPrefixes: [] }, after);
  });
  expect(namesOf(answer)).toHaveLength(COUNT + 2);
});

it("gives up if the refs change every time", async () => {
  const store = await filled();
  let pages = 0;
  const answer = openWhole({ refPrefixes: [] }, async (after) => {
    pages++;
    await push(store, [create(`refs/heads/new-${pages}`, oid(1))]);
    return store.database.open({ refPrefixes: [] }, after);
  });
  await expect(answer).rejects.toThrow("changed 5 times");
});
