/**
 * Receivers that were written for GitHub's webhooks take what is delivered here: Octokit's, and google/go-github. Each verifies the
 * signatures and reads the bodies into its own types.
 */
import { Webhooks } from "@octokit/webhooks";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { type StartedHost, startProject } from "../support/git-process.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { type Received, startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const TOKEN = "webhook-clients-token";
const SECRET = "s3cret";
/** Two pings; a push of main; a push and a creation; a push and a deletion. */
const DELIVERIES = 7;
const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), "..", "support", "clients", "go-github", "main.go");
/** Where Debian's packages of Go's libraries are. */
const GO_PATH = "/usr/share/gocode";

/** Why go-github can't be run here; `undefined` if it can. */
function goGithubMissing(): string | undefined {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "go is not installed";
  return existsSync(join(GO_PATH, "src/github.com/google/go-github")) ? undefined : "go-github is not installed";
}

const MISSING = goGithubMissing();
const header = ({ headers }: Received, name: string): string => String(headers[name]);

describe("a receiver written for GitHub", () => {
  const git = new GitSandbox("webhook-clients");
  let host: StartedHost;
  let receiver: WebhookReceiver;
  /** All deliveries, in the order of their events; pings first. */
  let deliveries: readonly Received[] = [];
  let [first, second] = ["", ""];

  const post = async (path: string, body: object): Promise<void> => {
    const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
    const answer = await fetch(`${host.base}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status}`);
  };

  beforeAll(async () => {
    host = await startProject(git.path("state"), TOKEN, { ALLOW_PRIVATE_UPSTREAMS: "1" });
    receiver = await startReceiver();
    const cwd = await git.init("work");
    const remote = withToken(`${host.base}/acme/widgets.git`, TOKEN);
    await git.commit(cwd, "a.txt", "a\n");
    await git.ok(["push", "-q", remote, "main"], { cwd });
    first = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    await post("repos/acme/widgets/hooks", {
      url: receiver.base,
      secret: SECRET,
      events: ["push", "create", "delete"],
    });
    await post("tenants/acme/hooks", { url: receiver.base, secret: SECRET, events: ["sync"] });
    await git.commit(cwd, "b.txt", "ü\n");
    second = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    await git.ok(["tag", "-a", "v1", "-m", "one"], { cwd });
    await git.ok(["push", "-q", remote, "main"], { cwd });
    await git.ok(["push", "-q", remote, "v1"], { cwd });
    await git.ok(["push", "-q", remote, ":refs/tags/v1"], { cwd });
    const isComplete = (): boolean => receiver.received.length >= DELIVERIES;
    await vi.waitUntil(isComplete, { timeout: WAIT_LIMIT, interval: 100 });
    deliveries = receiver.received.toSorted((a, b) => Number(a.body["seq"] ?? 0) - Number(b.body["seq"] ?? 0));
  });

  afterAll(async () => {
    await host.stop();
    await receiver.close();
    git.close();
  });

  it("with Octokit, verifies and reads every delivery, and refuses a changed one", async () => {
    const webhooks = new Webhooks({ secret: SECRET });
    const seen: string[] = [];
    webhooks.onError((error) => void seen.push(`error: ${error.message}`));
    webhooks.on("ping", ({ payload }) => void seen.push(`ping ${payload.hook?.type} ${payload.hook_id}`));
    webhooks.on("create", ({ payload }) => void seen.push(`create ${payload.ref_type} ${payload.ref}`));
    webhooks.on("delete", ({ payload }) => void seen.push(`delete ${payload.ref_type} ${payload.ref}`));
    webhooks.on("push", ({ payload }) => {
      const { ref, before, after, commits, pusher, repository } = payload;
      seen.push(`push ${ref} ${before} ${after} ${commits.length} ${pusher.name} ${repository.full_name}`);
    });
    const take = async (delivery: Received, payload: string): Promise<void> => {
      await webhooks.verifyAndReceive({
        id: header(delivery, "x-github-delivery"),
        name: header(delivery, "x-github-event"),
        signature: header(delivery, "x-hub-signature-256"),
        payload,
      });
    };
    for (const delivery of deliveries) await take(delivery, delivery.raw.toString());
    const isPing = (line: string): boolean => line.startsWith("ping");
    expect(seen.filter(isPing).map(withoutNumbers).toSorted()).toEqual([
      "ping Organization NUMBER",
      "ping Repository NUMBER",
    ]);
    expect(seen.filter((line) => !isPing(line)).map(withoutObjects)).toEqual([
      "push refs/heads/main OLD NEW 1 operator acme/widgets",
      "push refs/tags/v1 NONE TAG 0 operator acme/widgets",
      "create tag v1",
      "push refs/tags/v1 TAG NONE 0 operator acme/widgets",
      "delete tag v1",
    ]);
    const [any] = deliveries;
    if (any === undefined) throw new Error("no delivery");
    await expect(take(any, `${any.raw.toString()} `)).rejects.toThrow("signature does not match");
  });

  /** Names the objects of a line: any other object is the tag's. */
  function withoutObjects(line: string): string {
    const names: Readonly<Record<string, string>> = { [first]: "OLD", [second]: "NEW", ["0".repeat(40)]: "NONE" };
    return line.replaceAll(/\b[0-9a-f]{40}\b/g, (oid) => names[oid] ?? "TAG");
  }

  const withoutNumbers = (line: string): string => line.replaceAll(/\b[1-9]\d+\b/g, "NUMBER");

  it.skipIf(MISSING !== undefined && process.env["CI"] === undefined)(
    `with google/go-github, verifies and reads every delivery${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`,
    () => {
      if (MISSING !== undefined) throw new Error(MISSING);
      const lines = deliveries.map((delivery) =>
        JSON.stringify({
          Event: header(delivery, "x-github-event"),
          Signature: header(delivery, "x-hub-signature-256"),
          Body: delivery.raw.toString("base64"),
        }),
      );
      const said = execFileSync("go", ["run", PROGRAM], {
        input: `${lines.join("\n")}\n`,
        encoding: "utf8",
        env: { ...git.environment(), GO111MODULE: "off", GOPATH: GO_PATH, GOCACHE: git.path("go-cache"), GOFLAGS: "" },
      });
      const seen = said.trim().split("\n");
      expect(seen.slice(0, 2).map(withoutNumbers).toSorted()).toEqual([
        "ping NUMBER Organization [sync]",
        "ping NUMBER Repository [push create delete]",
      ]);
      expect(seen.slice(2).map(withoutObjects)).toEqual([
        "push refs/heads/main OLD NEW operator 1 acme/widgets",
        "push refs/tags/v1 NONE TAG operator 0 acme/widgets",
        "create tag v1 main acme/widgets",
        "push refs/tags/v1 TAG NONE operator 0 acme/widgets",
        "delete tag v1 acme/widgets",
      ]);
    },
  );
});
