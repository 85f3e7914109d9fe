import { beforeEach, describe, expect, it } from "vitest";
import {
  Doorkeeper,
  FREE_FAILURES,
  MOST_CONNECTIONS,
  MOST_OF_ONE,
  MOST_STRANGERS,
  MOST_STRANGERS_OF_ONE,
} from "../../../src/doors/doorkeeper.ts";

let now = 0;
let doorkeeper: Doorkeeper;

beforeEach(() => {
  now = 1_000_000;
  doorkeeper = new Doorkeeper(() => now);
});

/** A connection from `network` that fails to log in. */
function fail(network: string): boolean {
  const entry = doorkeeper.enter(network);
  entry?.leave();
  return entry !== undefined;
}

describe("the doorkeeper", () => {
  it("lets in few at once that have not logged in, of one address and of all", () => {
    const entries = Array.from({ length: MOST_STRANGERS_OF_ONE }, () => doorkeeper.enter("one"));
    expect(entries.every((entry) => entry !== undefined)).toBe(true);
    expect(doorkeeper.enter("one")).toBeUndefined();
    for (let index = MOST_STRANGERS_OF_ONE; index < MOST_STRANGERS; index++) {
      expect(doorkeeper.enter(`other ${index}`)).toBeDefined();
    }
    expect(doorkeeper.enter("another")).toBeUndefined();
    entries[0]?.prove();
    expect(doorkeeper.enter("another")).toBeDefined();
  });

  it("lets one address have a part of all places, however many keys its clients have", () => {
    const enter = (network: string) => {
      const entry = doorkeeper.enter(network);
      entry?.prove();
      return entry;
    };
    const entries = Array.from({ length: MOST_OF_ONE }, () => enter("one"));
    expect(entries.every((entry) => entry !== undefined)).toBe(true);
    expect(enter("one")).toBeUndefined();
    expect(enter("other")).toBeDefined();
    entries[0]?.leave();
    expect(enter("one")).toBeDefined();
    expect(enter("one")).toBeUndefined();
    // Where the platform tells no addresses, only the bound of all counts.
    for (let index = MOST_OF_ONE + 1; index < MOST_CONNECTIONS; index++) expect(enter("")).toBeDefined();
    expect(enter("")).toBeUndefined();
  });

  it("is filled by eight addresses, and by no fewer, however many places each asks for", () => {
    const fill = (network: string): number => {
      let count = 0;
      for (let entry = doorkeeper.enter(network); entry !== undefined; entry = doorkeeper.enter(network)) {
        entry.prove();
        count++;
      }
      return count;
    };
    const taken = ["a", "b", "c", "d", "e", "f", "g", "h"].map((network) => fill(network));
    expect(taken).toEqual([MOST_OF_ONE, 60, 30, 15, 8, 4, 2, 1]);
    expect(fill("i")).toBe(0);
  });

  it("lets a bounded number in at once, and forgets each that has left once", () => {
    const entries = Array.from({ length: MOST_CONNECTIONS }, (_, index) => {
      const entry = doorkeeper.enter(`${index}`);
      entry?.prove();
      return entry;
    });
    expect(doorkeeper.enter("more")).toBeUndefined();
    for (let times = 0; times < 3; times++) entries[0]?.leave();
    doorkeeper.enter("more")?.prove();
    expect(doorkeeper.enter("and more")).toBeUndefined();
  });

  it("lets an address wait longer with each failure beyond some, and no other", () => {
    for (let times = 0; times <= FREE_FAILURES; times++) expect(fail("bad")).toBe(true);
    expect(fail("bad")).toBe(false);
    expect(fail("good")).toBe(true);
    now += 1000;
    expect(fail("bad")).toBe(true);
    now += 1000;
    expect(fail("bad")).toBe(false);
    now += 1000;
    expect(fail("bad")).toBe(true);
    // A login makes good for all of it.
    now += 4000;
    doorkeeper.enter("bad")?.prove();
    expect(fail("bad")).toBe(true);
    expect(fail("bad")).toBe(true);
  });

  it("does not hold failures against an address that it does not know", () => {
    for (let times = 0; times < 100; times++) expect(fail("")).toBe(true);
  });
});
