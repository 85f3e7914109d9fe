/**
 * Calls the host's API with one token.
 *
 * @packageDocumentation
 */
import { apiUrl } from "./api-path.ts";
import { CommandFailure, HostRefusal } from "./failure.ts";
import type { HostChoice } from "./host-choice.ts";
import { isJson, type Json, listAt, textAt } from "./json.ts";

/** The optional parts of a request. */
export type Ask = {
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The most bytes of an answer that are read: of JSON, of a problem, which may list conflicts, and of any other failure. A host may send without end. */
const MOST_JSON_BYTES = 512 * 1024 * 1024;
const MOST_PROBLEM_BYTES = 4 * 1024 * 1024;
const MOST_FAILURE_BYTES = 65_536;
/** The most redirects that are followed. */
const MOST_REDIRECTS = 5;

/** Reads an answer's text, up to about `most` bytes. */
async function textWithin(
  response: Response,
  most: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    pieces.push(decoder.decode(piece, { stream: true }));
    // Leaving the loop ends the transfer.
    if (bytes > most) return { text: pieces.join(""), isCut: true };
  }
  return { text: pieces.join("") + decoder.decode(), isCut: false };
}

/**
 * Sends a request, and follows redirects within the host. Elsewhere they are refused: a host must not have this machine
 * send requests to others, such as to what listens on it.
 */
async function fetchWithin(url: string, init: RequestInit): Promise<Response> {
  const { origin } = new URL(url);
  let at = url;
  for (let followed = 0; ; followed++) {
    const response = await fetch(at, { ...init, redirect: "manual" });
    const location = response.headers.get("Location");
    if (![301, 302, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = new URL(location, at);
    if (next.origin !== origin)
      throw new CommandFailure(`${origin} redirects to ${next.origin}, which is not followed`);
    if (followed === MOST_REDIRECTS) throw new CommandFailure(`${origin} redirects more than ${MOST_REDIRECTS} times`);
    at = next.href;
  }
}

/** Returns the message of a failed answer: a problem's detail, else its text. */
async function detailOf(response: Response): Promise<string> {
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json") !== true) {
    const { text } = await textWithin(response, MOST_FAILURE_BYTES);
    return text.trim().split("\n")[0] ?? "";
  }
  const { text } = await textWithin(response, MOST_PROBLEM_BYTES);
  try {
    const json: unknown = JSON.parse(text);
    return isJson(json) ? textAt(json, "detail") : text;
  } catch {
    return text;
  }
}

/** A connection to one host, with one token. */
export class ApiConnection {
  readonly base: string;
  /** The header that the token goes in. */
  readonly authorization: string;

  /** `authorization` is the whole header, where it is known in place of the token. */
  constructor({ base, token }: HostChoice, authorization = `Bearer ${token}`) {
    this.base = base;
    this.authorization = authorization;
  }

  /** Sends a request; `path` begins behind `/api/v1`. @throws HostRefusal on any status of 400 and more. */
  async send(method: string, path: string, { json, body, headers = {} }: Ask = {}): Promise<Response> {
    const sent = json === undefined ? body : JSON.stringify(json);
    let response: Response;
    try {
      response = await fetchWithin(apiUrl(this.base, path), {
        method,
        headers: {
          Authorization: this.authorization,
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(sent === undefined ? {} : { body: sent }),
      });
    } catch (cause) {
      if (cause instanceof CommandFailure) throw cause;
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      throw new CommandFailure(`${this.base} can't be reached: ${why}`, undefined, { cause });
    }
    if (response.ok) return response;
    const detail = (await detailOf(response)) || `${this.base} answers ${response.status}`;
    const hint = response.status === 401 ? ` If it expired or was revoked, run: thinpack login ${this.base}` : "";
    throw new HostRefusal(response.status, detail + hint);
  }

  /** Sends a request and returns the answer's JSON; `{}` if it has none. */
  async ask(method: string, path: string, json?: unknown): Promise<Json> {
    const response = await this.send(method, path, json === undefined ? {} : { json });
    let value: unknown;
    try {
      const { text, isCut } = await textWithin(response, MOST_JSON_BYTES);
      if (isCut) throw new CommandFailure(`${this.base} answers more than ${MOST_JSON_BYTES} bytes`);
      value = text === "" ? {} : JSON.parse(text);
    } catch (cause) {
      if (cause instanceof CommandFailure) throw cause;
      throw new CommandFailure(`${this.base} broke off its answer, or it is no JSON`, undefined, { cause });
    }
    if (!isJson(value)) throw new CommandFailure(`${this.base} answers what is no JSON object`);
    return value;
  }

  /** Returns all items of a list, page by page. */
  async list(path: string, member: string): Promise<Json[]> {
    const rows: Json[] = [];
    const seen = new Set<string>();
    for (let cursor = ""; ;) {
      const query = cursor === "" ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
      const page = await this.ask("GET", path + query);
      rows.push(...listAt(page, member));
      cursor = textAt(page, "cursor");
      if (cursor === "") return rows;
      if (seen.has(cursor)) throw new CommandFailure(`${this.base} gives the same page twice`);
      seen.add(cursor);
    }
  }
}
