/**
 * What every ref store has to keep of pushes. Run on the tables in memory and on the Durable Object in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import type { StoredCertificate } from "../../src/refs/ref-log.ts";
import { create, createdRecord, CREATION, oid, push, type RefStoreUnderTest } from "./ref-store.ts";

const ZERO = "0".repeat(40);

/** Declares the suite; `open` gives a name that has no repository yet. */
export function refLogSuite(title: string, open: () => Promise<RefStoreUnderTest>): void {
  describe(`ref log: ${title}`, () => {
    it("lists who moved which refs, newest first", async () => {
      const store = await open();
      expect(await store.refLog({ limit: 10 })).toBeUndefined();
      await createdRecord(store, { ...CREATION, headChosen: true });
      await push(store, [create("refs/heads/a", oid(1)), create("refs/tags/b", oid(2))], {
        actor: "one",
        actorName: "ci of one",
        pushOptions: ["ci.skip", 'a "b" \\ \u{1f600}'],
      });
      const { kinds } = await push(
        store,
        [
          { name: "refs/heads/a", oldOid: oid(1), newOid: ZERO, forward: false },
          { name: "refs/heads/none", oldOid: oid(1), newOid: oid(3), forward: true },
        ],
        { actor: "two" },
      );
      expect(kinds).toEqual(["ok", "missing-ref"]);
      const page = await store.refLog({ limit: 10 });
      expect(page).toMatchObject({
        pushes: [
          { actor: "two", options: [], moves: [{ name: "refs/heads/a", oldOid: oid(1), newOid: ZERO }] },
          {
            actor: "one",
            actorName: "ci of one",
            options: ["ci.skip", 'a "b" \\ \u{1f600}'],
            moves: [
              { name: "refs/tags/b", oldOid: ZERO, newOid: oid(2) },
              { name: "refs/heads/a", oldOid: ZERO, newOid: oid(1) },
            ],
          },
        ],
      });
      expect(page?.before).toBeUndefined();
      expect(page?.pushes.map(({ certificate }) => certificate)).toEqual([undefined, undefined]);
    });

    it("is read in pages, which may begin in the middle of a push, and by ref", async () => {
      const store = await open();
      const names = Array.from({ length: 7 }, (_, i) => `refs/heads/b${i}`);
      await push(
        store,
        names.map((name, i) => create(name, oid(i))),
      );
      await push(store, [{ name: "refs/heads/b3", oldOid: oid(3), newOid: oid(9), forward: true }]);
      const seen: string[] = [];
      let before: number | undefined;
      let pages = 0;
      do {
        const page = await store.refLog({ limit: 3, ...(before === undefined ? {} : { before }) });
        seen.push(...(page?.pushes.flatMap(({ moves }) => moves.map(({ name }) => name)) ?? []));
        before = page?.before;
        pages += 1;
      } while (before !== undefined);
      expect(pages).toBe(3);
      expect(seen).toEqual(["refs/heads/b3", ...names.toReversed()]);
      const one = await store.refLog({ limit: 3, name: "refs/heads/b3" });
      expect(one?.pushes.map(({ moves }) => moves.map(({ newOid }) => newOid))).toEqual([[oid(9)], [oid(3)]]);
      expect(one?.before).toBeUndefined();
    });

    it("keeps the certificate of a push that moved something, as it came", async () => {
      const store = await open();
      const content = new Uint8Array([99, 0, 255, 10]);
      const plain = { nonce: "OK", signature: "bad", signer: "A U Thor <author@example.com>" } as const;
      const check = { ...plain, nonce: "SLOP", nonceSlop: -7, signature: "good", key: "SHA256:x" } as const;
      const [digest, another] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
      const certificate: StoredCertificate = { ...check, content, digest };
      await push(store, [create("refs/heads/a", oid(1))], { certificate });
      await push(store, [create("refs/heads/a", oid(1))], { certificate });
      await push(store, [create("refs/heads/b", oid(1))], { certificate: { ...plain, content, digest: another } });
      await push(store, [create("refs/heads/c", oid(1))]);
      const pushes = (await store.refLog({ limit: 10 }))?.pushes ?? [];
      expect(pushes.map((logged) => logged.certificate)).toEqual([undefined, plain, check]);
      expect(await store.pushCertificate(pushes[2]?.id ?? 0)).toEqual(content);
      expect(await store.pushCertificate(pushes[0]?.id ?? 0)).toBeUndefined();
      await store.remove();
      expect(await store.pushCertificate(pushes[2]?.id ?? 0)).toBeUndefined();
      await store.create({ objectFormat: "sha1", visibility: "private", head: "refs/heads/main", description: "" });
      expect(await store.refLog({ limit: 10 })).toEqual({ pushes: [] });
      expect(await store.pushCertificate(pushes[2]?.id ?? 0)).toBeUndefined();
    });

    it("lets a certificate land once, however it is written", async () => {
      const store = await open();
      const check = { nonce: "OK", signature: "good", signer: "A U Thor <author@example.com>" } as const;
      const digest = new Uint8Array(32).fill(7);
      const certificate: StoredCertificate = { ...check, content: new Uint8Array([1]), digest };
      await push(store, [create("refs/heads/a", oid(1))], { certificate });
      const again = { ...certificate, content: new Uint8Array([2]) };
      const answer = await push(store, [create("refs/heads/b", oid(1))], { certificate: again });
      expect(answer).toEqual({ kinds: ["used-certificate"], packKept: false });
      expect((await store.refLog({ limit: 10 }))?.pushes).toHaveLength(1);
    });
  });
}
