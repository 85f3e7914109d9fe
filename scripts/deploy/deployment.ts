/**
 * Runs a deployment step by step, by means of wrangler. The decisions are made here; the functions that ask the user
 * and run wrangler are given.
 */
import { type SecretPlan, planSecrets } from "./secrets.ts";
import { type DeployConfig, jurisdictionOf, placementProblems, queuesOf } from "./settings.ts";

/** The end of a run of wrangler. The output is empty if it was shown. */
export type WranglerResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The parts of the machine that a deployment uses. */
export interface DeployTools {
  /** Runs wrangler, either with its output `shown` on the terminal or with the output returned. */
  wrangler(args: readonly string[], shown: boolean): Promise<WranglerResult>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks for a secret without showing it; absent if nobody can be asked. */
  readonly ask?: (question: string) => Promise<string>;
  say(line: string): void;
  /** Calls `work` with a file that contains the text and exists only that long. */
  withFile(text: string, work: (path: string) => Promise<WranglerResult>): Promise<WranglerResult>;
  readConfig(args: readonly string[]): DeployConfig;
}

/** Flags that choose the Worker, which every command of wrangler's takes. */
const TARGET_FLAGS = ["--config", "-c", "--env", "-e", "--name", "--profile"];

/** Returns those arguments that choose the Worker. */
export function targetOf(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    if (TARGET_FLAGS.some((flag) => arg.startsWith(`${flag}=`))) return [arg];
    const value = args[index + 1];
    return TARGET_FLAGS.includes(arg) && value !== undefined ? [arg, value] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the text of this name of each item in a list of wrangler's JSON. */
function textsOf(list: unknown, key: string): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const value: unknown = typeof item === "object" && item !== null ? Reflect.get(item, key) : undefined;
    return typeof value === "string" ? [value] : [];
  });
}

/** Returns whether one account is chosen to deploy to; if not, explains why. */
async function findsAccount(tools: DeployTools, config: DeployConfig): Promise<boolean> {
  let who = await tools.wrangler(["whoami", "--json"], false);
  if (who.code !== 0 && tools.ask !== undefined) {
    await tools.wrangler(["login"], true);
    who = await tools.wrangler(["whoami", "--json"], false);
  }
  if (who.code !== 0) {
    tools.say("Not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.");
    return false;
  }
  const known: unknown = parsed(who.stdout);
  const accounts: unknown = typeof known === "object" && known !== null ? Reflect.get(known, "accounts") : undefined;
  const ids = textsOf(accounts, "id");
  const isChosen = (tools.environment["CLOUDFLARE_ACCOUNT_ID"] ?? config.account_id ?? "") !== "";
  if (ids.length < 2 || isChosen) return true;
  tools.say("There are several accounts: set CLOUDFLARE_ACCOUNT_ID to one of them.");
  for (const [index, name] of textsOf(accounts, "name").entries()) tools.say(`  ${ids[index] ?? ""}  ${name}`);
  return false;
}

/**
 * Returns the names of the Worker's secrets: none if it is not deployed yet, `undefined` if that can't be found out.
 */
async function deployedSecrets(tools: DeployTools, target: readonly string[]): Promise<string[] | undefined> {
  const listed = await tools.wrangler(["secret", "list", "--format", "json", ...target], false);
  if (listed.code === 0) return textsOf(parsed(listed.stdout), "name");
  const said = `${listed.stdout}${listed.stderr}`;
  if (/Worker ".*not found/s.test(said)) return [];
  tools.say(said.trim());
  return undefined;
}

/** Returns the value of a secret to upload, if there is one. Asks for it if the plan says so. */
async function valueOf(tools: DeployTools, plan: SecretPlan): Promise<string | undefined> {
  const { name, purpose } = plan.secret;
  if (plan.kind === "set") {
    tools.say(`${name} is taken from the environment.`);
    return plan.value;
  }
  if (plan.kind === "unset") tools.say(`${name} is not set: ${purpose}.`);
  if (plan.kind !== "ask" || tools.ask === undefined) return undefined;
  tools.say(`${name}: ${purpose}.`);
  const answer = (await tools.ask("  A value (empty: one is made, and shown once): ")).trim();
  if (answer !== "") return answer;
  const made = plan.make();
  tools.say(`  ${name}=${made}\n  Keep it: it can't be read back.`);
  return made;
}

/** Returns the values to upload; `undefined` if one is invalid. */
async function collect(tools: DeployTools, plans: readonly SecretPlan[]): Promise<Record<string, string> | undefined> {
  const values: Record<string, string> = {};
  for (const plan of plans) {
    const { name, fault, tells } = plan.secret;
    const value = await valueOf(tools, plan);
    if (value === undefined) continue;
    const wrong = fault(value);
    if (wrong !== undefined) {
      tools.say(`${name} ${wrong}. Nothing was deployed.`);
      return undefined;
    }
    for (const line of tells?.(value) ?? []) tools.say(line);
    values[name] = value;
  }
  return values;
}

/** Makes the queues if they need a jurisdiction; wrangler makes the others. */
async function makesQueues(tools: DeployTools, config: DeployConfig, target: readonly string[]): Promise<boolean> {
  const jurisdiction = jurisdictionOf(config);
  if (jurisdiction === "") return true;
  for (const queue of queuesOf(config)) {
    if ((await tools.wrangler(["queues", "info", queue, ...target], false)).code === 0) continue;
    const made = await tools.wrangler(["queues", "create", queue, "--jurisdiction", jurisdiction, ...target], true);
    if (made.code !== 0) return false;
  }
  return true;
}

/** Deploys with further arguments for wrangler. Returns the exit status. */
export async function deploy(args: readonly string[], tools: DeployTools): Promise<number> {
  const config = tools.readConfig(args);
  const problems = placementProblems(config);
  for (const problem of problems) tools.say(problem);
  if (problems.length > 0) return 1;
  if (args.includes("--dry-run")) return (await tools.wrangler(["deploy", ...args], true)).code;
  if (!(await findsAccount(tools, config))) return 1;
  const target = targetOf(args);
  const deployed = await deployedSecrets(tools, target);
  if (deployed === undefined) return 1;
  const interactive = tools.ask !== undefined;
  const secrets = await collect(tools, planSecrets({ deployed, environment: tools.environment, interactive }));
  if (secrets === undefined) return 1;
  if (!(await makesQueues(tools, config, target))) return 1;
  const command = ["deploy", ...args];
  if (Object.keys(secrets).length === 0) return (await tools.wrangler(command, true)).code;
  // Secrets are uploaded with the version, so that the host never runs without them.
  const withSecrets = (path: string): Promise<WranglerResult> =>
    tools.wrangler([...command, "--secrets-file", path], true);
  return (await tools.withFile(JSON.stringify(secrets), withSecrets)).code;
}
