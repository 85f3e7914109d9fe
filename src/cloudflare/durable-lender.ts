/**
 * `PackLender` over the RPC of a Durable Object.
 *
 * @packageDocumentation
 */
import type { LenderObject } from "../durable/lender/lender-object.ts";
import type { PackLender } from "../refs/fork-store.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the loans of a prefix. No request is sent before the first call. */
export function durableLender(object: DurableObjectStub<LenderObject>, counters: RequestCounters): PackLender {
  return {
    lend: (borrower, packs) => counters.run("do", async () => object.lend(borrower, packs)),
    relend: (borrower, packs) => counters.run("do", async () => object.relend(borrower, packs)),
    revive: (packs) => counters.run("do", async () => object.revive(packs)),
    doom: () => counters.run("do", async () => object.doom()),
  };
}
