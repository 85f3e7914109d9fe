/** Events of acknowledged pushes outlive the process: webhooks are delivered, subscribers told, after a kill and a new start. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { type StartedHost, startProject } from "../support/git-process.ts";
import { subscribe } from "../support/subscriber.ts";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const TOKEN = "events-token";
const WAIT = { timeout: WAIT_LIMIT, interval: 100 };

describe("events", () => {
  const open: { hosts: StartedHost[]; git: GitSandbox[]; receivers: WebhookReceiver[] } = {
    hosts: [],
    git: [],
    receivers: [],
  };
  afterEach(async () => {
    for (const host of open.hosts.splice(0)) await host.stop();
    for (const receiver of open.receivers.splice(0)) await receiver.close();
    for (const git of open.git.splice(0)) git.close();
  });

  async function start(git: GitSandbox): Promise<StartedHost> {
    const host = await startProject(git.path("state"), TOKEN, { ALLOW_PRIVATE_UPSTREAMS: "1" });
    open.hosts.push(host);
    return host;
  }

  async function prepared(): Promise<{ git: GitSandbox; cwd: string; receiver: WebhookReceiver }> {
    const git = new GitSandbox("events");
    open.git.push(git);
    const cwd = await git.init("work");
    await git.commit(cwd, "a.txt", "a\n");
    const receiver = await startReceiver();
    open.receivers.push(receiver);
    return { git, cwd, receiver };
  }

  const remoteOf = (host: StartedHost): string => withToken(`${host.base}/acme/repo.git`, TOKEN);

  async function addHook(host: StartedHost, url: string, events: readonly string[]): Promise<void> {
    const answer = await fetch(`${host.base}/api/v1/repos/acme/repo/hooks`, {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify({ url, secret: "s3cret", events }),
    });
    expect(answer.status).toBe(201);
  }

  /** What a receiver was told of refs, each delivery once, however often it came. */
  function told({ received }: WebhookReceiver): string[] {
    const byId = new Map(received.map(({ headers, body }) => [headers["x-github-delivery"], { headers, body }]));
    return [...byId.values()]
      .filter(({ headers }) => headers["x-github-event"] !== "ping")
      .sort((a, b) => Number(a.body["seq"]) - Number(b.body["seq"]))
      .map(({ headers, body }) => `${String(headers["x-github-event"])} ${String(body["ref"])}`);
  }

  it("reach webhooks with what the push said", async () => {
    const { git, cwd, receiver } = await prepared();
    const host = await start(git);
    await git.ok(["push", "-q", remoteOf(host), "main"], { cwd });
    await addHook(host, `${receiver.base}/`, ["push", "create", "delete"]);
    const before = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    await git.commit(cwd, "b.txt", "b\n");
    const after = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
    await git.ok(["push", "-q", "-o", "ci.skip", remoteOf(host), "main", "main:refs/heads/a"], { cwd });
    await git.ok(["push", "-q", remoteOf(host), ":refs/heads/a"], { cwd });
    await vi.waitFor(() => expect(told(receiver)).toHaveLength(5), WAIT);
    expect(told(receiver).toSorted()).toEqual([
      "create a",
      "delete a",
      "push refs/heads/a",
      "push refs/heads/a",
      "push refs/heads/main",
    ]);
    const main = receiver.received.find(({ body }) => body["ref"] === "refs/heads/main");
    const commit = { id: after, distinct: true, added: ["b.txt"], removed: [], modified: [] };
    expect(main?.body).toMatchObject({
      before,
      after,
      created: false,
      forced: false,
      push_options: ["ci.skip"],
      commits: [commit],
      head_commit: {
        ...commit,
        tree_id: await git.ok(["rev-parse", "HEAD^{tree}"], { cwd }),
        message: await git.ok(["log", "-1", "--format=%B"], { cwd }),
        timestamp: await git.ok(["log", "-1", "--format=%aI"], { cwd }),
        author: { email: await git.ok(["log", "-1", "--format=%ae"], { cwd }) },
      },
    });
  });

  it("tell of a rewritten branch that it was forced, and of the newest commits of many", async () => {
    const { git, cwd, receiver } = await prepared();
    const host = await start(git);
    for (let n = 0; n < 25; n++) await git.ok(["commit", "-q", "--allow-empty", "-m", `number ${n}`], { cwd });
    await git.ok(["push", "-q", remoteOf(host), "main~25:refs/heads/main"], { cwd });
    await addHook(host, `${receiver.base}/`, ["push"]);
    await git.ok(["push", "-q", remoteOf(host), "main"], { cwd });
    // Commits that no ref reaches any more are not told of.
    await vi.waitFor(() => expect(told(receiver)).toHaveLength(1), WAIT);
    await git.ok(["reset", "-q", "--hard", "HEAD~3"], { cwd });
    await git.commit(cwd, "other.txt", "other\n");
    await git.ok(["push", "-q", "--force", remoteOf(host), "main"], { cwd });
    await vi.waitFor(() => expect(told(receiver)).toHaveLength(2), WAIT);
    const pushes = receiver.received.filter(({ body }) => body["ref"] === "refs/heads/main").map(({ body }) => body);
    const [many, forced] = pushes as unknown as { forced: boolean; commits: { message: string }[] }[];
    const last = Array.from({ length: 20 }, (_, n) => `number ${n + 5}`);
    expect([many?.forced, many?.commits.map(({ message }) => message.trim())]).toEqual([false, last]);
    expect([forced?.forced, forced?.commits.length]).toEqual([true, 1]);
  });

  it("of acknowledged pushes reach webhooks though the host is killed", async () => {
    const { git, cwd, receiver } = await prepared();
    const first = await start(git);
    await git.ok(["push", "-q", remoteOf(first), "main"], { cwd });
    await addHook(first, `${receiver.base}/`, ["push"]);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), WAIT);
    // Before the alarm, and the queue, had their turn.
    const refs = ["a", "b", "c"].map((name) => `refs/heads/${name}`);
    for (const ref of refs) await git.ok(["push", "-q", remoteOf(first), `main:${ref}`], { cwd });
    await first.kill();
    const second = await start(git);
    await vi.waitFor(() => expect(told(receiver)).toEqual(refs.map((ref) => `push ${ref}`)), WAIT);
    await git.ok(["push", "-q", remoteOf(second), "main:refs/heads/d"], { cwd });
    await vi.waitFor(() => expect(told(receiver)).toHaveLength(4), WAIT);
  });

  it("of acknowledged pushes reach subscribers though the host is killed", async () => {
    const { git, cwd } = await prepared();
    const first = await start(git);
    await git.ok(["push", "-q", remoteOf(first), "main"], { cwd });
    const events = (host: StartedHost): string => `${host.base}/api/v1/repos/acme/repo/events`;
    const subscriber = await subscribe(events(first), TOKEN);
    await git.ok(["push", "-q", remoteOf(first), "main:refs/heads/a"], { cwd });
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(1), WAIT);
    const seen = subscriber.messages[0]?.seq;
    subscriber.close();
    await git.ok(["push", "-q", remoteOf(first), "main:refs/heads/b", "main:refs/heads/c"], { cwd });
    await first.kill();
    const second = await start(git);
    const again = await subscribe(`${events(second)}?since=${seen}`, TOKEN);
    await git.ok(["push", "-q", remoteOf(second), "main:refs/heads/d"], { cwd });
    await vi.waitFor(() => expect(again.messages).toHaveLength(3), WAIT);
    expect(again.messages.map(({ name }) => name)).toEqual(["refs/heads/b", "refs/heads/c", "refs/heads/d"]);
    again.close();
  });
});
