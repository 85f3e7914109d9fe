/** The checker of histories has to find what is wrong with those that are, and to take those that are not. */
import { describe, expect, it } from "vitest";
import { checkHistory, ILLEGAL, type Operation } from "../../support/linearizability.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

type Times = readonly [called: number, answered?: number];

function read(value: string, [called, answered]: Times): Operation<string> {
  return {
    isReading: true,
    name: `read ${value}`,
    called,
    answered,
    apply: (state) => (state === value ? state : ILLEGAL),
  };
}

function swap(old: string, next: string, [called, answered]: Times): Operation<string> {
  return {
    isReading: false,
    name: `${old} -> ${next}`,
    called,
    answered,
    apply: (state) => (state === old ? next : ILLEGAL),
  };
}

function refused(old: string, [called, answered]: Times): Operation<string> {
  return { isReading: true, name: `not ${old}`, called, answered, apply: (state) => (state === old ? ILLEGAL : state) };
}

function set(next: string, [called, answered]: Times): Operation<string> {
  return { isReading: false, name: `set ${next}`, called, answered, apply: () => next };
}

const verdict = (...history: Operation<string>[]): string => checkHistory(history, "").kind;

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
    const found = checkHistory([set("a", [0, 1]), read("b", [2, 3])], "");
    expect(found).toMatchObject({ kind: "impossible", stuck: ["read b"] });
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
