/** `git push --signed` with keys of each kind. */
import { mkdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import type { GitSandbox } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { send } from "../support/git-raw.ts";

const IDENTITY = "A U Thor <author@example.com>";

/** Runs a program at the sandbox's home. */
function run(git: GitSandbox, program: string, ...args: string[]): string {
  return execFileSync(program, args, { env: git.environment(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Makes an SSH key; gives the file of its private half. */
export function sshKey(git: GitSandbox, type: string, ...more: string[]): string {
  const file = git.fresh("key");
  run(git, "ssh-keygen", "-q", "-t", type, ...more, "-N", "", "-C", "author@example.com", "-f", file);
  return file;
}

/** Makes an OpenPGP key; gives its fingerprint. */
export function pgpKey(git: GitSandbox, algorithm: string): string {
  mkdirSync(git.path("home", ".gnupg"), { recursive: true, mode: 0o700 });
  const options = ["--batch", "--pinentry-mode", "loopback", "--passphrase", ""];
  run(git, "gpg", ...options, "--quick-generate-key", `${algorithm} ${IDENTITY}`, algorithm, "sign", "never");
  const keys = run(git, "gpg", "--batch", "--with-colons", "--list-keys", `${algorithm} ${IDENTITY}`);
  return /^fpr:+([0-9A-F]{40,64}):/m.exec(keys)?.[1] ?? "";
}

onEveryHost("signed pushes", (journey) => {
  afterAll(() => {
    // The agent that gpg starts outlives it.
    try {
      run(journey.git, "gpgconf", "--kill", "all");
    } catch {
      // It never ran.
    }
  });

  async function working(): Promise<{ cwd: string; url: string }> {
    const { git } = journey;
    const cwd = await importFixture(git, "source", linear(3));
    return { cwd, url: await journey.create() };
  }

  const signing = {
    ssh: (git: GitSandbox) => ["-c", "gpg.format=ssh", "-c", `user.signingKey=${sshKey(git, "ed25519")}`],
    openpgp: (git: GitSandbox) => ["-c", `user.signingKey=${pgpKey(git, "ed25519")}`],
  } as const;

  describe.each(["ssh", "openpgp"] as const)("by %s", (kind) => {
    it("are taken, with push options, deletions, and by the atom", async () => {
      const { git } = journey;
      const { cwd, url } = await working();
      const config = signing[kind](git);
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
      const api = url.replace(/\/(acme\/[^/]+)\.git$/, "/api/v1/repos/$1");
      const answer = await send(`${api}/reflog`);
      const { pushes } = JSON.parse(answer.body.toString()) as { pushes: { id: number; certificate: unknown }[] };
      expect(pushes).toHaveLength(3);
      for (const { id, certificate } of pushes) {
        expect(certificate).toMatchObject({ id, nonce: "OK", signature: "unverified", key: null });
        const text = (await send(`${api}/push-certificates/${id}`)).body.toString();
        expect(text).toMatch(/^certificate version 0\.1\npusher .+\npushee http.+\nnonce \d+-[0-9a-f]{64}\n/);
        expect(text).toMatch(/\n-----BEGIN (?:SSH|PGP) SIGNATURE-----\n[^]+\n-----END (?:SSH|PGP) SIGNATURE-----\n$/);
      }
    });
  });

  it("are made where the client is asked for them only if the server takes them", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    const key = sshKey(git, "ed25519");
    const config = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${key}`];
    await git.ok([...config, "push", "-q", "--signed=if-asked", url, "main"], { cwd });
    await git.ok([...config, "push", "-q", "--no-signed", url, "main:other"], { cwd });
  });
});
