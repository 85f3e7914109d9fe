/** `git push --signed` with keys of each kind. */
import { afterAll, describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { byEveryDoor, inEveryFormat, isWhole } from "../support/git-hosts.ts";
import { type RawAnswer, send } from "../support/git-raw.ts";
import { endAgent, makePgpKey, makeSshKey } from "../support/signing-keys.ts";

/** What the certificate of a push names, by the way in which git comes. */
const PUSHEES = { http: "pushee http:", websocket: "pushee thinpack::http:", ssh: "pushee ssh:", git: "pushee http:" };

/** A key, and how git is told to sign with it. */
type Signer = { readonly publicKey: string; readonly fingerprint: string; readonly config: readonly string[] };

byEveryDoor(inEveryFormat, "signed pushes", (journey) => {
  afterAll(() => endAgent(journey.git));

  async function working(): Promise<{ cwd: string; url: string; api: string }> {
    const cwd = await importFixture(journey.git, "source", linear(3));
    const url = await journey.create();
    return { cwd, url, api: url.replace(/\/(acme\/[^/]+)\.git$/, "/api/v1/repos/$1") };
  }

  function signer(kind: "ssh" | "openpgp", type = "ed25519"): Signer {
    if (kind === "openpgp") {
      const key = makePgpKey(journey.git, type);
      return { ...key, config: ["-c", `user.signingKey=${key.fingerprint}`] };
    }
    const key = makeSshKey(journey.git, type);
    return { ...key, config: ["-c", "gpg.format=ssh", "-c", `user.signingKey=${key.file}`] };
  }

  const ask = (method: string, url: string, body?: unknown): Promise<RawAnswer> =>
    send(url, {
      method,
      headers: { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    });

  async function certificates(api: string): Promise<{ id: number }[]> {
    const { body } = await ask("GET", `${api}/reflog`);
    const { pushes } = JSON.parse(body.toString()) as { pushes: { certificate: { id: number } }[] };
    return pushes.map(({ certificate }) => certificate);
  }

  describe.each(["ssh", "openpgp"] as const)("by %s", (kind) => {
    it("are taken, with push options, with deletions, and with --atomic", async () => {
      const { git } = journey;
      const { cwd, url, api } = await working();
      const { config } = signer(kind);
      await git.ok([...config, "push", "-q", "--signed", url, "main", "main~:refs/heads/topic"], { cwd });
      await git.ok([...config, "push", "-q", "--signed", "-o", "a b", "--atomic", url, ":topic", "main:x"], { cwd });
      await git.ok([...config, "push", "-q", "--signed", "--force", url, "main~2:main"], { cwd });
      expect(await git.ok(["ls-remote", url, "refs/heads/*"], { cwd })).toBe(
        [
          `${await git.ok(["rev-parse", "main~2"], { cwd })}\trefs/heads/main`,
          `${await git.ok(["rev-parse", "main"], { cwd })}\trefs/heads/x`,
        ].join("\n"),
      );
      if (journey.host !== "thinpack") return;
      const shown = await certificates(api);
      expect(shown).toHaveLength(3);
      for (const certificate of shown) {
        expect(certificate).toMatchObject({ nonce: "OK", signature: expect.stringMatching(/^un/), key: null });
        const text = (await ask("GET", `${api}/push-certificates/${certificate.id}`)).body.toString();
        const [version, pusher, pushee = "", nonce] = text.split("\n");
        expect([version, pusher, nonce]).toEqual([
          "certificate version 0.1",
          expect.stringMatching(/^pusher ./),
          expect.stringMatching(/^nonce \d+-[0-9a-f]{64}$/),
        ]);
        expect(pushee.slice(0, pushee.indexOf("//"))).toBe(PUSHEES[journey.door]);
        expect(text).toMatch(/\n-----BEGIN (?:SSH|PGP) SIGNATURE-----\n[^]+\n-----END (?:SSH|PGP) SIGNATURE-----\n$/);
      }
    });
  });

  it("are made with --signed=if-asked if the server asks for them, and only then", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    const { config } = signer("ssh");
    await git.ok([...config, "push", "-q", "--signed=if-asked", url, "main"], { cwd });
    await git.ok([...config, "push", "-q", "--no-signed", url, "main:other"], { cwd });
  });

  // C git leaves that to a hook.
  describe.runIf(journey.host === "thinpack")("with registered keys", () => {
    const keysUrl = (url: string): string => `${new URL("/", url).href}api/v1/tenants/acme/signing-keys`;

    const kinds = [
      ["ssh", "ed25519"],
      ["openpgp", "ed25519"],
    ] as const;
    // Neither a door nor a hash function knows of what kind a key is.
    const others = [
      ["ssh", "rsa"],
      ["ssh", "ecdsa"],
      ["openpgp", "rsa2048"],
      ["openpgp", "nistp384"],
    ] as const;
    it.each(isWhole(journey) ? [...kinds, ...others] : kinds)(
      "are found good, and satisfy a rule that wants signatures: %s %s",
      async (kind, type) => {
        const { git } = journey;
        const { cwd, url, api } = await working();
        const { publicKey, fingerprint, config } = signer(kind, type);
        const stranger = signer(kind === "ssh" ? "openpgp" : "ssh");
        const keys = keysUrl(url);
        const added = await ask("POST", keys, { title: "laptop", key: publicKey });
        expect(added.status).toBe(201);
        expect(JSON.parse(added.body.toString())).toMatchObject({ kind, fingerprint, title: "laptop" });
        expect((await ask("POST", keys, { title: "again", key: publicKey })).status).toBe(200);
        expect((await ask("GET", keys)).body.toString()).toContain(fingerprint);
        const rule = { pattern: "main", require_signed: true };
        expect(await ask("PATCH", api, { protected: [rule] })).toMatchObject({ status: 200 });

        const why = "the rule for 'main' wants a push that is signed by a registered key";
        for (const refused of [["push"], [...stranger.config, "push", "--signed"]]) {
          const { stderr } = await git.git([...refused, url, "main"], { cwd });
          expect(stderr).toContain(`! [remote rejected] main -> main (${why})`);
        }
        await git.ok([...stranger.config, "push", "-q", "--signed", url, "main:other"], { cwd });
        await git.ok([...config, "push", "-q", "--signed", url, "main"], { cwd });
        expect(await certificates(api)).toMatchObject([
          { nonce: "OK", signature: "good", key: fingerprint },
          { nonce: "OK", signature: "unknown-key", key: null },
        ]);

        expect((await ask("DELETE", `${keys}/${encodeURIComponent(fingerprint)}`)).status).toBe(204);
        expect((await ask("DELETE", `${keys}/${encodeURIComponent(fingerprint)}`)).status).toBe(404);
        const late = await git.git([...config, "push", "--signed", "--force", url, "main~:main"], { cwd });
        expect(late.stderr).toContain(why);
      },
    );

    // That is asked of the API, which no door of git's leads to.
    if (!isWhole(journey)) return;

    it("refuses what is no key, and keys from callers that may not set them", async () => {
      const { url } = await working();
      const keys = keysUrl(url);
      for (const key of ["", "hello", "ssh-ed25519 AAAA", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n"]) {
        expect(await ask("POST", keys, { title: "x", key })).toMatchObject({ status: 422 });
      }
      const elsewhere = keys.replace("/acme/", "/nobody-here/");
      const { publicKey } = signer("ssh");
      expect(await ask("POST", elsewhere, { title: "x", key: publicKey })).toMatchObject({ status: 404 });
      expect(await ask("GET", elsewhere)).toMatchObject({ status: 404 });
      expect(await ask("GET", keys.replace(/git:[^@]*@/, ""))).toMatchObject({ status: 401 });
    });
  });
});
