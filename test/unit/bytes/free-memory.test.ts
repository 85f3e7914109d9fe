import { expect, it } from "vitest";
import { freeMemory } from "../../../src/bytes/free-memory.ts";

it("frees a buffer with all views of it, once or more often", () => {
  const bytes = new Uint8Array(1000);
  const view = bytes.subarray(10, 20);
  freeMemory(view);
  expect([bytes.length, view.length, bytes.buffer.byteLength]).toEqual([0, 0, 0]);
  freeMemory(bytes);
  const moved = new Uint8Array(10);
  structuredClone(moved, { transfer: [moved.buffer] });
  freeMemory(moved);
  expect(moved.length).toBe(0);
});
