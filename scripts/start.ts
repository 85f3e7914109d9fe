/**
 * `npm start`: the whole host on this machine. `--help` lists the environment variables that it knows. Tests set
 * `WORKER_BUNDLE`, which names a directory with the Worker's bundle, so that it is not made again.
 */
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve as resolvePath } from "node:path";
import type { HostOptions, RunningHost } from "./host.ts";
import { describeHostKeys } from "./ssh-host-keys.ts";

const HELP = `Usage: npm start

Runs the whole host on this machine until it is interrupted. Environment:

  PORT                       the port to listen on; 0 takes a free one (8787)
  HOST                       the address to listen on; 0.0.0.0 for all (127.0.0.1)
  GIT_PORT                   the port for git://, which serves public repositories; by default there is none
  SSH_PORT                   the port for SSH; by default there is none
  STATE_DIR                  where everything is kept (.thinpack)
  ADMIN_TOKEN                the operator's token; by default one is made and kept in STATE_DIR
  INSPECTOR_PORT             opens the isolate's inspector on this port
  ALLOW_PRIVATE_UPSTREAMS=1  lets mirrors and webhooks reach private addresses
  ALLOWED_ORIGINS            the origins whose pages may use the API from a browser
  MIRROR_LEAST_INTERVAL      the least seconds between two syncs of a mirror
  LIST_PUBLIC=0              shows nobody a list of public repositories
  PUBLISH_AFTER              the seconds after which small pushes are published in the bucket; 0: at once
  MIRROR_SLICE_OBJECTS       the most objects that a sync takes in one go`;

/** Milliseconds between two reports of progress. */
const SAY_AFTER = 4000;

/** A fault that the user has to mend. */
class StartFailure extends Error {}

/** Returns a variable of the environment if it is set and not empty. */
function variable(name: string): string | undefined {
  const text = process.env[name];
  return text === undefined || text === "" ? undefined : text;
}

/**
 * Returns a port from the environment.
 *
 * @throws StartFailure if it is none
 */
function portFrom(name: string): number | undefined {
  const text = variable(name);
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new StartFailure(`${name} is '${text}', which is no port: give a number from 0 to 65535`);
}

/**
 * Tries to listen, since workerd would take many lines to say why it can't.
 *
 * @throws StartFailure with one sentence
 */
async function checkAddress(host: string, port: number, name: string): Promise<void> {
  const server = createServer();
  const code = await new Promise<string | undefined>((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "failed"));
    server.listen(port, host, () => resolve(undefined));
  });
  if (code === undefined) await new Promise((resolve) => server.close(resolve));
  else if (code === "EADDRINUSE") throw new StartFailure(`port ${port} is in use: set ${name} to another, or to 0`);
  else if (code === "EACCES")
    throw new StartFailure(`port ${port} may not be used by this user: set ${name} to another`);
  else throw new StartFailure(`HOST is '${host}', which this machine can't listen on (${code})`);
}

/**
 * Checks that everything can be kept where the user wants it.
 *
 * @throws StartFailure with one sentence
 */
function checkStateDir(given: string): void {
  let place = resolvePath(given);
  while (!existsSync(place)) place = dirname(place);
  try {
    if (!statSync(place).isDirectory()) throw new StartFailure(`STATE_DIR is '${given}', but ${place} is no directory`);
    accessSync(place, constants.W_OK);
  } catch (error) {
    if (error instanceof StartFailure) throw error;
    throw new StartFailure(`STATE_DIR is '${given}', but this user may not write to ${place}`);
  }
}

/** Whether a server on this address listens on all of the machine's. */
function isEverywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/**
 * Checks every address that the host is to listen on.
 *
 * @throws StartFailure with one sentence
 */
async function checkAddresses({ address, port, ...options }: StartOptions): Promise<void> {
  const asked = [
    ["PORT", address, port],
    ["GIT_PORT", address, options.gitPort],
    ["SSH_PORT", address, options.sshPort],
    // The inspector is for this machine alone, wherever the host listens.
    ["INSPECTOR_PORT", "127.0.0.1", options.inspectorPort],
  ] as const;
  const taken: { readonly name: string; readonly host: string; readonly wanted: number }[] = [];
  for (const [name, host, wanted] of asked) {
    if (wanted === undefined) continue;
    const other = taken.find((each) => each.wanted === wanted && (each.host === host || isEverywhere(each.host)));
    if (other !== undefined) throw new StartFailure(`${other.name} and ${name} are both ${wanted}: set one to another`);
    if (wanted !== 0) taken.push({ name, host, wanted });
    await checkAddress(host, wanted, name);
  }
}

