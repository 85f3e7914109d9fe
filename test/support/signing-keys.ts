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
export type SshKeyPair = {
  readonly file: string;
  readonly publicKey: string;
  readonly fingerprint: string;
  /** Puts a passphrase on the file. */
  readonly protect: (passphrase: string) => void;
};

/** Makes an SSH key. */
export function makeSshKey(git: GitSandbox, type: string, ...more: string[]): SshKeyPair {
  const file = git.fresh("key");
  run(git, "ssh-keygen", ["-q", "-t", type, ...more, "-N", "", "-C", "author@example.com", "-f", file]);
  const [, fingerprint = ""] = run(git, "ssh-keygen", ["-l", "-f", file]).split(" ");
  const protect = (passphrase: string): void =>
    void run(git, "ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", file]);
  return { file, publicKey: readFileSync(`${file}.pub`, "utf8"), fingerprint, protect };
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

/** Returns the armoured private half of a key that has no passphrase; with `subkeysOnly`, that of its subkeys. */
export function pgpSecretOf(git: GitSandbox, { fingerprint }: PgpKeyPair, subkeysOnly = false): string {
  const what = subkeysOnly ? "--export-secret-subkeys" : "--export-secret-keys";
  return run(git, "gpg", [...GPG, "--armor", what, fingerprint]);
}

/** Adds a subkey to an OpenPGP key. Returns its public half with that. */
export function addPgpSubkey(git: GitSandbox, { fingerprint }: PgpKeyPair, algorithm: string, use: string): PgpKeyPair {
  run(git, "gpg", [...GPG, "--quick-add-key", fingerprint, algorithm, use, "never"]);
  return { fingerprint, publicKey: run(git, "gpg", ["--batch", "--armor", "--export", fingerprint]) };
}

/** Makes an OpenPGP key with a passphrase, and returns its armoured private half. */
export function protectedPgpSecret(git: GitSandbox): string {
  const id = `${git.fresh("name").split("/").at(-1)} ${IDENTITY}`;
  const options = ["--batch", "--pinentry-mode", "loopback", "--passphrase", "a passphrase"];
  run(git, "gpg", [...options, "--quick-generate-key", id, "ed25519", "sign", "never"]);
  return run(git, "gpg", [...options, "--armor", "--export-secret-keys", `=${id}`]);
}

/** Whether `gpg --verify` takes a signature, and what it says. */
export function verifyWithPgp(git: GitSandbox, armoured: string, message: string): string {
  const [file, signed] = [git.fresh("signature"), git.fresh("message")];
  writeFileSync(file, armoured);
  writeFileSync(signed, message);
  return run(git, "gpg", ["--batch", "--status-fd=1", "--verify", file, signed]);
}

/** Verifies as git has SSH verify: returns what `ssh-keygen -Y verify` says of a signature by a public key. */
export function verifyWithSsh(git: GitSandbox, publicKey: string, armoured: string, message: string): string {
  const [file, signers] = [git.fresh("signature"), git.fresh("signers")];
  writeFileSync(file, armoured);
  writeFileSync(signers, `author@example.com ${publicKey}\n`);
  const args = ["-Y", "verify", "-n", "git", "-f", signers, "-I", "author@example.com", "-s", file];
  return run(git, "ssh-keygen", args, message);
}

/** Signs as git has gpg sign. */
export function signWithPgp(git: GitSandbox, key: PgpKeyPair, message: string, ...more: string[]): string {
  return run(git, "gpg", [...GPG, "--status-fd=2", "-bsau", key.fingerprint, ...more], message);
}

/** Ends the agent that gpg starts, which outlives it. */
export function endAgent(git: GitSandbox): void {
  run(git, "gpgconf", ["--kill", "all"]);
}
