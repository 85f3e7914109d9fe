/**
 * Requests of a game, and what there is to see in their answers.
 *
 * @packageDocumentation
 */
import { gunzipSync } from "node:zlib";
import { packOf } from "../git-raw.ts";
import { packNames } from "../pack-names.ts";
import { askGitSocket, type Connected } from "./connections.ts";
import { askSocket } from "./event-socket.ts";
import { type ObjectPool, WORD } from "./object-pool.ts";
import { NEVER, type Person } from "./world.ts";

/** What goes by a connection, and by which. */
export type Connection = Omit<Connected, "path"> & { readonly by: "ssh" | "git" | "socket" };

/** A request; `PATH` in its address stands for `{tenant}/{repo}`. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether a browser sends it that has signed in: with its cookie, and without the token. */
  readonly byCookie?: true;
  /** Whether it opens a WebSocket, and reads what that tells. */
  readonly isSocket?: true;
  /** What is no request: `path` is the repository's. */
  readonly connection?: Connection;
};

/** An answer with its body. */
export type Answered = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** Headers that differ with the moment, or with the connection. */
const PASSING = new Set(["date", "connection", "keep-alive", "x-request-id", "transfer-encoding"]);

type Credentials = Pick<Person, "token" | "cookie" | "fetch" | "connect">;

function headersOf({ headers, byCookie }: Asked, { token, cookie }: Credentials): Record<string, string> {
  if (byCookie === true) return { ...headers, ...(cookie === undefined ? {} : { Cookie: cookie }) };
  return { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
}

async function askConnected(base: string, asked: Asked, path: string, who: Credentials): Promise<Answered> {
  const { by, ...connection } = asked.connection ?? { by: "socket", service: "", version: 0, input: Buffer.alloc(0) };
  const connected = { ...connection, path: asked.path.replaceAll("PATH", path) };
  if (by === "socket") return await askGitSocket(base, headersOf(asked, who), connected);
  if (who.connect === undefined) throw new Error("somebody who has no such connection");
  return await who.connect(connected);
}

/** Sends a request about a path as somebody. */
export async function ask(base: string, asked: Asked, path: string, who: Credentials): Promise<Answered> {
  if (asked.connection !== undefined) return await askConnected(base, asked, path, who);
  const url = base + asked.path.replaceAll("PATH", path);
  const headers = headersOf(asked, who);
  if (asked.isSocket === true) return await askSocket(url, headers);
  const send = asked.byCookie === true ? fetch : (who.fetch ?? fetch);
  const answer = await send(url, {
    method: asked.method,
    headers,
    ...(asked.body === undefined
      ? {}
      : { body: typeof asked.body === "string" ? asked.body : new Uint8Array(asked.body) }),
    redirect: "manual",
  });
  return { status: answer.status, headers: new Headers(answer.headers), body: Buffer.from(await answer.arrayBuffer()) };
}

/** Returns all of an answer but the moment, with the name of the repository masked. */
export function masked({ status, headers, body }: Answered, path: string): string {
  const [, repo = ""] = path.split("/");
  const kept = [...headers].filter(([name]) => !PASSING.has(name));
  const text = body
    .toString("latin1")
    .replaceAll(/(?<="request_id":")\w+/g, "REQUEST")
    .replaceAll(/session-id=[0-9a-f]+/g, "SESSION");
  return JSON.stringify([status, kept, text]).replaceAll(repo, "REPO").replaceAll(NEVER, "REPO");
}

/** The figures of `Server-Timing` that count storage operations. */
export function operationsOf({ headers }: Answered): string {
  return headers.get("Server-Timing") ?? "";
}

function textOf({ body }: Answered): string {
  return (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString("latin1");
}

/** What is found in an answer. */
export type Seen = {
  /** Objects of the game that are named, or whose bytes came. */
  readonly oids: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
  /** `{tenant}/{repo}` of repositories. */
  readonly paths: ReadonlySet<string>;
};

/** Looks for everything of a game in an answer, and in its address: names in hexadecimal and raw, words, and objects in packs. */
export function seenIn(answer: Answered, pool: ObjectPool): Seen {
  const text = `${textOf(answer)}\n${answer.headers.get("Location") ?? ""}\n${answer.headers.get("Link") ?? ""}`;
  const oids = new Set([...text.matchAll(/[0-9a-f]{40}/g)].map(([oid]) => oid).filter((oid) => pool.has(oid)));
  if (/git|octet-stream/.test(answer.headers.get("Content-Type") ?? "")) {
    for (const oid of pool.names) if (answer.body.includes(Buffer.from(oid, "hex"))) oids.add(oid);
    for (const oid of packedIn(answer)) oids.add(oid);
  }
  return {
    oids,
    words: new Set([...text.matchAll(WORD)].map(([word]) => word)),
    paths: new Set([...text.matchAll(/tn\w{4}\/rq\w{4}/g)].map(([path]) => path)),
  };
}

/** Returns the names of the objects of the pack in an answer; none where it has none. */
export function packedIn({ status, headers, body }: Answered): string[] {
  if (status !== 200 || !body.includes("PACK")) return [];
  const type = headers.get("Content-Type") ?? "";
  if (/bundle/.test(type) || body.subarray(0, 4).toString("latin1") === "PACK")
    return packNames(body.subarray(body.indexOf("PACK")));
  return /upload-pack-result/.test(type) ? packNames(packOf(body)) : [];
}
