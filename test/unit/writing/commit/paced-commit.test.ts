/** Commits of very many files: whether others may run while their objects are made and their directories written. */
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../../src/bytes/pacer.ts";
import { objectFormat } from "../../../../src/object/object-id.ts";
import { FILE_MODE } from "../../../../src/object/tree.ts";
import { Directory } from "../../../../src/writing/commit/directory.ts";
import { checkBytePath, pathSteps } from "../../../../src/writing/commit/file-path.ts";
import { NewObjects } from "../../../../src/writing/commit/new-objects.ts";
import { PreparedActions } from "../../../../src/writing/commit/prepared-actions.ts";
import { TreeEdit } from "../../../../src/writing/commit/tree-edit.ts";
import { nodeHash } from "../../../support/store.ts";

const MANY = 2000;
const FORMAT = objectFormat("sha1");
const memory = { hold: () => undefined };

/** Objects that are made, and the number of them that were made between two pauses. */
function counted(between: number) {
  const runs = [0];
  const pacer = new Pacer(async () => void runs.push(0), between);
  const deflate = (bytes: Uint8Array): Uint8Array => {
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    return deflateSync(bytes);
  };
  const tools = { hash: nodeHash, deflate, deflatePiece: deflate, memory: memory as never, pacer };
  return { runs, pacer, objects: new NewObjects(tools, FORMAT) };
}

describe("objects that a request makes", () => {
  it("count each for what making one takes, however small it is", async () => {
    const { objects, runs } = counted(300_000);
    for (let at = 0; at < MANY; at++) await objects.add("blob", Buffer.from(`${at}`));
    expect(objects.count).toBe(MANY);
    // Making one takes at least 30 µs, and 10 ns count as a step.
    expect(Math.max(...runs)).toBeLessThanOrEqual(100);
  });
});

describe("a directory of which very much changes", () => {
  it("is encoded in parts, each of one change", () => {
    const directory = new Directory(FORMAT.rawSize);
    for (let at = 0; at < MANY; at++) directory.set(`f${at}`, { mode: FILE_MODE.file, oid: new Uint8Array(20) });
    const parts = [...directory.encode()];
    expect(parts).toHaveLength(MANY);
    expect(Math.max(...parts)).toBeLessThan(2000);
  });
});

describe("a tree that is changed", () => {
  it("counts every name on the way to each file: of 200 that are 500 deep, some million steps", async () => {
    const { pacer, objects } = counted(300_000);
    const paths = Array.from({ length: 200 }, (_, at) => `${"d/".repeat(500)}f${at}`);
    const pace = async (steps: number): Promise<void> => {
      pacer.add(steps);
      await pacer.pace();
    };
    const reader = { prefetch: async () => undefined, readCopy: () => Promise.reject(new Error("nothing is stored")) };
    const edit = await TreeEdit.open({ reader, rawSize: 20, memory, pace }, undefined, paths);
    const opened = pacer.steps;
    expect(opened).toBeGreaterThan(200 * 500 * 10);
    const oid = new Uint8Array(20).fill(1);
    const actions = paths.map((path) => ({ kind: "write", path, oid, mode: FILE_MODE.file }) as const);
    expect(await edit.apply(actions)).toBeUndefined();
    const applied = pacer.steps;
    expect(applied - opened).toBeGreaterThan(200 * 500 * 10);
    const written: Uint8Array[] = [];
    for await (const each of edit.writtenObjects()) written.push(each);
    expect(written).toHaveLength(200);
    expect(pacer.steps - applied).toBeGreaterThan(200 * 500 * 10);
    await edit.write(objects);
    expect(objects.count).toBe(501);
  });
});

describe("the paths of a commit", () => {
  it("have a bound together, as each is taken apart", async () => {
    const { objects } = counted(300_000);
    const actions = new PreparedActions(objects, 20);
    const add = async (at: number) => await actions.add({ action: "delete", path: `${"d/".repeat(2000)}${at}` });
    const all = async (): Promise<void> => {
      for (let at = 0; at < 1100; at++) await add(at);
    };
    await expect(all()).rejects.toMatchObject({ name: "LimitExceeded", limit: "commit-actions" });
    expect(actions.actions.length).toBeGreaterThan(1000);
  });
});

describe("the steps of a path", () => {
  it("grow with its characters, of which every other one may be a directory", () => {
    expect(checkBytePath("d/f", FILE_MODE.file)).toEqual({ path: "d/f" });
    expect(pathSteps("d/".repeat(2000))).toBeGreaterThan(2000 * 20);
  });
});
