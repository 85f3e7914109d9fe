/**
 * C git as a host: `git http-backend` behind a small CGI server. The journeys run against it first, which proves the test,
 * and the benchmark measures against it.
 *
 * Bodies stream both ways. For the benchmark each backend runs under `bash … times`, whose second line is the user and system
 * time of the backend and of everything it started and waited for, to the millisecond and without the shell's own.
 *
 * @packageDocumentation
 * @see git-http-backend(1), RFC 3875
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { HARMLESS } from "../../src/object/fsck-rule.ts";
import type { ObjectFormatName } from "../../src/object/object-id.ts";
import { listening } from "./listening.ts";

const run = promisify(execFile);
const BACKEND = join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-http-backend");
const WRAPPER = '"$0" 3>&-; times >&3';
const TIMES = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/;
/**
 * What a created repository is given: pushing allowed, objects checked as a careful host checks them, no surprise repack.
 *
 * Not `uploadpack.allowRefInWant`: where it is set, every client asks by the names of refs, and C git's server then sends
 * `wanted-refs` before `shallow-info`, which its own client does not take ("expected 'packfile', received 'shallow-info'").
 */
const SETTINGS: Record<string, string> = {
  "http.receivepack": "true",
  "receive.fsckObjects": "true",
  ...Object.fromEntries(HARMLESS.map((id) => [`receive.fsck.${id}`, "warn"])),
  "receive.advertisePushOptions": "true",
  "transfer.advertiseSID": "true",
  "transfer.advertiseObjectInfo": "true",
  "receive.certNonceSeed": "a secret of the tests",
  "receive.certNonceSlop": "3600",
  "uploadpack.allowFilter": "true",
  "uploadpack.allowTipSHA1InWant": "true",
  "uploadpack.allowReachableSHA1InWant": "true",
  "uploadpack.allowSidebandAll": "true",
  "receive.autogc": "false",
  "gc.auto": "0",
  "core.logAllRefUpdates": "false",
};

/** What tests add: nothing waits for a disk, since no test loses power. */
export const TEST_SETTINGS: Record<string, string> = { "core.fsync": "none" };

/** A running reference host. */
export type CgiServer = {
  /** Origin, without a slash at the end. */
  readonly base: string;
  /** Where the bare repositories are: `{root}/{tenant}/{repo}.git`. */
  readonly root: string;
  /** CPU seconds of every backend that has ended, with all it started; 0 unless `isTimed`. */
  cpuSeconds(): number;
  /** How many requests were made so far: of the paths that begin so, where a prefix is given. */
  requests(prefix?: string): number;
  /** Resolves when no request is under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
};

/** How to start one. */
export type CgiOptions = {
  readonly root: string;
  /** The Basic password or Bearer token that every request needs. */
  readonly token: string;
  readonly port?: number;
  /** More `git config` for repositories that are created. */
  readonly settings?: Record<string, string>;
  /** What repositories are made with: SHA-1 unless it says otherwise. */
  readonly objectFormat?: ObjectFormatName;
  /** Whether `cpuSeconds` counts. That takes a shell per request. */
  readonly isTimed?: boolean;
};

type Accounting = { cpu: number; requests: string[]; active: number; waiting: (() => void)[] };

/** The path of a repository in a URL, without `.git`, and what follows it. */
function splitPath(path: string): { repo: string; rest: string } | undefined {
  const match = /^\/([A-Za-z0-9][\w.-]*)\/([A-Za-z0-9][\w.-]*?)(?:\.git)?(\/.*)$/.exec(path);
  return match === null ? undefined : { repo: `${match[1]}/${match[2]}`, rest: match[3] ?? "" };
}

function isAllowed(header: string | undefined, token: string): boolean {
  const [scheme, value] = (header ?? "").split(" ");
  if (scheme === "Bearer") return value === token;
  if (scheme !== "Basic") return false;
  return (
    Buffer.from(value ?? "", "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, "") === token
  );
}

/** CPU seconds from what bash's `times` printed. */
function parseTimes(text: string): number {
  const match = TIMES.exec(text);
  if (match === null) return 0;
  const [, userMinutes, user, systemMinutes, system] = match.map(Number);
  return ((userMinutes ?? 0) + (systemMinutes ?? 0)) * 60 + (user ?? 0) + (system ?? 0);
}

/** Applies the header block of a CGI answer. */
function sendHead(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

/** Splits a CGI answer at its blank line and streams the rest, waiting when the client is slow. */
function relayAnswer(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  output.on("data", (piece: Buffer) => {
    let body = piece;
    if (head !== undefined) {
      const gathered: Buffer = Buffer.concat([head, piece]);
      const end = /\r?\n\r?\n/.exec(gathered.toString("latin1"));
      if (end === null) {
        head = gathered;
        return;
      }
      sendHead(response, gathered.toString("latin1", 0, end.index));
      head = undefined;
      body = gathered.subarray(end.index + end[0].length);
    }
    if (body.length > 0 && !response.write(body)) {
      output.pause();
      response.once("drain", () => output.resume());
    }
  });
  output.on("end", () => {
    if (head !== undefined && !response.headersSent) response.writeHead(500);
    response.end();
  });
}

function environment(request: IncomingMessage, root: string, path: string, query: string): NodeJS.ProcessEnv {
  const { headers } = request;
  return {
    PATH: process.env["PATH"],
    HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    REQUEST_METHOD: request.method,
    PATH_INFO: path,
    PATH_TRANSLATED: root + path,
    QUERY_STRING: query,
    REMOTE_USER: "tester",
    REMOTE_ADDR: "127.0.0.1",
    CONTENT_TYPE: headers["content-type"] ?? "",
    CONTENT_LENGTH: headers["content-length"] ?? "",
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    GIT_PROTOCOL: [headers["git-protocol"] ?? ""].flat().join(":"),
  };
}

/** Starts a backend, under a shell where its time is wanted. */
function spawnBackend(env: NodeJS.ProcessEnv, isTimed: boolean): ChildProcess {
  return isTimed
    ? spawn("bash", ["-c", WRAPPER, BACKEND], { env, stdio: ["pipe", "pipe", "ignore", "pipe"] })
    : spawn(BACKEND, { env, stdio: ["pipe", "pipe", "ignore"] });
}

/** Runs one backend for one request; resolves when it has ended and its time is booked. */
function runBackend(request: IncomingMessage, response: ServerResponse, child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let times = "";
    child.stdio[3]?.on("data", (piece: Buffer) => (times += piece.toString()));
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error("the backend has no pipes");
    stdin.on("error", () => request.resume());
    request.pipe(stdin);
    request.on("close", () => stdin.end());
    relayAnswer(stdout, response);
    response.on("close", () => stdout.resume());
    child.on("close", () => resolve(parseTimes(times)));
  });
}

/** Formats settings as git-config(1) has them in a file: a section for each, which git takes together. */
function formatSettings(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([key, value]) => {
      const dot = key.lastIndexOf(".");
      return `[${key.slice(0, dot)}]\n\t${key.slice(dot + 1)} = ${JSON.stringify(value)}\n`;
    })
    .join("");
}

