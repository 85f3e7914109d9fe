import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { deploy, type DeployTools, targetOf, type WranglerResult } from "../../../scripts/deploy/deployment.ts";
import { planSecrets, SECRETS } from "../../../scripts/deploy/secrets.ts";
import { type DeployConfig, placementProblems } from "../../../scripts/deploy/settings.ts";

const CONFIG: DeployConfig = {
  vars: { JURISDICTION: "", LOCATION_HINT: "" },
  r2_buckets: [{ binding: "BUCKET" }],
  kv_namespaces: [{ binding: "KV" }],
  queues: { producers: [{ queue: "jobs" }, { queue: "mirrors" }] },
};
const EUROPE: DeployConfig = {
  ...CONFIG,
  vars: { JURISDICTION: "eu" },
  r2_buckets: [{ binding: "BUCKET", jurisdiction: "eu" }],
  kv_namespaces: [{ binding: "KV", id: "0".repeat(32) }],
};

const done = (stdout = ""): WranglerResult => ({ code: 0, stdout, stderr: "" });
const failed = (stderr = ""): WranglerResult => ({ code: 1, stdout: "", stderr });
const NEW_WORKER = failed('✘ [ERROR] Worker "thinpack" not found.');
const ONE_ACCOUNT = done(JSON.stringify({ loggedIn: true, accounts: [{ id: "1", name: "one" }] }));

type Situation = {
  readonly config?: DeployConfig;
  readonly environment?: Record<string, string>;
  /** Answers, in order; absent: nobody is there. */
  readonly answers?: readonly string[];
  /** What wrangler answers to commands that begin like that. */
  readonly wrangler?: Record<string, WranglerResult | readonly WranglerResult[]>;
};

type Outcome = { code: number; ran: string[]; said: string; uploaded: unknown; questions: number };

async function run(args: readonly string[], situation: Situation = {}): Promise<Outcome> {
  const ran: string[] = [];
  const said: string[] = [];
  const [answers, times] = [[...(situation.answers ?? [])], new Map<string, number>()];
  let [uploaded, questions] = [undefined as unknown, 0];
  const answer = (command: string): WranglerResult => {
    const known = { whoami: ONE_ACCOUNT, "secret list": done("[]"), ...situation.wrangler };
    const [key, result] = Object.entries(known).find(([begin]) => command.startsWith(begin)) ?? ["", done()];
    const time = times.get(key) ?? 0;
    times.set(key, time + 1);
    return (Array.isArray(result) ? result[time] : result) ?? done();
  };
  const tools: DeployTools = {
    wrangler: async (command) => {
      ran.push(command.join(" "));
      return answer(command.join(" "));
    },
    environment: situation.environment ?? {},
    say: (line) => said.push(line),
    withFile: async (text, work) => {
      uploaded = JSON.parse(text);
      return work("FILE");
    },
    readConfig: () => situation.config ?? CONFIG,
    ...(situation.answers === undefined
      ? {}
      : {
          ask: async () => {
            questions++;
            return answers.shift() ?? "";
          },
        }),
  };
  const code = await deploy(args, tools);
  return { code, ran, said: said.join("\n"), uploaded, questions };
}

