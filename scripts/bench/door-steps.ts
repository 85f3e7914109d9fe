/**
 * The doors beside HTTP: pushes past what a request may be, clones by SSH beside OpenSSH's server, logins, and a crowd of
 * connections in one isolate.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import { stopProcess } from "../../test/support/git-process.ts";
import { type ClientKey, makeClientKey, sshOptions } from "../../test/support/ssh-bed.ts";
import type { Table } from "../marked-table.ts";
import { type Verdict, MB } from "./budgets.ts";
import { type Host, startThinpack } from "./hosts.ts";
import { copySubject, makeSubject, type Subject } from "./repositories.ts";
import { startSshd } from "./sshd-host.ts";
import { LONG, type Measurement, Measuring } from "./steps.ts";
import { freePort } from "../free-port.ts";

/** The name of the page's table. */
export const DOOR_FIGURES = "npm run bench -- --doors --page";

const TENANT = "bench";
const [BY_HTTP, BY_SSH, BY_WEBSOCKET] = [
  "push of 300 MB by HTTP",
  "push of 300 MB by SSH",
  "push of 300 MB by WebSocket",
];
/** The repositories that the three pushes make. */
const NAMES = ["http", "ssh", "websocket"] as const;
const CLONE = "clone by SSH";
const LOGINS = "20 logins by SSH";
const CROWD = "50 idle connections by SSH, 5 clones and 2 pushes at once";
const [LOGIN_COUNT, IDLE_COUNT, CLONE_COUNT, PUSH_COUNT] = [20, 50, 5, 2];

/** Takes the steps of the doors. */
export class DoorBench {
  readonly results: Measurement[] = [];
  readonly #git: GitSandbox;
  readonly #key: ClientKey = makeClientKey("ed25519");

  constructor(git: GitSandbox) {
    this.#git = git;
  }

