/**
 * What a test and the Worker of `test/worker/faults-entry.ts` tell each other about faults of storage.
 *
 * @packageDocumentation
 */

/**
 * The ways in which an operation goes wrong.
 *
 * `fail`: it throws, and nothing has happened. `late`: it happens, and then it throws: the answer is lost. `away`: it throws, and so do
 * the next ones at the same binding. `delay`: it happens after others have. `cut`: what it reads ends half-way. `break`: what it reads
 * fails half-way. `reset`: the Durable Object answers, and dies before the answer is there. `twice`: the queue delivers the message
 * twice, or the alarm goes off twice.
 */
export type FaultKind = "fail" | "late" | "away" | "delay" | "cut" | "break" | "reset" | "twice";

/** All kinds. */
export const FAULT_KINDS: readonly FaultKind[] = ["fail", "late", "away", "delay", "cut", "break", "reset", "twice"];

/** Which operation goes wrong, counted from 1, and how. */
export type FaultPlan = { readonly kind: FaultKind; readonly at: number };

/** What kinds of faults an operation can have. */
export type OperationTraits = {
  /** It gives bytes. */
  readonly reads?: boolean;
  /** It calls a Durable Object. */
  readonly object?: boolean;
  /** It puts a message into a queue. */
  readonly message?: boolean;
  /** It is an alarm that goes off: the platform runs it again. */
  readonly alarm?: boolean;
};

/** An operation that was counted: the binding and the method, such as `BUCKET.get`. */
export type CountedOperation = OperationTraits & { readonly name: string };

/** What was counted since the faults were armed. */
export type FaultReport = {
  readonly operations: readonly CountedOperation[];
  /** Whether the planned fault came about. */
  readonly injected: boolean;
};

/** What a turn did, and what there is to wait for. */
export type TurnReport = {
  /** Alarms and messages that ran. */
  readonly ran: number;
  /** Milliseconds until the next alarm or message is due, if there is one. */
  readonly next?: number;
  /** Alarms and messages that were given up after all their tries. */
  readonly lost: readonly string[];
};

/** What turns have come to. */
export type TurnsReport = {
  /** As in {@link TurnReport}, of all turns. */
  readonly lost: readonly string[];
  /** Whether something is still due at once after as many turns as there may be. */
  readonly isEndless: boolean;
};

/** Whether an operation can go wrong in this way. */
export function isPossible(kind: FaultKind, { reads, object, message, alarm }: OperationTraits): boolean {
  if (kind === "cut" || kind === "break") return reads === true;
  if (kind === "reset") return object === true;
  if (kind === "twice") return message === true || alarm === true;
  // No alarm is away for as long as the platform tries.
  if (kind === "away" || kind === "delay") return alarm !== true;
  return true;
}
