/**
 * The limits of an isolate's memory and of waiting for it, what is kept of it for later, and what requests claim.
 *
 * @packageDocumentation
 */
import type { PressedLimits } from "./slow-clients.ts";

/** The limits of memory, in bytes, and of waiting, in milliseconds. */
export type BudgetLimits = {
  /** Bytes that requests and kept memory may take together. */
  readonly bytes: number;
  /** Bytes of these that only a request with a granted claim gets, so that it can finish. */
  readonly reserve: number;
  /** Bytes that only small claims get, and the largest of these: so a clone of what is stored waits for no large kernel. */
  readonly small: { readonly room: number; readonly bytes: number };
  /**
   * The maximum number of claims that wait, of those of one share, and of those of one caller. Resumed claims do not count here: they
   * have the last two bounds for themselves, and not the first.
   */
  readonly waiting: number;
  readonly waitingOfShare: number;
  readonly waitingOfCaller: number;
  /** Of the claims that may wait, those that are kept for callers none of whose claims waits yet. */
  readonly waitingOfOthers: number;
  /** The time that a claim waits for room. */
  readonly patience: number;
  /** How slow a client may be while claims wait. */
  readonly pressed: PressedLimits;
  /** The time for which a client may take or send nothing in any case. */
  readonly standstill: number;
  /** The time that a request waits for its client before it frees what it can make again. */
  readonly parkAfter: number;
};

/** Memory that is kept for later requests and can be made smaller. */
export type KeptMemory = {
  readonly byteLength: number;
  /** Frees about `bytes`, or as many as it can. */
  reclaim(bytes: number): void;
};

/** Makes a {@link KeptMemory} from a function that returns its size and one that makes it smaller. */
export function keptMemory(size: () => number, reclaim: (bytes: number) => void): KeptMemory {
  return {
    get byteLength() {
      return size();
    },
    reclaim,
  };
}

/** A request for memory. */
export type MemoryClaim = {
  readonly bytes: number;
  /**
   * Kept memory that becomes a part of the claimed memory, and its bytes. `spare` is what else is kept there: it can
   * stand for the reserve.
   */
  readonly reuses?: { readonly kept: KeptMemory; bytes(): number; spare(): number };
  /** Whether it is of a request that grows without end: what is kept for those that are to end is not for it. */
  readonly isGrowth?: boolean;
  /**
   * Whether the request gave it back while its client was slow, and has begun to answer: no status can tell any more that there is no
   * room. It is served in turns with the first claims of requests, is refused for no others that wait, and waits as long as a client is
   * waited for.
   */
  readonly isResumed?: boolean;
  /** Called synchronously when the claim is granted. */
  readonly onGrant?: () => void;
};
