/** The checker of histories has to find what is wrong with those that are, and to take those that are not. */
import { describe, expect, it } from "vitest";
import { checkHistory, ILLEGAL, type Operation } from "../../support/linearizability.ts";
import { playedHistory, withSecondMove, withStaleRef } from "../../support/played-history.ts";
import { EMPTY, factsOf as refFacts } from "../../support/ref-history.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

type Times = readonly [called: number, answered?: number];

function read(value: string, [called, answered]: Times): Operation<string> {
  return {
    isReading: true,
    name: `read ${value}`,
    called,
    answered,
    apply: (state) => (state === value ? state : ILLEGAL),
    needs: [value],
    brings: [],
  };
}

function swap(old: string, next: string, [called, answered]: Times): Operation<string> {
  return {
    isReading: false,
    name: `${old} -> ${next}`,
    called,
    answered,
    apply: (state) => (state === old ? next : ILLEGAL),
    needs: [old],
    brings: [next],
  };
}

function refused(old: string, [called, answered]: Times): Operation<string> {
  return {
    isReading: true,
    name: `not ${old}`,
    called,
    answered,
    apply: (state) => (state === old ? ILLEGAL : state),
    needs: [],
    brings: [],
  };
}

function set(next: string, [called, answered]: Times): Operation<string> {
  return { isReading: false, name: `set ${next}`, called, answered, apply: () => next, needs: [], brings: [next] };
}

/** A state is its only fact. */
const factsOf = (state: string): string[] => [state];

const verdict = (...history: Operation<string>[]): string => checkHistory(history, "", factsOf).kind;

describe("a history of one register", () => {
  it("is taken where an order explains it", () => {
    expect(verdict()).toBe("linearizable");
    expect(verdict(swap("", "a", [0, 10]), read("", [1, 5]), read("a", [2, 6]), read("a", [11, 12]))).toBe(
      "linearizable",
    );
    expect(verdict(swap("", "a", [0, 10]), swap("", "b", [0, 10]), refused("", [0, 10]))).toBe("impossible");
    expect(verdict(swap("", "a", [0, 10]), refused("", [0, 10]), swap("a", "b", [5, 20]))).toBe("linearizable");
    expect(verdict(set("a", [0, 10]), set("b", [0, 10]), read("a", [11, 12]))).toBe("linearizable");
  });

  it.each<[string, Operation<string>[]]>([
    ["a value that is read, and was never written", [set("a", [0, 1]), read("b", [2, 3])]],
    ["an old value after a new one was acknowledged", [set("a", [0, 1]), set("b", [2, 3]), read("a", [4, 5])]],
    ["a value, and then the one before it", [set("a", [0, 9]), read("a", [1, 2]), read("", [3, 4])]],
    ["two moves away from one value", [swap("", "a", [0, 9]), swap("", "b", [0, 9])]],
    ["an acknowledged move that is lost", [swap("", "a", [0, 1]), swap("", "b", [2, 3])]],
    ["a refusal where nothing stood in the way", [refused("", [0, 1]), swap("", "a", [2, 3])]],
    ["a value before anybody has asked for it", [read("a", [0, 1]), set("a", [2, 3])]],
    [
      "two readers that see two moves in two orders",
      [set("a", [0, 9]), set("b", [0, 9]), read("a", [1, 2]), read("b", [3, 4]), read("a", [5, 6])],
    ],
    [
      "what was not answered comes, goes and comes again",
      [set("a", [0]), set("b", [1, 2]), read("a", [3, 4]), read("b", [5, 6])],
    ],
    [
      "what was not answered is done twice",
      [swap("", "a", [0]), read("a", [1, 2]), set("", [3, 4]), read("a", [5, 6])],
    ],
  ])("is refused: %s", (_, history) => {
    expect(verdict(...history)).toBe("impossible");
  });

  it("may have had what was not answered at any time after, or never", () => {
    expect(verdict(set("a", [0]), read("", [1, 2]), read("a", [3, 4]), read("a", [5, 6]))).toBe("linearizable");
    expect(verdict(set("a", [0]), read("", [1, 2]))).toBe("linearizable");
    expect(verdict(read("a", [0, 1]), set("a", [2]))).toBe("impossible");
  });

  it("says what it is stuck at", () => {
    const found = checkHistory([set("a", [0, 1]), read("b", [2, 3])], "", factsOf);
    expect(found).toMatchObject({ kind: "impossible", needing: ["read b"] });
    const late = checkHistory([set("a", [0, 1]), set("b", [2, 3]), refused("b", [4, 5])], "", factsOf);
    expect(late).toMatchObject({ kind: "impossible", stuck: ["not b"], state: "b" });
  });

  it("is judged as by trying all orders", () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 600; seed++) {
      const history = randomHistory(new SeededRandom(seed));
      const found = verdict(...history);
      expect([seed, found]).toEqual([seed, canBeOrdered(history, "") ? "linearizable" : "impossible"]);
      kinds.add(found);
    }
    expect(kinds.size).toBe(2);
  });
});

describe("the history of a repository that many clients use", () => {
  const LONG = playedHistory(1, 64, 3000);
  /** What was tried with these seeds, and some more. */
  const MOST_TRIED = 5000;

  it.each([1, 2, 3])("is decided, however long it is (seed %i)", (seed) => {
    const history = seed === 1 ? LONG : playedHistory(seed, 64, 3000);
    const found = checkHistory(history, EMPTY, refFacts);
    expect(found.kind).toBe("linearizable");
    expect(found.tried).toBeLessThan(MOST_TRIED);
  });

  it.each([0, 1500, 2900])("is refused with one wrong answer in it, behind %i operations", (from) => {
    for (const wrong of [withStaleRef(LONG, from), withSecondMove(LONG, from)]) {
      const found = checkHistory(wrong, EMPTY, refFacts);
      expect(found.kind).toBe("impossible");
      expect(found.tried).toBeLessThan(2 * MOST_TRIED);
    }
  });

  it("is judged as by trying all orders", () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 300; seed++) {
      const random = new SeededRandom(seed);
      // Each answer may be one that another client was given.
      const history = playedHistory(seed, 3, 5);
      const mixed = history.map((operation) => {
        const { name, called, answered } = operation;
        return random.below(4) === 0 ? { ...random.pick(history), name, called, answered } : operation;
      });
      const found = checkHistory(mixed, EMPTY, refFacts).kind;
      expect([seed, found]).toEqual([seed, canBeOrdered(mixed, EMPTY) ? "linearizable" : "impossible"]);
      kinds.add(found);
    }
    expect(kinds.size).toBe(2);
  });
});

/** Five operations with three values, some of them without an answer. */
function randomHistory(random: SeededRandom): Operation<string>[] {
  return Array.from({ length: 5 }, () => {
    const called = random.below(8);
    const times: Times = random.below(6) === 0 ? [called] : [called, called + 1 + random.below(5)];
    const value = random.pick(["", "a", "b"]);
    return random.pick([
      () => read(value, times),
      () => swap(value, random.pick(["a", "b"]), times),
      () => refused(value, times),
      () => set(value, times),
    ])();
  });
}

/** Tries all orders. */
function canBeOrdered(left: readonly Operation<string>[], state: string): boolean {
  if (left.every(({ answered }) => answered === undefined)) return true;
  const deadline = Math.min(...left.map(({ answered }) => answered ?? Number.POSITIVE_INFINITY));
  return left.some((operation, at) => {
    if (operation.called > deadline) return false;
    const next = operation.apply(state);
    return next !== ILLEGAL && canBeOrdered(left.toSpliced(at, 1), next);
  });
}
