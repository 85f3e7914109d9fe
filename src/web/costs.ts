/**
 * What a deployment costs, estimated from its usage by the prices that `docs/operating.md` has. What plans include is not
 * taken off.
 *
 * @packageDocumentation
 */

/** US dollars for one operation: a thousandth of what the table of `docs/operating.md` says of 1,000. */
const CLONE = 0.029 / 1000;
const FETCH = 0.004 / 1000;
const PUSH = 0.064 / 1000;
/** US dollars for any other request: one to the Worker, and two to Durable Objects. */
const OTHER = (0.3 + 2 * 0.15) / 1_000_000;
/** US dollars for a gigabyte in R2 for a month. */
const GIGABYTE_MONTH = 0.015;
const GIGABYTE = 1e9;

/** What was used since the month began. */
export type MonthUsage = {
  readonly requests: number;
  readonly clones: number;
  readonly fetches: number;
  readonly pushes: number;
  /** Bytes that are stored now. */
  readonly storedBytes: number;
  /** The part of the month that has passed. */
  readonly passed: number;
};

/** A part of the costs, in US dollars. */
export type Cost = { readonly name: string; readonly amount: number };

/** Returns the costs of what was used. */
export function costsOf({ requests, clones, fetches, pushes, storedBytes, passed }: MonthUsage): readonly Cost[] {
  const others = Math.max(0, requests - clones - fetches - pushes);
  return [
    { name: "Clones", amount: clones * CLONE },
    { name: "Fetches", amount: fetches * FETCH },
    { name: "Pushes", amount: pushes * PUSH },
    { name: "Other requests", amount: others * OTHER },
    { name: "Storage", amount: (storedBytes / GIGABYTE) * GIGABYTE_MONTH * passed },
  ];
}

/** Writes an amount. */
export function shownAmount(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}
