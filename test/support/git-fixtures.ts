/**
 * Repositories made by script. All of them come out of `git fast-import`, which takes milliseconds, and have the same oids on
 * every machine.
 *
 * @packageDocumentation
 */
import { hash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ObjectFormat, objectFormat } from "../../src/object/object-id.ts";
import type { GitSandbox } from "./git-client.ts";

/** One file of a commit. `mode` is 100644 where none is given; a gitlink's content is the commit it names. */
export type FixtureFile = { readonly path: string; readonly content: string | Uint8Array; readonly mode?: string };

/** Writes a fast-import stream. */
export class FixtureStream {
  readonly #pieces: Uint8Array[] = [];
  #mark = 0;
  #time = 1_700_000_000;

  /** Adds a commit to a ref and gives its mark. The ref's own tip is the first parent where none is named. */
  commit(
    ref: string,
    files: readonly FixtureFile[],
    options: { from?: string; merge?: string; message?: string } = {},
  ): string {
    this.#mark += 1;
    this.#time += 60;
    const who = `A U Thor <author@example.com> ${this.#time} +0200`;
    this.#line(`commit ${ref}`, `mark :${this.#mark}`, `author ${who}`, `committer ${who}`);
    this.#data(options.message ?? `commit ${this.#mark}\n`);
    const mark = `:${this.#mark}`;
    if (options.from !== undefined) this.#line(`from ${options.from}`);
    if (options.merge !== undefined) this.#line(`merge ${options.merge}`);
    for (const file of files) this.#file(file);
    this.#line("");
    return mark;
  }

  /** Renames, inside the next commit's files, are a deletion and a copy: give them as raw fast-import lines. */
  raw(text: string): void {
    this.#line(text);
  }

  /** Adds an annotated tag of a mark, or of another tag's mark, and gives its own mark. */
  tag(name: string, from: string): string {
    this.#mark += 1;
    this.#line(
      `tag ${name}`,
      `mark :${this.#mark}`,
      `from ${from}`,
      `tagger A U Thor <author@example.com> ${this.#time} +0200`,
    );
    this.#data(`tag ${name}\n`);
    return `:${this.#mark}`;
  }

  /** Points a ref at a mark or oid. */
  reset(ref: string, from: string): void {
    this.#line(`reset ${ref}`, `from ${from}`, "");
  }

  /** The stream so far. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  #file(file: FixtureFile): void {
    const mode = file.mode ?? "100644";
    const path = JSON.stringify(file.path);
    if (mode === "160000") {
      this.#line(`M 160000 ${String(file.content)} ${path}`);
      return;
    }
    this.#line(`M ${mode} inline ${path}`);
    this.#data(file.content);
  }

  #line(...lines: string[]): void {
    this.#pieces.push(Buffer.from(`${lines.join("\n")}\n`));
  }

  #data(content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#pieces.push(Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from("\n"));
  }
}

/** The repositories that each sandbox has made of streams, by kind and the stream's hash. Never handed out: they are copied. */
const made = new WeakMap<GitSandbox, Map<string, string>>();

/** Returns what `make` has made of a stream: once per sandbox. */
async function once(
  sandbox: GitSandbox,
  kind: "import" | "clone",
  bytes: Uint8Array,
  make: () => Promise<string>,
): Promise<string> {
  const known = made.get(sandbox) ?? new Map<string, string>();
  made.set(sandbox, known);
  const key = `${kind} ${hash("sha256", bytes)}`;
  const directory = known.get(key) ?? (await make());
  known.set(key, directory);
  return directory;
}

/** Imports a stream into a bare repository that tests don't see. */
async function importOnce(sandbox: GitSandbox, bytes: Uint8Array): Promise<string> {
  return await once(sandbox, "import", bytes, async () => {
    const directory = await sandbox.init("fixture", "--bare");
    await sandbox.ok(["fast-import", "--quiet", "--force"], { cwd: directory, input: bytes });
    return directory;
  });
}

/**
 * Makes the working copy that `git clone url` gives after the stream's branches were pushed to `url`, and gives its directory.
 * For preparing a test: nothing is asked of the host, and the same stream again takes no process.
 */
