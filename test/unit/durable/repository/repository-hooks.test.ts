import { describe, expect, it } from "vitest";
import { MOST_ATTEMPTS } from "../../../../src/events/backoff.ts";
import type { AttemptResult, HookSettings } from "../../../../src/events/hook.ts";
import {
  KEPT_DELIVERIES,
  MOST_HOOKS,
  MOST_PENDING,
  MOST_REDELIVERIES,
  type RepositoryHooks,
} from "../../../../src/durable/repository/hook-database.ts";
import { type MemoryRefStore, memoryRefStore } from "../../../support/memory-ref-store.ts";
import type { RefUpdate } from "../../../../src/refs/ref-update.ts";
import { create, oid, push } from "../../../suites/ref-store.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ORIGIN = "https://git.example";
const SETTINGS: HookSettings = { url: "https://ci.example/", secret: "s", events: ["push"], active: true };

class Clock {
  now = 1_000_000;
}

async function prepared(clock: Clock): Promise<{ store: MemoryRefStore; hooks: RepositoryHooks; id: string }> {
  const store = memoryRefStore(() => clock.now);
  await push(store, [create("refs/heads/main", oid(1))]);
  const hooks = store.database.hooks();
  const record = await store.describe();
  if (hooks === undefined || record === undefined) throw new Error("no repository");
  return { store, hooks, id: record.id };
}

/** Adds a webhook and delivers its ping. */
function listening(hooks: RepositoryHooks, clock: Clock, change: Partial<HookSettings> = {}): string {
  const hook = hooks.add({ ...SETTINGS, ...change }, ORIGIN, clock.now);
  if (hook === undefined || hook === "too-many") throw new Error("not added");
  const taken = hooks.take(hook.id, clock.now);
  hooks.done(hook.id, (taken?.deliveries ?? []).map(delivered), clock.now);
  return hook.id;
}

const move = (name: string, oldOid: string, newOid: string): RefUpdate => ({ name, oldOid, newOid, forward: true });
const remove = (name: string, oldOid: string): RefUpdate => move(name, oldOid, "0".repeat(40));

const delivered = ({ id }: { readonly id: number }): AttemptResult => ({
  id,
  outcome: "delivered",
  status: 200,
  duration: 5,
});
const failed = ({ id }: { readonly id: number }): AttemptResult => ({
  id,
  outcome: "failed",
  error: "no",
  duration: 5,
});

/** Takes what the alarm would have a job take. */
function takeDue(hooks: RepositoryHooks, hook: string, now: number): { id: number; event: string; ref?: string }[] {
  if (!hooks.due(now).includes(hook)) return [];
  hooks.jobSent(hook, now);
  return (hooks.take(hook, now)?.deliveries ?? []).map(({ id, event, happening }) =>
    happening === undefined ? { id, event } : { id, event, ref: happening.ref },
  );
}

