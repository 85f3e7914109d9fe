/**
 * Keys and signatures made by the programs that git itself calls: `ssh-keygen` and `gpg`.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { GitSandbox } from "./git-client.ts";

const IDENTITY = "A U Thor <author@example.com>";

/** Runs a program at the sandbox's home. */
function run(git: GitSandbox, program: string, args: readonly string[], input?: string): string {
  return execFileSync(program, args, {
    env: git.environment(),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    ...(input === undefined ? {} : { input }),
  });
}

/** An SSH key: the file of its private half, and its public line. */
export type SshKeyPair = { readonly file: string; readonly publicKey: string; readonly fingerprint: string };

/** Makes an SSH key. */
export function makeSshKey(git: GitSandbox, type: string, ...more: string[]): SshKeyPair {
  const file = git.fresh("key");
  run(git, "ssh-keygen", ["-q", "-t", type, ...more, "-N", "", "-C", "author@example.com", "-f", file]);
  const [, fingerprint = ""] = run(git, "ssh-keygen", ["-l", "-f", file]).split(" ");
  return { file, publicKey: readFileSync(`${file}.pub`, "utf8"), fingerprint };
}

/** Signs as git has SSH sign. */
export function signWithSsh(git: GitSandbox, key: SshKeyPair, message: string, namespace = "git"): string {
  const file = git.fresh("message");
  writeFileSync(file, message);
  run(git, "ssh-keygen", ["-Y", "sign", "-n", namespace, "-f", key.file, file]);
  return readFileSync(`${file}.sig`, "utf8");
}

const GPG = ["--batch", "--pinentry-mode", "loopback", "--passphrase", ""];

/** An OpenPGP key: its fingerprint, and its armoured public half. */
export type PgpKeyPair = { readonly fingerprint: string; readonly publicKey: string };

/** Makes an OpenPGP key that may sign. `expires` is as gpg takes it. Call {@link endAgent} in the end. */
export function makePgpKey(git: GitSandbox, algorithm: string, expires = "never"): PgpKeyPair {
  mkdirSync(git.path("home", ".gnupg"), { recursive: true, mode: 0o700 });
  const id = `${git.fresh("name").split("/").at(-1)} ${IDENTITY}`;
  run(git, "gpg", [...GPG, "--quick-generate-key", id, algorithm, "sign", expires]);
  const fingerprint = /^fpr:+([0-9A-F]{40,64}):/m.exec(run(git, "gpg", ["--batch", "--with-colons", "-k", `=${id}`]));
  const name = fingerprint?.[1] ?? "";
  return { fingerprint: name, publicKey: run(git, "gpg", ["--batch", "--armor", "--export", name]) };
}

/** Signs as git has gpg sign. */
export function signWithPgp(git: GitSandbox, key: PgpKeyPair, message: string, ...more: string[]): string {
  return run(git, "gpg", [...GPG, "--status-fd=2", "-bsau", key.fingerprint, ...more], message);
}

/** Ends the agent that gpg starts, which outlives it. */
export function endAgent(git: GitSandbox): void {
  run(git, "gpgconf", ["--kill", "all"]);
}
