/**
 * The objects that a ring still has.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { HeldObjects } from "../../../src/store/held-objects.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { pseudoRandom } from "../../support/store.ts";

/** What a map would say, for as long as the ring has it. */
class Model {
  readonly ring: ObjectRing;
  readonly objects = new Map<string, { type: number; held: { position: number; size: number } }>();

  constructor(capacity: number) {
    this.ring = new ObjectRing(0, capacity);
  }
}

describe("HeldObjects", () => {
  it("finds an object that was kept while the ring has it, and nothing else", () => {
    const model = new Model(1_000_000);
    const held = new HeldObjects(model.ring);
    const random = pseudoRandom(7);
    let [found, lost] = [0, 0];
    for (let step = 0; step < 60_000; step++) {
      const pack = random(3);
      const offset = random(2) * 2 ** 33 + random(20_000) * 12;
      const key = `${pack}/${offset}`;
      const known = model.objects.get(key);
      const object = held.find(pack, offset);
      expect(held.has(pack, offset)).toBe(object !== undefined);
      if (object !== undefined) {
        expect(object).toEqual(known);
        expect(model.ring.holds(object.held.position)).toBe(true);
        found++;
      } else if (known !== undefined && model.ring.holds(known.held.position)) {
        lost++;
      }
      const size = 20 + random(300);
      const fresh = { type: 1 + random(4), held: { position: model.ring.reserve(size), size } };
      held.keep(pack, offset, fresh);
      model.objects.set(key, fresh);
      expect(held.find(pack, offset)).toEqual(fresh);
    }
    expect(found).toBeGreaterThan(1000);
    // there is room for all that the ring holds, but not always where it has to be
    expect(lost).toBeLessThan(found / 100);
  });

  it("is bounded, and forgets the objects that were kept longest ago", () => {
    const model = new Model(1_000_000);
    const held = new HeldObjects(model.ring);
    for (let at = 0; at < 200_000; at++)
      held.keep(0, at, { type: 3, held: { position: model.ring.reserve(1), size: 1 } });
    let count = 0;
    for (let at = 0; at < 200_000; at++) if (held.has(0, at)) count++;
    expect(count).toBeLessThanOrEqual(65_536);
    expect(count).toBeGreaterThan(50_000);
    expect(held.has(0, 199_999)).toBe(true);
    held.free();
    expect(held.has(0, 199_999)).toBe(false);
  });
});
