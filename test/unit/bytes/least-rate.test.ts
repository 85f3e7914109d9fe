/** For how long a sender is waited for that sends some bytes now and then. */
import { expect, it } from "vitest";
import { LEAST_RATE, LeastRate } from "../../../src/bytes/least-rate.ts";

const CREDIT = 60_000;

it("bytes that come fast earn no more credit than there was at first", () => {
  const rate = new LeastRate(CREDIT);
  rate.add(1e9, 0);
  expect(rate.left).toBe(CREDIT);
});

it("credit that was used up is earned back by bytes", () => {
  const rate = new LeastRate(CREDIT);
  rate.add(0, 50_000);
  expect(rate.left).toBe(10_000);
  rate.add(20 * LEAST_RATE, 0);
  expect(rate.left).toBe(30_000);
  rate.add(0, 90_000);
  expect(rate.left).toBe(0);
});
