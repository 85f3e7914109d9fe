/** For how long a sender is waited for that sends some bytes now and then. */
import { expect, it } from "vitest";
import { LEAST_RATE, LeastRate } from "../../../src/bytes/least-rate.ts";

const CREDIT = 60_000;
let now = 1_000_000;

/** Reads bytes that are waited for. */
function read(rate: LeastRate, bytes: number, waited: number): void {
  rate.begin();
  now += waited;
  rate.end(bytes);
}

it("bytes that come fast earn no more credit than there was at first", () => {
  const rate = new LeastRate(CREDIT, () => now);
  read(rate, 1e9, 0);
  expect(rate.left).toBe(CREDIT);
});

it("credit that was used up is earned back by bytes", () => {
  const rate = new LeastRate(CREDIT, () => now);
  read(rate, 0, 50_000);
  expect(rate.left).toBe(10_000);
  read(rate, 20 * LEAST_RATE, 0);
  expect(rate.left).toBe(30_000);
  read(rate, 0, 90_000);
  expect(rate.left).toBe(0);
});

it("time in which several reads wait counts once", () => {
  const rate = new LeastRate(CREDIT, () => now);
  for (let count = 0; count < 5; count++) rate.begin();
  now += 10_000;
  expect(rate.left).toBe(50_000);
  for (let count = 0; count < 4; count++) rate.end(0);
  now += 10_000;
  rate.end(0);
  expect(rate.left).toBe(40_000);
});

it("time in which nothing is waited for does not count", () => {
  const rate = new LeastRate(CREDIT, () => now);
  read(rate, 0, 1000);
  now += 1_000_000;
  expect(rate.left).toBe(59_000);
  read(rate, 0, 1000);
  expect(rate.left).toBe(58_000);
});
