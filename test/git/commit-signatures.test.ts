/** Commits that are made here and signed elsewhere: git itself verifies what comes of the two requests. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiAnswer, type ApiClient, apiClient } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat, pushedRepository } from "../support/git-hosts.ts";
import { endAgent, makePgpKey, makeSshKey, signWithPgp, signWithSsh } from "../support/signing-keys.ts";

/** A key: its public half, and how it signs. */
type Signer = { readonly publicKey: string; readonly sign: (message: string) => string };

inEveryFormat(
  "commits with a signature that is handed in",
  (journey) => {
    let api: ApiClient;

    beforeAll(() => {
      api = apiClient(journey.base, journey.token);
    });
    afterAll(() => endAgent(journey.git));

    function signer(kind: "ssh" | "openpgp"): Signer {
      const { git } = journey;
      if (kind === "openpgp") {
        const key = makePgpKey(git, "ed25519");
        return { publicKey: key.publicKey, sign: (message) => signWithPgp(git, key, message) };
      }
      const key = makeSshKey(git, "ed25519");
      const signers = git.path("allowed-signers");
      writeFileSync(signers, `author@example.com ${key.publicKey}`);
      return { publicKey: key.publicKey, sign: (message) => signWithSsh(git, key, message) };
    }

    const register = async (publicKey: string): Promise<void> => {
      const { status } = await api("POST", "/tenants/acme/signing-keys", { title: "a key", key: publicKey });
      expect(status).toBe(201);
    };

    const ORDER = {
      branch: "main",
      message: "Signed elsewhere, ü",
      author: { name: "A U Thor", email: "author@example.com" },
      actions: [{ action: "create", path: "signed.txt", content: "signed\n" }],
    };

    /** Asks for what is to be signed. */
    async function payloadOf(path: string, order: object = ORDER): Promise<string> {
      const asked = await api("POST", `${path}/commits`, { ...order, sign: "detached" });
      expect(asked).toMatchObject({ status: 200, body: { branch: "main" } });
      return Buffer.from(String(asked.body["payload"]), "base64").toString("utf8");
    }

    const hand = async (path: string, payload: string, armoured: string, order: object = ORDER): Promise<ApiAnswer> =>
      await api("POST", `${path}/commits`, {
        ...order,
        signature: { payload: btoa(Buffer.from(payload).toString("latin1")), armoured },
      });

    describe.each(["ssh", "openpgp"] as const)("by %s", (kind) => {
      it("are verified by git, and are what was signed", async () => {
        const { git } = journey;
        const source = await importFixture(git, "source", linear(3));
        const { path, url } = await pushedRepository(journey, source);
        const { publicKey, sign } = signer(kind);
        await register(publicKey);
        const payload = await payloadOf(path);
        const made = await hand(path, payload, sign(payload));
        expect(made).toMatchObject({ status: 201, body: { signature: "good" } });
        const clone = git.fresh("clone");
        await git.ok(["clone", "-q", url, clone]);
        const trust = ["-c", `gpg.ssh.allowedSignersFile=${git.path("allowed-signers")}`];
        const verified = await git.git([...trust, "verify-commit", "-v", "main"], { cwd: clone });
        expect(verified.stderr).toMatch(/Good .*signature/);
        expect(verified).toMatchObject({ code: 0, stdout: payload });
        expect(await git.ok(["rev-parse", "main"], { cwd: clone })).toBe(made.body["oid"]);
        await git.ok(["fsck", "--strict"], { cwd: clone });
        // The first request has left nothing, and the second can't be repeated: the branch has moved.
        expect(await hand(path, payload, sign(payload))).toMatchObject({
          status: 409,
          body: { current: made.body["oid"] },
        });
      });

      it("are for the commit that was signed, and are no signed push, which a rule wants", async () => {
        const { git } = journey;
        const source = await importFixture(git, "source", linear(3));
        const { path, url } = await pushedRepository(journey, source);
        const { publicKey, sign } = signer(kind);
        await register(publicKey);
        const payload = await payloadOf(path);
        const other = { ...ORDER, message: "Another" };
        expect(await hand(path, payload, sign(payload), other)).toMatchObject({
          status: 409,
          body: { code: "payload_differs" },
        });
        const bad = { ...ORDER, branch: "bad", base: "main" };
        expect(await hand(path, payload, sign(`${payload}\n`), bad)).toMatchObject({
          status: 201,
          body: { signature: "bad" },
        });
        const made = await hand(path, payload, sign(payload));
        expect(made).toMatchObject({ status: 201, body: { signature: "good" } });
        const ref = { oid: made.body["oid"] };
        expect((await api("PUT", `${path}/refs/heads/kept`, ref)).status).toBe(201);
        // The branch goes back, and is protected. Whoever has seen the commit has its signature, too.
        await git.ok(["push", "-q", "-f", url, "main"], { cwd: source });
        const rules = { protected: [{ pattern: "main", require_signed: true }] };
        expect((await api("PATCH", path, rules)).status).toBe(200);
        const refused = { status: 403, body: { code: "rule" } };
        expect(await api("POST", `${path}/commits`, ORDER)).toMatchObject(refused);
        expect(await hand(path, payload, sign(payload))).toMatchObject(refused);
        expect(await api("PUT", `${path}/refs/heads/main`, ref)).toMatchObject(refused);
      });
    });

    it("may be merges, squashed merges, picks, reverts and annotated tags", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(3));
      const { path, url } = await pushedRepository(journey, source);
      const { publicKey, sign } = signer("ssh");
      await register(publicKey);
      const commit = async (branch: string, file: string, base = "main"): Promise<unknown> => {
        const actions = [{ action: "create", path: file, content: `${file}\n` }];
        const made = await api("POST", `${path}/commits`, { branch, base, message: file, actions });
        expect(made.status).toBe(201);
        return made.body["oid"];
      };
      const picked = await commit("one", "one.txt");
      for (const branch of ["two", "three", "four"]) await commit(branch, `${branch}.txt`);
      await commit("five", "five.txt", "one");
      const author = { name: "A U Thor", email: "author@example.com" };
      const orders: [string, Record<string, unknown>][] = [
        ["merges", { base: "two", head: "three", author, committer: author }],
        ["merges", { base: "three", head: "one", strategy: "squash" }],
        ["cherry-picks", { branch: "four", commits: [picked], committer: author }],
        ["reverts", { branch: "five", commits: [picked], author }],
        ["tags", { name: "v1", target: "one", message: "One", tagger: author }],
      ];
      const signed: { payload: string; signature: { payload: unknown; armoured: string } }[] = [];
      for (const [below, order] of orders) {
        const asked = await api("POST", `${path}/${below}`, { ...order, sign: "detached" });
        expect([below, asked.status]).toEqual([below, 200]);
        const payload = Buffer.from(String(asked.body["payload"]), "base64").toString("utf8");
        signed.push({ payload, signature: { payload: asked.body["payload"], armoured: sign(payload) } });
      }
      // A second later they are still what was signed.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      for (const [at, [below, order]] of orders.entries()) {
        const handedIn = { ...order, signature: signed[at]?.signature };
        const key = { "Idempotency-Key": `${below}-${at}` };
        const made = await api("POST", `${path}/${below}`, handedIn, key);
        expect([below, made.status, made.body]).toMatchObject([below, 201, { signature: "good" }]);
        expect((await api("POST", `${path}/${below}`, handedIn, key)).body).toEqual(made.body);
        expect((await api("POST", `${path}/${below}`, handedIn)).status).toBe(409);
      }
      const clone = git.fresh("clone");
      await git.ok(["clone", "-q", url, clone]);
      await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
      const trust = ["-c", `gpg.ssh.allowedSignersFile=${git.path("allowed-signers")}`];
      const made = ["origin/two", "origin/three", "origin/four", "origin/five"];
      for (const [at, name] of made.entries()) {
        const verified = await git.git([...trust, "verify-commit", "-v", name], { cwd: clone });
        expect(verified).toMatchObject({ code: 0, stdout: signed[at]?.payload });
      }
      expect(await git.git([...trust, "verify-tag", "-v", "v1"], { cwd: clone })).toMatchObject({
        code: 0,
        stdout: signed[4]?.payload,
      });
    });

    it("are for one commit: what makes several, or none, or conflict markers, is refused", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(3));
      const { path } = await pushedRepository(journey, source);
      const [first, second] = (await git.ok(["rev-list", "-2", "main"], { cwd: source })).split("\n");
      for (const [below, order] of [
        ["merges", { base: "main", head: "main", strategy: "rebase" }],
        ["merges", { base: "main", head: "main", strategy: "ff-only" }],
        ["merges", { base: "main", head: "main", materialise: "marks" }],
        ["reverts", { branch: "main", commits: [first, second] }],
        ["cherry-picks", { branch: "main", commits: [first, second] }],
      ] as const) {
        expect(await api("POST", `${path}/${below}`, { ...order, sign: "detached" })).toMatchObject({
          status: 422,
          body: { errors: [{ pointer: "#/sign" }] },
        });
      }
      const other = await api("POST", `${path}/tags`, {
        name: "v1",
        target: "main",
        message: "One",
        signature: {
          payload: btoa("tree 1"),
          armoured: "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----",
        },
      });
      expect(other).toMatchObject({ status: 409, body: { code: "payload_differs" } });
    });

    it("are stored as given where no rule demands more, and refused if they are none", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(3));
      const { path } = await pushedRepository(journey, source);
      const stranger = makeSshKey(git, "ed25519");
      const payload = await payloadOf(path);
      for (const armoured of ["no signature", "-----BEGIN SSH SIGNATURE-----\nü\n-----END SSH SIGNATURE-----\n"]) {
        expect(await hand(path, payload, armoured)).toMatchObject({ status: 422 });
      }
      const twice = { ...ORDER, sign: true };
      expect(await hand(path, payload, signWithSsh(git, stranger, payload), twice)).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: "#/sign" }] },
      });
      const made = await hand(path, payload, signWithSsh(git, stranger, payload));
      expect(made).toMatchObject({ status: 201, body: { signature: "unknown-key" } });
    });
  },
  ["thinpack"],
);
