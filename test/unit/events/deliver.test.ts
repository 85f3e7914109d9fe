import { describe, expect, it } from "vitest";
import { deliverAll, type DeliveryTools, type Receiver } from "../../../src/events/deliver.ts";
import type { PushContent } from "../../../src/events/push-content.ts";
import type { DueDeliveries, DueDelivery, Happening } from "../../../src/events/hook.ts";

const ZERO = "0".repeat(40);
const A = "a".repeat(40);
const B = "b".repeat(40);

const happening = (more: Partial<Happening> = {}): Happening => ({
  seq: 7,
  ref: "refs/heads/main",
  oldOid: A,
  newOid: B,
  forward: true,
  at: 0,
  actor: "tester",
  options: [],
  ...more,
});

const due = (deliveries: readonly DueDelivery[], url = "https://ci.example.com/in"): DueDeliveries => ({
  hook: { id: "1f", url, hasSecret: true, secret: "s", events: ["push"], active: true, createdAt: 0, updatedAt: 0 },
  origin: "https://git.example.com",
  repository: {
    id: "abc",
    visibility: "private",
    head: "refs/heads/trunk",
    description: "d",
    createdAt: 3000,
    pushedAt: 5000,
  },
  deliveries,
});

const push = (id: number, more: Partial<Happening> = {}): DueDelivery => ({
  id,
  guid: `g${id}`,
  event: "push",
  attempts: 0,
  happening: happening(more),
});

type Sent = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };

