/**
 * `npm run deploy`: deploys the Worker with wrangler, which makes the bucket, the namespace and the queues if they are
 * missing, and sets the secrets. Arguments are passed to `wrangler deploy`. In CI, set `CLOUDFLARE_API_TOKEN`,
 * `CLOUDFLARE_ACCOUNT_ID` and the secrets in the environment.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { deploy, targetOf, type WranglerResult } from "./deploy/deployment.ts";
import { asksForHelp } from "./usage.ts";

const USAGE = `Usage: npm run deploy -- [options of wrangler deploy]

Deploys the Worker, makes what it needs and does not have, and asks for secrets that are not set.

  --config FILE   the configuration (wrangler.toml)
  --env NAME      an environment of it
  --name NAME     the Worker's name
  --dry-run       deploys nothing

In CI, set CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID and the secrets in the environment.
\`npx wrangler deploy --help\` lists the other options.`;

const wranglerScript = join(
  dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "bin",
  "wrangler.js",
);

function runWrangler(args: readonly string[], shown: boolean): Promise<WranglerResult> {
  return new Promise((resolve, reject) => {
    const stdio = shown ? "inherit" : (["ignore", "pipe", "pipe"] as const);
    const child = spawn(process.execPath, [wranglerScript, ...args], {
      stdio: typeof stdio === "string" ? stdio : [...stdio],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (piece) => (stdout += String(piece)));
    child.stderr?.on("data", (piece) => (stderr += String(piece)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** Asks for a line that is not shown while it is typed. */
async function askHidden(question: string): Promise<string> {
  process.stdout.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question("");
  } catch {
    // Ctrl-C, Ctrl-D, or a terminal that is gone.
    process.stdout.write("\nNothing was deployed.\n");
    return process.exit(1);
  } finally {
    lines.close();
    process.stdout.write("\n");
  }
}

async function withFile<T>(text: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "thinpack-deploy-"));
  try {
    const path = join(folder, "secrets.json");
    writeFileSync(path, text, { mode: 0o600 });
    return await work(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the value of a flag. */
function flag(args: readonly string[], names: readonly string[]): string | undefined {
  const target = targetOf(args);
  const at = target.findIndex((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
  const [found = ""] = target.slice(at, at + 1);
  if (at < 0) return undefined;
  return found.includes("=") ? found.slice(found.indexOf("=") + 1) : target[at + 1];
}

if (asksForHelp(process.argv.slice(2))) {
  console.log(USAGE);
  process.exit(0);
}

const isInteractive = process.stdin.isTTY && process.stdout.isTTY && process.env["CI"] === undefined;

process.exitCode = await deploy(process.argv.slice(2), {
  wrangler: runWrangler,
  environment: process.env,
  ...(isInteractive ? { ask: askHidden } : {}),
  say: (line) => process.stdout.write(`${line}\n`),
  withFile,
  readConfig: (args) => {
    const [config, env] = [flag(args, ["--config", "-c"]), flag(args, ["--env", "-e"])];
    return readWranglerConfig({
      ...(config === undefined ? {} : { config }),
      ...(env === undefined ? {} : { env }),
    });
  },
});
