/**
 * Runs a suite against every host there is: C git's own server, which proves the test, and thinpack. A journey knows only a base
 * URL and a token.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { type ObjectFormat, type ObjectFormatName, objectFormat } from "../../src/object/object-id.ts";
import { startCgiServer, TEST_SETTINGS } from "./cgi-server.ts";
import { GitSandbox, withToken } from "./git-client.ts";
import { startProject } from "./git-process.ts";
import { send } from "./git-raw.ts";

/** What a journey is given. Everything is filled in before its first test runs. */
export type Journey = {
  readonly host: "c git" | "thinpack";
  /** What the sandbox and the host make repositories with. */
  readonly format: ObjectFormat;
  readonly base: string;
  readonly token: string;
  readonly git: GitSandbox;
  /** Makes an empty repository and gives its URL with the credentials in it; of the settings C git's server knows the hash only. */
  create(prefix?: string, settings?: Record<string, string>): Promise<string>;
};

/** Makes a repository, and pushes branches of `source` to it. Gives its path in the API, and its URL with the credentials in it. */
export async function pushedRepository(
  journey: Journey,
  source: string,
  branches: readonly string[] = ["main"],
): Promise<{ readonly path: string; readonly url: string }> {
  const url = await journey.create();
  await journey.git.ok(["push", "-q", url, ...branches], { cwd: source });
  return { url, path: `/repos${new URL(url).pathname.replace(/\.git$/, "")}` };
}

type Running = { base: string; token: string; close(): Promise<void> };

const TOKEN = "journey-token";
const START: Record<Journey["host"], (git: GitSandbox, format: ObjectFormatName) => Promise<Running>> = {
  "c git": async (git, format) => ({
    ...(await startCgiServer({ root: git.path("srv"), token: TOKEN, objectFormat: format, settings: TEST_SETTINGS })),
    token: TOKEN,
  }),
  thinpack: async (git) => {
    const host = await startProject(git.path("state"), TOKEN);
    return { base: host.base, token: host.token, close: () => host.stop() };
  },
};

/** Which hosts to run on: `HOSTS=thinpack` (or `c-git`) narrows it while working. */
function hosts(wanted: readonly Journey["host"][]): Journey["host"][] {
  const only = process.env["HOSTS"]?.replace("-", " ");
  return wanted.filter((name) => only === undefined || only === name);
}

/**
 * Declares a suite once for each host and each hash function. That C git passes a journey proves the journey, for which one hash function is
 * enough: with the other one it passes it only where `LONG` is set.
 */
export function inEveryFormat(
  title: string,
  body: (journey: Journey) => void,
  wanted: readonly Journey["host"][] = ["c git", "thinpack"],
): void {
  const others = process.env["LONG"] === undefined ? wanted.filter((host) => host !== "c git") : wanted;
  onEveryHost(`${title}, sha1`, body, wanted, "sha1");
  if (others.length > 0) onEveryHost(`${title}, sha256`, body, others, "sha256");
}

/**
 * Declares a suite as `declareHosts` does, and once more for thinpack with a client that comes by WebSocket: its verdicts
 * have to be those of HTTP.
 */
export function byEveryDoor(
  declareHosts: (title: string, body: (journey: Journey) => void) => void,
  title: string,
  body: (journey: Journey) => void,
): void {
  declareHosts(title, body);
  if (hosts(["thinpack"]).length > 0) {
    declare(title, body, { host: "thinpack", door: "websocket" });
  }
}

/** Declares a suite once for each host. */
export function onEveryHost(
  title: string,
  body: (journey: Journey) => void,
  wanted: readonly Journey["host"][] = ["c git", "thinpack"],
  formatName: ObjectFormatName = "sha1",
): void {
  const chosen = hosts(wanted);
  // A file without any test is an error.
  if (chosen.length === 0) it.todo(`${title}: only on ${wanted.join(", ")}`);
  for (const host of chosen) declare(title, body, { host, formatName });
}

/** A host, the format of its repositories, and the door by which git comes to it. */
type Setting = {
  readonly host: Journey["host"];
  readonly formatName?: ObjectFormatName;
  readonly door?: "http" | "websocket";
};

function declare(
  title: string,
  body: (journey: Journey) => void,
  { host, formatName = "sha1", door = "http" }: Setting,
): void {
  describe(`${title} (${door === "websocket" ? `${host} by WebSocket` : host})`, () => {
    let running: Running | undefined;
    let sandbox: GitSandbox | undefined;
    let count = 0;
    const started = <T>(value: T | undefined): T => {
      if (value === undefined) throw new Error("the host runs only during tests");
      return value;
    };
    const journey: Journey = {
      host,
      format: objectFormat(formatName),
      get base() {
        return started(running).base;
      },
      get token() {
        return started(running).token;
      },
      get git() {
        return started(sandbox);
      },
      async create(prefix = "repo", settings = {}) {
        count += 1;
        const path = `acme/${prefix}-${count}`;
        const { base, token } = started(running);
        const answer = await send(withToken(`${base}/api/v1/repos/${path}`, token), {
          method: "PUT",
          headers: { "Content-Type": "application/json" },
          body: Buffer.from(JSON.stringify({ object_format: formatName, ...settings })),
        });
        if (answer.status !== 201) throw new Error(`creating ${path}: ${answer.status} ${answer.body.toString()}`);
        return withToken(`${base}/${path}.git`, token);
      },
    };
    beforeAll(async () => {
      sandbox = new GitSandbox("journey", formatName);
      if (door === "websocket") await sandbox.useWebSockets();
      running = await START[host](sandbox, formatName);
    });
    afterAll(async () => {
      await running?.close();
      sandbox?.close();
    });
    body(journey);
  });
}