/** A network whose answers are statuses, or faults, in turn; each takes `seconds`. */
function network(answers: readonly (number | Error)[], seconds = 0): { tools: DeliveryTools; sent: Sent[] } {
  const sent: Sent[] = [];
  let now = 0;
  const receiver: Receiver = {
    post: async (url, headers, body) => {
      const answer = answers[sent.length % answers.length] ?? 200;
      sent.push({ url: url.href, headers, body: JSON.parse(new TextDecoder().decode(body)) });
      now += seconds * 1000;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return {
    tools: { receiver, name: "acme/one", agent: "thinpack/1", allowPrivate: false, now: () => now },
    sent,
  };
}

describe("the body of a delivery", () => {
  async function bodyOf(delivery: DueDelivery): Promise<unknown> {
    const { tools, sent } = network([200]);
    await deliverAll(due([delivery]), tools);
    return sent[0]?.body;
  }

  it("has the members of GitHub's body for a push, with the types that receivers check", async () => {
    const body = await bodyOf(push(1, { options: ["ci.skip"] }));
    expect(body).toMatchObject({
      ref: "refs/heads/main",
      before: A,
      after: B,
      created: false,
      deleted: false,
      forced: false,
      base_ref: null,
      compare: `https://git.example.com/acme/one/compare/${A}...${B}`,
      commits: [],
      head_commit: null,
      push_options: ["ci.skip"],
      repository: {
        id: 0xabc,
        node_id: "abc",
        name: "one",
        full_name: "acme/one",
        owner: { name: "acme", login: "acme", id: expect.any(Number), type: "User", site_admin: false },
        private: true,
        visibility: "private",
        description: "d",
        url: "https://git.example.com/api/v3/repos/acme/one",
        html_url: "https://git.example.com/acme/one",
        commits_url: "https://git.example.com/api/v3/repos/acme/one/commits{/sha}",
        clone_url: "https://git.example.com/acme/one.git",
        git_url: "https://git.example.com/acme/one.git",
        default_branch: "trunk",
        created_at: 3,
        pushed_at: 5,
        updated_at: "1970-01-01T00:00:05.000Z",
        archived: false,
        fork: false,
        topics: [],
      },
      pusher: { name: "tester", email: null },
      sender: { login: "tester", id: expect.any(Number) },
      actor: "tester",
      seq: 7,
      at: "1970-01-01T00:00:00.000Z",
    });
  });

  it("has times as text, and ids as numbers, in the bodies of other events", async () => {
    const repository = { created_at: "1970-01-01T00:00:03.000Z", pushed_at: "1970-01-01T00:00:05.000Z" };
    expect(await bodyOf({ ...push(1), event: "create" })).toMatchObject({ repository });
    const { happening: _, ...ping } = push(1);
    expect(await bodyOf({ ...ping, event: "ping" })).toMatchObject({
      zen: expect.any(String),
      hook_id: 0x1f,
      hook: { type: "Repository", id: 0x1f, name: "web", config: { content_type: "json", insecure_ssl: "0" } },
      repository,
      sender: { login: "acme" },
    });
    expect(await bodyOf({ ...ping, event: "sync_failed", detail: "The upstream can't be reached." })).toMatchObject({
      error: "The upstream can't be reached.",
      repository,
    });
  });

  it("has the commits of a push, and tells that it was forced", async () => {
    const person = { name: "A", email: "a@a" };
    const commit = { id: B, tree: A, message: "m", timestamp: "2026-01-01T00:00:00+01:00", author: person };
    const told = { ...commit, committer: person, added: ["x"], removed: [], modified: [] };
    const { tools, sent } = network([200]);
    const contentOf = async (): Promise<PushContent> => ({ commits: [told], head: told, forced: true });
    await deliverAll(due([push(1)]), { ...tools, contentOf });
    const { tree: tree_id, ...rest } = told;
    const shape = { ...rest, tree_id, distinct: true, url: `https://git.example.com/acme/one/commit/${B}` };
    expect(sent[0]?.body).toMatchObject({ forced: true, commits: [shape], head_commit: shape });
  });

  it("calls a token by the name that it had, and gives its id beside", async () => {
    const body = await bodyOf(push(1, { actor: "token:1f", actorName: "ci" }));
    expect(body).toMatchObject({ pusher: { name: "ci" }, sender: { login: "ci" }, actor: "token:1f" });
  });

  it("tells creations and deletions, and takes a branch for rewritten where nobody could look", async () => {
    expect(await bodyOf(push(1, { oldOid: ZERO }))).toMatchObject({ created: true, deleted: false, forced: false });
    expect(await bodyOf(push(1, { newOid: ZERO, forward: false }))).toMatchObject({ deleted: true, forced: false });
    expect(await bodyOf(push(1, { forward: false }))).toMatchObject({ created: false, deleted: false, forced: true });
  });

  it("has the short names of branches and tags", async () => {
    const named = async (event: "create" | "delete", ref: string): Promise<unknown> =>
      await bodyOf({ ...push(1, { ref }), event });
    expect(await named("create", "refs/heads/topic/x")).toMatchObject({
      ref: "topic/x",
      ref_type: "branch",
      master_branch: "trunk",
    });
    expect(await named("delete", "refs/tags/v1")).toMatchObject({ ref: "v1", ref_type: "tag" });
  });
});

describe("deliveries", () => {
  it("have the outcome that the receiver's status means", async () => {
    const answers = [200, 204, 299, 199, 301, 404, 429, 500, new Error("10.0.0.1 refused"), 410, 200];
    const { tools, sent } = network(answers);
    const results = await deliverAll(due(answers.map((_, id) => push(id))), tools);
    expect(results.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual([
      "delivered 200",
      "delivered 204",
      "delivered 299",
      "failed 199",
      "failed 301",
      "failed 404",
      "failed 429",
      "failed 500",
      "failed undefined",
      "gone 410",
    ]);
    // Nothing more is sent to a receiver that is gone.
    expect(sent).toHaveLength(10);
    expect(JSON.stringify(results)).not.toContain("10.0.0.1");
  });

  it("have the headers that receivers expect, and a signature if there is a secret", async () => {
    const { tools, sent } = network([200]);
    const { hook, ...rest } = due([push(1)]);
    await deliverAll({ hook, ...rest }, tools);
    const { secret: _secret, ...unsigned } = hook;
    await deliverAll({ hook: unsigned, ...rest }, tools);
    expect(sent[0]?.headers).toMatchObject({
      "Content-Type": "application/json",
      "X-GitHub-Event": "push",
      "X-GitHub-Delivery": "g1",
      "X-Thinpack-Event": "push",
      "X-Thinpack-Delivery": "g1",
    });
    expect(sent[0]?.headers["X-Hub-Signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(sent[1]?.headers).not.toHaveProperty("X-Hub-Signature-256");
  });

  it("stop if a receiver is slow, and leave the rest due", async () => {
    const { tools, sent } = network([200], 9);
    const results = await deliverAll(due([1, 2, 3, 4, 5].map((id) => push(id))), tools);
    expect(results.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(results[0]?.duration).toBe(9000);
    expect(sent).toHaveLength(3);
  });

  it("stop at a receiver that does not answer in time, so that those behind it in the queue wait once only", async () => {
    const { tools } = network([200]);
    let asked = 0;
    const silent: Receiver = {
      post: async (_url, _headers, _body, signal) => {
        asked += 1;
        if (asked === 1) return 200;
        return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      },
    };
    const results = await deliverAll(due([push(1), push(2), push(3)]), { ...tools, receiver: silent, answerTime: 20 });
    expect(results).toMatchObject([
      { id: 1, outcome: "delivered" },
      { id: 2, outcome: "failed", error: "No answer in 0.02 s." },
    ]);
    expect(results[1]).not.toHaveProperty("isSilent");
    expect(asked).toBe(2);
  });

  it("are not made to an address that the host must not reach, whatever URL was set", async () => {
    const { tools, sent } = network([200]);
    const results = await deliverAll(due([push(1)], "http://127.0.0.1:1/"), tools);
    expect(results).toMatchObject([{ outcome: "failed", error: "The URL has to begin with https://." }]);
    expect(sent).toEqual([]);
    await deliverAll(due([push(1)], "http://127.0.0.1:1234/"), { ...tools, allowPrivate: true });
    expect(sent).toHaveLength(1);
  });
});
