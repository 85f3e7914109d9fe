/** Where a push's request is cut. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PushRequestHead } from "../../../scripts/thinpack/push-request-head.ts";
import { pkt } from "../../support/git-raw.ts";

const ZERO = "0".repeat(40);
const ONE = "1".repeat(40);
const FLUSH = Buffer.from("0000");
const command = (capabilities: string): Buffer => pkt(`${ZERO} ${ONE} refs/heads/main\0 ${capabilities}`);
// A pack may begin with what looks like lines.
const PACK = Buffer.from("0000PACK0004");

const HEADS: Readonly<Record<string, Buffer>> = {
  "one command": Buffer.concat([command("report-status"), FLUSH]),
  "more commands": Buffer.concat([command("atomic"), pkt(`${ONE} ${ZERO} refs/heads/push-options`), FLUSH]),
  "push options": Buffer.concat([command("push-options atomic"), FLUSH, pkt("a=b"), FLUSH]),
  "no push options": Buffer.concat([command("push-options"), FLUSH, FLUSH]),
  "a shallow clone": Buffer.concat([pkt(`shallow ${ONE}`), command("push-options"), FLUSH, pkt("x"), FLUSH]),
  "a certificate": Buffer.concat([
    pkt("push-cert\0 push-options"),
    pkt("pushee x"),
    pkt("push-cert-end\n"),
    FLUSH,
    pkt("x"),
    FLUSH,
  ]),
  "no command": FLUSH,
};

describe("a push's request", () => {
  it.each(Object.entries(HEADS))("is cut behind its head, in whatever pieces it comes: %s", (_name, head) => {
    const whole = Buffer.concat([head, PACK]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: whole.length })), (places) => {
        const cuts = [0, ...places.toSorted((a, b) => a - b), whole.length];
        const reader = new PushRequestHead();
        for (const [at, end] of cuts.entries()) {
          const cut = reader.push(whole.subarray(cuts[at - 1] ?? 0, end));
          if (cut === undefined) continue;
          expect(cut.head).toEqual(head);
          expect(Buffer.concat([cut.rest, whole.subarray(end)])).toEqual(PACK);
          return;
        }
        expect.unreachable("it was never cut");
      }),
    );
  });

  it("is refused if it does not begin with pkt-lines", () => {
    for (const text of ["PACK", "0003", "GET "])
      expect(() => new PushRequestHead().push(Buffer.from(text))).toThrow("no push");
  });
});
