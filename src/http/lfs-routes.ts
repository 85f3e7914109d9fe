/**
 * Git LFS: the batch request, and the transfers that its answer leads to. Who may read a repository may download its
 * objects, and who may push to it may upload some.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
import { Hono, type Context } from "hono";
import { shownName } from "../access/names.ts";
import {
  type Batch,
  downloadOf,
  isLfsOid,
  type LfsActions,
  type LfsError,
  objectFault,
  OVER_QUOTA,
  parseBatch,
  PARTS_TRANSFER,
  pullOf,
  uploadOf,
} from "../lfs/batch.ts";
import type { LfsAction, WriteOutcome } from "../lfs/lfs-files.ts";
import type { LfsObject, LfsOutcome } from "../refs/lfs-store.ts";
import { drainBody } from "./body-text.ts";
import { NO_CACHE } from "./git-failure.ts";
import { HARMLESS } from "./harmless.ts";
import type { HostEnv } from "./host.ts";
import { askAsReader, askAsWriter, bytesAllowed, type FoundLfs, lfsCaller } from "./lfs-admission.ts";
import { type Caller, refuseStrangers } from "./admission.ts";
import { fetchedObject, sendLfsObject } from "./lfs-content.ts";
import { withUpstream } from "./lfs-pull.ts";
import { lfsAnswer, lfsAnswered, readLfsJson } from "./lfs-answer.ts";
import { Problem, type ProblemStatus } from "./problem.ts";

/** Seconds after which to try again what another request has in its hands. */
const SOON = { "Retry-After": "5" };
const BEING_DELETED = "The object is being deleted just now. Send it again.";
const MISSING: LfsOutcome = { kind: "missing" };

function assertNone({ code, message }: LfsError): never {
  const statuses: Readonly<Record<number, ProblemStatus>> = { 409: 409, 413: 413 };
  throw new Problem(statuses[code] ?? 422, message); // All other faults are of what was sent.
}

/**
 * Returns the body's JSON to a caller that may read the repository. The body is read before the repository is opened,
 * since what has to be asked of that stands in it.
 */
async function readAsked(context: Context<HostEnv>, caller: Caller): Promise<unknown> {
  try {
    return await readLfsJson(context.req.raw);
  } catch (error) {
    await askAsReader(caller, { kind: "find", oids: [] });
    await drainBody(context.req.raw);
    throw error;
  }
}

/**
 * Returns what makes the actions of transfers. Those that come to us bring what the client sent with this request;
 * those that go to the bucket itself need nothing but their address.
 */
function actionsOf(
  context: Context<HostEnv>,
  { host, name }: Caller,
  repositoryId: string,
): LfsActions & { readonly pull: (oid: string) => LfsAction } {
  const { origin } = new URL(context.req.url);
  const credentials = context.req.header("Authorization");
  const header = credentials === undefined ? {} : { header: { Authorization: credentials } };
  const ours = (oid: string, below = ""): LfsAction => ({
    href: `${origin}/${shownName(name)}.git/info/lfs/objects/${oid}${below}`,
    ...header,
  });
  const { lfsPresigner: presigner } = host;
  return {
    pull: (oid) => ours(oid),
    download: ({ oid }, home) => ({ download: presigner?.download(oid, home) ?? ours(oid) }),
    upload: (object, home) => {
      if (presigner === undefined || object.size > presigner.mostBytes) return { upload: ours(object.oid) };
      return { upload: presigner.upload(object, { home, repositoryId }), verify: ours(object.oid, "/verify") };
    },
  };
}

async function askFor(caller: Caller, { operation, objects }: Batch): Promise<FoundLfs> {
  const sound = objects.filter(({ error }) => error === undefined);
  if (operation === "download") {
    const found = await askAsReader(caller, { kind: "find", oids: sound.map(({ oid }) => oid) });
    return await withUpstream(caller, found, sound);
  }
  const home = caller.name.tenant;
  const request = { kind: "announce", objects: sound, home, ...(await bytesAllowed(caller)) } as const;
  return await askAsWriter(caller, request, true);
}

