import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { addSlice, anchorsLeft, reachedPacks, splitNames } from "../../../src/mirror/slice-anchors.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import type { Slice } from "../../../src/refs/mirror-store.ts";
import { create } from "../../suites/ref-store.ts";

const FORMAT = objectFormat("sha1");
const oid = (number: number): string => number.toString(16).padStart(40, "0");
const raw = (...numbers: number[]): Uint8Array => fromHex(numbers.map(oid).join("")) ?? new Uint8Array(0);
const numbered = (name: Uint8Array): number => (name[18] ?? 0) * 256 + (name[19] ?? 0);
const numbersOf = (names: Uint8Array): number[] => Array.from(splitNames(names, FORMAT), numbered);

/** A pack whose objects refer to some names. */
function pack(name: string, refersTo: readonly number[], marked = true): Parameters<typeof addSlice>[2] {
  return { record: { name, marked }, refersTo: (asked) => refersTo.includes(numbered(asked)) };
}

const updates = (...values: number[]): ReturnType<typeof create>[] =>
  values.map((value, i) => create(`refs/heads/${i}`, oid(value)));

/** Two slices: the second refers to commit 1 of the first; 2 is a tag. */
function two(): Slice {
  return addSlice(addSlice(undefined, raw(1, 2), pack("a", []), FORMAT), raw(3), pack("b", [1]), FORMAT);
}

describe("the anchors of slices", () => {
  it("are the objects to which nothing refers", () => {
    const slice = two();
    expect(numbersOf(slice.anchors)).toEqual([2, 3]);
    expect(slice.packs).toEqual(["a", "b"]);
  });

  it("may be referred to in their own pack", () => {
    expect(numbersOf(addSlice(undefined, raw(1, 2), pack("a", [1]), FORMAT).anchors)).toEqual([2]);
  });

  it("all stay once a pack has objects that they don't reach", () => {
    const first = addSlice(undefined, raw(1), pack("a", [], false), FORMAT);
    expect(first.packs).toBeUndefined();
    const second = addSlice(first, raw(2), pack("b", [1]), FORMAT);
    expect(numbersOf(second.anchors)).toEqual([1, 2]);
    expect(second.packs).toBeUndefined();
  });

  it("fit a row, and prove nothing once some were dropped for that", () => {
    const many = raw(...Array.from({ length: 60_000 }, (_, i) => i));
    const slice = addSlice(undefined, many, pack("a", []), FORMAT);
    expect(slice.anchors.length).toBeLessThanOrEqual(1024 * 1024);
    expect(slice.anchors.length % FORMAT.rawSize).toBe(0);
    expect(numbersOf(slice.anchors).at(-1)).toBe(59_999);
    expect(slice.packs).toBeUndefined();
  });
});

describe("the packs of slices", () => {
  it("are reached if refs get every anchor that is left", () => {
    const left = anchorsLeft(two().anchors, pack("c", [3]), FORMAT);
    expect(reachedPacks(two(), left, updates(9, 2), FORMAT)).toEqual(["a", "b"]);
  });

  it("are reached if the last slice brought everything, and no pack comes with the refs", () => {
    const left = anchorsLeft(two().anchors, undefined, FORMAT);
    expect(reachedPacks(two(), left, updates(3, 2), FORMAT)).toEqual(["a", "b"]);
  });

  it("are not reached if an anchor gets no ref: a dropped tag, a rewritten branch", () => {
    const withoutTag = anchorsLeft(two().anchors, pack("c", [3]), FORMAT);
    expect(reachedPacks(two(), withoutTag, updates(9), FORMAT)).toEqual([]);
    const rewritten = anchorsLeft(two().anchors, pack("c", []), FORMAT);
    expect(reachedPacks(two(), rewritten, updates(9, 2), FORMAT)).toEqual([]);
  });

  it("are not reached through a pack that the refs do not reach", () => {
    const left = anchorsLeft(two().anchors, pack("c", [3], false), FORMAT);
    expect(reachedPacks(two(), left, updates(9, 2), FORMAT)).toEqual([]);
  });

  it("are not reached if that is not known for some pack, or there is none", () => {
    const slice = addSlice(undefined, raw(1), pack("a", [], false), FORMAT);
    expect(reachedPacks(slice, slice.anchors, updates(1), FORMAT)).toEqual([]);
    expect(reachedPacks(undefined, new Uint8Array(0), updates(1), FORMAT)).toEqual([]);
  });
});

