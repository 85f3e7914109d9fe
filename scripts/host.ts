/**
 * The whole host on this machine: workerd with R2, KV, Durable Objects and Queues, with their state on disk.
 * `npm start` runs it, and so does every test that needs a real server.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare, type V4ModuleDefinition, Response } from "miniflare";
import { buildDescription } from "./build-description.mjs";
import { buildPages } from "./build-pages.mjs";
import { buildPackage } from "./build-package.mjs";
import { speedUpSimulator } from "./simulator-speed.ts";
import { makeSshHostKeys } from "./ssh-host-keys.ts";
import { readWranglerConfig, simulatorOptions } from "./wrangler-config.ts";
import { freePort } from "./free-port.ts";
import { endOrphans, forgetProcesses, recordProcesses } from "./host-processes.ts";
import { bundleWorker, WORKER_ENTRY } from "./worker-bundle.mjs";

speedUpSimulator();

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Where a host has the command as a package. */
const PACKAGE_PATH = "/-/thinpack.tgz";
/** Where a host has the files that pages need. */
const PAGE_FILES = "/-/assets/";

/** A Worker beside the host's. */
export type Neighbour = {
  readonly name: string;
  /** The text of its only module. */
  readonly script: string;
  readonly compatibilityDate: string;
  /** Its bindings to entrypoints of the host, each with the props that it gives. */
  readonly bindings: Readonly<Record<string, { readonly entrypoint: string; readonly props: object }>>;
};

/** The options of a host; each has a default. */
export type HostOptions = {
  /** The port; 0 takes a free one. */
  readonly port?: number;
  /** The ports for git:// and for SSH; 0 takes a free one, and by default there is none. */
  readonly gitPort?: number;
  readonly sshPort?: number;
  /** The address to listen on: by default 127.0.0.1, and 0.0.0.0 for all addresses. */
  readonly address?: string;
  readonly stateDir: string;
  /** The operator's token. By default one is made and kept in the state directory. */
  readonly adminToken?: string;
  /** The inspector's port; 0 takes a free one, and by default there is none. */
  readonly inspectorPort?: number;
  readonly allowPrivateUpstreams?: boolean;
  /** Origins whose pages may change things, as text. */
  readonly allowedOrigins?: string;
  /** The least seconds between two syncs of a mirror, as text. */
  readonly leastMirrorInterval?: string;
  /** The seconds after which small pushes are published, as text. */
  readonly publishAfter?: string;
  /** "0": nobody is shown a list of public repositories. */
  readonly listPublic?: string;
  /** The most objects of a slice, as text. */
  readonly mirrorSliceObjects?: string;
  /** Further variables and secrets of the Worker. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Wrong tokens per address, and requests with tokens per tenant, in a minute; unbounded by default. */
  readonly rateLimits?: { readonly login: number; readonly tenant: number };
  /** The Worker's main file, for tests that wrap it. */
  readonly entry?: string;
  /** A directory with the Worker's bundle, which is then not made again. */
  readonly bundle?: string;
  /** Other Workers of the account, which may have bindings to this one. */
  readonly neighbours?: readonly Neighbour[];
  /** Called with each line that the Worker logs, except those of requests and jobs. */
  readonly onLog?: (line: string) => void;
};

/** A running host. */
export type RunningHost = {
  /** The origin, without a final slash. */
  readonly base: string;
  readonly token: string;
  readonly stateDir: string;
  /** The ports of git:// and of SSH, if it listens on them. */
  readonly gitPort?: number;
  readonly sshPort?: number;
  readonly miniflare: Miniflare;
  /** Returns the origin at which its isolates are inspected. Only with an `inspectorPort`. */
  inspector(): Promise<string>;
  stop(): Promise<void>;
};