/** Options that are set as text, each by a variable. */
const TEXTS = {
  adminToken: "ADMIN_TOKEN",
  allowedOrigins: "ALLOWED_ORIGINS",
  leastMirrorInterval: "MIRROR_LEAST_INTERVAL",
  publishAfter: "PUBLISH_AFTER",
  listPublic: "LIST_PUBLIC",
  mirrorSliceObjects: "MIRROR_SLICE_OBJECTS",
  bundle: "WORKER_BUNDLE",
} as const satisfies Partial<Record<keyof HostOptions, string>>;

/** What the environment says. */
type StartOptions = HostOptions & { readonly port: number; readonly address: string; readonly stateDir: string };

/**
 * Reads the environment.
 *
 * @throws StartFailure
 */
function readOptions(): StartOptions {
  const inspectorPort = portFrom("INSPECTOR_PORT");
  const gitPort = portFrom("GIT_PORT");
  const sshPort = portFrom("SSH_PORT");
  const texts = Object.entries(TEXTS).flatMap(([option, name]) => {
    const text = variable(name);
    return text === undefined ? [] : [[option, text] as const];
  });
  return {
    ...Object.fromEntries(texts),
    port: portFrom("PORT") ?? 8787,
    address: variable("HOST") ?? "127.0.0.1",
    stateDir: variable("STATE_DIR") ?? ".thinpack",
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
    ...(gitPort === undefined ? {} : { gitPort }),
    ...(sshPort === undefined ? {} : { sshPort }),
    allowPrivateUpstreams: process.env["ALLOW_PRIVATE_UPSTREAMS"] === "1",
  };
}

/**
 * Starts the host, and reports every few seconds that it is still starting.
 *
 * @throws StartFailure
 */
async function start(options: HostOptions): Promise<RunningHost> {
  console.error("thinpack: starting");
  const began = Date.now();
  const timer = setInterval(() => {
    console.error(`thinpack: still starting, ${Math.round((Date.now() - began) / 1000)} s`);
  }, SAY_AFTER);
  try {
    // It is loaded only now: the simulator takes seconds to load on a slow machine, and a message has to come before.
    const { startHost } = await import("./host.ts");
    return await startHost(options);
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new StartFailure(line);
  } finally {
    clearInterval(timer);
  }
}

/** Whether the operator's token has changed since the last start. Only a digest of it is kept. */
function isOtherToken({ stateDir, token }: RunningHost): boolean {
  const file = join(stateDir, "admin-token-digest");
  const digest = createHash("sha256").update(token).digest("hex");
  const before = existsSync(file) ? readFileSync(file, "utf8") : digest;
  writeFileSync(file, digest, { mode: 0o600 });
  return before !== digest;
}

/** Says where SSH is, and by which keys clients know it. */
function tellOfSsh({ base, stateDir }: RunningHost, port: number): void {
  console.log(`ssh://git@${new URL(base).hostname}:${port}`);
  const secret = readFileSync(join(stateDir, "ssh-host-keys"), "utf8");
  for (const line of describeHostKeys(secret).filter((text) => text.startsWith("ssh-")))
    console.log(`its key: ${line}`);
}

function stopOnSignals(host: RunningHost): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Miniflare has a listener of its own, which ends the process before the host has stopped.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void host.stop().finally(() => process.exit(0));
    });
  }
}

async function main(): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument === "--help" || argument === "-h") {
    console.log(HELP);
    return;
  }
  if (argument !== undefined) throw new StartFailure(`unknown argument '${argument}': settings are in the environment`);
  const options = readOptions();
  checkStateDir(options.stateDir);
  await checkAddresses(options);
  const host = await start(options);
  stopOnSignals(host);
  if (options.inspectorPort !== undefined) console.log(`inspector ${await host.inspector()}`);
  if (host.gitPort !== undefined) console.log(`git://${new URL(host.base).hostname}:${host.gitPort}`);
  if (host.sshPort !== undefined) tellOfSsh(host, host.sshPort);
  console.log(`ready ${host.base}`);
  console.log(`the operator's token: ${host.token}`);
  if (isOtherToken(host)) console.log("it is another than last time: log in anew where the old one is kept");
  console.log("push something:");
  console.log(`  git push ${host.base.replace("://", `://git:${host.token}@`)}/acme/widgets.git HEAD:refs/heads/main`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartFailure)) throw error;
  console.error(`thinpack: ${error.message}`);
  process.exit(1);
}
