/**
 * The API, asked by its own description: every operation, by everybody, with what fits, what nearly does, and what does not. Whatever is
 * sent, the answer is one that the description has, and no fault of the host's.
 *
 * @packageDocumentation
 */
import { assert, asyncProperty } from "fast-check";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { DescribedApi } from "../support/described-api.ts";
import { fuzzRuns } from "../support/fuzzing.ts";
import { buildPack, commitOf, objectId, post, pushBody, treeOf } from "../support/git-raw.ts";
import { withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

/** Requests to each operation in a run of the suite; `FUZZ_RUNS` sets those of `npm run fuzz`. */
const FEW = 12;
/** Requests after which what they may have deleted is made again. */
const RENEWED_AFTER = 20;

const agent = new Agent({ keepAlive: true });
let host: RunningHost;
let api: DescribedApi;

const BLOB = objectId("blob", "a file\n");
const TREE = objectId("tree", treeOf(["100644", "file.txt", BLOB]));
const COMMIT = commitOf(TREE);
const OID = objectId("commit", COMMIT);

async function prepare(): Promise<void> {
  const operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "spare"]) await operator("PUT", `/tenants/${tenant}`);
  await operator("PUT", "/repos/acme/open", { visibility: "public" });
  await operator("PUT", "/repos/acme/closed", {});
  const pack = buildPack([
    { type: "blob", content: "a file\n" },
    { type: "tree", content: treeOf(["100644", "file.txt", BLOB]) },
    { type: "commit", content: COMMIT },
  ]);
  for (const repo of ["open", "closed"]) {
    await post(
      withToken(`${host.base}/acme/${repo}.git`, "test-token"),
      "receive-pack",
      pushBody([{ name: "refs/heads/main", new: OID }], pack),
    );
  }
}

beforeAll(async () => {
  host = await startTestHost();
  await prepare();
  const operator = apiClient(host.base, "test-token");
  // Tokens that are good for something, and such as are not.
  const tokens: (string | undefined)[] = [undefined, "nonsense", "test-token"];
  for (const scope of ["repo:read", "repo:write", "tenant:admin"])
    tokens.push(await issueToken(operator, "acme", scope));
  tokens.push(await issueToken(operator, "acme", "tenant:admin", { repos: ["closed"] }));
  const names = [
    "acme",
    "open",
    "closed",
    "main",
    "refs/heads/main",
    "heads/main",
    "refs/heads/new",
    "file.txt",
    "new",
  ];
  const revisions = ["main/file.txt", "main...main", "main..main", OID, OID.slice(0, 8), BLOB, TREE, "0".repeat(40)];
  const words = [...names, ...revisions, "main.tar.gz", "1", "10", "https://127.0.0.1:1/x", "ci", "none"];
  api = await DescribedApi.read(host.base, { words, tokens });
});
afterAll(async () => {
  agent.destroy();
  await host.stop();
});

describe("the API", () => {
  it("answers what its description has, whatever it is sent", async () => {
    expect(api.operations.length).toBeGreaterThan(80);
    let asked = 0;
    for (const operation of api.operations) {
      const property = asyncProperty(api.requestsTo(operation), async (sent) => {
        if (asked++ % RENEWED_AFTER === 0) await prepare();
        const answer = await api.send(sent, agent);
        const { status, body } = answer;
        expect([status, api.faultOf(operation, sent, answer), body.toString().slice(0, 300)]).toEqual([
          status,
          undefined,
          expect.anything(),
        ]);
      });
      await assert(property, fuzzRuns(FEW));
    }
    expect(asked).toBeGreaterThanOrEqual(api.operations.length * FEW);
  });
});
