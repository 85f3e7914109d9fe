/**
 * The step of maintenance that writes the twin of a catalog: when it is due, what it writes, and when the twin is given
 * up.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { TWIN_HEAD, TWINS } from "../../../src/catalog/clone-twin.ts";
import { fromHex } from "../../../src/bytes/hex.ts";
import { concat } from "../../../src/bytes/chunk.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import type { OpenSnapshot } from "../../../src/refs/ref-store.ts";
import { linear, noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";

const MAIN = "refs/heads/main";
const source = new GitRepository();
const stream = linear(30);
stream.commit(MAIN, [{ path: "large.bin", content: noise(1_500_000, 11) }]);
for (let n = 0; n < 3; n++) stream.commit(MAIN, [{ path: "after.txt", content: `${n}\n` }]);
source.import(stream);
afterAll(() => source.dispose());

/** Opens the repository as the clones of everything that it holds do. */
async function clones(bed: MaintainedBed, count: number = TWINS.clones): Promise<OpenSnapshot> {
  const { current } = await bed.values();
  const wants = concat([...current.values()].map((oid) => fromHex(oid) ?? new Uint8Array(0)));
  let opened = await bed.refs.open({ packs: true, wants });
  for (let n = 0; n < count; n++) opened = await bed.refs.open({ packs: true, wants, clone: true });
  if (opened.kind === "missing") throw new Error("missing");
  return opened;
}

async function bedAt(revision: string): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  bed.tip = source.oid(revision);
  await bed.set(MAIN, bed.tip);
  return bed;
}

const twinsOf = (bed: MaintainedBed): string[] =>
  [...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".twin"));

/** Does what the alarm does with files whose leases have ended. */
async function sweep(bed: MaintainedBed): Promise<void> {
  for (const pack of bed.refs.database.dueWork(bed.now).expiredPacks) {
    await bed.packs.storage.deletePack(pack);
    bed.refs.database.abandonPush(pack);
  }
}

async function madeAt(revision: string): Promise<MaintainedBed> {
  const bed = await bedAt(revision);
  await clones(bed);
  expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ step: "twin", outcome: "done" });
  return bed;
}

/** Returns the pack in a twin, and the sizes of its packets. */
function unframed(file: Uint8Array): { pack: Buffer; sizes: number[] } {
  expect(new TextDecoder().decode(file.subarray(0, TWIN_HEAD.length))).toBe(TWIN_HEAD);
  const bytes = Buffer.from(file);
  const packets: Buffer[] = [];
  let at = TWIN_HEAD.length;
  for (let size = 0; at < bytes.length - 4; at += size) {
    size = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    packets.push(bytes.subarray(at + 4, at + size));
  }
  expect(bytes.toString("latin1", at)).toBe("0000");
  for (const packet of packets) expect(packet[0]).toBe(1);
  return {
    pack: Buffer.concat(packets.map((packet) => packet.subarray(1))),
    sizes: packets.map(({ length }) => length),
  };
}

