/**
 * Clients that Python has bindings of: dulwich, which is written in Python, and libgit2.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type GitProgram, type PushedRef, type Remote, runProgram } from "./git-client-program.ts";

/** Debian's own, which sees Debian's packages; another one may come first in PATH. */
const PYTHON = "/usr/bin/python3";

class PythonClient implements GitProgram {
  readonly name: string;
  readonly #module: string;
  readonly #script: string;
  readonly #packageName: string;

  constructor(name: string, module: string, packageName: string) {
    this.name = name;
    this.#module = module;
    // Named so that it stands for no module of its own import.
    this.#script = join(import.meta.dirname, `${name}_client.py`);
    this.#packageName = packageName;
  }

  missing(): string | undefined {
    const { status } = spawnSync(PYTHON, ["-c", `import ${this.#module}`], { stdio: "ignore" });
    return status === 0 ? undefined : `${this.#packageName} is not installed`;
  }

  clone(remote: Remote, directory: string): Promise<void> {
    return this.run(remote, "clone", remote.url, directory);
  }

  fetch(remote: Remote, directory: string): Promise<void> {
    return this.run(remote, "fetch", remote.url, directory);
  }

  commit(directory: string, file: string, message: string): Promise<void> {
    return this.run(undefined, "commit", directory, file, message);
  }

  tag(directory: string, name: string): Promise<void> {
    return this.run(undefined, "tag", directory, name);
  }

  push(remote: Remote, directory: string, { from, to, force = false }: PushedRef): Promise<void> {
    return this.run(remote, "push", remote.url, directory, `${force ? "+" : ""}${from}:${to}`);
  }

  protected async run(remote: Remote | undefined, ...args: string[]): Promise<void> {
    await runProgram(PYTHON, [this.#script, ...args], { env: { TOKEN: remote?.token ?? "", HOME: "/nonexistent" } });
  }
}

class Dulwich extends PythonClient {
  cloneShallow(remote: Remote, directory: string, depth: number): Promise<void> {
    return this.run(remote, "clone", remote.url, directory, `${depth}`);
  }
}

/** dulwich, from Debian. */
export const dulwich: GitProgram = new Dulwich("dulwich", "dulwich.porcelain", "python3-dulwich");

/** libgit2, from Debian. */
export const libgit2: GitProgram = new PythonClient("libgit2", "pygit2", "python3-pygit2");
