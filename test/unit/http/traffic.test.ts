/** Why an answer broke off: what the log says of it. */
import { expect, it } from "vitest";
import { ClientTooSlow, HostBusy } from "../../../src/bytes/failure.ts";
import { Traffic } from "../../../src/http/traffic.ts";

const busy = new HostBusy("host", 15);

it.each([
  ["a client that left", "gone", new TypeError("the stream was cancelled"), undefined],
  [
    "a client that was too slow",
    "gone",
    new ClientTooSlow("pressed"),
    "too little was taken or sent while others waited",
  ],
  ["a host without room", "failed", busy, busy.message],
] as const)("tells of %s, and what came first", (_, how, error, why) => {
  const traffic = new Traffic();
  traffic.breakOff(how, error);
  traffic.breakOff("failed", new Error("what followed"));
  expect([traffic.broken, traffic.why]).toEqual([how, why]);
});
