/**
 * `git-remote-thinpack`: what git runs for `thinpack::https://…`. It opens a WebSocket, and git speaks over it as it does
 * over SSH. So a push may be of any size, and only HTTPS leaves the network.
 *
 * @packageDocumentation
 * @see gitremote-helpers(7)
 */
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { basic, type Credentials, fillCredentials, settleCredentials } from "./credentials.ts";
import { git, httpSettings, protocolVersion } from "./git.ts";
import { proxyFor } from "./proxy.ts";
import { carry, type Opened, openWebSocket, type OpenWebSocket, type WebSocketTarget } from "./websocket.ts";

/** The exit status of git's own helpers when they give up. */
const FAILED = 128;
/** The code of RFC 6455 for a WebSocket that ended as it should. 1011: git was told what is wrong. */
const TOLD = new Set([1000, 1011]);
const SERVICES = new Set(["git-upload-pack", "git-receive-pack", "git-upload-archive"]);

/** A reason that the user is told. */
class Failure extends Error {}

/** Reads the lines of git's commands, one at a time, and leaves alone what follows them. */
class Commands {
  #pending = Buffer.alloc(0);

  /** Returns the next line; `undefined` at the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#pending.indexOf("\n");
      if (end >= 0) {
        const line = this.#pending.subarray(0, end).toString("utf8");
        this.#pending = this.#pending.subarray(end + 1);
        return line;
      }
      const piece: unknown = process.stdin.read();
      if (piece instanceof Buffer) this.#pending = Buffer.concat([this.#pending, piece]);
      else if (process.stdin.readableEnded) return undefined;
      else await Promise.race([once(process.stdin, "readable"), once(process.stdin, "end")]);
    }
  }

  /** Gives back what was read behind the last line. */
  giveBack(): void {
    if (this.#pending.length > 0) process.stdin.unshift(this.#pending);
    this.#pending = Buffer.alloc(0);
  }
}

/** Returns where a service of a repository is, as git's settings have it. */
async function targetOf(address: URL, service: string): Promise<WebSocketTarget> {
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${service}`;
  [url.username, url.password] = ["", ""];
  const { proxy, verifies, caFile, headers } = await httpSettings(address);
  const extra = headers.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
  return {
    url,
    headers: {
      ...Object.fromEntries(extra),
      "User-Agent": `${(await git(["version"])).replace("git version ", "git/").replaceAll(" ", "-")} thinpack`,
      "Git-Protocol": `version=${await protocolVersion()}`,
    },
    proxy: proxyFor(url, proxy, process.env),
    tls: { rejectUnauthorized: verifies, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) },
  };
}

function withLogin(target: WebSocketTarget, username: string, password: string): WebSocketTarget {
  return { ...target, headers: { ...target.headers, Authorization: basic(username, password) } };
}

/** Opens the service, with the address's credentials or with those that git asks its user for. @throws Failure */
async function open(address: URL, service: string): Promise<OpenWebSocket> {
  const target = await targetOf(address, service);
  const { username, password } = address;
  const isGiven = password !== "";
  const first = isGiven ? withLogin(target, decodeURIComponent(username), decodeURIComponent(password)) : target;
  const opened = await openWebSocket(first);
  if (opened.kind === "open") return opened;
  if (opened.status !== 401 || isGiven) throw refused(opened);
  const login = await fillCredentials(address, opened.challenges);
  if (login === undefined) throw refused(opened);
  return await openAs(target, login);
}

async function openAs(target: WebSocketTarget, login: Credentials): Promise<OpenWebSocket> {
  const opened = await openWebSocket(withLogin(target, login.username, login.password));
  const isRefused = opened.kind === "refused" && opened.status === 401;
  await settleCredentials(login, isRefused ? "reject" : "approve");
  if (opened.kind === "refused") throw refused(opened);
  return opened;
}

function refused({ status, text }: Extract<Opened, { kind: "refused" }>): Failure {
  const said = text === "" || text.startsWith("<") ? `the host answered ${status}` : text;
  return new Failure(status === 401 ? `Authentication failed: ${said}` : said);
}

async function connect(address: URL, service: string, commands: Commands): Promise<number> {
  const opened = await open(address, service);
  commands.giveBack();
  process.stdout.write("\n");
  const { code, reason } = await carry(opened, { input: process.stdin, output: process.stdout });
  await new Promise<void>((resolve) => process.stdout.end(resolve));
  if (!TOLD.has(code)) throw new Failure(reason === "" ? `the host closed the WebSocket with ${code}` : reason);
  return code === 1000 ? 0 : FAILED;
}

async function main(): Promise<number> {
  const [, , remote, given = remote] = process.argv;
  if (given === undefined)
    throw new Failure("git runs this, for addresses such as thinpack::https://host/tenant/repo.git");
  const address = new URL(given);
  if (!/^https?:$/.test(address.protocol)) throw new Failure(`the address is of ${address.protocol} and not of https:`);
  const commands = new Commands();
  for (let line = await commands.line(); line !== undefined && line !== ""; line = await commands.line()) {
    const [command, service = ""] = line.split(" ");
    if (command === "capabilities") process.stdout.write("connect\n\n");
    else if (command !== "connect") throw new Failure(`git asked for '${line}', which this helper does not know`);
    else if (SERVICES.has(service)) return await connect(address, service, commands);
    else process.stdout.write("fallback\n");
  }
  return 0;
}

async function run(): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`fatal: ${error instanceof Error ? error.message : String(error)}\n`);
    // Git waits for an answer that does not come.
    process.exit(FAILED);
  }
  // Git has been given everything. What it still writes is read to its end, or it would be ended with a signal. A connection
  // through a proxy stays open until the host ends it, many seconds later: nobody waits for that.
  if (process.stdin.readableEnded) process.exit();
  process.stdin.on("close", () => process.exit()).resume();
}

void run();
