/**
 * Journeys of Git LFS on storage that fails.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { type Outcome, UNFAULTED } from "./fault-client.ts";
import { assertDone, filled, made, MAIN, packOf, TIP } from "./fault-content.ts";
import type { Act, Journey, Round } from "./fault-rounds.ts";
import { noise } from "./git-fixtures.ts";
import { actionsOf, LFS_TYPE, lfsObject } from "./lfs-client.ts";

const JSON_TYPES = { Accept: LFS_TYPE, "Content-Type": LFS_TYPE };

const SMALL = Buffer.from(noise(100_000, 5));
const LARGE = Buffer.from(noise(300_000, 6));

/** Makes the repository, with a pointer to an object of these bytes: what no pointer names is let go after a while. */
async function pointing(round: Round, bytes: Buffer): Promise<void> {
  await filled(round);
  const { oid, size } = lfsObject(bytes);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
  const commit = made(pointer, TIP, "file.bin");
  assertDone(await round.client.push([{ name: MAIN, old: TIP.oid, new: commit.oid }], packOf([commit])));
}

async function batch({ client, path }: Round, operation: string, object: object): Promise<Outcome> {
  const body = JSON.stringify({ operation, transfers: ["basic"], objects: [object], hash_algo: "sha256" });
  return await client.asked("POST", `/${path}.git/info/lfs/objects/batch`, body, JSON_TYPES);
}

/** The path of the address of an action, if there is one; what is wrong with the object otherwise. */
function actionIn(body: Buffer, action: string): { readonly path?: string; readonly words?: string } {
  const { objects } = JSON.parse(body.toString()) as { objects: Record<string, unknown>[] };
  const [object] = objects;
  const error = object?.["error"] as { message: string } | undefined;
  const href = actionsOf(object)[action]?.href;
  return {
    ...(href === undefined ? {} : { path: new URL(href).pathname }),
    ...(error === undefined ? {} : { words: error.message }),
  };
}

/** Uploads as git-lfs does: it asks whether the object is there, and sends it if it is not. */
async function upload(round: Round, bytes: Buffer): Promise<Outcome> {
  const asked = await batch(round, "upload", lfsObject(bytes));
  if (asked.kind !== "done") return asked;
  const { path, words } = actionIn(asked.body, "upload");
  if (words !== undefined) return { kind: "told", status: 200, words };
  return path === undefined ? asked : await round.client.asked("PUT", path, bytes, { Accept: LFS_TYPE });
}

/** Gives the bytes of an object; those of a file have no other way to say that they end early than to end. */
async function download(round: Round, object: { readonly oid: string; readonly size: number }): Promise<Outcome> {
  const asked = await batch(round, "download", object);
  if (asked.kind !== "done") return asked;
  const { path, words } = actionIn(asked.body, "download");
  if (path === undefined) return { kind: "told", status: 200, words: words ?? "there is nothing to do" };
  const got = await round.client.asked("GET", path);
  if (got.kind === "broken" && /terminated|other side closed/.test(got.why))
    return { kind: "told", status: 200, words: got.why };
  return got;
}

/** @throws Error unless a download gives these bytes, or the object is missing and may be. */
async function checkStored(round: Round, bytes: Buffer, done: boolean): Promise<void> {
  const calm = { ...round, client: round.client.calm() };
  const got = await download(calm, lfsObject(bytes));
  if (got.kind === "done" && got.body.equals(bytes)) return;
  if (done || got.kind !== "told") throw new Error(`the object is not there: ${JSON.stringify(got).slice(0, 300)}`);
}

async function uploading(round: Round): Promise<Act> {
  const bytes = SMALL;
  await pointing(round, bytes);
  return { act: () => upload(round, bytes), check: (done) => checkStored(round, bytes, done) };
}

async function downloading(round: Round): Promise<Act> {
  const bytes = SMALL;
  await pointing(round, bytes);
  assertDone(await upload(round, bytes));
  return {
    act: async () => {
      const got = await download(round, lfsObject(bytes));
      if (got.kind !== "done" || got.body.equals(bytes)) return got;
      const sum = createHash("sha256").update(got.body).digest("hex");
      return { kind: "broken", why: `${got.body.length} bytes of ${bytes.length}, of the sum ${sum}` };
    },
    check: () => checkStored(round, bytes, true),
  };
}

/** An object whose bytes come in parts. */
async function uploadingParts(round: Round): Promise<Act> {
  const { path, client } = round;
  const bytes = LARGE;
  await pointing(round, bytes);
  const object = lfsObject(bytes);
  return {
    act: async () => {
      const asked = await batch(round, "upload", object);
      if (asked.kind !== "done" || actionIn(asked.body, "upload").path === undefined) return asked;
      const begun = await client.asked("POST", `/api/v1/repos/${path}/uploads`);
      if (begun.kind !== "done") return begun;
      const { id } = JSON.parse(begun.body.toString()) as { id: string };
      for (const number of [1, 2, 3]) {
        const part = bytes.subarray((number - 1) * 110_000, number * 110_000);
        const url = `/api/v1/repos/${path}/uploads/${id}/parts/${number}`;
        const put = await client.asked("PUT", url, part, { "Content-Type": "application/octet-stream" });
        if (put.kind !== "done") return put;
      }
      return await client.api("POST", `/repos/${path}/uploads/${id}/lfs`, object);
    },
    check: (done) => checkStored(round, bytes, done),
  };
}

/** A repository with an object is deleted, and the object's bytes with it. */
async function deleting(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const bytes = SMALL;
  await pointing(round, bytes);
  assertDone(await upload(round, bytes));
  const { oid } = lfsObject(bytes);
  return {
    act: async () => {
      const seen = await bed.api("GET", `/repos/${path}`);
      if (seen.kind === "whole" && seen.status === 404) return { kind: "done", body: seen.body };
      return await client.api("DELETE", `/repos/${path}`);
    },
    check: async (done) => {
      const seen = await bed.api("GET", `/repos/${path}`, undefined, UNFAULTED);
      if (seen.kind !== "whole" || (done && seen.status !== 404)) throw new Error("it was deleted, and is there");
      if (seen.status === 200) await checkStored(round, bytes, true);
    },
    swept: async () => {
      const keys = await bed.keys(`lfs/${path.split("/")[0]}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`);
      if (keys.length > 0) throw new Error(`left of a deleted repository: ${JSON.stringify(keys)}`);
    },
  };
}

/** Journeys of Git LFS. */
export const LFS_JOURNEYS: readonly Journey[] = [
  { name: "LFS, upload", isApart: true, prepare: uploading },
  { name: "LFS, download", isApart: true, prepare: downloading },
  { name: "LFS, upload in parts", isApart: true, prepare: uploadingParts },
  { name: "LFS, deletion of its repository", isApart: true, prepare: deleting },
];
