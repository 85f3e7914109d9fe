/**
 * Journeys of backup and restore on storage that fails: the requests of `thinpack admin`, which itself would send each again.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import type { FaultBed } from "./fault-bed.ts";
import { type FaultClient, type Outcome } from "./fault-client.ts";
import { BASE, filled, LARGE } from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";

/** A copy of a repository: its rows, and its files by key. */
type Copy = { readonly rows: Buffer; readonly files: ReadonlyMap<string, Buffer> };

const rowsOf = (path: string): string => `/api/v1/admin/rows/repository/${path}`;

/** A connection that breaks off tells a client of rows and files enough: neither is whole without its end, or its length. */
function breakingOff(outcome: Outcome): Outcome {
  if (outcome.kind !== "broken" || !/terminated|other side closed/.test(outcome.why)) return outcome;
  return { kind: "told", status: 200, words: outcome.why };
}

/** Whether rows have their end, which says how many there are. */
function isWhole(rows: Buffer): boolean {
  const lines = rows.toString().trimEnd().split("\n");
  const { rows: count } = JSON.parse(lines.at(-1) ?? "null") as { rows?: number };
  return count === lines.filter((line) => line.startsWith("[")).length;
}

/** Copies a repository. */
async function copied(client: FaultClient, path: string, id: string): Promise<Copy | Outcome> {
  const rows = breakingOff(await client.asked("GET", rowsOf(path)));
  if (rows.kind !== "done") return rows;
  if (!isWhole(rows.body)) return { kind: "told", status: 200, words: "the rows have no end" };
  const listed = await client.api("GET", `/admin/files?prefix=repos/${id}.git/`);
  if (listed.kind !== "done") return listed;
  const { files } = JSON.parse(listed.body.toString()) as { files: { key: string; size: number }[] };
  const contents = new Map<string, Buffer>();
  for (const { key, size } of files) {
    const file = breakingOff(await client.asked("GET", `/api/v1/admin/files/${key}`));
    if (file.kind !== "done") return file;
    if (file.body.length !== size) return { kind: "told", status: 200, words: `${key} came short` };
    contents.set(key, file.body);
  }
  return { rows: rows.body, files: contents };
}

/** Whether what came of a copy is one. */
const isCopy = (came: Copy | Outcome): came is Copy => "rows" in came;

/** @throws Error unless a copy has the bytes of the bucket */
async function assertSame(bed: FaultBed, { files }: Copy): Promise<void> {
  for (const [key, bytes] of files)
    if (!bytes.equals(await bed.content(key))) throw new Error(`the backup has other bytes of ${key}`);
}

async function idOf({ bed, path }: Round): Promise<string> {
  return String((await bed.sure("GET", `/repos/${path}`))["id"]);
}

async function backingUp(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const refs = await filled(round, [...BASE, LARGE]);
  await bed.settle();
  const id = await idOf(round);
  return {
    act: async () => {
      const came = await copied(client, path, id);
      if (!isCopy(came)) return came;
      await assertSame(bed, came);
      return { kind: "done", body: came.rows };
    },
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
  };
}

/** Writes files that are not there. Gives what failed. */
async function putFiles(client: FaultClient, id: string, { files }: Copy): Promise<Outcome> {
  const listed = await client.api("GET", `/admin/files?prefix=repos/${id}.git/`);
  if (listed.kind !== "done") return listed;
  const there = JSON.parse(listed.body.toString()) as { files: { key: string }[] };
  const keys = new Set(there.files.map(({ key }) => key));
  for (const [key, bytes] of files) {
    if (keys.has(key)) continue;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const put = await client.asked("PUT", `/api/v1/admin/files/${key}?sha256=${sha256}`, bytes);
    if (put.kind !== "done") return put;
  }
  return listed;
}

/** A repository that was deleted comes back. `deleted` is what is done between its deletion and the restore. */
async function restoring(round: Round, deleted: () => Promise<unknown>): Promise<Act> {
  const { bed, path, client } = round;
  const refs = await filled(round, [...BASE, LARGE]);
  await bed.settle();
  const id = await idOf(round);
  const copy = await copied(client.calm(), path, id);
  if (!isCopy(copy)) throw new Error(`no copy: ${JSON.stringify(copy)}`);
  await assertSame(bed, copy);
  await bed.sure("DELETE", `/repos/${path}`);
  await deleted();
  return {
    act: async () => {
      const before = await putFiles(client, id, copy);
      if (before.kind !== "done") return before;
      const type = { "Content-Type": "application/x-ndjson" };
      const rows = await client.asked("PUT", rowsOf(path), copy.rows, type);
      // What deletes the files of a repository that was deleted lately may have come in between.
      return rows.kind === "done" ? await putFiles(client, id, copy) : rows;
    },
    check: async (done) => {
      if (done || Object.keys(await round.referee.refs(path)).length > 0)
        await checkRefs(round, { before: refs, after: refs }, true);
    },
  };
}

/** Journeys of backup and restore. */
export const BACKUP_JOURNEYS: readonly Journey[] = [
  { name: "backup", prepare: backingUp },
  { name: "restore", prepare: (round) => restoring(round, () => round.bed.settle()) },
];
