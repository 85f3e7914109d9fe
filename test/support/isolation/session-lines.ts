/**
 * What sessions by SSH and git:// cost, as their log lines say: they have no `Server-Timing`.
 *
 * @packageDocumentation
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { WAIT_LIMIT } from "../time-limits.ts";

const LOOK = 5;
/**
 * What differs with the moment, or names the repository. The bytes read of the bucket are those of a private mirror's pointer, which has to be
 * read to know that it is private: docs/security.md says so.
 */
const PASSING = new Set(["at", "ms", "sid", "path", "repo", "wasm", "mem", "r2b"]);

type Line = Readonly<Record<string, unknown>>;

/** The lines of a host's sessions, as they come. */
export class SessionLines {
  readonly #file: string;
  #read = 0;
  #rest = "";
  readonly #lines: Line[] = [];

  constructor(stateDir: string) {
    this.#file = join(stateDir, "requests.jsonl");
  }

  #take(): void {
    if (!existsSync(this.#file)) return;
    const file = openSync(this.#file, "r");
    const bytes = Buffer.alloc(fstatSync(file).size - this.#read);
    this.#read += readSync(file, bytes, 0, bytes.length, this.#read);
    closeSync(file);
    const lines = (this.#rest + bytes.toString()).split("\n");
    this.#rest = lines.pop() ?? "";
    const sessions = lines.filter((line) => /"method":"(?:SSH|GIT)"/.test(line));
    this.#lines.push(...sessions.map((line) => JSON.parse(line) as Line));
  }

  /** Sessions that were asked for. */
  asked = 0;
  #seen = 0;

  /** Waits until all sessions have their lines. Returns what each of those since the last time did and cost, without its name. */
  async taken(): Promise<string[]> {
    for (const end = Date.now() + WAIT_LIMIT; this.#seen + this.#lines.length < this.asked; this.#take()) {
      if (Date.now() > end) throw new Error(`${this.#seen + this.#lines.length} lines of ${this.asked} sessions`);
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    this.#seen += this.#lines.length;
    return this.#lines
      .splice(0)
      .map((line) => JSON.stringify(Object.entries(line).filter(([name]) => !PASSING.has(name))));
  }
}
