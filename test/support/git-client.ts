/**
 * The real git client, driven from tests and the benchmark: its own home, no configuration of the machine, errors kept, a
 * time limit, never a prompt.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ObjectFormat, type ObjectFormatName, objectFormat } from "../../src/object/object-id.ts";
import { runGitApart } from "./git-parent.ts";
import { runGit } from "./git-run.ts";
import { remoteHelper } from "./remote-helper.ts";
import { COMMAND_LIMIT } from "./time-limits.ts";

/** What a git command did. */
export type GitResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** How to run one git command. */
export type GitOptions = {
  /** The directory to run in; the sandbox's own by default. */
  readonly cwd?: string;
  /** Bytes or text for its standard input. */
  readonly input?: Uint8Array | string;
  readonly env?: Record<string, string>;
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
};

const IDENTITY: Record<string, string> = {
  GIT_AUTHOR_NAME: "A U Thor",
  GIT_AUTHOR_EMAIL: "author@example.com",
  GIT_COMMITTER_NAME: "C O Mitter",
  GIT_COMMITTER_EMAIL: "committer@example.com",
  GIT_AUTHOR_DATE: "1700000000 +0200",
  GIT_COMMITTER_DATE: "1700000000 +0200",
};

const WHO = [
  `author ${IDENTITY["GIT_AUTHOR_NAME"]} <${IDENTITY["GIT_AUTHOR_EMAIL"]}> ${IDENTITY["GIT_AUTHOR_DATE"]}\n`,
  `committer ${IDENTITY["GIT_COMMITTER_NAME"]} <${IDENTITY["GIT_COMMITTER_EMAIL"]}> ${IDENTITY["GIT_COMMITTER_DATE"]}\n`,
].join("");

/** The benchmark uses sandboxes, too, and its process is small. */
const IN_TESTS = process.env["VITEST"] !== undefined;

/** No templates: a repository without them takes half as many files to make. No fsync in tests, which lose no power. */
const CONFIGURATION = [
  "[init]\n\tdefaultBranch = main\n\ttemplateDir =\n",
  "[advice]\n\tdetachedHead = false\n",
  // Git 3.0 takes no bare repository for one unless it is told where it is; tests run in many.
  "[safe]\n\tbareRepository = all\n",
  "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
  !IN_TESTS ? "" : "[core]\n\tfsync = none\n",
].join("");

/** A directory with a home of its own in which git runs. `close` removes it. */
export class GitSandbox {
  /** The sandbox's directory; every relative `cwd` and path is inside it. */
  readonly directory: string;
  /** What repositories are made with. */
  readonly format: ObjectFormat;
  #repositories = 0;
  #programs = "";

  constructor(name = "git", format: ObjectFormatName = "sha1") {
    this.format = objectFormat(format);
    this.directory = mkdtempSync(join(tmpdir(), `thinpack-${name}-`));
    mkdirSync(join(this.directory, "home"));
    writeFileSync(join(this.directory, "home", ".gitconfig"), CONFIGURATION);
  }

  /** A path in the sandbox. */
  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  /** A name for a directory that does not exist yet. */
  fresh(prefix = "work"): string {
    this.#repositories += 1;
    return this.path(`${prefix}-${this.#repositories}`);
  }

  /** Has git go to every host by WebSocket, with the helper that the command's package has. Addresses stay those of HTTP. */
  async useWebSockets(): Promise<void> {
    this.usePrograms(await remoteHelper(this.path("helper")));
    this.configure('url "thinpack::http://"', "insteadOf", "http://");
  }

  /** Sets a variable of git's configuration. `section` is written as in the file. */
  configure(section: string, name: string, value: string): void {
    appendFileSync(this.path("home", ".gitconfig"), `[${section}]\n\t${name} = "${value}"\n`);
  }

  /** Has the programs of a directory used, before those of the machine: another git, say. */
  usePrograms(directory: string): void {
    this.#programs = `${directory}:${this.#programs}`;
  }

