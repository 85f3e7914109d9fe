/** Pushes to repositories that may have only so much. */
import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { ByteSource } from "../../../../src/bytes/byte-stream.ts";
import type { Allowance } from "../../../../src/repository/allowance.ts";
import type { PushExchange } from "../../../../src/service/exchange.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { buildPack, objectId, pushBody, type RawCommand, reportLines } from "../../../support/git-raw.ts";
import { MemoryService, NEW_REPOSITORY, type Served } from "../memory-service.ts";

const EMPTY_PACK = buildPack([]);
const small = "hello\n";
const smallId = objectId("blob", small);
/** Does not deflate. */
const large = randomBytes(400_000);
const largeId = objectId("blob", large);
const SMALL_PACK = buildPack([{ type: "blob", content: small }]);
const LARGE_PACK = buildPack([{ type: "blob", content: large }]);

let host = new MemoryService();

const push = (commands: readonly RawCommand[], pack: Uint8Array, quota: Allowance, piece = 65_536): Promise<Served> =>
  host.run(
    (exchange) => serveReceivePack({ ...exchange, allowance: async () => quota }),
    pushBody(commands, pack, "report-status"),
    { piece },
  );

const report = async (commands: readonly RawCommand[], pack: Uint8Array, quota: Allowance): Promise<string[]> =>
  reportLines((await push(commands, pack, quota)).body);

async function sizeBytes(): Promise<number> {
  return (await host.refs.describe())?.sizeBytes ?? -1;
}

beforeEach(async () => {
  host = new MemoryService();
  await host.refs.create(NEW_REPOSITORY);
  const lines = await report([{ name: "refs/tags/small", new: smallId }], SMALL_PACK, {});
  if (lines[1] !== "ok refs/tags/small") throw new Error("the fixture was not taken");
});

const brought = [{ name: "refs/tags/large", new: largeId }];

describe("the quota of bytes", () => {
  it("stops a pack at the bound, leaves nothing, and reads the rest of the request", async () => {
    const had = await sizeBytes();
    const { body, unread } = await push(brought, LARGE_PACK, { bytes: 100_000 });
    const why = `over quota: the tenant's limit is 100000 bytes, ${had} are used, and this needs more`;
    expect(reportLines(body)).toEqual([`unpack ${why}`, "ng refs/tags/large unpacker error"]);
    expect(unread).toBe(0);
    expect(await sizeBytes()).toBe(had);
    expect([...host.storage.files.keys()].filter((key) => key.endsWith(".pack"))).toHaveLength(1);
    expect(host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks).toEqual([]);
  });

  it("counts the index: exactly enough is accepted, one byte less is not", async () => {
    const had = await sizeBytes();
    const other = new MemoryService();
    await other.refs.create(NEW_REPOSITORY);
    await other.run(serveReceivePack, pushBody(brought, LARGE_PACK));
    const brings = (await other.refs.describe())?.sizeBytes ?? 0;
    expect(await report(brought, LARGE_PACK, { bytes: had + brings - 1 })).toContain(
      "ng refs/tags/large unpacker error",
    );
    expect(await sizeBytes()).toBe(had);
    expect(await report(brought, LARGE_PACK, { bytes: had + brings })).toEqual(["unpack ok", "ok refs/tags/large"]);
    expect(await sizeBytes()).toBe(had + brings);
  });

  it("refuses a pack before anything is stored if there is no room at all", async () => {
    const { body, calls } = await push(brought, LARGE_PACK, { bytes: 1 });
    expect(reportLines(body)[0]).toMatch(/^unpack over quota: the tenant's limit is 1 bytes/);
    expect(calls).toEqual(["beginPush", "abandonPush"]);
  });

  it("accepts a push that brings nothing, however full the repository is", async () => {
    expect(await report([{ name: "refs/tags/again", new: smallId }], EMPTY_PACK, { bytes: 1 })).toContain(
      "ok refs/tags/again",
    );
    expect(await report([{ name: "refs/tags/small", old: smallId }], new Uint8Array(), { bytes: 1 })).toContain(
      "ok refs/tags/small",
    );
  });
});

describe("the tenant's allowance for a push", () => {
  it("counts objects by the pack's header", async () => {
    const { body } = await push(brought, LARGE_PACK, { objects: 1 });
    expect(reportLines(body)).toEqual([
      "unpack over quota: the tenant's limit is 1 objects, 1 are used, and this brings 1",
      "ng refs/tags/large unpacker error",
    ]);
    expect(await report(brought, LARGE_PACK, { objects: 2 })).toContain("ok refs/tags/large");
  });

  it("counts the usage of the tenant's other repositories", async () => {
    const had = await sizeBytes();
    const elsewhere = { bytes: 1_000_000, objects: 7 };
    const refusal = async (quota: Allowance): Promise<string | undefined> =>
      (await report(brought, LARGE_PACK, quota))[0];
    expect(await refusal({ bytes: 1_400_000, elsewhere })).toBe(
      `unpack over quota: the tenant's limit is 1400000 bytes, ${1_000_000 + had} are used, and this needs more`,
    );
    expect(await refusal({ objects: 8, elsewhere })).toBe(
      "unpack over quota: the tenant's limit is 8 objects, 8 are used, and this brings 1",
    );
    expect(await refusal({ bytes: 1_410_000, objects: 9, elsewhere })).toBe("unpack ok");
  });

  it("bounds the size of an object", async () => {
    expect((await report(brought, LARGE_PACK, { blobBytes: 399_999 }))[0]).toBe(
      "unpack object of 400000 bytes exceeds the limit of 399999 bytes",
    );
    expect(await report(brought, LARGE_PACK, { blobBytes: 400_000 })).toContain("ok refs/tags/large");
  });
});

describe("a pack that is too much", () => {
  it("is refused in words while the client still sends it, and reported when all has come", async () => {
    const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
    header.writeUInt32BE(1_000_000, 8);
    const body = pushBody(brought, Buffer.concat([header, randomBytes(4_000_000)]), "report-status side-band-64k");
    let read = 0;
    const told: { readonly text: string; readonly read: number }[] = [];
    const serve = async ({ input, ...exchange }: PushExchange): Promise<void> => {
      const counted: ByteSource = {
        read: async (buffer) => {
          const piece = await input.read(buffer);
          read += piece.length;
          return piece;
        },
      };
      await serveReceivePack({ ...exchange, input: counted, allowance: async () => ({}) });
    };
    await host.run(serve, body, { piece: 65_536, onWrite: (bytes) => told.push({ text: bytes.toString(), read }) });
    const why = told.find(({ text }) => text.includes("at most 750000 can be taken at once; push older commits first"));
    expect(why?.text).toContain("fatal: pack of 1000000 objects");
    expect(why?.read).toBeLessThan(200_000);
    const reported = told.find(({ text }) => text.includes("ng refs/tags/large unpacker error"));
    expect(reported?.read).toBe(body.length);
  });
});