/** Objects by number, each with those that it refers to, all of lower numbers. */
type Graph = readonly (readonly number[])[];

const OBJECTS = 24;
const someObjects = fc.uniqueArray(fc.integer({ min: 0, max: OBJECTS - 1 }), { maxLength: 4 });
const graphs: fc.Arbitrary<Graph> = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: OBJECTS, maxLength: OBJECTS })
  .map((all) => all.map((links, at) => (at === 0 ? [] : links.map((link) => link % at))));

function reachedFrom(graph: Graph, names: Iterable<number>): Set<number> {
  const reached = new Set<number>();
  const wait = [...names];
  for (let at = wait.pop(); at !== undefined; at = wait.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    wait.push(...(graph[at] ?? []));
  }
  return reached;
}

/** What an upstream sends for wants: what is not here, and some of what is and hangs on that; `more` nobody asked for. */
type Sent = { readonly wants: readonly number[]; readonly again: readonly number[]; readonly more: readonly number[] };
const sendings = (more: fc.Arbitrary<number[]>): fc.Arbitrary<Sent> =>
  fc.record({ wants: someObjects, again: someObjects, more });

/** Takes slices in, and then refs; says whether their packs are marked, and whether they ought to be. */
function take(graph: Graph, slices: readonly Sent[], end: Sent): { marked: boolean; reached: boolean; came: number } {
  const here = new Set<number>();
  const receive = (name: string, { wants, again, more }: Sent): Parameters<typeof addSlice>[2] => {
    const whole = reachedFrom(graph, [...wants, ...more]);
    const linked = new Set([...whole].filter((object) => !here.has(object)).flatMap((object) => graph[object] ?? []));
    const isSent = (object: number): boolean =>
      !here.has(object) || more.includes(object) || (again.includes(object) && linked.has(object));
    const objects = [...whole].filter(isSent);
    const links = new Set(objects.flatMap((object) => graph[object] ?? []));
    for (const object of objects) here.add(object);
    return pack(
      name,
      [...links],
      objects.every((object) => wants.includes(object) || links.has(object)),
    );
  };
  let last: Slice | undefined;
  for (const [i, sent] of slices.entries()) {
    // What is here is not asked for.
    const wants = sent.wants.filter((object) => !here.has(object));
    if (wants.length > 0) last = addSlice(last, raw(...wants), receive(`${i}`, { ...sent, wants }), FORMAT);
  }
  const came = [...here];
  const left = anchorsLeft(last?.anchors ?? new Uint8Array(0), receive("end", end), FORMAT);
  const all = reachedFrom(graph, end.wants);
  const marked = reachedPacks(last, left, updates(...end.wants), FORMAT).length > 0;
  return { marked, reached: came.every((object) => all.has(object)), came: came.length };
}

describe("the marks of slices, whatever an upstream sends", () => {
  it("never cover an object that refs don't reach", () => {
    const sent = sendings(someObjects);
    fc.assert(
      fc.property(graphs, fc.array(sent, { maxLength: 5 }), sent, (graph, slices, end) => {
        const { marked, reached } = take(graph, slices, end);
        expect(marked && !reached).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("cover everything that refs reach if the upstream sends what was requested", () => {
    let times = 0;
    const sent = sendings(fc.constant([]));
    fc.assert(
      fc.property(graphs, fc.array(sent, { maxLength: 5 }), sent, fc.boolean(), (graph, slices, end, whole) => {
        // Half of them with all that slices were of.
        const wants = whole ? [...new Set([...end.wants, ...slices.flatMap((slice) => slice.wants)])] : end.wants;
        const { marked, reached, came } = take(graph, slices, { ...end, wants });
        expect(marked).toBe(reached && came > 0);
        times += Number(marked);
      }),
      { numRuns: 2000 },
    );
    expect(times).toBeGreaterThan(100);
  });
});