  /** The environment that git gets: nothing of the machine's but PATH. */
  environment(extra: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: `${this.#programs}${process.env["PATH"] ?? ""}`,
      HOME: this.path("home"),
      LC_ALL: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_DEFAULT_HASH: this.format.name,
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "true",
      ...IDENTITY,
      ...extra,
    };
  }

  /** Starts git without waiting for it, for tests that interrupt it. */
  start(args: readonly string[], options: GitOptions = {}): ChildProcess {
    const cwd = options.cwd ?? this.directory;
    return spawn("git", args, { cwd, env: this.environment(options.env), stdio: ["pipe", "pipe", "pipe"] });
  }

  /** Runs git and gives what it did, whatever that was. */
  async git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const { code, stdout, stderr } = await this.#run(args, options);
    return { code, stdout: stdout.toString("utf8"), stderr };
  }

  /**
   * Runs git and gives its standard output, without the last newline.
   *
   * @throws Error with git's own words, when it fails.
   */
  async ok(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.bytes(args, options)).toString("utf8").replace(/\n$/, "");
  }

  /** As `ok`, but the bytes as they are. */
  async bytes(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    const { code, stdout, stderr } = await this.#run(args, options);
    if (code !== 0) throw new Error(`git ${args.join(" ").slice(0, 200)}: exit code ${code}\n${stderr.slice(-4000)}`);
    return stdout;
  }

  /** Makes an empty repository and gives its directory. */
  async init(prefix = "work", ...options: string[]): Promise<string> {
    const directory = this.fresh(prefix);
    await this.ok(["init", "-q", ...options, directory]);
    return directory;
  }

  /** Commits one file on the branch that is checked out, and gives the commit's oid. */
  async commit(cwd: string, file: string, content: string, message = `change ${file}`): Promise<string> {
    mkdirSync(join(cwd, file, ".."), { recursive: true });
    writeFileSync(join(cwd, file), content);
    await this.ok(["add", "-A"], { cwd });
    await this.ok(["commit", "-q", "--allow-empty", "-m", message], { cwd });
    return await this.head(cwd);
  }

  /** Makes empty commits on the branch that is checked out, in one process. Each is as `git commit --allow-empty -m "{message} {n}"` makes it. */
  async emptyCommits(cwd: string, count: number, message: string): Promise<void> {
    const branch = await this.ok(["symbolic-ref", "HEAD"], { cwd });
    const commits = Array.from({ length: count }, (_, at) => {
      const text = `${message} ${at}\n`;
      const begin = `commit ${branch}\n${WHO}data ${Buffer.byteLength(text)}\n${text}`;
      return at === 0 ? `${begin}from ${branch}^0\n\n` : `${begin}\n`;
    });
    await this.ok(["fast-import", "--quiet"], { cwd, input: commits.join("") });
  }

  /** Gives what HEAD is, without a process where it is a loose ref. */
  async head(cwd: string): Promise<string> {
    return headOf(cwd) ?? (await this.ok(["rev-parse", "HEAD"], { cwd }));
  }

  /**
   * Runs `git fsck --full --strict`.
   *
   * @throws Error with git's words, when anything is wrong.
   */
  async fsck(cwd: string): Promise<void> {
    await this.ok(["fsck", "--full", "--strict", "--no-dangling", "--no-progress"], { cwd });
  }

  /** Removes everything. */
  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #run(args: readonly string[], options: GitOptions): Promise<{ code: number; stdout: Buffer; stderr: string }> {
    const { code, stdout, stderr } = await (IN_TESTS ? runGitApart : runGit)({
      args,
      cwd: options.cwd ?? this.directory,
      env: this.environment(options.env),
      input: options.input ?? "",
      timeout: options.timeout ?? COMMAND_LIMIT,
    });
    return { code, stdout: Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength), stderr };
  }
}

/** Reads what HEAD is, without a process; `undefined` where it isn't in the two files of gitrepository-layout(5). */
function headOf(cwd: string): string | undefined {
  try {
    const head = readFileSync(join(cwd, ".git", "HEAD"), "utf8").trim();
    const oid = head.startsWith("ref: ") ? readFileSync(join(cwd, ".git", head.slice(5)), "utf8").trim() : head;
    return /^[0-9a-f]{40,64}$/.test(oid) ? oid : undefined;
  } catch {
    return undefined;
  }
}

/** A URL with the credentials in it, as a user would write it. */
export function withToken(base: string, token: string): string {
  return token === "" ? base : base.replace("://", `://git:${token}@`);
}

/** All refs of a repository as `name oid` lines in order; `git show-ref` would leave out nothing either, but fails when empty. */
export async function refsOf(sandbox: GitSandbox, cwd: string, prefix = "refs/"): Promise<string[]> {
  const text = await sandbox.ok(["for-each-ref", "--format=%(refname) %(objectname)", prefix], { cwd });
  return text === "" ? [] : text.split("\n").toSorted();
}

/** All refs that a remote shows, in the same form, without `HEAD` and peeled values. */
export async function refsAt(sandbox: GitSandbox, url: string): Promise<string[]> {
  const text = await sandbox.ok(["ls-remote", url]);
  const rows = text.split("\n").map((line) => line.split("\t"));
  return rows
    .filter(([, name]) => name !== undefined && name.startsWith("refs/") && !name.endsWith("^{}"))
    .map(([oid, name]) => `${name} ${oid}`)
    .toSorted();
}