async function batch(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, false);
  const asked = parseBatch(await readAsked(context, caller));
  if ("code" in asked) {
    await askAsReader(caller, { kind: "find", oids: [] });
    assertNone(asked);
  }
  await refuseStrangers(caller, asked.operation === "upload");
  const found = await askFor(caller, asked);
  const outcomes = found.outcomes.values();
  const actions = actionsOf(context, caller, found.record.id);
  const isDownload = asked.operation === "download";
  const isMirror = found.record.mirror !== undefined;
  const objects = asked.objects.map((object) => {
    if (object.error !== undefined) return object;
    const { value: outcome = MISSING } = outcomes.next();
    if (!isDownload) return uploadOf(object, outcome, actions);
    if (isMirror && outcome.kind === "announced") return pullOf(object, outcome.size, actions.pull(object.oid));
    return downloadOf(object, outcome, actions);
  });
  return lfsAnswer({ transfer: transferOf(caller, asked), hash_algo: "sha256", objects });
}

/**
 * Returns how the client is to transfer: in parts, if it can. Where clients reach the bucket itself, that is as long as
 * every object may go there at once.
 */
function transferOf({ host: { lfsPresigner } }: Caller, { transfers, objects }: Batch): string {
  const isLarge = lfsPresigner === undefined || objects.some(({ size }) => size > lfsPresigner.mostBytes);
  return isLarge && transfers.includes(PARTS_TRANSFER) ? PARTS_TRANSFER : "basic";
}

/** Returns the object of the path; `undefined` if no object can have that name. */
function oidOf(context: Context<HostEnv>): string | undefined {
  const { oid = "" } = context.req.param();
  return isLfsOid(oid) ? oid : undefined;
}

async function download(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, false);
  const oid = oidOf(context);
  const found = await askAsReader(caller, { kind: "find", oids: oid === undefined ? [] : [oid] });
  const object = oid === undefined ? undefined : await fetchedObject(caller, found, oid, found.outcomes[0] ?? MISSING);
  if (object === undefined) throw new Problem(404, "The object is not here.");
  const headers = new Headers({ ...NO_CACHE, ...HARMLESS, "Content-Type": "application/octet-stream" });
  return await sendLfsObject(caller.host, context.req.raw, object, headers);
}

/**
 * Returns the size that an upload announces.
 *
 * @throws Problem
 */
function announcedSize(context: Context<HostEnv>): number {
  const length = context.req.header("Content-Length");
  if (length === undefined) throw new Problem(411, "An object's length has to be said before it is sent.");
  return Number(length);
}

/** Throws what a writing that did not succeed is answered with. */
function assertWritten(outcome: WriteOutcome): void {
  switch (outcome) {
    case "written":
      return;
    case "mismatch":
      throw new Problem(422, "These are not the bytes of the object: their SHA-256 is another.");
    case "slow":
      throw new Problem(408, "The object came too slowly.");
    case "broken":
      // Nothing is stored. Whether the bucket caused it can't be told; the client tries again.
      throw new Problem(503, "The object did not come whole. Send it again.", SOON);
  }
}

