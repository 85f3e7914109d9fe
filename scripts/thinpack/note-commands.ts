/**
 * `thinpack notes` and `thinpack status`: what people and checks say of commits.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { pathPieces, wholeName } from "./api-path.ts";
import { commitOf } from "./commit-commands.ts";
import { commonOptions, connectTo } from "./command-line.ts";
import { isJson, listAt, shownValue, textAt } from "./json.ts";
import { type Column, printDone, printList } from "./output.ts";

type NoteOptions = { readonly ref?: string; readonly message?: string; readonly force?: boolean };

const STATES = "success, failure, pending or error";
const COLUMNS: readonly Column[] = [
  ["CONTEXT", "context"],
  ["STATE", "state"],
  ["DESCRIPTION", (row) => shownValue(row["description"])],
  ["URL", (row) => shownValue(row["target_url"])],
];

function notePath(path: string, revision: string): string {
  return `${path}/notes/${pathPieces(revision)}`;
}

function refQuery({ ref }: NoteOptions): string {
  return ref === undefined ? "" : `?ref=${encodeURIComponent(ref)}`;
}

/** Adds a command that writes a note. */
function addWriting(notes: Command, name: "add" | "append", summary: string): void {
  const command = notes
    .command(name)
    .summary(summary)
    .argument("<tenant/name>")
    .argument("<revision>")
    .requiredOption("-m, --message <text>", "the text of the note")
    .option("--ref <notes>", "which notes: commits by default", wholeName);
  if (name === "add") command.option("--force", "takes the place of a note that is there");
  command.action(async (...[repository, revision, options, self]: [string, string, NoteOptions, Command]) => {
    const { api, path } = connectTo(self, repository);
    const { message = "", ref, force } = options; // The option is required.
    const made = await api.ask(name === "add" ? "PUT" : "POST", notePath(path, revision), {
      note: message,
      ...(ref === undefined ? {} : { ref }),
      ...(force === true ? { force } : {}),
    });
    printDone(`${textAt(made, "ref")} is at ${textAt(made, "commit")}`, made, commonOptions(self).json);
  });
}

function addNotes(program: Command): void {
  const notes = program.command("notes").summary("shows and changes notes on commits without a clone");
  notes
    .command("show")
    .summary("shows the note on a commit")
    .argument("<tenant/name>")
    .argument("<revision>")
    .option("--ref <notes>", "which notes: commits by default", wholeName)
    .action(async (...[repository, revision, options, self]: [string, string, NoteOptions, Command]) => {
      const { api, path } = connectTo(self, repository);
      const shown = await api.ask("GET", notePath(path, revision) + refQuery(options));
      printDone(textAt(shown, "note").replace(/\n$/, ""), shown, commonOptions(self).json);
    });
  addWriting(notes, "add", "adds a note to a commit");
  addWriting(notes, "append", "appends to the note on a commit");
  notes
    .command("remove")
    .summary("removes the note on a commit")
    .argument("<tenant/name>")
    .argument("<revision>")
    .option("--ref <notes>", "which notes: commits by default", wholeName)
    .action(async (...[repository, revision, options, self]: [string, string, NoteOptions, Command]) => {
      const { api, path } = connectTo(self, repository);
      const gone = await api.ask("DELETE", notePath(path, revision) + refQuery(options));
      printDone("the note has gone", gone, commonOptions(self).json);
    });
}

type StatusOptions = { readonly context: string; readonly description?: string; readonly url?: string };

function addStatuses(program: Command): void {
  const statuses = program.command("status").summary("shows and sets what checks say of commits");
  statuses
    .command("show")
    .summary("lists the statuses of a commit")
    .argument("<tenant/name>")
    .argument("<revision>")
    .action(async (name: string, revision: string, _options: unknown, command: Command) => {
      const { api, path } = connectTo(command, name);
      const oid = await commitOf(api, path, revision);
      const answer = await api.ask("GET", `${path}/commits/${oid}/statuses`);
      const rows = listAt(isJson(answer) ? answer : {}, "statuses");
      printList(rows, COLUMNS, { json: commonOptions(command).json, what: `statuses of ${revision}` });
    });
  statuses
    .command("set")
    .summary("sets a status of a commit")
    .argument("<tenant/name>")
    .argument("<revision>")
    .argument("<state>", STATES)
    .requiredOption("--context <name>", "what says it, as ci/build")
    .option("--description <text>", "in a few words")
    .option("--url <address>", "where there is more of it")
    .action(async (...[name, revision, state, options, command]: [string, string, string, StatusOptions, Command]) => {
      const { api, path } = connectTo(command, name);
      const oid = await commitOf(api, path, revision);
      const { context, description = null, url: target_url = null } = options;
      const made = await api.ask("POST", `${path}/commits/${oid}/statuses`, {
        context,
        state,
        description,
        target_url,
      });
      printDone(`${context} says ${textAt(made, "state")} of ${oid}`, made, commonOptions(command).json);
    });
}

/** Adds the commands. */
export function addNoteCommands(program: Command): void {
  addNotes(program);
  addStatuses(program);
}