describe("what a webhook is told", () => {
  it("is everything since it was made, once and in order", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock, { events: ["push", "create", "delete"] });
    await push(store, [create("refs/heads/a", oid(2)), create("refs/tags/v1", oid(2)), create("refs/notes/x", oid(2))]);
    await push(store, [move("refs/heads/main", oid(1), oid(2)), remove("refs/heads/a", oid(2))]);
    const told = takeDue(hooks, hook, clock.now);
    expect(told.map(({ event, ref }) => `${event} ${ref}`)).toEqual([
      "push refs/heads/a",
      "create refs/heads/a",
      "push refs/tags/v1",
      "create refs/tags/v1",
      "push refs/notes/x",
      "push refs/heads/main",
      "push refs/heads/a",
      "delete refs/heads/a",
    ]);
    hooks.done(hook, told.map(delivered), clock.now);
    expect(hooks.nextDue(clock.now)).toBeUndefined();
    expect(takeDue(hooks, hook, clock.now + DAY)).toEqual([]);
  });

  it("is only what it asked for, and what happened while it was on", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock, { events: ["delete"] });
    await push(store, [create("refs/heads/a", oid(2))]);
    expect(hooks.nextDue(clock.now)).toBe(clock.now);
    expect(hooks.due(clock.now)).toEqual([]);
    expect(hooks.nextDue(clock.now)).toBeUndefined();
    hooks.change(hook, { events: ["push"], active: false }, { origin: ORIGIN, now: clock.now });
    await push(store, [create("refs/heads/b", oid(2))]);
    expect(hooks.nextDue(clock.now)).toBeUndefined();
    hooks.change(hook, { active: true }, { origin: ORIGIN, now: clock.now });
    await push(store, [create("refs/heads/c", oid(2))]);
    expect(takeDue(hooks, hook, clock.now).map(({ ref }) => ref)).toEqual(["refs/heads/c"]);
  });

  it("says who pushed, with what options, and the secret to sign with", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(store, [create("refs/heads/a", oid(2))], { pushOptions: ["ci.skip"] });
    hooks.due(clock.now);
    expect(hooks.take(hook, clock.now)).toMatchObject({
      hook: { secret: "s", url: "https://ci.example/" },
      origin: ORIGIN,
      repository: { head: "refs/heads/main" },
      deliveries: [
        {
          event: "push",
          attempts: 0,
          happening: { ref: "refs/heads/a", newOid: oid(2), options: ["ci.skip"], actor: "tester", at: clock.now },
        },
      ],
    });
    expect(JSON.stringify([hooks.list(), hooks.deliveries(hook)])).not.toContain('"secret"');
  });

  it("is of a mirror once that it brought something, beside each ref", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock, { events: ["push", "sync"] });
    await push(store, [create("refs/heads/a", oid(2))], { actor: "mirror" });
    await push(store, [create("refs/heads/b", oid(2)), create("refs/heads/c", oid(2))], { actor: "mirror" });
    await push(store, [create("refs/heads/d", oid(2))]);
    const told = takeDue(hooks, hook, clock.now).map(({ event }) => event);
    expect(told).toEqual(["push", "sync", "push", "sync", "push", "push"]);
    expect(hooks.deliveries(hook)?.find(({ event }) => event === "sync")).not.toHaveProperty("ref");
  });

  it("waits in the log where very much happens, and comes in time", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock, { events: ["push", "create"] });
    const refs = Array.from({ length: 1500 }, (_, at) => `refs/heads/b${at}`);
    await push(
      store,
      refs.map((name) => create(name, oid(2))),
    );
    const told: string[] = [];
    for (let jobs = 0; jobs < 100; jobs++) {
      const taken = takeDue(hooks, hook, clock.now);
      if (taken.length === 0) break;
      expect(taken.length).toBeLessThanOrEqual(50);
      expect((hooks.deliveries(hook) ?? []).filter(({ state }) => state === "pending").length).toBeLessThanOrEqual(
        MOST_PENDING,
      );
      told.push(...taken.map(({ event, ref }) => `${event} ${ref}`));
      hooks.done(hook, taken.map(delivered), clock.now);
    }
    expect(told).toEqual(refs.flatMap((name) => [`push ${name}`, `create ${name}`]));
    expect(hooks.deliveries(hook)).toHaveLength(KEPT_DELIVERIES);
  });
});

describe("a delivery", () => {
  it("is tried again later and later, and given up after a day", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(store, [create("refs/heads/a", oid(2))]);
    const began = clock.now;
    let pause = 0;
    let attempts = 0;
    for (;;) {
      const taken = takeDue(hooks, hook, clock.now);
      expect(taken).toHaveLength(1);
      hooks.done(hook, taken.map(failed), clock.now);
      attempts += 1;
      const next = hooks.nextDue(clock.now);
      if (next === undefined) break;
      expect(takeDue(hooks, hook, next - 1)).toEqual([]);
      expect(next - clock.now).toBeGreaterThan(pause);
      pause = next - clock.now;
      clock.now = next;
    }
    expect(attempts).toBe(MOST_ATTEMPTS);
    expect(clock.now - began).toBeGreaterThan(DAY);
    expect(clock.now - began).toBeLessThan(1.5 * DAY);
    expect(hooks.deliveries(hook)?.[0]).toMatchObject({ state: "failed", attempts, error: "no" });
  });

  it("is not held back by one that fails", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(store, [create("refs/heads/a", oid(2)), create("refs/heads/b", oid(2))]);
    const [first, second] = takeDue(hooks, hook, clock.now);
    if (first === undefined || second === undefined) throw new Error("not both are due");
    hooks.done(hook, [failed(first), delivered(second)], clock.now);
    await push(store, [create("refs/heads/c", oid(2))]);
    expect(takeDue(hooks, hook, clock.now).map(({ ref }) => ref)).toEqual(["refs/heads/c"]);
  });

  it("is one job's at a time, and another's where that one is lost", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(store, [create("refs/heads/a", oid(2))]);
    const taken = takeDue(hooks, hook, clock.now);
    expect(taken).toHaveLength(1);
    expect(hooks.due(clock.now + MINUTE)).toEqual([]);
    // The queue delivered the job twice.
    expect(hooks.take(hook, clock.now + MINUTE)).toBeUndefined();
    const lost = hooks.nextDue(clock.now) ?? 0;
    expect(lost).toBeGreaterThan(clock.now + MINUTE);
    expect(takeDue(hooks, hook, lost)).toEqual(taken);
    // What the job had no time for is due at once.
    hooks.done(hook, [], lost);
    expect(takeDue(hooks, hook, lost)).toEqual(taken);
  });

  it("is repeated under the same name", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(store, [create("refs/heads/a", oid(2))]);
    hooks.done(hook, takeDue(hooks, hook, clock.now).map(delivered), clock.now);
    const [first] = hooks.deliveries(hook) ?? [];
    if (first === undefined) throw new Error("no delivery");
    expect(hooks.redeliver(hook, first.id, clock.now)).toMatchObject({
      guid: first.guid,
      redelivery: true,
      attempts: 0,
    });
    expect(takeDue(hooks, hook, clock.now)).toMatchObject([{ event: "push", ref: "refs/heads/a" }]);
    expect(hooks.redeliver(hook, 999, clock.now)).toBeUndefined();
    expect(hooks.redeliver("another", first.id, clock.now)).toBeUndefined();
  });

  it("is repeated as often at once as there are places, and again when a receiver has answered", async () => {
    const clock = new Clock();
    const { hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    const [first] = hooks.deliveries(hook) ?? [];
    if (first === undefined) throw new Error("no delivery");
    const repeat = (): unknown => hooks.redeliver(hook, first.id, clock.now);
    for (let n = 0; n < MOST_REDELIVERIES; n++) expect(repeat()).toMatchObject({ redelivery: true });
    expect(repeat()).toBe("too-many");
    const pending = (): number => (hooks.deliveries(hook) ?? []).filter(({ state }) => state === "pending").length;
    expect(pending()).toBe(MOST_REDELIVERIES);
    // One that failed keeps its place until it is given up.
    const [one, two, ...others] = takeDue(hooks, hook, clock.now);
    if (one === undefined || two === undefined) throw new Error("not enough are due");
    hooks.done(hook, [failed(one), delivered(two)], clock.now);
    expect(repeat()).toMatchObject({ redelivery: true });
    expect(repeat()).toBe("too-many");
    expect(others.length).toBeGreaterThan(0);
  });

  it("is not repeated while everything waits that may", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    await push(
      store,
      Array.from({ length: MOST_PENDING + 5 }, (_, n) => create(`refs/heads/b${n}`, oid(2))),
    );
    hooks.due(clock.now);
    const [, ...rest] = hooks.deliveries(hook) ?? [];
    const waiting = rest.filter(({ state }) => state === "pending").length + 1;
    const [ping] = rest.filter(({ state }) => state === "delivered");
    if (ping === undefined) throw new Error("no delivery");
    for (let n = waiting; n < MOST_PENDING; n++) {
      expect(hooks.redeliver(hook, ping.id, clock.now)).toMatchObject({ redelivery: true });
    }
    expect(hooks.redeliver(hook, ping.id, clock.now)).toBe("too-many");
  });
});