  /** Runs all steps; those of clones with a copy of `repo`, if one is given. */
  async run(repo: string | undefined): Promise<void> {
    const sshPort = await freePort("127.0.0.1");
    await this.#git.useWebSockets();
    const host = await startThinpack(this.#git.path("state"), true, { SSH_PORT: String(sshPort) });
    try {
      await ask(host, "PUT", `tenants/${TENANT}`);
      const key = { name: "bench", key: this.#key.publicKey, scopes: ["tenant:admin"] };
      await ask(host, "POST", `tenants/${TENANT}/ssh-keys`, key);
      const noise = await makeSubject(this.#git, "blobs300");
      const measuring = new Measuring(this.#git, host, noise);
      await this.#pushes(measuring, sshPort);
      await this.#logins(measuring, sshPort);
      // Maintenance of what was pushed runs in the same isolate here.
      for (const name of NAMES) await measuring.settle(`${TENANT}/${name}`);
      await this.#crowd(measuring, sshPort, await this.#smaller(noise));
      if (repo !== undefined) await this.#clones(measuring, sshPort, await copySubject(this.#git, repo));
      this.results.push(...measuring.results);
    } finally {
      await host.close();
    }
  }

  async #gitBySsh(args: readonly string[], cwd = this.#git.directory): Promise<void> {
    const GIT_SSH_COMMAND = ["ssh", ...sshOptions(this.#key)].join(" ");
    await this.#git.ok(args, { cwd, env: { GIT_SSH_COMMAND }, timeout: LONG });
  }

  /** Pushes the same 300 MB by each way, into a repository of its own. */
  async #pushes(measuring: Measuring, sshPort: number): Promise<void> {
    const { host, subject } = measuring;
    const { directory: cwd, refspecs } = subject;
    const overHttp = (name: string): string => withToken(`${host.base}/${TENANT}/${name}.git`, host.token);
    await measuring.step(BY_HTTP, async () => {
      await this.#git.ok(["push", "-q", overHttp("http"), ...refspecs], { cwd, timeout: LONG });
    });
    await measuring.step(BY_SSH, async () => {
      await this.#gitBySsh(["push", "-q", sshUrl("git", sshPort, `${TENANT}/ssh.git`), ...refspecs], cwd);
    });
    await measuring.step(BY_WEBSOCKET, async () => {
      await this.#git.ok(["push", "-q", `thinpack::${overHttp("websocket")}`, ...refspecs], { cwd, timeout: LONG });
    });
    for (const name of NAMES) await this.#arrived(overHttp(name), subject);
  }

  async #arrived(remote: string, { branch, directory }: Subject): Promise<void> {
    const listed = await this.#git.ok(["ls-remote", remote, branch]);
    const tip = await this.#git.ok(["rev-parse", branch], { cwd: directory });
    if (!listed.startsWith(tip)) throw new Error(`${remote} has '${listed}', not ${tip}`);
  }

  /** Logs in again and again, and asks for nothing. */
  async #logins(measuring: Measuring, sshPort: number): Promise<void> {
    const args = [...sshOptions(this.#key), "-p", `${sshPort}`, "git@127.0.0.1"];
    await measuring.step(LOGINS, async () => {
      for (let times = 0; times < LOGIN_COUNT; times++) {
        const [status] = await once(spawn("ssh", args, { stdio: "ignore" }), "close");
        // The host has greeted, and has no shell.
        if (status !== 1) throw new Error(`ssh has ended with ${String(status)}`);
      }
    });
  }

  /** Makes a branch of a tenth of the noise: 30 MB. */
  async #smaller({ directory: cwd, branch }: Subject): Promise<string> {
    const entries = (await this.#git.ok(["ls-tree", branch], { cwd })).split("\n").slice(0, 3);
    const tree = await this.#git.ok(["mktree"], { cwd, input: `${entries.join("\n")}\n` });
    const commit = await this.#git.ok(["commit-tree", "-m", "smaller", tree], { cwd });
    await this.#git.ok(["update-ref", "refs/heads/smaller", commit], { cwd });
    return "refs/heads/smaller";
  }

  /** Connections that do nothing, clones of 300 MB and pushes of `smaller`, all in one isolate. */
  async #crowd(measuring: Measuring, sshPort: number, smaller: string): Promise<void> {
    const { subject } = measuring;
    const remote = sshUrl("git", sshPort, `${TENANT}/http.git`);
    const args = [...sshOptions(this.#key), "-N", "-p", `${sshPort}`, "git@127.0.0.1"];
    const idle: ChildProcess[] = [];
    const crowd = async (): Promise<void> => {
      // Few at once may be without a login.
      for (let count = 0; count < IDLE_COUNT; count++) {
        idle.push(spawn("ssh", args, { stdio: "ignore" }));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const directories = Array.from({ length: CLONE_COUNT }, () => this.#git.fresh("crowd"));
      const clones = directories.map((each) => this.#gitBySsh(["clone", "-q", "--mirror", remote, each]));
      const pushes = Array.from({ length: PUSH_COUNT }, async (_, index) => {
        const to = sshUrl("git", sshPort, `${TENANT}/crowd-${index}.git`);
        await this.#gitBySsh(["push", "-q", to, smaller], subject.directory);
      });
      await Promise.all([...clones, ...pushes]);
      for (const each of directories) rmSync(each, { recursive: true });
      const gone = idle.filter(({ exitCode }) => exitCode !== null).length;
      if (gone > 0) throw new Error(`${gone} idle connections were closed`);
    };
    try {
      await measuring.step(CROWD, crowd);
    } finally {
      for (const child of idle) await stopProcess(child);
    }
  }

  /** Clones a repository by SSH from this host, and from OpenSSH's server. */
  async #clones(measuring: Measuring, sshPort: number, subject: Subject): Promise<void> {
    const remote = sshUrl("git", sshPort, `${TENANT}/subject.git`);
    await this.#gitBySsh(["push", "-q", remote, ...subject.refspecs], subject.directory);
    await measuring.settle();
    await this.#clone(measuring, remote);
    await this.#cloneFromSshd(subject);
  }

  async #clone(measuring: Measuring, remote: string): Promise<void> {
    const directory = this.#git.fresh("clone");
    await measuring.step(CLONE, async () => await this.#gitBySsh(["clone", "-q", "--mirror", remote, directory]));
    rmSync(directory, { recursive: true });
  }

  /** Clones the same from OpenSSH's server and git-upload-pack. */
  async #cloneFromSshd(subject: Subject): Promise<void> {
    const sshd = await startSshd(this.#git.path("sshd"), this.#key.publicKey);
    try {
      const measuring = new Measuring(this.#git, sshd, subject);
      await this.#clone(measuring, sshUrl(sshd.user, sshd.port, subject.directory.slice(1)));
      this.results.push(...measuring.results);
    } finally {
      await sshd.close();
    }
  }
}

function sshUrl(user: string, port: number, path: string): string {
  return `ssh://${user}@127.0.0.1:${port}/${path}`;
}

async function ask(host: Host, method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${host.base}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

/** Bounds of the doors: a ratio to another step, or a figure of the step's own. */
const MEMORY_BUDGET = 96;
const CROWD_BUDGET = 128;
const LOGIN_BUDGET = 30;

/** Judges the figures. */
export function judgeDoors(all: readonly Measurement[]): Verdict[] {
  const find = (host: string, step: string): Measurement | undefined =>
    all.find((each) => each.host === host && each.step === step);
  const verdicts: Verdict[] = [];
  const add = (what: string, figure: number | undefined, budget: number, unit = ""): void => {
    if (figure !== undefined) verdicts.push({ what, figure, budget, unit, ok: figure <= budget });
  };
  const ratio = (key: "cpu" | "wall", ours: Measurement | undefined, theirs: Measurement | undefined) =>
    ours === undefined || theirs === undefined ? undefined : ours[key] / theirs[key];
  const http = find("thinpack", BY_HTTP);
  for (const [step, bound] of [
    [BY_SSH, 2],
    [BY_WEBSOCKET, 1.2],
  ] as const) {
    add(`${step}: server CPU ÷ HTTP`, ratio("cpu", find("thinpack", step), http), bound);
    add(`${step}: peak isolate memory`, (find("thinpack", step)?.memory ?? Infinity) / MB, MEMORY_BUDGET, "MB");
  }
  const clones = [find("thinpack", CLONE), find("sshd", CLONE)] as const;
  add(`${CLONE}: server CPU ÷ sshd`, ratio("cpu", ...clones), 2);
  add(`${CLONE}: wall ÷ sshd`, ratio("wall", ...clones), 1.5);
  const logins = find("thinpack", LOGINS);
  add("a login by SSH: server CPU", logins && (logins.cpu * 1000) / LOGIN_COUNT, LOGIN_BUDGET, "ms");
  const crowd = find("thinpack", CROWD)?.memory;
  add(`${CROWD}: peak isolate memory`, crowd && crowd / MB, CROWD_BUDGET, "MB");
  return verdicts;
}

/** Returns the page's table. */
export function doorTable(all: readonly Measurement[]): Table {
  const rows = all.map(({ host, step, wall, cpu, memory }) => [
    host === "sshd" ? `${step}, from OpenSSH's server and git-upload-pack` : step,
    `${wall.toFixed(1)} s`,
    `${cpu.toFixed(2)} s`,
    memory === undefined ? "" : `${Math.round(memory / MB)} MB`,
  ]);
  return [["", "wall", "server CPU", "isolate"], ...rows];
}
