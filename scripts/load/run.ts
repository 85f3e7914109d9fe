/**
 * A load on one host: clients that come at the times of a plan, which is the same for every host, and what they met.
 *
 * @packageDocumentation
 */
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { type Kind, LoadClient, type Place, WEIGHTS } from "./operations.ts";

/** How much of a load. */
export type LoadSize = {
  readonly clients: number;
  readonly seconds: number;
  /** Seconds between two operations of a client, on average. */
  readonly pause: number;
};

/** Milliseconds that operations of a kind took. */
export type Percentiles = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
};

/** What came of a load. */
export type LoadResult = {
  readonly seconds: number;
  readonly operations: number;
  readonly bytes: number;
  /** Operations that a limit refused, as documented. */
  readonly limited: number;
  /** What should not have been, and how often. */
  readonly errors: Readonly<Record<string, number>>;
  readonly latency: Partial<Record<Kind, Percentiles>>;
};

const MOST_ERROR = 200;

type Books = {
  readonly times: Map<Kind, number[]>;
  readonly errors: Map<string, number>;
  limited: number;
  bytes: number;
};

/** Returns the value below which `percent` of a hundred values are. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

function percentilesOf(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (percent: number): number => Math.round(percentile(sorted, percent) * 10) / 10;
  return { count: sorted.length, p50: at(50), p90: at(90), p99: at(99), most: at(100) };
}

async function until(moment: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now())));
}

async function act(client: LoadClient, kind: Kind, books: Books): Promise<void> {
  const began = performance.now();
  try {
    const ended = await client.act(kind);
    if (ended.kind === "limited") {
      books.limited += 1;
      return;
    }
    books.bytes += ended.bytes;
    const times = books.times.get(kind) ?? [];
    times.push(performance.now() - began);
    books.times.set(kind, times);
  } catch (error) {
    const text = `${kind}: ${error instanceof Error ? error.message : String(error)}`.slice(0, MOST_ERROR);
    books.errors.set(text, (books.errors.get(text) ?? 0) + 1);
  }
}

/** Has clients do operations of these kinds. Each has a plan of its own, made from its number. */
export async function runLoad(
  places: readonly Place[],
  kinds: readonly Kind[],
  { clients, seconds, pause }: LoadSize,
): Promise<LoadResult> {
  const books: Books = { times: new Map(), errors: new Map(), limited: 0, bytes: 0 };
  const weighed = kinds.map((kind) => [WEIGHTS[kind], kind] as const);
  const began = performance.now();
  const run = async (number: number): Promise<void> => {
    const random = new SeededRandom(number + 1);
    const place = places[number % places.length];
    if (place === undefined) throw new Error("there is no repository");
    const client = new LoadClient(place, `client-${number}`);
    let due = began + random.below(pause * 1000);
    while (due < began + seconds * 1000) {
      await until(due);
      await act(client, random.weighed(weighed), books);
      due += random.below(2 * pause * 1000);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => run(number)));
  const done = [...books.times.values()].reduce((sum, times) => sum + times.length, 0);
  return {
    seconds: Math.round((performance.now() - began) / 100) / 10,
    operations: done,
    bytes: books.bytes,
    limited: books.limited,
    errors: Object.fromEntries(books.errors),
    latency: Object.fromEntries([...books.times].map(([kind, times]) => [kind, percentilesOf(times)])),
  };
}
