/**
 * `thinpack commit`, `thinpack branch` and `thinpack tag`: changes without a clone.
 *
 * @packageDocumentation
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { ApiConnection } from "./api-connection.ts";
import { pathPiece, refPath, wholeName, wholePath } from "./api-path.ts";
import { collected, commonOptions, connectTo } from "./command-line.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { isJson, type Json, listAt, shownValue, textAt } from "./json.ts";
import { type Column, printDone, printList } from "./output.ts";

/** The number by which a process reads its standard input. */
const STANDARD_INPUT = 0;
const COLUMNS: readonly Column[] = [
  ["NAME", "name"],
  ["OID", "oid"],
];

/** What `--sign` does. */
export const SIGN = "has the host sign with the tenant's key there: see thinpack key host";

/** What `thinpack commit` is given. */
type CommitOptions = {
  readonly branch: string;
  readonly message: string;
  readonly add?: readonly string[];
  readonly delete?: readonly string[];
  readonly move?: readonly string[];
  readonly executable?: readonly string[];
  readonly patch?: string;
  readonly expectedHead?: string;
  readonly start?: string;
  readonly author?: string;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
  readonly sign?: boolean;
};

/** Cuts `{left}={right}` in two. @throws CommandFailure */
function halves(text: string, option: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CommandFailure(`${option} takes two things with = between them`, EXIT.usage);
  return [text.slice(0, at), text.slice(at + 1)];
}

function fileBytes(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? STANDARD_INPUT : file);
  } catch (cause) {
    throw new CommandFailure(`${file} can't be read`, undefined, { cause });
  }
}

function contentOf(file: string): Json {
  return { content: fileBytes(file).toString("base64"), encoding: "base64" };
}

function actionsOf(options: CommitOptions): Json[] {
  const { add = [], executable = [], delete: deleted = [], move = [] } = options;
  return [
    ...deleted.map((path) => ({ action: "delete", path: wholePath(path) })),
    ...move.map((text) => {
      const [from, path] = halves(text, "--move");
      return { action: "move", from: wholePath(from), path: wholePath(path) };
    }),
    ...add.map((text) => {
      const [path, file] = text.includes("=") ? halves(text, "--add") : [text, text];
      return { action: "upsert", path: wholePath(path), ...contentOf(file) };
    }),
    ...executable.map((path) => ({ action: "chmod", path: wholePath(path), mode: "100755" })),
  ];
}

/** Returns `Name <address>` as a person. @throws CommandFailure */
function personOf(text: string): { readonly name: string; readonly email: string } {
  const [, name, email] = /^(.+?)\s*<([^<>]+)>$/.exec(text.trim()) ?? [];
  if (name === undefined || email === undefined) {
    throw new CommandFailure("--author is like 'A U Thor <author@example.com>'", EXIT.usage);
  }
  return { name, email };
}

function headOf(options: CommitOptions): Json {
  const { branch, message, expectedHead, start, author, allowEmpty, dryRun, sign } = options;
  return {
    branch,
    message,
    ...(expectedHead === undefined ? {} : { expected_head: expectedHead === "none" ? null : expectedHead }),
    ...(start === undefined ? {} : { base: start }),
    ...(author === undefined ? {} : { author: personOf(author) }),
    ...(allowEmpty === true ? { allow_empty: true } : {}),
    ...(dryRun === true ? { dry_run: true } : {}),
    ...(sign === true ? { sign } : {}),
  };
}

/** Returns what is said beside a patch, as a query. */
function queryOf(head: Json): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(head)) {
    if (!isJson(value)) query.set(name, shownValue(value));
    else for (const [member, text] of Object.entries(value)) query.set(`${name}_${member}`, String(text));
  }
  return query.toString();
}

async function makeCommit(api: ApiConnection, path: string, options: CommitOptions): Promise<Json> {
  const head = headOf(options);
  const actions = actionsOf(options);
  // A retry by a proxy, or by this command, makes no second commit.
  const headers = { "Idempotency-Key": randomUUID() };
  const patched = options.patch;
  if (patched !== undefined && actions.length > 0) {
    throw new CommandFailure("--patch stands alone: it says all that changes", EXIT.usage);
  }
  const answer =
    patched === undefined
      ? await api.send("POST", `${path}/commits`, {
          body: [head, ...actions].map((line) => JSON.stringify(line)).join("\n"),
          headers: { ...headers, "Content-Type": "application/x-ndjson" },
        })
      : await api.send("POST", `${path}/commits?${queryOf(head)}`, {
          body: new Uint8Array(fileBytes(patched)),
          headers: { ...headers, "Content-Type": "text/x-patch" },
        });
  const made: unknown = await answer.json();
  return isJson(made) ? made : {};
}

