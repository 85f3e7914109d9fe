/**
 * A push whose client sends no more: what its user reads, and that nothing of it is left.
 *
 * @module-tag thorough
 */
import { expect, it } from "vitest";
import { ClientTooSlow } from "../../../src/bytes/failure.ts";
import { DEFAULT_LIMITS } from "../../../src/repository/limits.ts";
import { serveReceivePack } from "../../../src/service/push/receive-pack.ts";
import { noise } from "../../support/git-fixtures.ts";
import { buildPack, commitOf, objectId, pushBody, reportLines, treeOf } from "../../support/git-raw.ts";
import { MemoryService, NEW_REPOSITORY, tools } from "./memory-service.ts";

/** What the storage of tests takes as a part of an upload. */
const PART_BYTES = 8 * 1024 * 1024;
const MAIN = "refs/heads/main";

it.each(["pressed", "standstill"] as const)(
  "a push that stalls in a pack of several parts is refused and leaves nothing: %s",
  async (reason) => {
    const host = new MemoryService();
    await host.refs.create(NEW_REPOSITORY);
    host.limits = { ...DEFAULT_LIMITS, memoryPackBytes: PART_BYTES };
    const blob = noise(2 * PART_BYTES, 1);
    const tree = treeOf(["100644", "noise.bin", objectId("blob", blob)]);
    const commit = commitOf(objectId("tree", tree));
    const pack = buildPack([
      { type: "commit", content: commit },
      { type: "tree", content: tree },
      { type: "blob", content: blob },
    ]);
    const body = pushBody([{ name: MAIN, new: objectId("commit", commit) }], pack);
    const failure = new ClientTooSlow(reason);
    const { held } = tools.budget;
    const served = await host.run(serveReceivePack, body.subarray(0, -30), { breakOff: failure });
    expect(reportLines(served.body)).toEqual([`unpack ${failure.message}`, `ng ${MAIN} unpacker error`]);
    expect([...host.storage.files.keys()]).toEqual([]);
    expect(host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks).toEqual([]);
    expect(tools.budget.held).toBe(held);
  },
);
