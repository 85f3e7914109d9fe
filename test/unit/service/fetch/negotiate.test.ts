/** Rounds of negotiation against a plain retelling of C git's loop, and their cost. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { objectFormat } from "../../../../src/object/object-id.ts";
import { type AcknowledgementStyle, type CommonGround, Negotiation } from "../../../../src/service/fetch/negotiate.ts";
import { Pacer } from "../../../../src/bytes/pacer.ts";
import { ResponseWriter } from "../../../../src/service/response-writer.ts";
import { ObjectIdList } from "../../../../src/wire/object-id-list.ts";
import { pktText } from "../../../support/pkt.ts";

const format = objectFormat("sha1");
/** Names are one digit repeated: 0 to 9. Even ones are here. */
const oid = (digit: number): string => String(digit).repeat(format.hexSize);
const isHere = (digit: number): boolean => digit % 2 === 0;

type Case = {
  readonly haves: readonly number[];
  readonly done: boolean;
  readonly enough: readonly number[];
  readonly style: AcknowledgementStyle;
};

/** A ground where enough is common as soon as all of `enough` are. */
function ground(enough: readonly number[]): CommonGround & { looks: number; readonly common: Set<number> } {
  const digits = (names: Uint8Array): number[] =>
    Array.from({ length: names.length / format.rawSize }, (_, at) => (names[at * format.rawSize] ?? 0) & 0xf);
  const common = new Set<number>();
  return {
    looks: 0,
    common,
    has: async (names) => Uint8Array.from(digits(names), (digit) => (isHere(digit) ? 1 : 0)),
    addCommon: async (names) => {
      for (const digit of digits(names)) common.add(digit);
    },
    async okToGiveUp() {
      this.looks++;
      return enough.every((digit) => common.has(digit));
    },
  };
}

/** The answers to several rounds on one connection, until the pack follows. */
async function oursInTurn(
  rounds: readonly Omit<Case, "style" | "enough">[],
  { style, enough }: Omit<Case, "haves" | "done">,
): Promise<string[]> {
  const written: Buffer[] = [];
  const output = { write: async (bytes: Uint8Array) => void written.push(Buffer.from(bytes)) };
  const answer = new ResponseWriter(output, { now: () => 0, pacer: new Pacer(async () => undefined) });
  const negotiation = new Negotiation(ground(enough), { ...style, remembers: true }, answer);
  for (const { haves, done } of rounds) {
    const list = new ObjectIdList(format);
    for (const digit of haves) list.push(Buffer.from(oid(digit), "hex"));
    if ((await negotiation.round({ haves: list, done })) === "pack") break;
  }
  await answer.send();
  return pktText(Buffer.concat(written));
}

/** C git's loop over several rounds on one connection. */
function theirsInTurn(
  rounds: readonly Omit<Case, "style" | "enough">[],
  { style, enough }: Omit<Case, "haves" | "done">,
): string[] {
  const lines: string[] = [];
  const known = new Set<number>();
  const before = { last: "" };
  for (const { haves, done } of rounds) {
    const answered = theirs({ haves, done, enough, style }, known, before);
    lines.push(...answered.lines);
    if (answered.next === "pack") break;
  }
  return lines;
}

async function ours({
  haves,
  done,
  enough,
  style,
}: Case): Promise<{ lines: string[]; next: string; looks: number; common: number[] }> {
  const written: Buffer[] = [];
  const answer = new ResponseWriter(
    { write: async (bytes) => void written.push(Buffer.from(bytes)) },
    {
      now: () => 0,
      pacer: new Pacer(async () => undefined),
    },
  );
  const list = new ObjectIdList(format);
  for (const digit of haves) list.push(Buffer.from(oid(digit), "hex"));
  const on = ground(enough);
  const next = await new Negotiation(on, style, answer).round({ haves: list, done });
  await answer.send();
  return {
    lines: pktText(Buffer.concat(written)),
    next,
    looks: on.looks,
    common: [...on.common].toSorted((a, b) => a - b),
  };
}