describe("npm run deploy", () => {
  it("asks for the secrets of a new Worker and uploads them with its first version", async () => {
    const token = "my own token, long enough";
    const outcome = await run([], { answers: [token, "", ""], wrangler: { "secret list": NEW_WORKER } });
    expect(outcome).toMatchObject({ code: 0, questions: 3 });
    expect(outcome.ran.at(-1)).toBe("deploy --secrets-file FILE");
    expect(outcome.uploaded).toEqual({
      ADMIN_TOKEN: token,
      MIRROR_KEYS: expect.stringMatching(/^first:[A-Za-z0-9+/]{43}=$/),
      SSH_HOST_KEYS: expect.stringMatching(/^\[\{"crv":"Ed25519",.*"crv":"P-256".*\]$/),
    });
    expect(outcome.said).toMatch(/ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}\n {2}your\.host\. IN SSHFP 4 2 [0-9a-f]{64}/);
    expect(outcome.said).toMatch(/ecdsa-sha2-nistp256 SHA256:[A-Za-z0-9+/]{43}\n {2}your\.host\. IN SSHFP 3 2 /);
    // What was made is shown, what was typed is not.
    expect(outcome.said).toContain("MIRROR_KEYS=first:");
    expect(outcome.said).not.toContain(token);
  });

  it("asks for nothing that is deployed already", async () => {
    const deployed = done(JSON.stringify(["ADMIN_TOKEN", "MIRROR_KEYS", "SSH_HOST_KEYS"].map((name) => ({ name }))));
    const outcome = await run(["--keep-vars"], { answers: [], wrangler: { "secret list": deployed } });
    expect(outcome).toMatchObject({ code: 0, questions: 0, uploaded: undefined });
    expect(outcome.ran.at(-1)).toBe("deploy --keep-vars");
  });

  it("takes secrets from the environment if nobody can be asked", async () => {
    const environment = { ADMIN_TOKEN: "t".repeat(30), PUSH_CERT_SEED: "s".repeat(30) };
    const outcome = await run([], { environment, wrangler: { "secret list": NEW_WORKER } });
    expect(outcome).toMatchObject({ code: 0, uploaded: environment });
    expect(outcome.said).not.toContain("t".repeat(30));
    expect(outcome.said).toContain("MIRROR_KEYS is not set");
  });

  it("deploys without an operator if nobody can be asked, and says so", async () => {
    const outcome = await run([], { wrangler: { "secret list": NEW_WORKER } });
    expect(outcome).toMatchObject({ code: 0, uploaded: undefined });
    expect(outcome.said).toContain("ADMIN_TOKEN is not set");
  });

  it.each([
    [{ ADMIN_TOKEN: "short" }, "ADMIN_TOKEN has to have at least 20 characters"],
    [{ MIRROR_KEYS: "not a key" }, "MIRROR_KEYS has to be a name"],
    [{ SSH_HOST_KEYS: "[]" }, "SSH_HOST_KEYS has to be a JSON array of JSON Web Keys"],
  ])("refuses %j", async (environment, sentence) => {
    const outcome = await run([], { environment });
    expect(outcome.code).toBe(1);
    expect(outcome.said).toContain(sentence);
    expect(outcome.ran.some((command) => command.startsWith("deploy"))).toBe(false);
  });

  it("needs no account for a dry run", async () => {
    const outcome = await run(["--dry-run", "--outdir", "build/deploy"], { wrangler: { whoami: failed() } });
    expect(outcome).toMatchObject({ code: 0, ran: ["deploy --dry-run --outdir build/deploy"] });
  });

  it("logs in if somebody is there, and else explains how to", async () => {
    const answers = ["", ""];
    const asked = await run([], { answers, wrangler: { whoami: [failed(), ONE_ACCOUNT] } });
    expect(asked.code).toBe(0);
    expect(asked.ran.slice(0, 3)).toEqual(["whoami --json", "login", "whoami --json"]);
    const alone = await run([], { wrangler: { whoami: failed('{"loggedIn":false}') } });
    expect(alone).toMatchObject({ code: 1, ran: ["whoami --json"] });
    expect(alone.said).toContain("CLOUDFLARE_API_TOKEN");
  });

  it("doesn't guess which of several accounts is meant", async () => {
    const accounts = [
      { id: "1", name: "one" },
      { id: "2", name: "two" },
    ];
    const wrangler = { whoami: done(JSON.stringify({ loggedIn: true, accounts })) };
    const outcome = await run([], { wrangler });
    expect(outcome.code).toBe(1);
    expect(outcome.said).toMatch(/CLOUDFLARE_ACCOUNT_ID[\s\S]*1 {2}one\n {2}2 {2}two/);
    expect(await run([], { wrangler, environment: { CLOUDFLARE_ACCOUNT_ID: "2" } })).toMatchObject({ code: 0 });
  });

  it("stops if the secrets can't be listed, rather than take them for missing", async () => {
    const outcome = await run([], { wrangler: { "secret list": failed("Authentication error [code: 10000]") } });
    expect(outcome.code).toBe(1);
    expect(outcome.said).toContain("Authentication error");
    expect(outcome.ran.some((command) => command.startsWith("deploy"))).toBe(false);
  });

  it("fails as wrangler does", async () => {
    expect((await run([], { wrangler: { deploy: failed() } })).code).toBe(1);
  });

  it("asks about the environment that is deployed", async () => {
    const { ran } = await run(["--env", "staging", "--minify", "-c=other.toml"]);
    expect(ran).toContain("secret list --format json --env staging -c=other.toml");
    expect(targetOf(["--env"])).toEqual([]);
  });
});

describe("a jurisdiction", () => {
  it("makes the queues that are missing in it", async () => {
    const wrangler = { "queues info mirrors": failed() };
    const outcome = await run([], { config: EUROPE, wrangler });
    expect(outcome.code).toBe(0);
    expect(outcome.ran.filter((command) => command.startsWith("queues create"))).toEqual([
      "queues create mirrors --jurisdiction eu",
    ]);
  });

  it.each<[string, DeployConfig, RegExp]>([
    ["no jurisdiction", { ...CONFIG, vars: { JURISDICTION: "Europe" } }, /JURISDICTION is none of/],
    ["no place", { ...CONFIG, vars: { LOCATION_HINT: "moon" } }, /LOCATION_HINT is none of/],
    ["a bucket elsewhere", { ...EUROPE, r2_buckets: [{ binding: "BUCKET" }] }, /have to be the same/],
    ["a namespace that would be elsewhere", { ...EUROPE, kv_namespaces: [{ binding: "KV" }] }, /kv namespace create/],
  ])("is refused with %s", async (_, config, sentence) => {
    const outcome = await run([], { config });
    expect(outcome).toMatchObject({ code: 1, ran: [] });
    expect(outcome.said).toMatch(sentence);
  });

  it("that is whole, or none, is no problem", () => {
    expect([...placementProblems(CONFIG), ...placementProblems(EUROPE)]).toEqual([]);
  });
});

describe("what is written down", () => {
  const bindings = (JSON.parse(readFileSync("package.json", "utf8")) as { cloudflare: { bindings: object } }).cloudflare
    .bindings;
  const names = SECRETS.map(({ name }) => name);

  it("has every secret, and none that could be guessed", () => {
    const example = readFileSync(".dev.vars.example", "utf8");
    const set = example.split("\n").flatMap((line) => /^(?:# )?([A-Z\d_]+=.*)$/.exec(line)?.[1] ?? []);
    // A value here would be the one that many a deployment has.
    expect(set).toEqual(names.map((name) => `${name}=""`));
    expect(Object.keys(bindings)).toEqual(expect.arrayContaining(names));
    // The bindings are those of both files.
    const env = ["src/env.ts", "src/cloudflare/r2-presigner.ts"].map((file) => readFileSync(file, "utf8")).join("");
    for (const name of names) expect(env).toContain(`readonly ${name}?: string`);
  });

  it("makes secrets that are taken", () => {
    for (const { make, fault } of SECRETS) if (make !== undefined) expect(fault(make())).toBeUndefined();
    expect(
      planSecrets({ deployed: ["ADMIN_TOKEN"], environment: {}, interactive: true }).map(({ kind }) => kind),
    ).toEqual(["keep", "ask", "ask", "unset", "unset", "unset"]);
  });
});
