import { expect, it } from "vitest";
import { RequestCounters } from "../../../src/cloudflare/request-counters.ts";
import { formatServerTiming } from "../../../src/repository/request-counts.ts";

it("counts operations that go out together as one round trip", async () => {
  const counters = new RequestCounters();
  await Promise.all([counters.run("do", async () => 1), counters.run("r2r", async () => 2)]);
  expect(counters.counts()).toEqual({ r2r: 1, r2w: 0, r2b: 0, do: 1, kv: 0, rt: 1 });
  await counters.run("r2w", async () => 3);
  await counters.run("kv", async () => 3);
  expect(counters.counts()).toEqual({ r2r: 1, r2w: 1, r2b: 0, do: 1, kv: 1, rt: 3 });
});

it("follows the longest chain, not the number of operations", async () => {
  const counters = new RequestCounters();
  const slow = Promise.withResolvers<void>();
  const long = counters.run("r2w", () => slow.promise);
  await counters.run("r2r", async () => 1);
  await counters.run("r2r", async () => 2);
  slow.resolve();
  await long;
  expect(counters.counts().rt).toBe(2);
  await counters.run("r2r", async () => 3);
  expect(counters.counts().rt).toBe(3);
});

it("counts failed operations, and passes the failure on", async () => {
  const counters = new RequestCounters();
  await expect(counters.run("r2r", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  counters.addBytesRead(12);
  expect(formatServerTiming(counters.counts())).toBe(
    'r2r;desc="1", r2w;desc="0", r2b;desc="12", do;desc="0", kv;desc="0", rt;desc="1"',
  );
});
