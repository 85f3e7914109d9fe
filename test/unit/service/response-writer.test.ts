/** Responses: lines, then bytes over side-bands or bare; progress and keep-alive. */
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { ResponseWriter } from "../../../src/service/response-writer.ts";
import { formatAcknowledgments } from "../../../src/wire/fetch-response.ts";
import { UnpackProgress } from "../../../src/service/push/unpack-progress.ts";
import { SIDE_BAND_64K_PACKET_MAX, SIDE_BAND_PACKET_MAX } from "../../../src/wire/side-band.ts";
import { pktText } from "../../support/pkt.ts";
import { band } from "./memory-service.ts";

type Writer = { answer: ResponseWriter; written: () => Buffer; clock: { now: number; pauses: number } };

function writer(): Writer {
  const pieces: Buffer[] = [];
  const clock = { now: 1000, pauses: 0 };
  const pacer = new Pacer(async () => void clock.pauses++);
  const sink = { write: async (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)) };
  const answer = new ResponseWriter(sink, { now: () => clock.now, pacer });
  return { answer, written: () => Buffer.concat(pieces), clock };
}

describe("a response", () => {
  it.each([SIDE_BAND_PACKET_MAX, SIDE_BAND_64K_PACKET_MAX] as const)("carries bytes in packets of %i", async (max) => {
    const { answer, written } = writer();
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 7) & 0xff));
    answer.lines.line("NAK\n");
    await answer.startBands(max);
    await answer.data(bytes);
    await answer.progress("half\r");
    await answer.data(bytes.subarray(0, 5));
    await answer.end();
    const body = written();
    expect(body.subarray(0, 8).toString()).toBe("0008NAK\n");
    expect(band(body.subarray(8), 1)).toEqual(Buffer.concat([bytes, bytes.subarray(0, 5)]));
    expect(band(body.subarray(8), 2).toString()).toBe("half\r");
    for (const line of pktText(body.subarray(8)).slice(0, -1)) expect(line).toMatch(/^\\x0[12]/);
    expect(body.subarray(-4).toString()).toBe("0000");
  });

  it("is bare without side-bands: it has no progress, no end and no error", async () => {
    const { answer, written } = writer();
    await answer.startBare();
    await answer.data(Buffer.from("PACK"));
    await answer.progress("no");
    await answer.end();
    expect(await answer.fail("why")).toBe(false);
    expect(written().toString()).toBe("PACK");
  });

  it("fails with ERR in place of unsent lines, and on band 3 later", async () => {
    const lines = writer();
    lines.answer.lines.line("never sent");
    expect(await lines.answer.fail("no\nwhy")).toBe(true);
    expect(pktText(lines.written())).toEqual(["ERR no why"]);
    const bands = writer();
    await bands.answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    expect(await bands.answer.fail("why")).toBe(true);
    expect(band(bands.written(), 3).toString()).toBe("fatal: why\n");
  });

  it("has no control characters in text for a terminal, but for line ends and tabs", async () => {
    const { answer, written } = writer();
    await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    await answer.progress("a \u001b[31m\u0007red\u009b0m\t1%\r100%\né\u007f\n");
    await answer.data(Buffer.from("\u001b[31m"));
    await answer.fail("\u001b]0;title\u0007 of 'x'");
    expect(band(written(), 2).toString()).toBe("a  [31m red 0m\t1%\r100%\né \n");
    expect(band(written(), 3).toString()).toBe("fatal:  ]0;title  of 'x'\n");
    expect(band(written(), 1).toString()).toBe("\u001b[31m");
  });

  it("lets others run while many lines are written, and sends them as they fill chunks", async () => {
    const { answer, written, clock } = writer();
    const lines = 200_000;
    let mostUnsent = 0;
    const haves = function* (): Generator<Uint8Array> {
      for (let appended = 0; appended < lines; appended++) {
        // Not each time: joining what was written takes long.
        if (appended % 20_000 === 0) mostUnsent = Math.max(mostUnsent, appended * 49 - written().length);
        yield new Uint8Array(20);
      }
    };
    await answer.sendEach(formatAcknowledgments({ common: haves(), ready: false }, answer.lines));
    await answer.send();
    expect(written()).toHaveLength(20 + lines * 49 + 4);
    expect(clock.pauses).toBeGreaterThanOrEqual(5);
    expect(mostUnsent).toBeLessThan(200_000);
  });

  it("keeps a quiet connection alive after five seconds if there are side-bands", async () => {
    const { answer, written, clock } = writer();
    clock.now += 10_000;
    await answer.keepAlive();
    expect(written()).toHaveLength(0);
    await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    await answer.keepAlive();
    await answer.keepAlive();
    expect(written().toString("latin1")).toBe("0005\u0001");
    clock.now += 4999;
    await answer.keepAlive();
    expect(written()).toHaveLength(5);
    clock.now += 1;
    await answer.keepAlive();
    expect(written()).toHaveLength(10);
  });
});

describe("the progress of an ingest", () => {
  const shown = async (quiet: boolean, steps: [number, number, number][]): Promise<string> => {
    const { answer, written, clock } = writer();
    await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    const progress = new UnpackProgress(answer, quiet, () => clock.now);
    await progress.received();
    for (const [deltas, total, later] of steps) {
      clock.now += later;
      await progress.resolved(deltas, total);
    }
    await progress.end();
    const alive = written().toString("latin1").split("0005\u0001").length - 1;
    return band(written(), 2).toString() + "[alive]".repeat(alive);
  };

  it("is shown as git shows it, once a second", async () => {
    expect(
      await shown(false, [
        [0, 8, 0],
        [1, 8, 10],
        [3, 8, 990],
        [8, 8, 1],
      ]),
    ).toBe("Resolving deltas:   0% (0/8)\rResolving deltas:  37% (3/8)\rResolving deltas: 100% (8/8), done.\n");
  });

  it("ends its line even if the end was not reported", async () => {
    expect(await shown(false, [[2, 8, 0]])).toBe("Resolving deltas:  25% (2/8)\rResolving deltas: 100% (8/8), done.\n");
  });

  it("shows nothing without deltas, and only keep-alives to a quiet client", async () => {
    expect(await shown(false, [[0, 0, 0]])).toBe("");
    expect(
      await shown(true, [
        [0, 8, 0],
        [4, 8, 6000],
        [8, 8, 100],
      ]),
    ).toBe("[alive]");
  });
});