export async function cloneFixture(
  sandbox: GitSandbox,
  name: string,
  stream: FixtureStream,
  url: string,
): Promise<string> {
  const bytes = stream.bytes();
  const template = await once(sandbox, "clone", bytes, async () => {
    const directory = sandbox.fresh("clone");
    // As over HTTP, one pack comes.
    await sandbox.ok(["clone", "-q", "--no-local", await importOnce(sandbox, bytes), directory]);
    return directory;
  });
  const directory = sandbox.fresh(name);
  cpSync(template, directory, { recursive: true, verbatimSymlinks: true });
  const file = join(directory, ".git", "config");
  const config = readFileSync(file, "utf8");
  writeFileSync(
    file,
    config.replace(/^\turl = .*$/m, () => `\turl = ${url}`),
  );
  return directory;
}

/** Makes a bare repository from a stream and gives its directory. The same stream again takes no process. */
export async function importFixture(sandbox: GitSandbox, name: string, stream: FixtureStream): Promise<string> {
  const directory = sandbox.fresh(name);
  cpSync(await importOnce(sandbox, stream.bytes()), directory, { recursive: true });
  return directory;
}

/** Pseudo-random bytes that no compressor shortens, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 255;
  }
  return bytes;
}

/** A text of so many lines, with some of them changed: successive versions make good deltas. */
function page(lines: number, version: number): string {
  return Array.from(
    { length: lines },
    (_, at) => `line ${at}: ${at % 17 === version % 17 ? version : "as ever"}\n`,
  ).join("");
}

/** A straight history of `count` commits on main that change one of a few files each. */
export function linear(count: number): FixtureStream {
  const stream = new FixtureStream();
  for (let version = 0; version < count; version++) {
    stream.commit("refs/heads/main", [
      { path: `src/file-${version % 5}.txt`, content: page(120, version) },
      { path: "VERSION", content: `${version}\n` },
    ]);
  }
  return stream;
}

/** A wide and deep tree of 4,000 files, and commits that changed one of them each: some 5,000 objects, and 5 with each commit. */
export function project(commits: number): FixtureStream {
  const stream = new FixtureStream();
  const files = Array.from({ length: 4000 }, (_, i) => ({
    path: `src/${i % 20}/${i % 400}/file-${i}.txt`,
    content: Buffer.from(noise(700, i)).toString("base64"),
  }));
  stream.commit("refs/heads/main", files);
  for (let i = 0; i < commits; i++) {
    const file = files[(i * 37) % files.length];
    if (file !== undefined) stream.commit("refs/heads/main", [{ path: file.path, content: `${file.content}\n${i}\n` }]);
  }
  return stream;
}

/**
 * Everything at once: merges, branches, lightweight and annotated tags, a tag of a tag, tags of a tree and a blob, executables,
 * symlinks, a gitlink, names that are not ASCII, an empty blob, a deep path, a rename, a wide directory and a note.
 */
export function everything({ hexSize }: ObjectFormat = objectFormat("sha1")): FixtureStream {
  const stream = new FixtureStream();
  const wide = Array.from({ length: 300 }, (_, at) => ({ path: `wide/entry-${at}.txt`, content: `entry ${at}\n` }));
  const first = stream.commit("refs/heads/main", [
    { path: "README.md", content: page(200, 0) },
    { path: "run.sh", content: "#!/bin/sh\nexit 0\n", mode: "100755" },
    { path: "link", content: "README.md", mode: "120000" },
    { path: "empty", content: "" },
    { path: "ünïcödé/文件.txt", content: "naïve\n" },
    { path: "a/b/c/d/e/f/g/deep.txt", content: "deep\n" },
    { path: "noise.bin", content: noise(50_000, 7) },
    ...wide,
  ]);
  const side = stream.commit("refs/heads/side", [{ path: "side.txt", content: "side\n" }], { from: first });
  const second = stream.commit("refs/heads/main", [
    { path: "README.md", content: page(200, 1) },
    { path: "module", content: "1234567890".repeat(7).slice(0, hexSize), mode: "160000" },
    { path: ".gitmodules", content: '[submodule "module"]\n\tpath = module\n\turl = https://example.com/module.git\n' },
  ]);
  stream.commit("refs/heads/main", [{ path: "side.txt", content: "side\n" }], { from: second, merge: side });
  stream.raw(
    `commit refs/heads/main\ncommitter A U Thor <author@example.com> 1700009000 +0200\ndata 7\nrename\nR "README.md" "docs/read me.md"\n`,
  );
  stream.commit("refs/heads/feature/deep/name", [{ path: "feature.txt", content: "feature\n" }], { from: second });
  stream.reset("refs/tags/light", second);
  const annotated = stream.tag("v1.0", first);
  stream.tag("v1.0-signed-off", annotated);
  stream.commit("refs/notes/commits", [{ path: "note", content: "a note\n" }]);
  return stream;
}
