/** Packs, deltas and indexes with a few bytes changed. */
import { createHash } from "node:crypto";
import { assert, asyncProperty, boolean, nat, property } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deltaSizes } from "../../src/format/delta-stream.ts";
import { applyDelta, createDelta } from "../support/delta.ts";
import { PackIndex } from "../../src/format/pack-index.ts";
import { objectFormat } from "../../src/object/object-id.ts";
import { noise } from "../support/git-fixtures.ts";
import { withTrailer } from "../support/git-raw.ts";
import { GitRepository } from "../support/git-repository.ts";
import { almost, fuzzRuns, tryTo } from "../support/fuzzing.ts";
import { makeHistory } from "../support/random-history.ts";
import { TINY, TestStore } from "../support/store.ts";

const format = objectFormat("sha1");
const REFUSALS = ["ObjectRejected", "LimitExceeded", "ProtocolError"];

describe("an almost valid pack", () => {
  let git: GitRepository;
  let packs: Buffer[] = [];
  beforeAll(() => {
    git = new GitRepository();
    makeHistory(git, 3, { commits: 8 });
    packs = [
      git.pack(["c7", "t0"], "--delta-base-offset"),
      git.pack(["c7", "t0"]),
      git.pack(["c2"], "--delta-base-offset", "--window=0"),
    ];
  });
  afterAll(() => git.dispose());

  it("is accepted as git accepts it, or is refused", async () => {
    let taken = 0;
    const seeds = packs.map((pack) => pack.subarray(0, -format.rawSize));
    await assert(
      asyncProperty(almost(seeds), boolean(), nat(5000), async (body, mend, piece) => {
        // The trailer is mostly right; otherwise a wrong trailer would be the only fault that is found.
        const pack = mend ? withTrailer(body) : Buffer.concat([body, packs[0]?.subarray(-format.rawSize) ?? body]);
        const store = new TestStore(TINY);
        let isTaken = false;
        try {
          await store.ingest(pack, { chunks: () => piece + 1 });
          isTaken = true;
        } catch (error) {
          expect(REFUSALS).toContain(error instanceof Error ? error.name : typeof error);
        }
        const wholes = [...store.storage.files.keys()].filter((name) => name.endsWith(".idx"));
        expect(wholes).toHaveLength(isTaken ? 1 : 0);
        if (!isTaken) return;
        taken++;
        expect(git.tryIndex(pack).stderr).toBe("");
      }),
      fuzzRuns(150),
    );
    expect(taken).toBeGreaterThan(0);
  });

  it("has an index that answers or is refused, whatever its bytes", () => {
    const seeds = packs.map((pack) => new Uint8Array(git.index(pack).idx));
    assert(
      property(almost(seeds), boolean(), (bytes, mend) => {
        const end = bytes.length - format.rawSize;
        if (mend && end > 0) bytes.set(createHash("sha1").update(bytes.subarray(0, end)).digest(), end);
        tryTo(() => {
          const index = new PackIndex(bytes, format);
          for (let at = 0; at < index.count; at++) {
            tryTo(() => index.offsetAt(at), "CorruptStore");
            index.crcAt(at);
            expect(index.find(index.nameAt(at))).toBeLessThan(index.count);
          }
        }, "CorruptStore");
      }),
      fuzzRuns(300),
    );
  });
});

describe("an almost valid delta", () => {
  const base = noise(3000, 1);
  const result = new Uint8Array(
    Buffer.concat([base.subarray(100, 900), Buffer.from("inserted"), base.subarray(0, 2000)]),
  );
  const seeds = [createDelta(base, result), createDelta(base, base), createDelta(new Uint8Array(0), result)];

  it("makes an object of the size that it states, or is refused", () => {
    let applied = 0;
    assert(
      property(almost(seeds, ["\0", "\xff", "\x80", "\x90\x01"]), (delta) => {
        const made = tryTo(() => applyDelta(base, delta), "ObjectRejected");
        if (made === undefined) return;
        applied++;
        expect(made).toHaveLength(deltaSizes(delta).resultSize);
      }),
      fuzzRuns(2000),
    );
    expect(applied).toBeGreaterThan(0);
  });
});
