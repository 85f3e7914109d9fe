/** What becomes of a mirror's secrets when the deployment's key changes. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const SECRET = "a secret of the webhook";

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** Asks for a sync as an upstream on GitLab does. Gives the status. */
async function ring(path: string): Promise<number> {
  const headers = { "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET };
  const url = `${bed.host.base}/api/v1/repos/${path}/mirror/hook`;
  return (await send(url, { method: "POST", headers, body: Buffer.from("{}") })).status;
}

it("a mirror's secrets are sealed with the new key after a sync, so that the old key can be removed", async () => {
  const { git } = bed;
  const file = join(bed.state, "mirror-keys");
  const upstream = await bed.upstream(await importFixture(git, "source", linear(5)));
  const synced = await bed.mirror(upstream.url, { hook_secret: SECRET });
  const left = await bed.mirror(upstream.url, { hook_secret: SECRET });
  const old = readFileSync(file, "utf8").trim();
  const fresh = `fresh:${randomBytes(32).toString("base64")}`;
  await bed.restart(() => writeFileSync(file, `${fresh},${old}\n`));
  expect(await bed.sync(synced)).toMatchObject({ last_error: null });
  await bed.restart(() => writeFileSync(file, `${fresh}\n`));
  expect(await ring(synced)).toBe(202);
  expect(await bed.settled(synced)).toMatchObject({ last_error: null });
  // One that was not synced meanwhile has lost them, and says so.
  expect(await ring(left)).toBe(404);
  expect(await bed.sync(left)).toMatchObject({ last_error: expect.stringContaining("have to be set again") });
});
