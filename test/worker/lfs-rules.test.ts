/**
 * The rules about Git LFS where refs move without a push, and the objects that a fork gets with a sync.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { LfsClient, lfsObject } from "../support/lfs-client.ts";

let host: RunningHost;
let operator: ApiClient;

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`);
});

afterAll(async () => {
  await host.stop();
});

const pointerTo = ({ oid, size }: { oid: string; size: number }): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;

/** Commits a file on `main`, and returns the commit. */
async function commit(repo: string, path: string, content: string): Promise<string> {
  const actions = [{ action: "upsert", path, content }];
  const made = await operator("POST", `/repos/${repo}/commits`, { branch: "main", message: path, actions });
  expect(made.status).toBe(201);
  return String(made.body["oid"]);
}

async function upload(repo: string, bytes: Uint8Array): Promise<{ oid: string; size: number }> {
  const lfs = new LfsClient(`${host.base}/${repo}.git`, "test-token");
  const object = lfsObject(bytes);
  await lfs.batch("upload", [object]);
  expect((await lfs.put(object.oid, bytes)).status).toBeLessThan(300);
  return object;
}

it("a push that is taken back brings back nothing that the rules about Git LFS refuse", async () => {
  const repo = "acme/restored";
  await operator("PUT", `/repos/${repo}`, {});
  const first = await commit(repo, "a.txt", "a\n");
  const missing = lfsObject("nobody has this");
  await commit(repo, "big.bin", pointerTo(missing));
  await commit(repo, "large.txt", "x".repeat(3000));
  expect((await operator("PUT", `/repos/${repo}/refs/heads/main`, { oid: first, force: true })).status).toBe(200);
  const { body: log } = await operator("GET", `/repos/${repo}/reflog`);
  const [push] = log["pushes"] as { readonly id: number }[];
  const restore = async (): Promise<[number, unknown]> => {
    const { status, body } = await operator("POST", `/repos/${repo}/reflog/${push?.id}/restore`);
    return [status, body["detail"]];
  };
  await operator("PATCH", `/repos/${repo}`, { require_lfs_objects: true });
  expect(await restore()).toEqual([422, expect.stringContaining(`Git LFS objects are missing`)]);
  await operator("PATCH", `/repos/${repo}`, { require_lfs_objects: false, lfs_above: 2048 });
  expect(await restore()).toEqual([422, expect.stringContaining("of 3000 bytes has to go to Git LFS")]);
  const { body: still } = await operator("GET", `/repos/${repo}/refs?prefix=refs/heads/`);
  expect(still["refs"]).toMatchObject([{ oid: first }]);
  await operator("PATCH", `/repos/${repo}`, { lfs_above: 4096, require_lfs_objects: true });
  await upload(repo, Buffer.from("nobody has this"));
  expect((await restore())[0]).toBe(200);
});

it("a sync of a fork brings the Git LFS objects that the parent got, and keeps the fork's rules", async () => {
  const parent = "acme/parent";
  await operator("PUT", `/repos/${parent}`, { visibility: "public" });
  await commit(parent, "a.txt", "a\n");
  const forked = await operator("POST", `/repos/${parent}/forks`, { tenant: "other", repo: "fork" });
  expect(forked.status).toBe(201);
  const fork = "other/fork";
  await operator("PATCH", `/repos/${fork}`, { require_lfs_objects: true, lfs_above: 2048 });
  const bytes = noise(20_000, 1);
  const object = await upload(parent, bytes);
  const unnamed = await upload(parent, noise(10_000, 2));
  const tip = await commit(parent, "big.bin", pointerTo(object));
  const synced = await operator("POST", `/repos/${fork}/sync`, {});
  expect([synced.status, synced.body]).toMatchObject([200, { oid: tip }]);
  const lfs = new LfsClient(`${host.base}/${fork}.git`, "test-token");
  const answer = await lfs.send(`objects/${object.oid}`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  // What no pointer of the fork names stays the parent's alone.
  expect(await lfs.batch("download", [unnamed])).toMatchObject([{ error: { code: 404 } }]);
  await commit(parent, "gone.bin", pointerTo(lfsObject("nobody has this")));
  const missing = await operator("POST", `/repos/${fork}/sync`, {});
  expect([missing.status, missing.body["detail"]]).toEqual([
    422,
    expect.stringContaining("Git LFS objects are missing"),
  ]);
  await operator("PATCH", `/repos/${fork}`, { require_lfs_objects: false });
  await commit(parent, "large.txt", "x".repeat(3000));
  const large = await operator("POST", `/repos/${fork}/sync`, {});
  expect([large.status, large.body["detail"]]).toEqual([422, expect.stringContaining("has to go to Git LFS")]);
  await operator("PATCH", `/repos/${fork}`, { lfs_above: null });
  expect((await operator("POST", `/repos/${fork}/sync`, {})).status).toBe(200);
});