async function createRepository(directory: string, options: CgiOptions): Promise<void> {
  const format = `--object-format=${options.objectFormat ?? "sha1"}`;
  await run("git", ["init", "-q", "--bare", "--template=", "--initial-branch=main", format, directory]);
  // One write instead of a process per setting.
  appendFileSync(join(directory, "config"), formatSettings({ ...SETTINGS, ...options.settings }));
}

async function askedFormat(request: IncomingMessage): Promise<Pick<CgiOptions, "objectFormat">> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text.includes('"sha256"') ? { objectFormat: "sha256" } : {};
}

/** `PUT` and `DELETE /api/v1/repos/{tenant}/{repo}`: all of the API that the journeys need. */
async function answerApi(request: IncomingMessage, repo: string, options: CgiOptions): Promise<number> {
  const { method } = request;
  const directory = join(options.root, `${repo}.git`);
  const isThere = existsSync(directory);
  if (method === "PUT") {
    if (!isThere) await createRepository(directory, { ...options, ...(await askedFormat(request)) });
    return isThere ? 200 : 201;
  }
  if (method !== "DELETE") return 405;
  rmSync(directory, { recursive: true, force: true });
  return isThere ? 204 : 404;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: CgiOptions): Promise<number> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const finish = (status: number): number => {
    request.resume();
    response.writeHead(status).end();
    return 0;
  };
  if (!isAllowed(request.headers.authorization, options.token)) {
    response.setHeader("WWW-Authenticate", 'Basic realm="git"');
    return finish(401);
  }
  const api = /^\/api\/v1\/repos\/([\w.-]+\/[\w.-]+)$/.exec(url.pathname);
  if (api !== null) return finish(await answerApi(request, api[1] ?? "", options));
  const path = splitPath(url.pathname);
  if (path === undefined) return finish(404);
  const directory = join(options.root, `${path.repo}.git`);
  if (!existsSync(directory) && url.search === "?service=git-receive-pack") {
    await createRepository(directory, options);
  }
  const env = environment(request, options.root, `/${path.repo}.git${path.rest}`, url.search.slice(1));
  return await runBackend(request, response, spawnBackend(env, options.isTimed === true));
}

/** Answers one request and books what it took. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: CgiOptions,
  books: Accounting,
): Promise<void> {
  try {
    books.cpu += await answer(request, response, options);
  } catch {
    // A failure here is the harness's; the test that sees the 500 says where.
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
  books.active -= 1;
  if (books.active === 0) for (const wake of books.waiting.splice(0)) wake();
}

/** Starts the reference host on loopback; port 0, the default, takes a free one. */
export async function startCgiServer(options: CgiOptions): Promise<CgiServer> {
  const books: Accounting = { cpu: 0, requests: [], active: 0, waiting: [] };
  mkdirSync(options.root, { recursive: true });
  const server = createServer((request, response) => {
    books.active += 1;
    books.requests.push(request.url ?? "");
    response.on("error", () => undefined);
    void serve(request, response, options, books);
  });
  server.requestTimeout = 0;
  const port = await listening(server, options.port ?? 0);
  return {
    base: `http://127.0.0.1:${port}`,
    root: options.root,
    cpuSeconds: () => books.cpu,
    requests: (prefix = "") => books.requests.filter((url) => url.startsWith(prefix)).length,
    idle: () => (books.active === 0 ? Promise.resolve() : new Promise((resolve) => books.waiting.push(resolve))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