describe("a webhook", () => {
  it("is turned off after three days without a delivery, not before", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    const failOne = async (ref: string): Promise<void> => {
      await push(store, [create(ref, oid(2))]);
      hooks.done(hook, takeDue(hooks, hook, clock.now).map(failed), clock.now);
    };
    await failOne("refs/heads/a");
    clock.now += 3 * DAY - 1;
    await failOne("refs/heads/b");
    expect(hooks.list()[0]?.active).toBe(true);
    clock.now += 1;
    await failOne("refs/heads/c");
    expect(hooks.list()[0]).toMatchObject({ active: false, disabledWhy: "No delivery succeeded for three days." });
    expect(hooks.nextDue(clock.now)).toBeUndefined();
    expect(hooks.take(hook, clock.now)).toBeUndefined();
    expect(hooks.deliveries(hook)?.every(({ state }) => state !== "pending")).toBe(true);
    hooks.change(hook, { active: true }, { origin: ORIGIN, now: clock.now });
    await failOne("refs/heads/d");
    expect(hooks.list()[0]).toMatchObject({ active: true });
  });

  it("stays on where one delivery in three days succeeds", async () => {
    const clock = new Clock();
    const { store, hooks } = await prepared(clock);
    const hook = listening(hooks, clock);
    for (let day = 0; day < 6; day++) {
      await push(store, [create(`refs/heads/${day}`, oid(2))]);
      const taken = takeDue(hooks, hook, clock.now);
      hooks.done(hook, taken.map(day === 2 ? delivered : failed), clock.now);
      clock.now += DAY;
    }
    expect(hooks.list()[0]?.active).toBe(true);
  });

  it("goes with its deliveries, and with the repository", async () => {
    const clock = new Clock();
    const { store, hooks, id } = await prepared(clock);
    const hook = listening(hooks, clock);
    const kept = listening(hooks, clock);
    expect(hooks.remove(hook)).toBe(true);
    expect(hooks.remove(hook)).toBe(false);
    expect(hooks.deliveries(hook)).toBeUndefined();
    hooks.done(hook, [], clock.now);
    expect(hooks.list().map((other) => other.id)).toEqual([kept]);
    await store.remove();
    await push(store, [create("refs/heads/main", oid(1))]);
    expect(store.database.hooks()?.list()).toEqual([]);
    // A job that was left over finds another repository under the name.
    expect(store.database.hooks(id)).toBeUndefined();
  });

  it("is one of at most twenty", async () => {
    const clock = new Clock();
    const { hooks } = await prepared(clock);
    for (let at = 0; at < MOST_HOOKS; at++) listening(hooks, clock);
    expect(hooks.add(SETTINGS, ORIGIN, clock.now)).toBe("too-many");
  });
});
