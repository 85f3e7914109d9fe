/**
 * Asks git for credentials, as git's own helper for HTTP does: its credential helpers, its askpass, its prompt.
 *
 * @packageDocumentation
 * @see gitcredentials(7), git-credential(1)
 */
import { git, input } from "./git.ts";

/** Credentials as git gave them. */
export type Credentials = { readonly username: string; readonly password: string; readonly text: string };

function describe(url: URL, challenges: readonly string[]): string {
  const { protocol, host, pathname, username } = url;
  const lines = [`protocol=${protocol.slice(0, -1)}`, `host=${host}`, `path=${decodeURIComponent(pathname.slice(1))}`];
  if (username !== "") lines.push(`username=${decodeURIComponent(username)}`);
  const all = [...lines, ...challenges.map((challenge) => `wwwauth[]=${challenge}`)];
  // git takes each line for a value of its own: a line break in an address would name another host.
  if (all.some((line) => /[\0\r\n]/.test(line))) throw new Error("the address has a line break in it");
  return `${all.join("\n")}\n\n`;
}

/** Asks for credentials; `undefined` if there are none. */
export async function fillCredentials(url: URL, challenges: readonly string[]): Promise<Credentials | undefined> {
  const text = await git(["credential", "fill"], input(describe(url, challenges)));
  const found = new Map(
    text.split("\n").map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
  const [username, password] = [found.get("username"), found.get("password")];
  return username === undefined || password === undefined ? undefined : { username, password, text };
}

/** Tells git that credentials were taken, or refused. */
export async function settleCredentials({ text }: Credentials, verdict: "approve" | "reject"): Promise<void> {
  await git(["credential", verdict], input(`${text}\n\n`));
}

/** Returns the header for credentials. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
