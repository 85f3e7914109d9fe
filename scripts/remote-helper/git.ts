/**
 * Runs the git that runs this helper.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";

/** What a git command reads. */
export type GitInput = { readonly input?: string };

/** Makes the input of a git command. */
export const input = (text: string): GitInput => ({ input: text });

/** Runs git, and returns what it printed; "" if it failed. What it says to the user, the user sees. */
export async function git(args: readonly string[], { input: text }: GitInput = {}): Promise<string> {
  const child = spawn("git", args, { stdio: ["pipe", "pipe", "inherit"] });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  child.stdin.on("error", () => undefined);
  child.stdin.end(text);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (ended) => resolve(ended ?? 1));
  });
  return code === 0 ? Buffer.concat(pieces).toString("utf8").trim() : "";
}

/** Git's settings of HTTP for one address. */
export type HttpSettings = {
  readonly proxy: string | undefined;
  readonly verifies: boolean;
  readonly caFile: string | undefined;
  readonly headers: readonly string[];
};

/** Reads git's settings of HTTP for an address, those of the command line and the environment included. */
export async function httpSettings(url: URL): Promise<HttpSettings> {
  const lines = (await git(["config", "--get-urlmatch", "http", url.href])).split("\n");
  const values = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`http.${name} `)).map((line) => line.slice(`http.${name} `.length));
  const { GIT_SSL_NO_VERIFY: unverified, GIT_SSL_CAINFO: caFile } = process.env;
  return {
    proxy: values("proxy").at(-1),
    verifies: unverified === undefined && values("sslverify").at(-1) !== "false",
    caFile: caFile ?? values("sslcainfo").at(-1),
    headers: values("extraheader"),
  };
}

/** The version of the protocol that git speaks, unless it is told otherwise. */
const DEFAULT_VERSION = "2";

/** Returns the version of the protocol that git is set to. */
export async function protocolVersion(): Promise<string> {
  const version = await git(["config", "--get", "protocol.version"]);
  return version === "" ? DEFAULT_VERSION : version;
}