async function upload(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  const { host, name } = caller;
  await refuseStrangers(caller, true);
  const { oid = "" } = context.req.param();
  const object: LfsObject = { oid, size: Number(context.req.header("Content-Length")) };
  const fault = objectFault(object);
  if (fault !== undefined) {
    await askAsWriter(caller, { kind: "find", oids: [] });
    announcedSize(context);
    assertNone(fault);
  }
  const bounds = await bytesAllowed(caller);
  const request = { kind: "announce", objects: [object], home: name.tenant, ...bounds } as const;
  const { record, outcomes } = await askAsWriter(caller, request);
  const [outcome = MISSING] = outcomes;
  if (outcome.kind === "over-quota") throw new Problem(413, OVER_QUOTA);
  if (outcome.kind === "stored") {
    // It is not written again: the repository may be removed meanwhile, and nothing would know of the bytes then.
    await drainBody(context.req.raw);
    if (outcome.size !== object.size) throw new Problem(422, "The object has another size.");
    return lfsAnswer({});
  }
  if (outcome.kind !== "announced") throw new Problem(503, BEING_DELETED, SOON);
  const link = await host.lfsLinks(outcome.home).linkLfs(oid, record.id);
  if (link !== "linked") throw new Problem(503, BEING_DELETED, SOON);
  assertWritten(await host.lfsFiles(outcome.home).write(object, context.req.raw.body));
  await keep(caller, object);
  return lfsAnswer({});
}

/**
 * Keeps an object that the client says it uploaded into the bucket itself, if it did. It is linked before it is looked
 * for: what is there then is not deleted any more.
 */
async function keepUploaded(
  caller: Caller,
  id: string,
  { object, home }: { readonly object: LfsObject; readonly home: string },
): Promise<LfsOutcome> {
  const { host } = caller;
  if (host.lfsPresigner === undefined) return MISSING;
  if ((await host.lfsLinks(home).linkLfs(object.oid, id)) !== "linked") throw new Problem(503, BEING_DELETED, SOON);
  if (!(await host.lfsFiles(home).holds(object, id))) return MISSING;
  return await keep(caller, object);
}

/** Takes an object whose bytes are in the bucket. */
async function keep(caller: Caller, object: LfsObject): Promise<LfsOutcome> {
  const kept = await askAsWriter(caller, { kind: "keep", object, ...(await bytesAllowed(caller)) });
  const [now = MISSING] = kept.outcomes;
  if (now.kind === "over-quota") throw new Problem(413, OVER_QUOTA);
  if (now.kind !== "stored") throw new Problem(409, "The object was waited for too long. Push again.");
  return now;
}

/** Answers the client's question whether an object that it uploaded is here. */
async function verify(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, true);
  const json = await readAsked(context, caller);
  const batched = parseBatch({ operation: "download", objects: [json] });
  const { oid } = context.req.param();
  const found = await askAsWriter(caller, { kind: "find", oids: oid === undefined ? [] : [oid] });
  if ("code" in batched) assertNone(batched);
  const [object] = batched.objects;
  if (object?.error !== undefined) assertNone(object.error);
  if (object?.oid !== oid) throw new Problem(422, "The body names another object than the address.");
  if (object === undefined) throw new Problem(422, "The body names no object.");
  const [outcome = MISSING] = found.outcomes;
  const kept =
    outcome.kind === "announced" ? await keepUploaded(caller, found.record.id, { object, ...outcome }) : outcome;
  if (kept.kind !== "stored") throw new Problem(404, "The object was not uploaded.");
  if (kept.size !== object.size) throw new Problem(422, "The object has another size.");
  return lfsAnswer({});
}

/** The routes of Git LFS. */
export function lfsRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  const objects = "/:tenant/:repo/info/lfs/objects";
  const answered =
    (work: (context: Context<HostEnv>) => Promise<Response>) =>
    (context: Context<HostEnv>): Promise<Response> =>
      lfsAnswered(context, () => work(context));
  routes.post(`${objects}/batch`, answered(batch));
  routes.post(`${objects}/:oid/verify`, answered(verify));
  routes.get(`${objects}/:oid`, answered(download));
  routes.put(`${objects}/:oid`, answered(upload));
  routes.all(
    "/:tenant/:repo/info/lfs/*",
    answered(async (context) => {
      const caller = lfsCaller(context);
      await refuseStrangers(caller, false);
      await askAsReader(caller, { kind: "find", oids: [] });
      throw new Problem(404, "There is nothing here.");
    }),
  );
  return routes;
}
