/**
 * What journeys cost on a host that counts all that the platform bills: see `test/worker/rows-entry.ts`.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningHost } from "../../scripts/host.ts";
import type { Used as UsedInAll } from "../../scripts/prices.ts";
import { startTestHost } from "./host.ts";
import { ASKED, ROWS_PATH } from "./observed-paths.ts";
import { SettledLog } from "./settled-log.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

/** A message is written, read and deleted. */
const QUEUE_OPERATIONS = 3;

/** Milliseconds between two looks. */
const PAUSE = 20;

/** What an object did: a statement, or {@link ASKED}. */
export type Statement = {
  readonly object: string;
  readonly sql: string;
  readonly read: number;
  readonly written: number;
};
type Counted = { readonly r2r: number; readonly r2w: number; readonly do: number; readonly kv: number };

type Operations = Counted & { readonly repository: string };

/** What was used of everything but processor time, which depends on the machine. */
export type Billed = Required<Omit<UsedInAll, "cpu">>;

/** What journeys used: their requests alone, and with jobs and what all journeys of a while share. */
export type Used = { readonly own: Billed; readonly all: Billed };

/** Whether something follows all journeys of a while, once for all of them: a tenant is told of pushes and usage, by alarms. */
export function isShared({ object, sql }: Pick<Statement, "object" | "sql">): boolean {
  if (object === "tenant" || object === "directory") return true;
  return sql === "alarm" || sql.includes("usage_version = ?") || (object === "repository" && sql === ASKED);
}

function isMessage({ object, sql }: Statement): boolean {
  return object === "queue" && sql === ASKED;
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/** A host and what was counted there. */
export class BilledHost {
  readonly host: RunningHost;
  readonly #log: SettledLog;
  readonly #statements: Statement[] = [];
  #jobsRead = 0;

  private constructor(host: RunningHost) {
    this.host = host;
    this.#log = new SettledLog(join(host.stateDir, "requests.jsonl"), host.base);
  }

  /** Starts one whose small pushes are published when somebody asks for what is published. */
  static async start(token: string): Promise<BilledHost> {
    const here = dirname(fileURLToPath(import.meta.url));
    const entry = join(here, "..", "worker", "rows-entry.ts");
    return new BilledHost(await startTestHost({ entry, adminToken: token, publishAfter: "3600" }));
  }

  /** Returns the lines of all jobs that have ended. */
  #jobs(): Operations[] {
    const path = join(this.host.stateDir, "jobs.jsonl");
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as Operations);
  }

  /** Reads what objects have done since the last call. */
  async #look(): Promise<void> {
    const answer = await fetch(this.host.base + ROWS_PATH, { signal: AbortSignal.timeout(WAIT_LIMIT) });
    this.#statements.push(...(await answer.json<Statement[]>()));
  }

  /** Waits until a job for a repository, `{tenant}/{repo}`, has ended. */
  async jobEnded(repository: string): Promise<void> {
    while (!this.#jobs().some((job) => job.repository === repository)) await pause();
  }

  /**
   * Pushes, and waits until the repository has told its tenant: an alarm does that, a second later. What a tenant was told before does not
   * count. Returns what `push` returns.
   */
  async untilTold<Pushed>(push: () => Promise<Pushed>): Promise<Pushed> {
    await this.#look();
    const before = this.#statements.length;
    const pushed = await push();
    const isTold = (): boolean =>
      this.#statements.slice(before).some(({ object, sql }) => object === "tenant" && sql === ASKED);
    for (await this.#look(); !isTold(); await this.#look()) await pause();
    return pushed;
  }

  /** Returns what was used since the last call, once each job that was delivered has written its line. */
  async #take(): Promise<Used> {
    const counts = await this.#log.read();
    let jobs: Operations[] = [];
    for (;;) {
      jobs = this.#jobs().slice(this.#jobsRead);
      await this.#look();
      if (jobs.length >= this.#statements.filter(isMessage).length) break;
      await pause();
    }
    this.#jobsRead += jobs.length;
    const statements = this.#statements.splice(0);
    const bill = (counted: readonly Statement[], did: readonly Operations[]): Billed => {
      const messages = counted.filter(isMessage).length;
      const asked = counted.filter(({ sql }) => sql === ASKED).length;
      const sum = (key: keyof Counted): number => did.reduce((total, job) => total + job[key], counts[key]);
      return {
        requests: counts.requests,
        objects: sum("do") + asked - messages,
        classA: sum("r2w"),
        classB: sum("r2r"),
        kv: sum("kv"),
        queue: messages * QUEUE_OPERATIONS,
        rows: counted.reduce((total, { written }) => total + written, 0),
      };
    };
    const own = statements.filter((statement) => !isShared(statement) && !isMessage(statement));
    return { own: bill(own, []), all: bill(statements, jobs) };
  }

  /** Returns what was used by what `act` does, and by what had followed it when the host was settled. */
  async billed(act: () => Promise<unknown>): Promise<Used> {
    await this.#take();
    await act();
    return await this.#take();
  }
}
