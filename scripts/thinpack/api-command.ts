/**
 * `thinpack api`: any request to the API, with the host and the token that the other commands use.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { collected, connect } from "./command-line.ts";
import { CommandFailure, errorOf, EXIT, HostRefusal } from "./failure.ts";
import { readInput } from "./prompt.ts";

type ApiOptions = {
  readonly method?: string;
  readonly field?: readonly string[];
  readonly rawField?: readonly string[];
  readonly input?: string;
};

/** Reads the value of a field: as JSON if it is JSON, else as text. */
function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

function fieldOf(text: string, read: (value: string) => unknown): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new CommandFailure(`${text} is no field: give it as name=value`, EXIT.usage);
  return [text.slice(0, at), read(text.slice(at + 1))];
}

async function bodyOf({ field = [], rawField = [], input }: ApiOptions): Promise<string | undefined> {
  if (input === "-") return await readInput();
  try {
    if (input !== undefined) return readFileSync(input, "utf8");
  } catch (cause) {
    throw new CommandFailure(`${input} can't be read: ${errorOf(cause).message}`, undefined, { cause });
  }
  const fields = [
    ...field.map((text) => fieldOf(text, valueOf)),
    ...rawField.map((text) => fieldOf(text, (value) => value)),
  ];
  return fields.length === 0 ? undefined : JSON.stringify(Object.fromEntries(fields));
}

/** Returns the path below `/api/v1`, and the tenant whose token is used. */
function targetOf(path: string): { path: string; tenant?: string } {
  const below = `/${path
    .replace(/^\//, "")
    .replace(/^api\/v1(?=\/|$)/, "")
    .replace(/^\//, "")}`;
  const tenant = /^\/(?:repos|tenants)\/([^/?]+)/.exec(below)?.[1];
  return { path: below, ...(tenant === undefined ? {} : { tenant: decodeURIComponent(tenant) }) };
}

/** Returns a failure in the words of the API, which are those of somebody who sends requests by hand. */
function inApiWords(error: unknown): Error {
  return error instanceof HostRefusal ? new CommandFailure(error.detail, error.exitCode) : errorOf(error);
}

/** Adds the command. */
export function addApiCommand(program: Command): void {
  program
    .command("api")
    .summary("sends a request to the API and prints the answer as it is")
    .argument("<path>", "below /api/v1, such as repos/acme/widgets")
    .option("-X, --method <method>", "GET, or POST if there is a body")
    .option(
      "-F, --field <name=value>",
      "a member of the body: JSON if it is some, else text; may be repeated",
      collected,
    )
    .option("-f, --raw-field <name=value>", "a member of the body, as text; may be repeated", collected)
    .option("--input <file>", "the whole body; - for standard input")
    .action(async (given: string, options: ApiOptions, command: Command) => {
      const { path, tenant } = targetOf(given);
      const body = await bodyOf(options);
      const method = options.method?.toUpperCase() ?? (body === undefined ? "GET" : "POST");
      const headers = body === undefined ? {} : { "Content-Type": "application/json" };
      const sent = body === undefined ? {} : { body };
      const api = connect(command, tenant);
      const answer = await api.send(method, path, { headers, ...sent }).catch((error: unknown) => {
        throw inApiWords(error);
      });
      if (answer.body !== null) await pipeline(Readable.from(answer.body), process.stdout, { end: false });
    });
}
