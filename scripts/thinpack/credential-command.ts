/**
 * `thinpack credential`: gives git the tokens that are kept, so that no URL needs one.
 *
 * ```text
 * git config credential.https://host.helper '!thinpack credential'
 * ```
 *
 * @packageDocumentation
 * @see gitcredentials(7), git-credential(1)
 */
import { Argument, type Command } from "commander";
import { findToken, type HostOptions } from "./host-choice.ts";
import { findLogin, originOf, readLogins, withoutLogin, writeLogins } from "./logins.ts";
import { commonOptions } from "./command-line.ts";
import { runGit } from "./git-process.ts";
import { readInput } from "./prompt.ts";

/** Any user name would do; C git asks the user for one if it gets none. */
const USERNAME = "git";

/** Reads the attributes from git: one per line, up to an empty line. */
function parseCredential(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "") break;
    const at = line.indexOf("=");
    if (at > 0) attributes.set(line.slice(0, at), line.slice(at + 1));
  }
  return attributes;
}

function hostOf(credential: ReadonlyMap<string, string>): { origin: string; tenant?: string } | undefined {
  const [protocol, host, path] = ["protocol", "host", "path"].map((name) => credential.get(name));
  if (host === undefined || (protocol !== "http" && protocol !== "https")) return undefined;
  // git sends the path if `credential.useHttpPath` is set, which several tenants of one host need.
  const tenant = path?.split("/")[0];
  const origin = originOf(`${protocol}://${host}`);
  return tenant === undefined || tenant === "" ? { origin } : { origin, tenant };
}

/** A token from the command line or the environment is for one host, and for no other. */
function tokenFor(origin: string, tenant: string | undefined, options: HostOptions): string | undefined {
  const named = options.base ?? process.env["THINPACK_BASE"] ?? readLogins().default;
  const isNamed = named !== undefined && originOf(named) === origin;
  if (isNamed) return findToken(origin, options, tenant);
  return findLogin(readLogins(), origin, tenant);
}

/** Forgets a login's token that the host refused. Any other password is not ours. */
function erase(origin: string, password: string): void {
  const logins = readLogins();
  const isKept = Object.values(logins.hosts[origin] ?? {}).includes(password);
  if (isKept) writeLogins(withoutLogin(logins, origin, password));
}

/**
 * Returns the helpers that git asks after this one: it gives them what worked, to keep. Those of another host are not among them.
 *
 * @see gitcredentials(7): "If there are multiple instances of the credential.helper configuration variable, each helper will be tried
 * in turn"
 */
async function helpersBehind(origin: string): Promise<readonly string[]> {
  const { stdout } = await runGit(["config", "-z", "--get-regexp", String.raw`^credential\.(.*\.)?helper$`]);
  let behind: string[] = [];
  let isBehind = false;
  // Each entry ends with a NUL.
  for (const entry of stdout.split("\0").slice(0, -1)) {
    // A value may have lines of its own.
    const [key = "", ...lines] = entry.split("\n");
    const value = lines.join("\n");
    const place = key.slice("credential.".length, -"helper".length - 1);
    if (place !== "" && !(URL.canParse(place) && new URL(place).origin === origin)) continue;
    if (value === "") [behind, isBehind] = [[], false];
    else if (value.endsWith(" credential") && value.includes("thinpack")) isBehind = true;
    else if (isBehind) behind.push(value);
  }
  return behind;
}

/** Returns what a helper is called. The rest of its line is not shown: it may have a secret. */
function nameOfHelper(helper: string): string {
  return helper.startsWith("!") ? "a shell command" : `'${helper.split(/\s/, 1)[0]}'`;
}

async function warnOfHelpersBehind(origin: string): Promise<void> {
  const behind = await helpersBehind(origin);
  if (behind.length === 0) return;
  console.error(
    `warning: git offers this token to ${behind.map((each) => nameOfHelper(each)).join(" and ")}, too, to keep it. To keep it away from there, run: ` +
      `thinpack login ${origin} --git`,
  );
}

/**
 * Answers git. `store` is ignored: git sends it for any password that worked, even one that merely stood in a URL. Only
 * `thinpack login` stores tokens. Unknown operations are ignored, as gitcredentials(7) demands.
 */
async function answerCredential(
  operation: string,
  credential: ReadonlyMap<string, string>,
  options: HostOptions,
): Promise<string> {
  const asked = hostOf(credential);
  if (asked === undefined) return "";
  if (operation === "get") {
    const token = tokenFor(asked.origin, asked.tenant, options);
    if (token !== undefined) await warnOfHelpersBehind(asked.origin);
    return token === undefined ? "" : `username=${credential.get("username") ?? USERNAME}\npassword=${token}\n`;
  }
  const password = credential.get("password");
  if (password !== undefined && operation === "erase") erase(asked.origin, password);
  return "";
}

/** Adds the command. */
export function addCredentialCommand(program: Command): void {
  program
    .command("credential")
    .summary("a credential helper for git: keeps tokens out of URLs")
    .description(
      "Speaks the protocol of gitcredentials(7) on standard input and output. `thinpack login --git` makes git ask it. By hand:\n\n" +
        "  git config --global --add credential.https://HOST.helper ''\n" +
        "  git config --global --add credential.https://HOST.helper '!thinpack credential'\n\n" +
        "The empty line keeps tokens out of other helpers. If you are logged in to several tenants of one host, also set\n" +
        "credential.https://HOST.useHttpPath to true. Only `thinpack login` keeps tokens: `store` does nothing, and `erase`\n" +
        "forgets only tokens that were logged in with.",
    )
    .addArgument(new Argument("<operation>", "get, store or erase"))
    .action(async (operation: string, _options: unknown, command: Command) => {
      process.stdout.write(
        await answerCredential(operation, parseCredential(await readInput()), commonOptions(command)),
      );
    });
}
