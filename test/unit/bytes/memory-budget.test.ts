import { describe, expect, it } from "vitest";
import { keptMemory, type MemoryClaim } from "../../../src/bytes/budget-limits.ts";
import { ClientTooSlow, HostBusy } from "../../../src/bytes/failure.ts";
import type { RequestMemory } from "../../../src/bytes/memory-budget.ts";
import { TICK } from "../../../src/bytes/memory-holding.ts";
import { ManualClock, memoryBudget, settle } from "../../support/memory.ts";

/** A claim, and its state so far. */
class Asked {
  state: "waiting" | "granted" | "busy" = "waiting";
  failure: HostBusy | undefined;
  readonly memory: RequestMemory;

  constructor(memory: RequestMemory, bytes: number, more: Partial<MemoryClaim> = {}) {
    this.memory = memory;
    void this.#ask({ bytes, ...more });
  }

  async #ask(claim: MemoryClaim): Promise<void> {
    try {
      await this.memory.claim(claim);
      this.state = "granted";
    } catch (error) {
      this.state = "busy";
      if (error instanceof HostBusy) this.failure = error;
    }
  }
}

const never = new Promise<never>(() => undefined);

describe("MemoryBudget", () => {
  it("grants the claims that fit, and the others when memory is freed", async () => {
    const budget = memoryBudget({ bytes: 100 });
    const [first, second] = [new Asked(budget.open("a"), 60), new Asked(budget.open("b"), 60)];
    await settle();
    expect([first.state, second.state]).toEqual(["granted", "waiting"]);
    first.memory.giveBack(60);
    await settle();
    expect([second.state, budget.held, budget.waiting]).toEqual(["granted", 60, 0]);
  });

  it("grants first to the share that holds least, and within a share to the oldest claim", async () => {
    const budget = memoryBudget({ bytes: 100 });
    const crowd = Array.from({ length: 20 }, () => new Asked(budget.open("crowd"), 50));
    const other = new Asked(budget.open("other"), 50);
    await settle();
    expect(crowd.map(({ state }) => state).slice(0, 3)).toEqual(["granted", "granted", "waiting"]);
    crowd[1]?.memory.giveBack(50);
    await settle();
    expect([other.state, crowd[2]?.state]).toEqual(["granted", "waiting"]);
    other.memory.giveBack(50);
    await settle();
    expect([crowd[2]?.state, crowd[3]?.state]).toEqual(["granted", "waiting"]);
  });

  it("takes back what a request held that was cut off while it waited for its client", async () => {
    // The platform ends the timers of a request together with it.
    const [clock, ended] = [new ManualClock(), new ManualClock()];
    let isCut = false;
    const budget = memoryBudget(
      { bytes: 100 },
      {
        now: () => clock.now(),
        after: (milliseconds, then) => (isCut ? clock : ended).after(milliseconds, then),
      },
    );
    const lost = new Asked(budget.open("a"), 80);
    await settle();
    void lost.memory.whileClient(never);
    isCut = true;
    const next = new Asked(budget.open("b"), 80);
    await clock.pass(4000);
    expect(next.state).toBe("waiting");
    await clock.pass(2000);
    expect([next.state, budget.held]).toEqual(["granted", 80]);
  });

  it("takes back what a request held whose connection was reset, wherever it was", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, patience: 60_000 }, clock);
    const lost = new Asked(budget.open("a"), 80);
    await settle();
    const queued = new Asked(budget.open("c"), 80);
    const next = new Asked(budget.open("b"), 80);
    queued.memory.cutOff();
    lost.memory.cutOff();
    for (let i = 0; i < 4; i++) {
      // As long as it does something, it holds what it held.
      await clock.pass(1500);
      lost.memory.hold(1);
      lost.memory.hold(-1);
    }
    expect([next.state, budget.held]).toEqual(["waiting", 80]);
    await clock.pass(2500);
    expect([queued.state, next.state, budget.held]).toEqual(["waiting", "granted", 80]);
  });

  it("takes nothing from a request that waits for its client and lives", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, patience: 20_000 }, clock);
    const slow = new Asked(budget.open("a"), 80);
    await settle();
    void slow.memory.whileClient(never);
    const next = new Asked(budget.open("b"), 80);
    await clock.pass(19_000);
    expect([next.state, budget.held]).toEqual(["waiting", 80]);
  });

  it("lets no smaller claim pass a large one that came before", async () => {
    const budget = memoryBudget({ bytes: 100 });
    const first = new Asked(budget.open("a"), 60);
    const large = new Asked(budget.open("b"), 90);
    const small = new Asked(budget.open("c"), 10);
    await settle();
    expect([first.state, large.state, small.state]).toEqual(["granted", "waiting", "waiting"]);
    first.memory.giveBack(60);
    await settle();
    expect([large.state, small.state]).toEqual(["granted", "granted"]);
  });

  it("gives a request that has begun to answer its memory back before others begin, and not before those that hold some", async () => {
    const budget = memoryBudget({ bytes: 100, waitingOfShare: 2 });
    const holder = new Asked(budget.open("a"), 60);
    const holding = new Asked(budget.open("b"), 20);
    const first = new Asked(budget.open("c"), 50);
    const second = new Asked(budget.open("c"), 50);
    await settle();
    // It is refused for no queue.
    const begun = new Asked(budget.open("c"), 50, { isResumed: true });
    const further = new Asked(holding.memory, 30);
    await settle();
    const states = () => [further, begun, first, second].map(({ state }) => state);
    expect(states()).toEqual(["waiting", "waiting", "waiting", "waiting"]);
    holder.memory.giveBack(60);
    await settle();
    expect(states()).toEqual(["granted", "granted", "waiting", "waiting"]);
    begun.memory.giveBack(50);
    await settle();
    expect(states()).toEqual(["granted", "granted", "granted", "waiting"]);
  });

  it("bounds what of one caller is resumed, by itself, and judges newcomers by first claims alone", async () => {
    const limits = { bytes: 100, waiting: 4, waitingOfShare: 2, waitingOfCaller: 3, waitingOfOthers: 1 };
    const budget = memoryBudget(limits);
    const holder = new Asked(budget.open("holder"), 100);
    const resumed = (share: string, caller: string): Asked =>
      new Asked(budget.open(share, caller), 10, { isResumed: true });
    const told = (all: readonly Asked[]): string[] => all.map(({ state, failure }) => failure?.reason ?? state);
    const crowd = ["one", "one", "one", "two", "two"].map((share) => resumed(share, "crowd"));
    // No queue of others refuses what was begun, however long it is.
    const others = ["a", "b", "c", "d"].map((name) => resumed(name, name));
    // Who says that it is not resumed, and who says nothing, count as the same.
    const first = ["crowd", "e", "f", "g", "h"].map((name, at) => {
      const more = at % 2 === 0 ? {} : { isResumed: false };
      return new Asked(budget.open(name), 10, more);
    });
    await settle();
    expect(told(crowd)).toEqual(["waiting", "waiting", "share", "waiting", "caller"]);
    expect(told(others)).toEqual(["waiting", "waiting", "waiting", "waiting"]);
    expect(told(first)).toEqual(["waiting", "waiting", "waiting", "waiting", "host"]);
    expect([holder.state, budget.waiting]).toEqual(["granted", 11]);
  });

  it("serves in turns what is resumed and what begins, each to the share that holds least", async () => {
    const budget = memoryBudget({ bytes: 100 });
    const held = new Asked(budget.open("crowd"), 10);
    const holder = new Asked(budget.open("holder"), 90);
    await settle();
    const asked = (share: string, isResumed: boolean): Asked => new Asked(budget.open(share), 90, { isResumed });
    const crowd = [asked("crowd", true), asked("crowd", true), asked("crowd", true)];
    const other = asked("other", true);
    const first = [asked("a", false), asked("b", false)];
    const all = [...crowd, other, ...first];
    const order: number[] = [];
    for (let last = holder; order.length < all.length;) {
      last.memory.giveBack(90);
      await settle();
      const next = all.findIndex(({ state }, at) => state === "granted" && !order.includes(at));
      order.push(next);
      const granted = all[next];
      if (granted === undefined) break;
      last = granted;
    }
    expect(order).toEqual([3, 4, 0, 5, 1, 2]);
    expect(held.state).toBe("granted");
  });

  it("lets what is resumed pass what begins once, and then has it wait its turn", async () => {
    const budget = memoryBudget({ bytes: 100 });
    const holder = new Asked(budget.open("a"), 60);
    const large = new Asked(budget.open("b"), 90);
    await settle();
    const begun = [1, 2].map(() => new Asked(budget.open("c"), 10, { isResumed: true }));
    await settle();
    expect([large, ...begun].map(({ state }) => state)).toEqual(["waiting", "granted", "waiting"]);
    holder.memory.giveBack(60);
    await settle();
    expect([large, ...begun].map(({ state }) => state)).toEqual(["granted", "granted", "waiting"]);
  });

  it("waits as long for what a request resumes as for its client", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, patience: 30_000, standstill: 120_000 }, clock);
    const holder = new Asked(budget.open("a"), 60);
    const [begun, late] = ["b", "c"].map((share) => new Asked(budget.open(share), 60, { isResumed: true }));
    await clock.pass(119_000);
    holder.memory.giveBack(60);
    await clock.pass(1000);
    expect([begun?.state, late?.state]).toEqual(["granted", "busy"]);
  });

  it("ends the request that holds most where requests grow together, and has the others wait", async () => {
    const budget = memoryBudget({ bytes: 100, reserve: 20 });
    const [large, small] = [budget.open("a"), budget.open("b")];
    await large.claim({ bytes: 10 });
    await small.claim({ bytes: 10 });
    large.hold(40);
    small.hold(21);
    let waits = true;
    const waiting = small.room().then(() => (waits = false));
    await settle();
    expect(waits).toBe(true);
    // what is kept for requests that are about to end is not for one that grows
    const further = new Asked(large, 15);
    await settle();
    expect(further.state).toBe("granted");
    large.giveBack(15);
    await expect(large.room()).rejects.toThrow(HostBusy);
    large.hold(-40);
    await waiting;
    expect(budget.waiting).toBe(0);
  });

  it("has what is kept give way to what is held without asking", () => {
    const budget = memoryBudget({ bytes: 100 });
    let kept = 70;
    budget.keep(
      keptMemory(
        () => kept,
        (bytes) => (kept -= Math.min(kept, bytes)),
      ),
    );
    const memory = budget.open("a");
    memory.hold(50);
    expect([kept, budget.used]).toEqual([50, 100]);
    expect([memory.hasRoom(50), memory.hasRoom(51)]).toEqual([true, false]);
  });

  it("lets a request hold what there is room for without waiting, and not more", async () => {
    const budget = memoryBudget({ bytes: 100, reserve: 20 });
    const [one, other] = [budget.open("a"), budget.open("b")];
    await one.claim({ bytes: 30 });
    expect([one.holdUpTo(40), one.bytes, budget.free]).toEqual([40, 70, 10]);
    expect([other.holdUpTo(40), other.holdUpTo(40), other.bytes]).toEqual([10, 0, 10]);
    other.hold(15);
    expect([budget.isOver, one.holdUpTo(5), one.bytes]).toEqual([true, 0, 70]);
  });

  it("bounds what of one caller waits over all shares, and keeps places for others", async () => {
    const limits = { bytes: 100, waiting: 6, waitingOfShare: 2, waitingOfCaller: 3, waitingOfOthers: 2 };
    const budget = memoryBudget(limits);
    const holder = new Asked(budget.open("holder"), 100);
    const asked = (share: string, caller: string): Asked => new Asked(budget.open(share, caller), 10);
    const crowd = ["one", "one", "one", "two", "two"].map((share) => asked(share, "crowd"));
    await settle();
    expect(crowd.map(({ state, failure }) => failure?.reason ?? state)).toEqual([
      "waiting",
      "waiting",
      "share",
      "waiting",
      "caller",
    ]);
    const others = [
      asked("a", "a"),
      asked("a", "a"),
      asked("b", "b"),
      asked("b", "b"),
      asked("c", "c"),
      asked("d", "d"),
    ];
    await settle();
    expect(others.map(({ state, failure }) => failure?.reason ?? state)).toEqual([
      "waiting",
      "host",
      "waiting",
      "host",
      "waiting",
      "host",
    ]);
    expect(holder.state).toBe("granted");
  });

  it("keeps room for a request that holds something and needs more", async () => {
    const budget = memoryBudget({ bytes: 100, reserve: 30 });
    const first = new Asked(budget.open("a"), 40);
    const second = new Asked(budget.open("b"), 40);
    const more = new Asked(first.memory, 30);
    await settle();
    expect([first.state, second.state, more.state]).toEqual(["granted", "waiting", "granted"]);
  });

  it("keeps room for small claims, which wait for no larger one", async () => {
    const budget = memoryBudget({ bytes: 100, reserve: 30, small: { room: 10, bytes: 5 } });
    const first = new Asked(budget.open("a"), 60);
    const large = new Asked(budget.open("b"), 20);
    await settle();
    const more = new Asked(first.memory, 30);
    const small = Array.from({ length: 3 }, () => new Asked(budget.open("c"), 5));
    await settle();
    expect([large.state, more.state]).toEqual(["waiting", "granted"]);
    expect(small.map(({ state }) => state)).toEqual(["granted", "granted", "waiting"]);
    expect(budget.held).toBe(100);
    small[0]?.memory.giveBack(5);
    await settle();
    expect([small[2]?.state, large.state]).toEqual(["granted", "waiting"]);
  });

  it("grants the first claim of a request that is alone, even beyond the limit", async () => {
    const budget = memoryBudget({ bytes: 100, reserve: 30 });
    const first = new Asked(budget.open("a"), 500);
    const second = new Asked(budget.open("b"), 10);
    await settle();
    expect([first.state, second.state]).toEqual(["granted", "waiting"]);
  });

  it("frees kept memory for claims", async () => {
    const budget = memoryBudget({ bytes: 100 });
    let kept = 80;
    const cache = keptMemory(
      () => kept,
      (bytes) => {
        kept = Math.max(30, kept - bytes);
      },
    );
    budget.keep(cache);
    const first = new Asked(budget.open("a"), 40);
    await settle();
    expect([first.state, kept]).toEqual(["granted", 60]);
    const second = new Asked(budget.open("b"), 40);
    await settle();
    expect([second.state, kept]).toEqual(["waiting", 30]);
  });

  it("refuses a claim after a while, and at once if too many wait", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 10, waiting: 3, waitingOfShare: 2, patience: 20_000 }, clock);
    const asked = ["a", "a", "a", "a", "b", "c"].map((share) => new Asked(budget.open(share), 10));
    await settle();
    expect(asked.map(({ state }) => state)).toEqual(["granted", "waiting", "waiting", "busy", "waiting", "busy"]);
    expect(asked[3]?.failure).toMatchObject({ reason: "share", retryAfter: 10 });
    expect(asked[5]?.failure).toMatchObject({ reason: "host" });
    await clock.pass(19_999);
    expect(asked[1]?.state).toBe("waiting");
    await clock.pass(1);
    expect(asked.map(({ state }) => state)).toEqual(["granted", "busy", "busy", "busy", "busy", "busy"]);
    expect(budget.waiting).toBe(0);
  });
});

