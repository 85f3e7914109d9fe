/** Pushes to a name that is not taken: what they make, and what is left of those that are refused. */
import { beforeEach, describe, expect, it } from "vitest";
import { advertiseRefs } from "../../../../src/service/advertise.ts";
import type { PushExchange } from "../../../../src/service/exchange.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { buildPack, commitOf, objectId, pushBody, reportLines, treeOf } from "../../../support/git-raw.ts";
import { pktBytes, pktText } from "../../../support/pkt.ts";
import { band, MemoryService, NEW_REPOSITORY } from "../memory-service.ts";

const MAIN = "refs/heads/main";
const ABSENT = "7".repeat(40);
const EMPTY_PACK = buildPack([]);
const blob = "hello\n";
const blobId = objectId("blob", blob);
const treeId = objectId("tree", treeOf(["100644", "file.txt", blobId]));
const base = [
  { type: "tree", content: treeOf(["100644", "file.txt", blobId]) },
  { type: "blob", content: blob },
] as const;
const first = commitOf(treeId);
const firstId = objectId("commit", first);

let host = new MemoryService();

beforeEach(() => {
  host = new MemoryService();
});

describe("a push to a name that is not taken", () => {
  it("makes the repository if that is allowed, and only then", async () => {
    const body = pushBody([{ name: MAIN, new: firstId }], buildPack([...base, { type: "commit", content: first }]));
    const refused = await host.run(serveReceivePack, body);
    expect(pktText(refused.body)).toEqual(["ERR repository not found"]);
    const { admitted, body: report } = await host.run(serveReceivePack, body, { create: NEW_REPOSITORY });
    expect(reportLines(report)).toEqual(["unpack ok", `ok ${MAIN}`]);
    expect(admitted).toEqual([undefined, expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it("makes the repository with the client's hash function, of the two that are offered", async () => {
    const none = new Uint8Array();
    const advertise = (exchange: PushExchange): Promise<unknown> => advertiseRefs(exchange, "git-receive-pack", 0);
    const { body: shown } = await host.run(advertise, none, { create: NEW_REPOSITORY });
    const line = pktText(shown).find((text) => text.includes("report-status")) ?? "";
    expect(line).toContain(" object-format=sha1 object-format=sha256 ");

    const request = pktBytes(`${"0".repeat(64)} ${"1".repeat(64)} ${MAIN}\\0object-format=sha256`, "0000");
    await host.run(serveReceivePack, request, { create: NEW_REPOSITORY, keepsUnused: true });
    expect((await host.refs.describe())?.objectFormat).toBe("sha256");
    const { body: settled } = await host.run(advertise, none, { create: NEW_REPOSITORY });
    expect(pktText(settled).join("")).toContain(" object-format=sha256 ");
    expect(pktText(settled).join("")).not.toContain("object-format=sha1");
  });

  it("says that it made the repository, and leaves none if it moves nothing", async () => {
    const asked = "report-status side-band-64k";
    const absent = pushBody([{ name: MAIN, new: ABSENT }], EMPTY_PACK, asked);
    const refused = await host.run(serveReceivePack, absent, { create: NEW_REPOSITORY });
    expect(reportLines(band(refused.body, 1))[1]).toBe(`ng ${MAIN} missing necessary objects`);
    expect(band(refused.body, 2).toString()).not.toContain("made it");
    expect(await host.refs.describe()).toBeUndefined();
    const cut = pushBody([{ name: MAIN, new: firstId }], buildPack([...base]).subarray(0, 40), asked);
    const broken = await host.run(serveReceivePack, cut, { create: NEW_REPOSITORY });
    expect(reportLines(band(broken.body, 1))[0]).toMatch(/^unpack (?!ok)/);
    expect(await host.refs.describe()).toBeUndefined();
    const good = buildPack([...base, { type: "commit", content: first }]);
    const made = await host.run(serveReceivePack, pushBody([{ name: MAIN, new: firstId }], good, asked), {
      create: NEW_REPOSITORY,
    });
    expect(band(made.body, 2).toString()).toContain("made it\n");
    const again = pushBody([{ name: MAIN, old: firstId, new: ABSENT }], EMPTY_PACK, asked);
    const more = await host.run(serveReceivePack, again, { create: NEW_REPOSITORY });
    expect(band(more.body, 2).toString()).not.toContain("made it");
    expect(await host.listRefs()).toEqual([`${MAIN} ${firstId}`]);
  });

  it("makes no repository if the push must name its hash function and does not", async () => {
    const request = pktBytes(`${"0".repeat(64)} ${"1".repeat(64)} ${MAIN}\\0report-status`, "0000");
    const { body } = await host.run(serveReceivePack, request, { create: NEW_REPOSITORY });
    expect(pktText(body)).toEqual(["ERR unsupported object format 'sha1'"]);
    expect(await host.refs.describe()).toBeUndefined();
  });
});
