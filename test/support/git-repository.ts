/**
 * A temporary repository of C git's, driven synchronously: what the store's tests make packs with and ask for verdicts.
 *
 * @packageDocumentation
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ObjectFormat, objectFormat } from "../../src/object/object-id.ts";
import { outputOf, runSmall } from "./small-parent.ts";

/** What a git command did. */
export type GitRun = { readonly ok: boolean; readonly stdout: Buffer; readonly stderr: string };

/** A repository in a directory of its own; {@link GitRepository.dispose} it. */
export class GitRepository {
  readonly dir: string;
  readonly format: ObjectFormat;

  constructor(...options: readonly string[]) {
    this.dir = mkdtempSync(join(tmpdir(), "thinpack-store-"));
    this.format = objectFormat(options.includes("--object-format=sha256") ? "sha256" : "sha1");
    this.git(["init", "-q", "-b", "main", "--bare", ...options, "."]);
    this.git(["config", "gc.auto", "0"]);
    this.git(["config", "transfer.unpackLimit", "1"]);
    this.git(["config", "pack.threads", "1"]);
    // with a bitmap, pack-objects makes no thin packs
    this.git(["config", "repack.writeBitmaps", "false"]);
  }

  get #env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env["PATH"],
      HOME: this.dir,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "A U Thor",
      GIT_AUTHOR_EMAIL: "author@example.com",
      GIT_COMMITTER_NAME: "C O Mitter",
      GIT_COMMITTER_EMAIL: "committer@example.com",
      GIT_AUTHOR_DATE: "1700000000 +0000",
      GIT_COMMITTER_DATE: "1700000000 +0000",
    };
  }

  /** Runs git and gives its output. @throws where it fails. */
  git(args: readonly string[], input: Uint8Array | string = "", env: NodeJS.ProcessEnv = {}): Buffer {
    return outputOf({ program: "git", args, cwd: this.dir, input, env: { ...this.#env, ...env } });
  }

  /** Runs git, whatever it says. */
  run(args: readonly string[], input: Uint8Array | string = ""): GitRun {
    const { status, stdout, stderr } = runSmall({ program: "git", args, cwd: this.dir, input, env: this.#env });
    return { ok: status === 0, stdout, stderr: stderr.toString() };
  }

  /** Runs git and gives its output without the last line feed. */
  text(args: readonly string[], input: Uint8Array | string = ""): string {
    return this.git(args, input).toString().trimEnd();
  }

  /** Runs git and gives the lines of its output. */
  lines(args: readonly string[], input: Uint8Array | string = ""): string[] {
    return this.text(args, input).split("\n").filter(Boolean);
  }

  /** Imports a `git fast-import` stream. */
  import(stream: { bytes(): Uint8Array }): void {
    this.git(["fast-import", "--quiet", "--force"], stream.bytes());
  }

  /** Gives the oid of a revision. */
  oid(revision: string): string {
    return this.text(["rev-parse", "--verify", revision]);
  }

  /** Gives the values of all refs. */
  tips(): string[] {
    return [...new Set(this.lines(["for-each-ref", "--format=%(objectname)"]))];
  }

  /** Packs what the revisions reach: `--all`, or names and `^` names. */
  pack(revisions: readonly string[], ...options: readonly string[]): Buffer {
    const lines = revisions.flatMap((revision) => (revision === "--all" ? this.tips() : [revision]));
    return this.git(["pack-objects", "--stdout", "--revs", "-q", ...options], `${lines.join("\n")}\n`);
  }

  /** Packs just the objects named. */
  packObjects(oids: readonly string[], ...options: readonly string[]): Buffer {
    return this.git(["pack-objects", "--stdout", "-q", ...options], `${oids.join("\n")}\n`);
  }

  /** Gives the object names that `git rev-list --objects` lists, sorted. */
  objects(...revisions: readonly string[]): string[] {
    return this.lines(["rev-list", "--objects", "--no-object-names", ...revisions]).sort();
  }

  /** Has git index a pack, strictly, outside of any repository's objects; gives the `.idx` and `.rev` it wrote. */
  index(pack: Uint8Array, ...options: readonly string[]): { idx: Buffer; rev: Buffer } {
    const run = this.tryIndex(pack, ...options);
    if (run.idx === undefined || run.rev === undefined) throw new Error(run.stderr);
    return { idx: run.idx, rev: run.rev };
  }

  /** As {@link index}, whatever git says of the pack. */
  tryIndex(pack: Uint8Array, ...options: readonly string[]): { idx?: Buffer; rev?: Buffer; stderr: string } {
    const scratch = mkdtempSync(join(tmpdir(), "thinpack-index-"));
    try {
      const run = runSmall({
        program: "git",
        args: ["index-pack", "--stdin", "--rev-index", ...options],
        cwd: scratch,
        input: pack,
        env: { ...this.#env, GIT_DIR: this.#emptyRepository(scratch) },
      });
      const packs = join(scratch, "objects", "pack");
      const read = (extension: string): Buffer | undefined => {
        const name = readdirSync(packs).find((file) => file.endsWith(extension));
        return name === undefined ? undefined : readFileSync(join(packs, name));
      };
      const idx = read(".idx");
      const rev = read(".rev");
      return {
        ...(idx === undefined ? {} : { idx }),
        ...(rev === undefined ? {} : { rev }),
        stderr: run.stderr.toString(),
      };
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  #emptyRepository(dir: string): string {
    const args = ["init", "-q", "--bare", `--object-format=${this.format.name}`, "."];
    outputOf({ program: "git", args, cwd: dir, env: this.#env });
    return dir;
  }

  /** Takes a pack in, completing it where it is thin. @throws where git refuses it. */
  receive(pack: Uint8Array): void {
    this.git(["index-pack", "--stdin", "--fix-thin", "--strict"], pack);
  }

  /** Removes the repository. */
  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
