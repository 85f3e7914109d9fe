import { expect, it } from "vitest";
import { MOST_SYNCS, SyncPlaces } from "../../../src/durable/tenant/sync-places.ts";

const MINUTE = 60_000;
const repos = Array.from({ length: MOST_SYNCS }, (_, n) => `r${n}`);

it("admits syncs up to the bound, each as often as it asks", () => {
  const places = new SyncPlaces();
  for (let turn = 0; turn < 2; turn++) for (const repo of repos) expect(places.admit(repo, 0)).toBe(true);
  expect(places.admit("more", 0)).toBe(false);
  places.ended("r0");
  expect(places.admit("more", 0)).toBe(true);
  expect(places.admit("r0", 0)).toBe(false);
});

it("frees the place of a silent sync, and keeps that of one that is alive", () => {
  const places = new SyncPlaces();
  for (const repo of repos) places.admit(repo, 0);
  places.goesOn("r0", MINUTE - 1);
  expect(places.admit("more", MINUTE)).toBe(true);
  for (let n = 0; n < MOST_SYNCS - 2; n++) expect(places.admit(`other${n}`, MINUTE)).toBe(true);
  expect(places.admit("another", MINUTE)).toBe(false);
});

it("knows the syncs that are alive again after a sleep", () => {
  const places = new SyncPlaces();
  for (const repo of repos) places.goesOn(repo, 0);
  expect(places.admit("more", 0)).toBe(false);
});
