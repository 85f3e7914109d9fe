/** Bytes as hexadecimal text: the text, and the memory that it takes. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function heapUsed(): number {
  if (typeof collect !== "function") throw new TypeError("no collector");
  collect();
  return process.memoryUsage().heapUsed;
}

it.each([0, 1, 20, 63, 64, 65, 128, 1000])("%i bytes are the digits that Node makes of them", (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) & 255);
  expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
  expect(toHex(bytes, length >> 2, length >> 1)).toBe(Buffer.from(bytes).toString("hex", length >> 2, length >> 1));
});

it("a range past the end is refused", () => {
  expect(() => toHex(new Uint8Array(20), 10, 21)).toThrow("no byte at 20");
});

it("the name of an object takes little more memory than its digits", () => {
  const count = 50_000;
  const name = new Uint8Array(20);
  const view = new DataView(name.buffer);
  const make = (i: number): string => {
    view.setUint32(0, i);
    return toHex(name);
  };
  const before = heapUsed();
  const names = Array.from({ length: count }, (_, i) => make(i));
  const each = (heapUsed() - before) / count;
  expect(names).toHaveLength(count);
  // Text that is appended piece by piece would take 500 bytes until it is looked at.
  expect(each).toBeLessThan(120);
});