describe("RequestMemory", () => {
  /** Returns how a wait for a client ended. */
  async function outcome(step: Promise<unknown>): Promise<string> {
    try {
      return String(await step);
    } catch (error) {
      return error instanceof ClientTooSlow ? error.reason : "another fault";
    }
  }

  const PRESSED = { much: 2000, little: 10_000, muchBytes: 20, turnover: 60_000, judgedAfter: 3000 };

  it("ends a wait for a client that stands still", async () => {
    const clock = new ManualClock();
    const memory = memoryBudget({ standstill: 120_000 }, clock).open("a");
    const waiting = outcome(memory.whileClient(never));
    await clock.pass(119_000);
    const quick = outcome(memory.whileClient(Promise.resolve("taken")));
    await clock.pass(1000);
    expect([await waiting, await quick]).toEqual(["standstill", "taken"]);
  });

  it("ends the wait of the request that holds most, and only when others need memory", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, pressed: PRESSED, standstill: 600_000 }, clock);
    const ended: string[] = [];
    for (const [name, bytes] of [
      ["small", 5],
      ["large", 60],
      ["middle", 30],
    ] as const) {
      const memory = budget.open(name);
      memory.hold(bytes);
      const hold = async (): Promise<void> => {
        ended.push(`${name}: ${await outcome(memory.whileClient(never))}`);
        memory.hold(-bytes);
      };
      void hold();
    }
    await clock.pass(60_000);
    expect(ended).toEqual([]);
    const asked = new Asked(budget.open("other"), 50);
    await clock.pass(1000);
    expect(ended).toEqual(["large: pressed"]);
    expect(asked.state).toBe("granted");
    await clock.pass(30_000);
    expect(ended).toHaveLength(1);
  });

  it("does not end a wait that has only just begun", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, pressed: PRESSED, patience: 60_000 }, clock);
    const holder = budget.open("a");
    holder.hold(90);
    const asked = new Asked(budget.open("b"), 50);
    for (let i = 0; i < 10; i++) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const step = outcome(holder.whileClient(promise));
      await clock.pass(1500);
      resolve("taken");
      expect(await step).toBe("taken");
      holder.moved(10);
    }
    expect(asked.state).toBe("waiting");
  });

  it("ends no request because the isolate was late itself", async () => {
    const clock = new ManualClock();
    const budget = memoryBudget({ bytes: 100, pressed: PRESSED, patience: 600_000, standstill: 60_000 }, clock);
    const holder = budget.open("a");
    holder.hold(90);
    const asked = new Asked(budget.open("b"), 50);
    await clock.pass(0);
    // Others' work keeps each step from being seen, and takes long by itself once.
    for (const late of [...Array.from({ length: 30 }, () => 1000), 200_000]) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const step = outcome(holder.whileClient(promise));
      clock.stall(late);
      await clock.pass(0);
      resolve("taken");
      expect(await step).toBe("taken");
      holder.moved(1);
    }
    expect(asked.state).toBe("waiting");
    const step = outcome(holder.whileClient(never));
    await clock.pass(PRESSED.much + TICK);
    expect(await step).toBe("pressed");
  });

  it("ends the request whose client moves least for what it holds, while others wait", async () => {
    const clock = new ManualClock();
    const limits = { bytes: 100_000, pressed: PRESSED, patience: 60_000, standstill: 600_000 };
    const budget = memoryBudget(limits, clock);
    const ended: string[] = [];
    /** Moves `bytes` each second for a request that holds `held`. */
    const drip = async (name: string, held: number, bytes: number): Promise<void> => {
      const memory = budget.open(name);
      memory.hold(held);
      try {
        for (;;) {
          const { promise, resolve } = Promise.withResolvers<void>();
          clock.after(1000, () => resolve());
          await memory.whileClient(promise);
          memory.moved(bytes);
        }
      } catch (error) {
        ended.push(error instanceof ClientTooSlow ? `${name}: ${error.reason}` : String(error));
        memory.hold(-held);
      }
    };
    // In a minute, each of these would have moved a third, a half and the double of what it holds.
    void drip("third", 12_000, 66);
    void drip("half", 24_000, 200);
    void drip("double", 60_000, 2000);
    await clock.pass(30_000);
    expect(ended).toEqual([]);
    const asked = new Asked(budget.open("other"), 10_000);
    await clock.pass(6000);
    expect(ended).toEqual(["third: pressed"]);
    expect(asked.state).toBe("granted");
    const more = new Asked(budget.open("another"), 10_000);
    await clock.pass(6000);
    expect(ended).toEqual(["third: pressed", "half: pressed"]);
    const last = new Asked(budget.open("the last"), 60_000);
    await clock.pass(20_000);
    expect([more.state, last.state, ended.length]).toEqual(["granted", "waiting", 2]);
  });

  it("frees what can be made again, once per wait", async () => {
    const clock = new ManualClock();
    const memory = memoryBudget({ parkAfter: 1000 }, clock).open("a");
    let parked = 0;
    memory.parkWith(() => {
      parked++;
    });
    void memory.whileClient(never);
    await clock.pass(900);
    expect(parked).toBe(0);
    await clock.pass(5000);
    expect(parked).toBe(1);
  });
});
