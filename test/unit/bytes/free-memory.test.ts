import { describe, expect, it } from "vitest";
import { freeMemory } from "../../../src/bytes/free-memory.ts";

describe("freeMemory", () => {
  it("frees a buffer and all views of it, once or several times", () => {
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
});
