/** Clients on a connection, who wait for their answer before they send more: nothing may wait for the end of what they send. */
import { beforeEach, describe, expect, it } from "vitest";
import { serveConnection } from "../../../src/service/serve-connection.ts";
import type { ServiceName } from "../../../src/wire/service-announcement.ts";
import { buildPack, commitOf, objectId, pushBody, type RawCommand, treeOf, ZERO } from "../../support/git-raw.ts";
import { pktBytes, pktText } from "../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY } from "./memory-service.ts";

const MAIN = "refs/heads/main";
const blob = "hello\n";
const tree = treeOf(["100644", "file.txt", objectId("blob", blob)]);
const first = commitOf(objectId("tree", tree));
const firstId = objectId("commit", first);
const second = commitOf(objectId("tree", tree), [firstId]);
const secondId = objectId("commit", second);
const pack = buildPack([
  { type: "blob", content: blob },
  { type: "tree", content: tree },
  { type: "commit", content: first },
  { type: "commit", content: second },
]);

let host = new MemoryService();
beforeEach(() => {
  host = new MemoryService();
});

/** Returns where the message at the beginning ends, with its flush. */
function endOfMessage(bytes: Buffer): number {
  let at = 0;
  for (let length = 1; length > 0; at += Math.max(length, 4))
    length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
  return at;
}

/** Serves a client that sends this and then waits; gives the lines behind the advertisement. */
async function answered(
  service: ServiceName,
  input: Uint8Array,
  version: 0 | 1 | 2 = 0,
  piece?: number,
): Promise<string[]> {
  const options = { create: NEW_REPOSITORY, staysOpen: true, ...(piece === undefined ? {} : { piece }) };
  const { body } = await host.run((exchange) => serveConnection({ service, version, exchange }), input, options);
  return pktText(body.subarray(endOfMessage(body)));
}

const push = (commands: readonly RawCommand[], sent: Uint8Array = pack, piece?: number): Promise<string[]> =>
  answered("git-receive-pack", pushBody(commands, sent), 0, piece);

/** Serves a client, and counts the times at which it may be at work itself. */
async function pausesOf(service: ServiceName, input: Uint8Array, version: 0 | 2, piece: number): Promise<number> {
  let pauses = 0;
  await host.run(
    async (exchange) => {
      const counted = { ...exchange, pauses: () => void pauses++ };
      await serveConnection({ service, version, exchange: counted });
    },
    input,
    { create: NEW_REPOSITORY, piece },
  );
  return pauses;
}

describe("a client that may be at work itself", () => {
  it("is given time before its push, and before its pack", async () => {
    expect(await pausesOf("git-receive-pack", pushBody([{ name: MAIN, new: secondId }], pack), 0, 1)).toBe(2);
    // Nothing is waited for that is there already.
    const deletion = pushBody([{ name: MAIN, old: secondId, new: ZERO }], new Uint8Array());
    expect(await pausesOf("git-receive-pack", deletion, 0, 1)).toBe(1);
  });

  it("is given time after each answer of version 2", async () => {
    await push([{ name: MAIN, new: secondId }]);
    const list = ["command=ls-refs\n", "0001", "0000"];
    expect(await pausesOf("git-upload-pack", pktBytes(...list, ...list, "0000"), 2, 7)).toBe(2);
  });
});

describe("a push on a connection", () => {
  it.each([undefined, 1, 7])("ends with its pack, in pieces of %s", async (piece) => {
    const lines = await push([{ name: MAIN, new: secondId }], pack, piece);
    expect(lines.slice(0, 2)).toEqual(["unpack ok\\n", `ok ${MAIN}\\n`]);
    expect(await host.listRefs()).toEqual([`${MAIN} ${secondId}`]);
  });

  it("is told at once of what no pack can mend, and deletes without one", async () => {
    await push([{ name: MAIN, new: secondId }]);
    const stale = await push([{ name: MAIN, old: firstId, new: secondId }]);
    expect(stale[1]).toContain(`ng ${MAIN}`);
    await push([{ name: "refs/heads/x", new: firstId }], buildPack([]));
    const deleted = await push([{ name: "refs/heads/x", old: firstId, new: ZERO }], new Uint8Array());
    expect(deleted.slice(0, 2)).toEqual(["unpack ok\\n", "ok refs/heads/x\\n"]);
  });

  it(
    "is told of a pack whose hash is wrong, though it looks unfinished, and of one that is broken",
    { tags: "thorough" },
    async () => {
      const wrong = Buffer.from(pack);
      wrong.writeUInt8(wrong.readUInt8(wrong.length - 1) ^ 1, wrong.length - 1);
      expect((await push([{ name: MAIN, new: secondId }], wrong))[0]).toContain("pack is corrupted");
      const broken = Buffer.from(pack);
      broken.fill(0xff, 14, 30);
      expect((await push([{ name: MAIN, new: secondId }], broken))[0]).not.toContain("unpack ok");
      // Nothing is left of the repository that they would have made.
      await expect(host.listRefs()).rejects.toThrow("no repository");
    },
  );
});

describe("a fetch on a connection", () => {
  beforeEach(async () => {
    await push([{ name: MAIN, new: secondId }]);
  });

  it("goes on over rounds in versions 0 and 1, and remembers what was common", async () => {
    const input = Buffer.concat([
      pktBytes(`want ${secondId} multi_ack_detailed\\n`, "0000"),
      pktBytes(`have ${firstId}\\n`, "0000"),
      pktBytes(`have ${"5".repeat(40)}\\n`, "0000"),
      pktBytes("done\\n"),
    ]);
    for (const version of [0, 1] as const) {
      const lines = await answered("git-upload-pack", input, version);
      expect(lines.slice(0, 4)).toEqual([
        `ACK ${firstId} common\\n`,
        `ACK ${firstId} ready\\n`,
        "NAK\\n",
        `ACK ${"5".repeat(40)} ready\\n`,
      ]);
      expect(lines[5]).toBe(`ACK ${firstId}\\n`);
    }
  });

  it("answers a depth before the haves", async () => {
    const lines = await answered(
      "git-upload-pack",
      Buffer.concat([pktBytes(`want ${secondId} side-band-64k\\n`, "deepen 1\\n", "0000"), pktBytes("done\\n")]),
    );
    expect(lines.slice(0, 3)).toEqual([`shallow ${secondId}`, "0000", "NAK\\n"]);
  });

  it("takes one command of version 2 after the other, and ends with a flush", async () => {
    const lsRefs = pktBytes("command=ls-refs\\n", "0001", "0000");
    const lines = await answered("git-upload-pack", Buffer.concat([lsRefs, lsRefs, pktBytes("0000")]), 2);
    expect(lines.filter((line) => line.includes(MAIN))).toHaveLength(2);
    const wrong = await answered("git-upload-pack", pktBytes("command=nothing\\n", "0000"), 2);
    expect(wrong).toEqual(["ERR invalid command 'nothing'"]);
  });
});
