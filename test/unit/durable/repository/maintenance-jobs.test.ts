/** When a job of maintenance is sent, and which step it does, after steps that failed or did nothing. */
import { describe, expect, it } from "vitest";
import type { MaintenanceRun } from "../../../../src/refs/maintenance-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../../support/memory-ref-store.ts";
import { create, createdRecord, oid, packRecord, push } from "../../../suites/ref-store.ts";

const HOUR = 60 * 60_000;
const MINUTE = 60_000;

/** A repository whose clock is set by hand. */
class Bed {
  now = 1_700_000_000_000;
  readonly store: MemoryRefStore = memoryRefStore(() => this.now);
  #pushes = 0;

  async id(): Promise<string> {
    return (await createdRecord(this.store)).id;
  }

  /** Pushes a branch with a pack of `objects`. */
  async push(objects: number, more: { readonly marked?: boolean } = {}): Promise<void> {
    const n = ++this.#pushes;
    const pack = packRecord(n.toString(16).padStart(40, "0"), { objects, ownObjects: objects, ...more });
    await push(this.store, [create(`refs/heads/b${n}`, oid(n))], { pack });
  }

  /** When the next job is sent, in milliseconds from now. */
  get wait(): number | undefined {
    const due = this.store.database.maintenance.nextDue(this.now);
    return due === undefined ? undefined : due - this.now;
  }

  /** Begins a step. Returns which. */
  async begin(): Promise<string> {
    const begun = await this.store.beginMaintenance(await this.id(), []);
    return begun.kind === "begun" ? begun.step : begun.kind;
  }

  async end(step: MaintenanceRun["step"], outcome: MaintenanceRun["outcome"]): Promise<void> {
    const run = { step, outcome, at: this.now, ms: 0, packs: 0, objects: 0, bytes: 0, written: 0 };
    await this.store.endMaintenance(await this.id(), run);
  }

  /** Has a step fail `count` times, each after the rest that the last failure brought. */
  async fail(step: MaintenanceRun["step"], count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.now += this.wait ?? 0;
      await this.end(step, "failed");
    }
  }
}

describe("a job of maintenance", () => {
  it("is sent for a step that comes due while another one rests", async () => {
    const bed = new Bed();
    await bed.push(5000);
    expect(await bed.begin()).toBe("graph");
    await bed.fail("graph", 9);
    expect(bed.wait).toBeGreaterThan(20 * HOUR);
    for (let n = 0; n < 12; n++) await bed.push(3);
    expect(bed.wait).toBe(0);
    expect(await bed.begin()).toBe("roll-up");
    await bed.fail("roll-up", 1);
    expect(bed.wait).toBe(5 * MINUTE);
  });

  it("is sent for a walk whose time comes before the rest of another step ends", async () => {
    const bed = new Bed();
    await bed.push(5000);
    await bed.fail("graph", 9);
    await bed.push(3, { marked: false });
    expect(bed.wait).toBeLessThanOrEqual(2 * MINUTE);
    bed.now += bed.wait ?? 0;
    expect(await bed.begin()).toBe("walk");
  });

  it("purges at once where somebody asks, though walks have failed and other steps are due", async () => {
    const bed = new Bed();
    await bed.push(5000);
    await bed.fail("walk", 9);
    expect(await bed.begin()).toBe("graph");
    await bed.store.askForMaintenance(true);
    expect(bed.wait).toBe(0);
    expect(await bed.begin()).toBe("walk");
    await bed.end("walk", "failed");
    expect(await bed.begin()).toBe("graph");
  });

  it("rests after a step that found nothing to do, though it stays due: no filter can be computed", async () => {
    const bed = new Bed();
    await bed.push(500);
    const id = await bed.id();
    await bed.store.askForMaintenance(false);
    const name = "f".repeat(40);
    await bed.store.beginMaintenance(id, [name]);
    const added = { name, checksum: "c".repeat(40), commits: 50, filters: 10, bytes: 5000 };
    const opened = await bed.store.open({});
    const version = opened.kind === "found" ? opened.version : 0;
    await bed.store.replaceGraphs({ id, version, seen: [], kept: 0, added, objects: 500 });
    await bed.end("graph", "done");
    expect(await bed.store.maintenance()).toMatchObject({ asked: true });
    const waits: (number | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      expect(await bed.begin()).toBe("graph");
      await bed.end("graph", "nothing");
      waits.push(bed.wait);
      bed.now += bed.wait ?? 0;
    }
    expect(waits).toEqual([5 * MINUTE, 10 * MINUTE, 20 * MINUTE]);
    expect((await bed.store.maintenance())?.runs.map(({ outcome }) => outcome)).toEqual(["done"]);
    expect(await bed.store.maintenance()).toMatchObject({ asked: false });
  });

  it("that dies counts as a failure of the step that it had begun: others come first, and then it rests", async () => {
    const bed = new Bed();
    await bed.push(5000);
    for (let n = 0; n < 12; n++) await bed.push(3);
    const { database } = bed.store;
    const die = async (): Promise<string> => {
      expect(database.dueWork(bed.now).maintenance).toBe(true);
      database.maintenance.jobSent(bed.now);
      const step = await bed.begin();
      expect(bed.wait).toBe(15 * MINUTE);
      expect((await bed.store.maintenance())?.runs.some(({ ms }) => ms < 0)).toBe(false);
      bed.now += 15 * MINUTE;
      return step;
    };
    expect(await die()).toBe("roll-up");
    expect(await die()).toBe("graph");
    expect(database.dueWork(bed.now).maintenance).toBe(true);
    expect((await bed.store.maintenance())?.runs).toMatchObject([
      { step: "graph", outcome: "failed", ms: 15 * MINUTE, error: "The job ended without a report." },
      { step: "roll-up", outcome: "failed" },
    ]);
    expect(await die()).toBe("roll-up");
    expect(database.dueWork(bed.now).maintenance).toBe(true);
    expect(await bed.begin()).toBe("graph");
    await bed.end("graph", "failed");
    expect(database.dueWork(bed.now).maintenance).toBe(false);
    expect(bed.wait).toBe(10 * MINUTE);
  });

  it("that was lost before it began anything is sent again, and is no failure", async () => {
    const bed = new Bed();
    await bed.push(5000);
    bed.store.database.maintenance.jobSent(bed.now);
    bed.now += 15 * MINUTE;
    expect(bed.store.database.dueWork(bed.now).maintenance).toBe(true);
    expect((await bed.store.maintenance())?.runs).toEqual([]);
  });
});

it("a file that is damaged is no fault where there was never a repository, or is none any more", async () => {
  const bed = new Bed();
  const { maintenance } = bed.store.database;
  const files = [{ home: "gone", pack: "a", extension: "bitmap" }] as const;
  const stale = { replaced: { kind: "stale" } };
  expect(maintenance.answer({ kind: "damage", files }, bed.now)).toEqual(stale);
  await bed.store.remove(await bed.id());
  expect(maintenance.answer({ kind: "damage", files }, bed.now)).toEqual(stale);
});
