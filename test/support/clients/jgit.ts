/**
 * JGit, by its command line, from Debian.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GitProgram, type PushedRef, type Remote, runProgram } from "./git-client-program.ts";

/** Where Debian has JGit's parts: its launcher starts it without libraries that it needs as soon as it starts. */
export const JGIT_CLASSPATH = [
  "org.eclipse.jgit.lfs",
  "org.eclipse.jgit.http.apache",
  "httpclient",
  "httpcore",
  "commons-logging",
  "commons-codec",
  "gson",
  "slf4j-nop",
]
  .map((jar) => `/usr/share/java/${jar}.jar`)
  .join(":");

class JGit implements GitProgram {
  readonly name = "jgit";

  missing(): string | undefined {
    const env = { PATH: process.env["PATH"], JGIT_CLASSPATH };
    const { status } = spawnSync("jgit", ["--version"], { stdio: "ignore", env });
    return status === 0 ? undefined : "jgit-cli is not installed";
  }

  async clone(remote: Remote, directory: string): Promise<void> {
    await this.#run(remote, undefined, "clone", remote.url, directory);
  }

  async fetch(remote: Remote, directory: string): Promise<void> {
    await this.#run(remote, directory, "fetch", "origin");
  }

  async commit(directory: string, file: string, message: string): Promise<void> {
    await this.#run(undefined, directory, "add", file);
    await this.#run(undefined, directory, "commit", "-m", message);
  }

  async tag(directory: string, name: string): Promise<void> {
    await this.#run(undefined, directory, "tag", "-m", "a tag", name);
  }

  async push(remote: Remote, directory: string, { from, to, force = false }: PushedRef): Promise<void> {
    const said = await this.#run(remote, directory, "push", ...(force ? ["--force"] : []), remote.url, `${from}:${to}`);
    // Its exit code is 0 all the same.
    if (said.includes("rejected]")) throw new Error(said);
  }

  /** Runs it with a home of its own: its credentials come from `.netrc`, and it asks on a screen where there are none. */
  async #run(remote: Remote | undefined, cwd: string | undefined, ...args: string[]): Promise<string> {
    const home = mkdtempSync(join(tmpdir(), "thinpack-jgit-"));
    try {
      if (remote !== undefined && remote.token !== "") {
        const { hostname } = new URL(remote.url);
        writeFileSync(join(home, ".netrc"), `machine ${hostname} login git password ${remote.token}\n`);
      }
      writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = A U Thor\n\temail = author@example.com\n");
      const env = {
        JGIT_CLASSPATH,
        JAVA_TOOL_OPTIONS: `-Duser.home=${home} -Djava.awt.headless=true`,
        HOME: home,
        XDG_CONFIG_HOME: home,
      };
      return await runProgram("jgit", args, { env, ...(cwd === undefined ? {} : { cwd }) });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
}

/** JGit. */
export const jgit: GitProgram = new JGit();