/** Returns the operator's token: the one given, the one kept, or a new one that is kept from now on. */
function adminToken(stateDir: string, given: string | undefined): string {
  if (given !== undefined && given !== "") return given;
  const file = join(stateDir, "admin-token");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const token = randomBytes(24).toString("base64url");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Returns the key that upstreams' credentials are sealed with: the one kept, or a new one that is kept from now on. */
function mirrorKeys(stateDir: string): string {
  const file = join(stateDir, "mirror-keys");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const keys = `local:${randomBytes(32).toString("base64")}`;
  writeFileSync(file, `${keys}\n`, { mode: 0o600 });
  return keys;
}

/** Returns the keys by which clients of SSH know the host: those kept, or new ones that are kept from now on. */
function sshHostKeys(stateDir: string): string {
  const file = join(stateDir, "ssh-host-keys");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const keys = makeSshHostKeys();
  writeFileSync(file, `${keys}\n`, { mode: 0o600 });
  return keys;
}

/** Writes the lines of requests to `requests.jsonl`, those of jobs to `jobs.jsonl`, and passes on the others. */
function logSorter(stateDir: string, onLog: (line: string) => void): (log: { message: string }) => void {
  return ({ message }) => {
    const [begin = "", kind] = /^\{"log":"(request|job)",/.exec(message) ?? [];
    if (kind === undefined) return onLog(message);
    appendFileSync(join(stateDir, `${kind}s.jsonl`), `{${message.slice(begin.length)}\n`);
  };
}

/** The types of files, as the platform tells them by their endings. */
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Answers with a file of `build/assets`, made now if it is missing or old. */
async function serveAsset({ url }: Request): Promise<Response> {
  const { pathname } = new URL(url);
  const isForPages = pathname.startsWith(PAGE_FILES);
  const build = isForPages ? buildPages : pathname === PACKAGE_PATH ? buildPackage : buildDescription;
  await build();
  const file = join(root, "build", "assets", pathname);
  if (!existsSync(file)) return new Response(null, { status: 404 });
  const type = TYPES[extname(pathname)];
  return new Response(readFileSync(file), { headers: type === undefined ? {} : { "Content-Type": type } });
}

/** Returns the name by which this machine reaches the host. */
function nameOf(address = "127.0.0.1"): string {
  // The simulator takes every address of the loopback network for 127.0.0.1.
  if (/^127\.|^(?:0\.0\.0\.0|::1?|localhost)$/.test(address)) return "localhost";
  return address.includes(":") ? `[${address}]` : address;
}

/** Bundles the Worker into a directory, which holds nothing else afterwards. */
async function bundledInto(directory: string, entry: string): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await bundleWorker(entry, directory);
  return directory;
}

/** Returns the modules of a bundle, the main one first. */
function modulesIn(directory: string): V4ModuleDefinition[] {
  const chunks = readdirSync(join(directory, "chunks")).filter((name) => name.endsWith(".js"));
  const scripts = ["worker.js", ...chunks.map((name) => join("chunks", name))].map((name) => join(directory, name));
  return [
    ...scripts.map((path) => ({ type: "ESModule" as const, path })),
    { type: "CompiledWasm", path: join(directory, "kernel.wasm") },
  ];
}

/** Returns the variables and secrets of the Worker. */
function bindingsOf(options: HostOptions, token: string): Record<string, string> {
  return {
    ADMIN_TOKEN: token,
    MIRROR_KEYS: mirrorKeys(resolve(options.stateDir)),
    SYNCS_BESIDE: "1",
    ...(options.leastMirrorInterval === undefined ? {} : { MIRROR_LEAST_INTERVAL: options.leastMirrorInterval }),
    ...(options.publishAfter === undefined ? {} : { PUBLISH_AFTER: options.publishAfter }),
    ...(options.listPublic === undefined ? {} : { LIST_PUBLIC: options.listPublic }),
    ...(options.mirrorSliceObjects === undefined ? {} : { MIRROR_SLICE_OBJECTS: options.mirrorSliceObjects }),
    ...(options.allowedOrigins === undefined ? {} : { ALLOWED_ORIGINS: options.allowedOrigins }),
    ...(options.allowPrivateUpstreams === true ? { ALLOW_PRIVATE_UPSTREAMS: "1" } : {}),
    ...options.variables,
  };
}

type Ports = { readonly port: number; readonly gitPort?: number; readonly sshPort?: number };

/** Returns the ports to listen on. Clients of SSH are told the address of HTTP, so that its port has to be known, too. */
async function portsOf(options: HostOptions, address: string): Promise<Ports> {
  const { port = 0, gitPort, sshPort } = options;
  const taken = async (wanted: number): Promise<number> => (wanted === 0 ? await freePort(address) : wanted);
  return {
    port: sshPort === undefined ? port : await taken(port),
    ...(gitPort === undefined ? {} : { gitPort: await taken(gitPort) }),
    ...(sshPort === undefined ? {} : { sshPort: await taken(sshPort) }),
  };
}

/** Returns the variables and the secret that SSH takes, if the host listens for it. */
function sshBindings({ stateDir, address }: HostOptions, { port, sshPort }: Ports): Record<string, string> {
  if (sshPort === undefined) return {};
  return {
    SSH_PORT: String(sshPort),
    SSH_HOST_KEYS: sshHostKeys(resolve(stateDir)),
    ORIGIN: `http://${nameOf(address)}:${port}`,
  };
}

/** Returns a neighbour in the form of the platform's simulator. `host` is the name of the host's Worker. */
function neighbourOptions({ name, script, compatibilityDate, bindings }: Neighbour, host: string) {
  const services = Object.entries(bindings).map(([binding, { entrypoint, props }]) => [
    binding,
    { name: host, entrypoint, props },
  ]);
  return { name, modules: true, script, compatibilityDate, serviceBindings: Object.fromEntries(services) };
}

/** Starts the host. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const stateDir = resolve(options.stateDir);
  mkdirSync(stateDir, { recursive: true });
  endOrphans(stateDir);
  const token = adminToken(stateDir, options.adminToken);
  const config = readWranglerConfig();
  const { login, tenant } = options.rateLimits ?? {};
  const bundle = options.bundle ?? (await bundledInto(join(stateDir, "worker"), options.entry ?? WORKER_ENTRY));
  const address = options.address ?? "127.0.0.1";
  const { port, ...ports } = await portsOf(options, address);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: address,
      port,
      ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
      cf: false,
      unsafeHandleRuntimeRestart: () => recordProcesses(stateDir),
      handleStructuredLogs: logSorter(stateDir, options.onLog ?? ((line) => process.stderr.write(`${line}\n`))),
      resourcePersistencePath: join(stateDir, "storage"),
      workers: [
        {
          ...simulatorOptions(config, {
            ...(login === undefined ? {} : { LOGIN_LIMIT: login }),
            ...(tenant === undefined ? {} : { TENANT_LIMIT: tenant }),
          }),
          // The added flag lets the next sync begin while one is under way: the simulator of queues has one consumer.
          compatibilityFlags: [...config.compatibility_flags, "queue_consumer_no_wait_for_wait_until"],
          connectHandlers: Object.values(ports).map((one) => ({ protocol: "tcp" as const, port: one, address })),
          modules: modulesIn(bundle),
          modulesRoot: bundle,
          // The files of `build/assets`. They are made when they are requested, so that a start does not wait for them.
          serviceBindings: {
            ASSETS: serveAsset,
          },
          bindings: { ...sshBindings(options, { port, ...ports }), ...bindingsOf(options, token) },
        },
        ...(options.neighbours ?? []).map((one) => neighbourOptions(one, config.name)),
      ],
    }),
  );
  const url = await miniflare.ready;
  recordProcesses(stateDir);
  const stop = async (): Promise<void> => {
    await miniflare.dispose();
    forgetProcesses(stateDir);
  };
  const inspector = async (): Promise<string> => `http://${(await miniflare.getInspectorURL()).host}`;
  return {
    base: `http://${nameOf(options.address)}:${url.port}`,
    token,
    stateDir,
    ...ports,
    miniflare,
    inspector,
    stop,
  };
}
