/** What C git says of objects, for the tests of this folder. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { encodeEntryHeader, entryHeaderBytes } from "../../../src/format/pack-entry.ts";
import { encodePackHeader } from "../../../src/format/pack-header.ts";
import { TYPE_NUMBER, type ObjectType } from "../../../src/object/object-type.ts";
import { outputOf, runSmall } from "../../support/small-parent.ts";

/** An object as it is hashed. */
export type RawObject = { type: ObjectType; bytes: Uint8Array };

/** What `git index-pack` did with a pack, and the messages of its fsck as `id: text`. */
export type GitVerdict = { rejected: boolean; messages: string[]; stderr: string };

/** A repository for git to work in. */
export class GitReferee {
  readonly dir: string;
  readonly name: "sha1" | "sha256";

  constructor(name: "sha1" | "sha256" = "sha1") {
    this.name = name;
    this.dir = mkdtempSync(join(tmpdir(), "thinpack-object-"));
    this.git(["init", "-q", "--bare", `--object-format=${name}`, "."]);
  }

  get #options(): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd: this.dir, env: { PATH: process.env["PATH"], HOME: this.dir, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" } };
  }

  git(args: readonly string[], input: Uint8Array | string = ""): Buffer {
    return outputOf({ program: "git", args, ...this.#options, input });
  }

  /** Runs a command that answers by its exit status. */
  succeeds(args: readonly string[]): boolean {
    return runSmall({ program: "git", args, ...this.#options }).status === 0;
  }

  /** Has git check a pack of these objects as a host does that was told `receive.fsckObjects`. */
  judge(objects: readonly RawObject[]): GitVerdict {
    const args = ["index-pack", "--threads=1", "--fsck-objects", "--stdin"];
    const run = runSmall({ program: "git", args, ...this.#options, input: this.#pack(objects) });
    const stderr = run.stderr.toString("utf8");
    const messages = [...stderr.matchAll(/^error: object [0-9a-f]+: (.*)$/gm)].map((match) => match[1] ?? "");
    return { rejected: run.status !== 0, messages, stderr };
  }

  /** Gives an object's raw name. */
  nameOf(object: RawObject): Buffer {
    return createHash(this.name).update(`${object.type} ${object.bytes.length}\0`).update(object.bytes).digest();
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #pack(objects: readonly RawObject[]): Buffer {
    const entries = objects.flatMap(({ type, bytes }) => {
      const header = new Uint8Array(entryHeaderBytes(bytes.length));
      encodeEntryHeader(TYPE_NUMBER[type], bytes.length, header, 0);
      return [header, deflateSync(bytes)];
    });
    const body = Buffer.concat([encodePackHeader(objects.length), ...entries]);
    return Buffer.concat([body, createHash(this.name).update(body).digest()]);
  }
}
