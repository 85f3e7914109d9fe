/**
 * A load on this host, with its memory over time, and the same load of git's operations on C git's server.
 *
 * @packageDocumentation
 */
import { mkdirSync, readFileSync } from "node:fs";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import { linear, noise } from "../../test/support/git-fixtures.ts";
import { startProject } from "../../test/support/git-process.ts";
import { startCGit } from "../bench/hosts.ts";
import { type MemorySampler, sampleMemory } from "../bench/isolate-memory.ts";
import { commandOf, processTree } from "../bench/process-time.ts";
import { GIT_KINDS, OWN_KINDS, type Place } from "./operations.ts";
import { type LoadResult, type LoadSize, runLoad } from "./run.ts";

const TOKEN = "load-token";
const TENANT = "load";
/** Repositories that clients share, and the commits and the bytes of each. */
const REPOSITORIES = 10;
const COMMITS = 300;
const NOISE = 300_000;
/** Milliseconds between two looks at the memory. */
const LOOK = 1000;
const PAGE_BYTES = 4096;

/**
 * Bytes in memory after some seconds: `bytes` of the process, with all that plays the platform, and `isolate` of the heap and the
 * buffers of the Worker and its objects, at their lowest within the second: a V8 heap also holds what it has not collected yet.
 */
export type MemorySample = { readonly second: number; readonly bytes: number; readonly isolate: number };

/** All that a run gives. */
export type LoadReport = {
  readonly at: string;
  readonly size: LoadSize;
  readonly thinpack: LoadResult;
  readonly cGit: LoadResult;
  readonly memory: readonly MemorySample[];
};

type ApiRequest = Pick<Place, "base" | "token"> & {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
};

async function apiRequest({ base, token, method, path, body = {} }: ApiRequest): Promise<string> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const answer = await fetch(`${base}/api/v1/${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text;
}

async function fixture(git: GitSandbox): Promise<string> {
  const stream = linear(COMMITS);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(NOISE, 1) }]);
  const cwd = await git.init("load", "--bare");
  await git.ok(["fast-import", "--quiet"], { cwd, input: stream.bytes() });
  return cwd;
}

/** Makes the repositories, and gives where clients go, with a token of theirs where there are such. */
async function places(git: GitSandbox, source: string, base: string, token: string): Promise<Place[]> {
  const made: Place[] = [];
  for (let number = 0; number < REPOSITORIES; number++) {
    const repository = `${TENANT}/repo-${number}`;
    await apiRequest({ base, token, method: "PUT", path: `repos/${repository}` });
    await git.ok(["push", "-q", withToken(`${base}/${repository}.git`, token), "main"], { cwd: source });
    made.push({ base, token, repository });
  }
  return made;
}

/** Watches the memory of processes, and of the isolate in them, until it is told to end. */
function watchMemory(pids: readonly number[], isolate: MemorySampler): () => MemorySample[] {
  const samples: MemorySample[] = [];
  const began = performance.now();
  const resident = (pid: number): number =>
    Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  const look = (): void => {
    const bytes = pids.reduce((sum, pid) => sum + resident(pid), 0);
    // A busy isolate may not have answered within the second: then it is what it was.
    const lowest = isolate.samples() > 0 ? isolate.lowest() : (samples.at(-1)?.isolate ?? 0);
    isolate.reset();
    samples.push({ second: Math.round((performance.now() - began) / 1000), bytes, isolate: lowest });
  };
  const timer = setInterval(look, LOOK);
  return () => {
    clearInterval(timer);
    look();
    return samples;
  };
}

function tokenIn(answer: string): string {
  const made: unknown = JSON.parse(answer);
  if (typeof made !== "object" || made === null || !("token" in made)) throw new Error(`no token: ${answer}`);
  return String(made.token);
}

async function loadThinpack(
  git: GitSandbox,
  source: string,
  size: LoadSize,
): Promise<{ readonly result: LoadResult; readonly memory: MemorySample[] }> {
  const state = git.path("state");
  mkdirSync(state, { recursive: true });
  const host = await startProject(state, TOKEN, { PUBLISH_AFTER: "60", INSPECTOR_PORT: "0" });
  try {
    const operators = await places(git, source, host.base, TOKEN);
    const answer = await apiRequest({
      base: host.base,
      token: TOKEN,
      method: "POST",
      path: `tenants/${TENANT}/tokens`,
      body: { name: "load", scopes: ["repo:write"] },
    });
    const token = tokenIn(answer);
    const workers = processTree(host.child.pid ?? 0).filter((pid) => commandOf(pid) === "workerd");
    const isolate = await sampleMemory(host.inspector ?? "");
    try {
      const ended = watchMemory(workers, isolate);
      const result = await runLoad(
        operators.map((place) => ({ ...place, token })),
        [...GIT_KINDS, ...OWN_KINDS],
        size,
      );
      return { result, memory: ended() };
    } finally {
      isolate.close();
    }
  } finally {
    await host.stop();
  }
}

/** Runs the load on both hosts, one after the other. `say` is told how it goes. */
export async function measureLoad(git: GitSandbox, size: LoadSize, say: (line: string) => void): Promise<LoadReport> {
  const source = await fixture(git);
  const at = new Date().toISOString();
  say(`${size.clients} clients on this host for ${size.seconds} s`);
  const { result: thinpack, memory } = await loadThinpack(git, source, size);
  say(`${size.clients} clients on C git's server for ${size.seconds} s`);
  const reference = await startCGit(git.path("served"));
  try {
    const cGit = await runLoad(await places(git, source, reference.base, reference.token), GIT_KINDS, size);
    return { at, size, thinpack, cGit, memory };
  } finally {
    await reference.close();
  }
}
