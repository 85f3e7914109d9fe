/**
 * The platform's prices, and what some work costs by them. `docs/operating.md` says where each is from.
 *
 * @packageDocumentation
 */

/** US dollars for a million, beyond what the plans include; of processor time for a million milliseconds. */
export const PRICES = {
  requests: 0.3,
  objects: 0.15,
  classA: 4.5,
  classB: 0.36,
  kv: 0.5,
  queue: 0.4,
  rows: 1,
  cpu: 0.02,
} as const;

/** How much of each was used by one operation; `cpu` is in milliseconds. */
export type Used = Partial<Record<keyof typeof PRICES, number>>;

/** Returns the dollars of a thousand such operations. */
export function dollarsPerThousand(used: Used): number {
  let sum = 0;
  for (const [key, price] of Object.entries(PRICES)) sum += (Number(Reflect.get(used, key) ?? 0) * price) / 1000; // Nothing was used.
  return sum;
}
