/** Which requests are answered with the twin of a catalog, with what before it, and what happens if it is not there. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packSet, TWIN_HEAD, TWINS } from "../../../../src/catalog/clone-twin.ts";
import type { StoredAnswer } from "../../../../src/service/exchange.ts";
import { serveUploadPack } from "../../../../src/service/fetch/upload-pack.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../../src/service/serve-v2.ts";
import { GitSandbox } from "../../../support/git-client.ts";
import { importFixture, linear, noise } from "../../../support/git-fixtures.ts";
import { buildPack, packOf, pushBody } from "../../../support/git-raw.ts";
import { pktBytes } from "../../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY } from "../memory-service.ts";

const MAIN = "refs/heads/main";
const NAME = "7".repeat(40);
const git = new GitSandbox("twin");
const host = new MemoryService();
let tip = "";
let older = "";
let id = "";

const v2 = (...lines: string[]): Uint8Array =>
  pktBytes("command=fetch", "object-format=sha1", "0001", `want ${tip}`, ...lines, "done", "0000");
const v0 = (capabilities: string, ...more: string[]): Uint8Array =>
  pktBytes(`want ${tip} ${capabilities}`, "0000", ...more);

/** Runs a request. Gives what was passed on, and the body if nothing was. */
async function served(request: Uint8Array, isThere = true): Promise<{ passed: StoredAnswer[]; body: Buffer }> {
  const passed: StoredAnswer[] = [];
  const passOn = async (stored: StoredAnswer): Promise<boolean> => {
    passed.push(stored);
    return isThere;
  };
  const isV2 = Buffer.from(request).includes("command=");
  const { body } = await host.run(isV2 ? serveV2 : serveUploadPack, request, { passOn });
  return { passed, body };
}

beforeAll(async () => {
  const stream = linear(5);
  stream.commit(MAIN, [{ path: "large.bin", content: noise(TWINS.leastBytes, 3) }]);
  const cwd = await importFixture(git, "source", stream);
  tip = await git.ok(["rev-parse", "main"], { cwd });
  older = await git.ok(["rev-parse", "main~2"], { cwd });
  const pack = await git.bytes(["pack-objects", "--all", "--stdout", "-q"], { cwd });
  await host.run(serveReceivePack, pushBody([{ new: tip, name: MAIN }], pack), { create: NEW_REPOSITORY });
  for (let n = 0; n < TWINS.clones; n++) await served(v2("ofs-delta"));
  const opened = await host.refs.open({ packs: true });
  if (opened.kind === "missing") throw new Error("missing");
  ({ id } = opened.record);
  const begun = await host.refs.beginMaintenance(id, [NAME]);
  if (begun.kind !== "begun" || begun.step !== "twin") throw new Error("no twin is due");
  const twin = { name: NAME, bytes: 123_456, packs: packSet(opened.packs) };
  const { kind } = await host.refs.replacePacks({ id, added: [], replaced: [], twin });
  if (kind !== "done") throw new Error(`the twin is ${kind}`);
});
afterAll(() => git.close());

describe("a clone of everything", () => {
  it("is the whole file in version 2, and the file without its first line in version 0", async () => {
    const file = { id, name: NAME, bytes: 123_456 };
    for (const lines of [["ofs-delta"], ["ofs-delta", "thin-pack", "include-tag", "no-progress"]]) {
      const { passed, body } = await served(v2(...lines));
      expect(passed).toEqual([{ ...file, offset: 0, before: new Uint8Array(0) }]);
      expect(body).toHaveLength(0);
    }
    const { passed, body } = await served(v0("side-band-64k ofs-delta multi_ack_detailed no-done", "done"));
    const before = new Uint8Array(Buffer.from("0008NAK\n"));
    expect(passed).toEqual([{ ...file, offset: TWIN_HEAD.length, before }]);
    expect(body).toHaveLength(0);
  });

  it("is the file behind the lines that git's own client asks for besides", async () => {
    const named = await served(v2("ofs-delta", `want-ref ${MAIN}`));
    const banded = await served(v2("ofs-delta", "sideband-all"));
    for (const { passed, body } of [named, banded]) {
      expect(passed).toMatchObject([{ id, name: NAME, bytes: 123_456, offset: TWIN_HEAD.length }]);
      expect(body).toHaveLength(0);
    }
    const before = ({ passed }: typeof named): string => Buffer.from(passed[0]?.before ?? []).toString("latin1");
    expect(before(named)).toBe(`0010wanted-refs\n003d${tip} ${MAIN}\n0001${TWIN_HEAD}`);
    expect(before(banded)).toBe("000e\u0001packfile\n");
  });

  it("is made from the packs if the file is not there", async () => {
    const { passed, body } = await served(v2("ofs-delta"), false);
    expect(passed).toHaveLength(1);
    expect(packOf(body).subarray(0, 4).toString()).toBe("PACK");
  });
});

describe("a request for anything else", () => {
  it.each([
    ["deltas by name", () => v2()],
    ["a filter", () => v2("ofs-delta", "filter blob:none")],
    ["a depth", () => v2("ofs-delta", "deepen 1")],
    ["what a shallow client lacks", () => v2("ofs-delta", `shallow ${older}`)],
    ["what a client with haves lacks", () => v2("ofs-delta", `have ${older}`)],
    ["an unknown object too", () => v2("ofs-delta", `want ${"1".repeat(40)}`)],
    ["an older commit too", () => v2("ofs-delta", `want ${older}`)],
    ["packets of 1,000 bytes", () => v0("side-band ofs-delta", "done")],
    ["no side-bands", () => v0("ofs-delta", "done")],
    ["deltas by name in version 0", () => v0("side-band-64k", "done")],
    ["a first round of haves", () => v0("side-band-64k ofs-delta", `have ${older}`, "0000")],
    [
      "a filter in version 0",
      () => pktBytes(`want ${tip} side-band-64k ofs-delta filter`, "filter blob:none", "0000", "done"),
    ],
  ])("is answered as ever: %s", async (_, request) => {
    const { passed, body } = await served(request());
    expect(passed).toEqual([]);
    expect(body.length).toBeGreaterThan(0);
  });

  it("is answered as ever where not every tip is wanted", async () => {
    await host.run(serveReceivePack, pushBody([{ new: older, name: "refs/heads/older" }], buildPack([])));
    const { passed, body } = await served(v2("ofs-delta"));
    expect(passed).toEqual([]);
    expect(packOf(body).subarray(0, 4).toString()).toBe("PACK");
    expect((await served(v2("ofs-delta", `want ${older}`))).passed).toHaveLength(1);
  });
});
