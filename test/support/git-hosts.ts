/**
 * Runs a suite against every host there is: C git's own server, which proves the test, and thinpack. A journey knows only a base
 * URL and a token.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { type ObjectFormat, type ObjectFormatName, objectFormat } from "../../src/object/object-id.ts";
import { freePort } from "../../scripts/free-port.ts";
import { apiClient } from "./api-client.ts";
import { startCgiApart } from "./cgi-apart.ts";
import { TEST_SETTINGS } from "./cgi-server.ts";
import { GitSandbox, withToken } from "./git-client.ts";
import { startProject } from "./git-process.ts";
import { send } from "./git-raw.ts";
import { makeClientKey, sshOptions } from "./ssh-bed.ts";

/** What a journey is given. Everything is filled in before its first test runs. */
export type Journey = {
  readonly host: "c git" | "thinpack";
  /** How git comes to it. */
  readonly door: Door;
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
/** The seconds after which a deployed host publishes small pushes. It takes half the processor time that a push takes which is published at once. */
const AS_DEPLOYED = "60";
const START: Record<
  Journey["host"],
  (git: GitSandbox, format: ObjectFormatName, env: Record<string, string>) => Promise<Running>
> = {
  "c git": async (git, format) => ({
    ...(await startCgiApart({ root: git.path("srv"), token: TOKEN, objectFormat: format, settings: TEST_SETTINGS })),
    token: TOKEN,
  }),
  thinpack: async (git, _, env) => {
    const host = await startProject(git.path("state"), TOKEN, env);
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

/** Has git come to a host by another address, at which it is told this of what is missing. @throws Error if it does not */
async function divert(git: GitSandbox, { base, token }: Running, to: string, missing: RegExp): Promise<string> {
  const address = withToken(`${base}/`, token);
  git.configure(`url "${to}"`, "insteadOf", address);
  const { stderr } = await git.git(["ls-remote", `${address}acme/missing.git`]);
  if (!missing.test(stderr)) throw new Error(`git has not come to ${to}: ${stderr}`);
  return address;
}

/**
 * The doors beside HTTP, and how git's client is brought to come by one of them. Addresses stay those of HTTP. Each returns the variables
 * with which the host is started, and what is to be done once it runs.
 */
const COME_BY: Record<
  "websocket" | "ssh" | "git",
  (git: GitSandbox) => Promise<{ env: Record<string, string>; enter?(running: Running): Promise<void> }>
> = {
  websocket: async (git) => {
    await git.useWebSockets();
    return { env: {} };
  },
  ssh: async (git) => {
    const [port, key] = [await freePort("127.0.0.1"), makeClientKey("ed25519")];
    return {
      env: { SSH_PORT: String(port) },
      enter: async (running) => {
        const operator = apiClient(running.base, running.token);
        await operator("PUT", "/tenants/acme");
        const asked = { name: "journeys", key: key.publicKey, scopes: ["tenant:admin"] };
        const { status } = await operator("POST", "/tenants/acme/ssh-keys", asked);
        if (status !== 201) throw new Error(`the journeys' key: ${status}`);
        git.configure("core", "sshCommand", ["ssh", ...sshOptions(key)].join(" "));
        await divert(git, running, `ssh://git@localhost:${port}/`, /the key SHA256:/);
      },
    };
  },
  // Nothing can be pushed by it: pushes go over HTTP.
  git: async (git) => {
    const port = await freePort("127.0.0.1");
    return {
      env: { GIT_PORT: String(port) },
      enter: async (running) => {
        const address = await divert(git, running, `git://localhost:${port}/`, /not exported/);
        git.configure(`url "${address}"`, "pushInsteadOf", address);
      },
    };
  },
};
/** A door by which git comes to a host. */
type Door = "http" | keyof typeof COME_BY;
const TITLES = { http: "", websocket: " by WebSocket", ssh: " by SSH", git: " by git://" };

/** Declares a suite for every host, as {@link onEveryHost} does. */
type DeclareHosts = (title: string, body: (journey: Journey) => void) => void;

/** Whether a journey plays every case: over HTTP with SHA-1. */
export function isWhole({ door, format }: Journey): boolean {
  return door === "http" && format.name === "sha1";
}

/** How many cases of a suite are played: all, those that rest on what a connection remembers, or one. */
type Extent = "all" | "states" | "one";

/**
 * Declares cases for each version of the protocol, and tells `body` how many. A journey that is not whole plays all in the version that
 * clients speak. In version 0 it plays those that rest on what a connection remembers, because over HTTP it remembers nothing. Version 1 is
 * version 0 after one more line, which one case shows.
 */
export function inEveryVersion(journey: Journey, body: (config: readonly string[], extent: Extent) => void): void {
  const extents: readonly Extent[] = isWhole(journey) ? ["all", "all", "all"] : ["states", "one", "all"];
  const versions = extents.map((extent, at) => ({ extent, version: String(at) }));
  describe.each(versions)("protocol.version=$version", ({ extent, version }) => {
    body(["-c", `protocol.version=${version}`], extent);
  });
}

/**
 * Declares a suite as `declareHosts` does, and once more for thinpack with a client that comes by each of the other doors: its verdicts
 * have to be those of HTTP.
 */
export function byEveryDoor(declareHosts: DeclareHosts, title: string, body: (journey: Journey) => void): void {
  declareHosts(title, body);
  if (hosts(["thinpack"]).length === 0) return;
  for (const door of ["websocket", "ssh"] as const) declare(title, body, { host: "thinpack", door });
}

/** Does what {@link byEveryDoor} does, for journeys that read: they are declared for git://, too. */
export function byReadingDoors(declareHosts: DeclareHosts, title: string, body: (journey: Journey) => void): void {
  byEveryDoor(declareHosts, title, body);
  if (hosts(["thinpack"]).length > 0) declare(title, body, { host: "thinpack", door: "git" });
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
  readonly door?: Door;
};

function declare(
  title: string,
  body: (journey: Journey) => void,
  { host, formatName = "sha1", door = "http" }: Setting,
): void {
  describe(`${title} (${host}${TITLES[door]})`, () => {
    let running: Running | undefined;
    let sandbox: GitSandbox | undefined;
    let count = 0;
    const visibility = door === "git" ? { visibility: "public" } : {};
    const started = <T>(value: T | undefined): T => {
      if (value === undefined) throw new Error("the host runs only during tests");
      return value;
    };
    const journey: Journey = {
      host,
      door,
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
          body: Buffer.from(JSON.stringify({ object_format: formatName, ...visibility, ...settings })),
        });
        if (answer.status !== 201) throw new Error(`creating ${path}: ${answer.status} ${answer.body.toString()}`);
        return withToken(`${base}/${path}.git`, token);
      },
    };
    beforeAll(async () => {
      sandbox = new GitSandbox("journey", formatName);
      const coming = door === "http" ? { env: {} } : await COME_BY[door](sandbox);
      // By the other doors, pushes are published when a deployed host does it: over HTTP, at once.
      const published = door === "http" ? {} : { PUBLISH_AFTER: AS_DEPLOYED };
      running = await START[host](sandbox, formatName, { ...published, ...coming.env });
      await coming.enter?.(running);
    });
    afterAll(async () => {
      await running?.close();
      sandbox?.close();
    });
    body(journey);
  });
}