function addCommit(program: Command): void {
  program
    .command("commit")
    .summary("makes a commit without a clone")
    .argument("<tenant/name>")
    .requiredOption("-b, --branch <branch>", "the branch that gets it", wholeName)
    .requiredOption("-m, --message <text>", "its message")
    .option(
      "--add <path[=file]>",
      "writes a file; of the same path here, or of another file, or of - for standard input",
      collected,
    )
    .option("--delete <path>", "deletes a file", collected)
    .option("--move <from=path>", "moves a file", collected)
    .option("--executable <path>", "makes a file executable", collected)
    .option("--patch <file>", "applies a patch; - is standard input")
    .option("--expected-head <oid>", "where the branch has to be; none if it must not exist")
    .option("--start <revision>", "where a new branch begins: a branch, a tag, or a commit's full name", wholeName)
    .option("--author <name>", "whoever wrote it: 'A U Thor <author@example.com>'")
    .option("--allow-empty", "makes it also if nothing changes")
    .option("--sign", SIGN)
    .option("--dry-run", "says what would be made, and makes nothing")
    .addHelpText(
      "after",
      `
Deletions come first, then moves, then what is added. All of it is one commit, or none.

Examples:
  thinpack commit acme/widgets -b main -m "Say hello" --add docs/hello.md
  git diff --binary | thinpack commit acme/widgets -b topic --start main -m "Try it" --patch -`,
    )
    .action(async (name: string, options: CommitOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const made = await makeCommit(api, path, options);
      const [oid, branch] = [textAt(made, "oid"), textAt(made, "branch")];
      const done = options.dryRun === true ? `${branch} would be at ${oid}` : `${branch} is at ${oid}`;
      printDone(done, made, commonOptions(command).json);
    });
}

/** Returns the full name of the commit that a revision names. */
export async function commitOf(api: ApiConnection, path: string, revision: string): Promise<string> {
  return textAt(await api.ask("GET", `${path}/commits/${pathPiece(revision)}`), "oid");
}

/** Adds the commands that branches and tags have in common. */
function addRefCommands(parent: Command, kind: "heads" | "tags", [what, several]: readonly [string, string]): void {
  parent
    .command("list")
    .summary(`lists ${several}`)
    .argument("<tenant/name>")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const prefix = `refs/${kind}/`;
      const { refs } = await api.ask("GET", `${path}/refs?prefix=${encodeURIComponent(prefix)}`);
      const rows = listAt({ refs }, "refs").map((row) => ({ ...row, name: textAt(row, "name").slice(prefix.length) }));
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: several });
    });
  parent
    .command("delete")
    .summary(`deletes a ${what}`)
    .argument("<tenant/name>")
    .argument(`<${what}>`)
    .option("--expected <oid>", "what it has to have")
    .action(async (name: string, ref: string, { expected }: { readonly expected?: string }, command: Command) => {
      const { api, path } = connectTo(command, name);
      const query = expected === undefined ? "" : `?expected=${encodeURIComponent(expected)}`;
      const gone = await api.ask("DELETE", refPath(path, kind, ref) + query);
      printDone(`${ref} has gone`, gone, commonOptions(command).json);
    });
}

type BranchOptions = { readonly at: string; readonly expected?: string; readonly force?: boolean };
type TagOptions = { readonly at: string; readonly message: string; readonly sign?: boolean };

function addBranches(program: Command): void {
  const branches = program.command("branch").summary("makes, moves and deletes branches without a clone");
  branches
    .command("set")
    .summary("makes a branch, or moves it forward")
    .argument("<tenant/name>")
    .argument("<branch>")
    .requiredOption("--at <revision>", "where it is to be")
    .option("--expected <oid>", "where it has to be before; none if it must not exist")
    .option("--force", "moves it also where that is not forward")
    .action(async (name: string, branch: string, options: BranchOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const { at, expected, force } = options;
      const moved = await api.ask("PUT", refPath(path, "heads", branch), {
        oid: await commitOf(api, path, at),
        ...(expected === undefined ? {} : { expected: expected === "none" ? null : expected }),
        ...(force === true ? { force: true } : {}),
      });
      printDone(`${branch} is at ${textAt(moved, "oid")}`, moved, commonOptions(command).json);
    });
  branches
    .command("default")
    .summary("points HEAD to a branch: the one that a clone checks out")
    .argument("<tenant/name>")
    .argument("<branch>", "one that is there, or will be", wholeName)
    .action(async (name: string, branch: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const changed = await api.ask("PATCH", path, { default_branch: branch });
      printDone(`HEAD points to ${textAt(changed, "default_branch")}`, changed, commonOptions(command).json);
    });
  addRefCommands(branches, "heads", ["branch", "branches"]);
}

function addTags(program: Command): void {
  const tags = program.command("tag").summary("makes and deletes tags without a clone");
  tags
    .command("create")
    .summary("makes an annotated tag")
    .argument("<tenant/name>")
    .argument("<tag>", "its name", wholeName)
    .option("--at <revision>", "what it names", "HEAD")
    .option("--sign", SIGN)
    .requiredOption("-m, --message <text>", "its message")
    .action(async (name: string, tag: string, { at, message, sign }: TagOptions, command: Command) => {
      const { api, path } = connectTo(command, name);
      const target = await commitOf(api, path, at);
      const made = await api.ask("POST", `${path}/tags`, {
        name: tag,
        target,
        message,
        ...(sign === true ? { sign } : {}),
      });
      printDone(`${tag} is ${textAt(made, "oid")}`, made, commonOptions(command).json);
    });
  addRefCommands(tags, "tags", ["tag", "tags"]);
}

/** Adds the commands. */
export function addCommitCommands(program: Command): void {
  addCommit(program);
  addBranches(program);
  addTags(program);
}