describe("the step that writes a twin", () => {
  it("is due once a set of packs was cloned often enough on one day, and not of a small one", async () => {
    const bed = await bedAt("main~3");
    await clones(bed, TWINS.clones - 1);
    bed.now += 24 * 60 * 60_000;
    await clones(bed, TWINS.clones - 1);
    expect((await bed.refs.maintenance())?.due).toBe(0);
    await clones(bed, 1);
    expect((await bed.refs.maintenance())?.due).toBe(1);
    const small = await bedAt("main~5");
    await clones(small);
    expect((await small.refs.maintenance())?.due).toBe(0);
  });

  it("writes the pack in full packets, which readers are told of", async () => {
    const bed = await madeAt("main~3");
    const { twin, packs } = await clones(bed, 0);
    const [name = ""] = twinsOf(bed);
    const file = bed.packs.storage.files.get(name) ?? new Uint8Array(0);
    expect(`${twin?.name}.twin`).toBe(name);
    expect(twin?.bytes).toBe(file.length);
    const { pack, sizes } = unframed(file);
    expect(Buffer.compare(pack, Buffer.from(bed.packs.storage.files.get(`${packs[0]?.name}.pack`) ?? []))).toBe(0);
    expect(sizes.slice(0, -1).every((size) => size === 65_516)).toBe(true);
    expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ outcome: "nothing" });
    expect((await bed.refs.open({})).kind === "found" && "twin" in (await bed.refs.open({}))).toBe(false);
  });

  it("writes one pack of several, which git takes", async () => {
    const bed = await bedAt("main~3");
    for (const revision of ["main~2", "main~1"]) await bed.set(MAIN, (bed.tip = source.oid(revision)));
    const { packs } = await clones(bed);
    expect(packs).toHaveLength(3);
    expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ step: "twin", outcome: "done", packs: 3 });
    const { pack } = unframed(bed.packs.storage.files.get(twinsOf(bed)[0] ?? "") ?? new Uint8Array(0));
    const client = new GitRepository();
    client.git(["index-pack", "--stdin", "--strict"], pack);
    expect(client.objects(bed.tip)).toEqual(source.objects(bed.tip));
    client.dispose();
  });

  it("is given up after the next push, and its file stays for an hour", async () => {
    const bed = await madeAt("main~3");
    await bed.set(MAIN, (bed.tip = source.oid("main~2")));
    expect((await clones(bed, 0)).twin).toBeUndefined();
    expect(bed.refs.database.nextDue(bed.now)).toBe(bed.now);
    await sweep(bed);
    expect(twinsOf(bed)).toHaveLength(1);
    bed.now += TWINS.grace;
    await sweep(bed);
    expect(twinsOf(bed)).toHaveLength(0);
    expect((await bed.cloned()).objects).toEqual(source.objects(bed.tip));
  });

  it("leaves no file after a purge, not even one that was under way", async () => {
    const bed = await madeAt("main~3");
    await bed.set("refs/heads/topic", source.oid("main"));
    await bed.delete("refs/heads/topic");
    await bed.refs.askForMaintenance(true);
    await bed.settle();
    await sweep(bed);
    expect((await bed.refs.maintenance())?.purging).toBe(false);
    expect(twinsOf(bed)).toEqual([]);

    const other = await bedAt("main~3");
    await clones(other);
    const storage = other.packs.counted();
    const purging = {
      ...storage,
      createUpload: async (file: Parameters<typeof storage.createUpload>[0]) => {
        await other.set("refs/heads/topic", source.oid("main"));
        await other.delete("refs/heads/topic");
        return await storage.createUpload(file);
      },
    };
    const run = await maintain(other.on(purging), await other.id());
    expect(run).toMatchObject({ step: "twin", outcome: "stale" });
    expect(twinsOf(other)).toEqual([]);
  });

  it("is no answer while something in its packs may be unreachable", async () => {
    const bed = await bedAt("main~3");
    await bed.set("refs/heads/topic", source.oid("main"));
    await clones(bed);
    expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ step: "twin", outcome: "done" });
    expect((await clones(bed, 0)).twin).toBeDefined();
    await bed.delete("refs/heads/topic");
    const { packs } = await clones(bed, 0);
    expect(packs.every(({ marked }) => marked)).toBe(false);
    // What refs were in the last minutes may still be wanted.
    bed.now += 60 * 60_000;
    await bed.refs.askForMaintenance(false);
    await bed.settle();
    expect((await clones(bed, 0)).twin).toBeUndefined();
  });

  it("leaves nothing where a storage operation fails, and is done later", async () => {
    const bed = await bedAt("main~3");
    await clones(bed);
    const id = await bed.id();
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      if (!failed()) {
        expect(n).toBeGreaterThan(1);
        expect(run).toMatchObject({ step: "twin", outcome: "done" });
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", error: "R2 is away" });
      expect(twinsOf(bed)).toEqual([]);
      bed.now += 24 * 60 * 60_000;
    }
    expect(twinsOf(bed)).toHaveLength(1);
  });

  it("makes none of a pack that does not end with its hash", async () => {
    const bed = await bedAt("main~3");
    await clones(bed);
    const name = [...bed.packs.storage.files.keys()].find((file) => file.endsWith(".pack")) ?? "";
    const bytes = bed.packs.storage.files.get(name) ?? new Uint8Array(0);
    bytes[700_000] = (bytes[700_000] ?? 0) ^ 1;
    const run = await maintain(bed.maintained, await bed.id());
    expect(run).toMatchObject({ step: "twin", outcome: "failed", error: "a stored pack does not end with its hash" });
    expect(twinsOf(bed)).toEqual([]);
  });
});