/** C git's `get_common_commits()` for one request of a stateless client; no object here is another's parent. */
function theirs(
  { haves, done, enough, style }: Case,
  known = new Set<number>(),
  before = { last: "" },
): { lines: string[]; next: string } {
  const lines: string[] = [];
  const { multiAck, noDone } = style;
  const enoughNow = (): boolean => known.size > 0 && enough.every((digit) => known.has(digit));
  let { last } = before;
  let [common, other, ready] = [false, false, false];
  for (const digit of haves) {
    if (!isHere(digit)) {
      other = true;
      if (multiAck === "none" || !enoughNow()) continue;
      ready ||= multiAck === "multi_ack_detailed";
      lines.push(`ACK ${oid(digit)} ${multiAck === "multi_ack_detailed" ? "ready" : "continue"}\\n`);
      continue;
    }
    common = true;
    last = oid(digit);
    before.last = last;
    const isFirst = known.size === 0;
    known.add(digit);
    if (multiAck === "multi_ack_detailed") lines.push(`ACK ${last} common\\n`);
    else if (multiAck === "multi_ack") lines.push(`ACK ${last} continue\\n`);
    else if (isFirst) lines.push(`ACK ${last}\\n`);
  }
  if (done) {
    if (known.size === 0) lines.push("NAK\\n");
    else if (multiAck !== "none") lines.push(`ACK ${last}\\n`);
    return { lines, next: "pack" };
  }
  if (multiAck === "multi_ack_detailed" && common && !other && enoughNow()) {
    ready = true;
    lines.push(`ACK ${last} ready\\n`);
  }
  if (known.size === 0 || multiAck !== "none") lines.push("NAK\\n");
  if (!noDone || !ready) return { lines, next: "end" };
  lines.push(`ACK ${last}\\n`);
  return { lines, next: "pack" };
}

const STYLES: AcknowledgementStyle[] = (["none", "multi_ack", "multi_ack_detailed"] as const).flatMap((multiAck) => [
  { multiAck, noDone: false },
  { multiAck, noDone: true },
]);

describe("a round of negotiation", () => {
  it("is answered as C git's loop answers it", async () => {
    const rounds = fc.record<Case>({
      haves: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }),
      done: fc.boolean(),
      enough: fc.subarray([0, 2, 4, 8]),
      style: fc.constantFrom(...STYLES),
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (round) => {
        const { lines, next, common } = await ours(round);
        expect({ lines, next }).toEqual(theirs(round));
        // What the pack is made from is all that is common, whatever was asked on the way.
        if (next === "pack") expect(common).toEqual([...new Set(round.haves.filter(isHere))].toSorted((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it("goes on in the next round of a connection as C git's loop does", async () => {
    const round = fc.record({ haves: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }), done: fc.boolean() });
    const settings = fc.record({
      enough: fc.subarray([0, 2, 4, 8]),
      style: fc.constantFrom(...STYLES.filter(({ noDone }) => !noDone)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), settings, async (rounds, how) => {
        expect(await oursInTurn(rounds, how)).toEqual(theirsInTurn(rounds, how));
      }),
      { numRuns: 500 },
    );
  });

  it("asks no more than a bounded number of times in all rounds of a connection", async () => {
    const on = ground([8]);
    const output = { write: async () => undefined };
    const answer = new ResponseWriter(output, { now: () => 0, pacer: new Pacer(async () => undefined) });
    const negotiation = new Negotiation(on, { multiAck: "multi_ack_detailed", noDone: false, remembers: true }, answer);
    for (let at = 0; at < 1000; at++) {
      const list = new ObjectIdList(format);
      list.push(Buffer.from(oid(2), "hex"));
      await negotiation.round({ haves: list, done: false });
    }
    expect(on.looks).toBe(256);
  });

  it("asks whether enough is common a bounded number of times, and at its end", async () => {
    const haves = Array.from({ length: 1000 }, (_, at) => (at % 2 === 0 ? 1 : 2 * (at % 4)));
    const style = { multiAck: "multi_ack_detailed", noDone: true } as const;
    const { looks } = await ours({ haves, done: false, enough: [8], style });
    expect(looks).toBeLessThanOrEqual(17);
  });

  it("asks once if nothing more became common", async () => {
    const style = { multiAck: "multi_ack_detailed", noDone: false } as const;
    expect((await ours({ haves: [2, 1, 3, 5, 7], done: false, enough: [8], style })).looks).toBe(1);
  });
});
