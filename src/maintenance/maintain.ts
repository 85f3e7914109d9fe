/**
 * Does one step of a repository's maintenance, as the repository's store has planned it: combines packs or puts one in order, finds out
 * what refs reach, or writes bitmaps. Pushes and fetches go on meanwhile. A step that dies leaves nothing but files under a lease, which are
 * swept when that ends.
 *
 * @packageDocumentation
 * @see git-repack(1), `--geometric`
 */
import { itemAt, present } from "../bytes/assert.ts";
import { toHex } from "../bytes/hex.ts";
import type { MadeTwin } from "../catalog/clone-twin.ts";
import type { MadeMultiPackIndex } from "../catalog/multi-pack-plan.ts";
import type { PackBitmapSize, PackRecord } from "../catalog/pack-record.ts";
import type { PackFile } from "../catalog/pack-storage.ts";
import { objectFormat } from "../object/object-id.ts";
import { combinePacks } from "../packing/combine-packs.ts";
import { orderPack } from "../packing/order-pack.ts";
import { StagedPack } from "../packing/staged-pack.ts";
import {
  type BeginMaintenanceAnswer,
  type MaintenanceRun,
  type MaintenanceStore,
  PACKS_WRITTEN,
} from "../refs/maintenance-store.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { PackCatalog } from "../refs/pack-catalog.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { makeGraph } from "./graph-step.ts";
import { lookForPointers } from "./lfs-step.ts";
import { writeMultiPackIndex } from "./write-multi-pack-index.ts";
import { writeBitmap } from "./write-bitmap.ts";
import { writeTips } from "./write-tips.ts";
import { writeTwin } from "./write-twin.ts";
import { flushTail } from "./publish.ts";
import { walkRefs, type WalkInput, type WalkResult } from "./walk.ts";

/** The random bytes of a pack's name. */
const PACK_NAME_BYTES = 20;

/** The repository that is maintained. */
export type Maintained = {
  readonly repository: Repository;
  readonly maintenance: Pick<MaintenanceStore, "beginMaintenance" | "endMaintenance" | "replaceGraphs" | "reportLfs">;
  readonly catalog: PackCatalog;
  readonly lfs: Pick<LfsStore, "sharedLfs">;
};

type Result = Pick<MaintenanceRun, "outcome" | "written" | "undecided" | "error"> &
  Partial<Pick<MaintenanceRun, "packs" | "objects" | "bytes">>;

const NOTHING: Result = { outcome: "nothing", written: 0 };

type PackStep = Exclude<MaintenanceRun["step"], "graph" | "twin" | "midx" | "lfs">;

/** The keys of the packs that a step may write, and what it was begun with. */
type Step = {
  readonly record: RepositoryRecord;
  readonly packs: readonly PackRecord[];
  readonly purges: boolean;
  readonly staged: readonly StagedPack[];
};

type Begun = Extract<BeginMaintenanceAnswer, { kind: "begun" }>;
type PackNames = WalkInput["packNames"];

const bytesOf = (packs: readonly PackRecord[]): number => packs.reduce((sum, { packBytes }) => sum + packBytes, 0);

/** Combines packs. */
async function rollUp(repository: Repository, { record, packs, staged }: Step): Promise<WalkResult> {
  const combined = await combinePacks({
    repository,
    record,
    packs,
    packName: itemAt(staged, 0).name,
    seeksDeltas: true,
  });
  const added = [present(combined, "a pack of all objects")];
  return { request: { id: record.id, added, replaced: packs.map(({ name }) => name) }, undecided: false };
}

/** Writes a pack in the order of its history, or finds out that it stays as it is. */
async function order(repository: Repository, { record, packs, staged }: Step): Promise<WalkResult> {
  const pack = itemAt(packs, 0);
  const ordered = await orderPack({ repository, record, pack, packName: itemAt(staged, 0).name });
  const replaced = { id: record.id, added: [], replaced: [], unordered: pack.name };
  const request = ordered === undefined ? replaced : { id: record.id, added: [ordered], replaced: [pack.name] };
  return { request, undecided: false };
}

/** Finds out what refs reach; `undefined` if the repository is gone. */
async function walk(repository: Repository, { purges, staged }: Step): Promise<WalkResult | undefined> {
  return await walkRefs({ repository, purges, packNames: [itemAt(staged, 0).name, itemAt(staged, 1).name] });
}

/** Writes bitmaps of a pack. */
async function makeBitmap(
  { repository }: Maintained,
  { record, packs }: Step,
  mended: () => void,
): Promise<PackBitmapSize> {
  const pack = itemAt(packs, 0);
  // In the order of their names, branches come before tags.
  const found = await repository.refs.open({ refPrefixes: ["refs/heads/", "refs/tags/"] });
  const isSame = found.kind === "found" && found.record.id === record.id;
  const { rawSize } = objectFormat(record.objectFormat);
  const rows = (): Iterator<RefRow> => decodeRefRows(isSame ? found.refs : [], rawSize);
  return await writeBitmap({ repository, record, pack, refs: { [Symbol.iterator]: rows }, mended });
}

/** Writes what stands beside a pack: its bitmaps, or the head of its bundle. */
async function describePack(maintained: Maintained, kind: "bitmap" | "bundle", step: Step): Promise<Result> {
  const { repository, catalog } = maintained;
  const { record, packs } = step;
  const pack = itemAt(packs, 0);
  const beside: PackFile["extension"][] = ["bitmap", "tips"];
  const size = await (kind === "bitmap"
    ? makeBitmap(maintained, step, () => void beside.push("rev"))
    : writeTips({ repository, record, pack }));
  const bitmap = { pack: pack.name, size };
  const written = kind === "bitmap" ? size.bytes : (size.tips ?? 0); // A pack may turn out to have no bundle.
  const { kind: answer } = await catalog.replacePacks({ id: record.id, added: [], replaced: [], bitmap });
  if (answer === "done") return { outcome: "done", written };
  // The pack has left the catalog meanwhile, and its other files may be deleted already.
  await repository.storage(record.id).delete(beside.map((extension) => ({ pack: pack.name, extension })));
  return { outcome: "stale", written };
}

async function discard(staged: readonly StagedPack[]): Promise<void> {
  for (const pack of staged) await pack.discard();
}

/** Does a step, and deletes what it wrote in vain. */
async function doStep(maintained: Maintained, kind: PackStep, step: Step): Promise<Result> {
  if (kind === "bitmap" || kind === "bundle") return await describePack(maintained, kind, step);
  const { repository, catalog } = maintained;
  let made: WalkResult | undefined;
  try {
    made = await { walk, order, "roll-up": rollUp }[kind](repository, step);
  } catch (error) {
    await discard(step.staged);
    throw error;
  }
  if (made === undefined) return { outcome: "stale", written: 0 };
  const { request, undecided } = made;
  // Where the answer is lost, the packs may well have been taken: a lease sees to the files if they were not.
  const { kind: answer } = await catalog.replacePacks(request);
  const written = bytesOf(request.added);
  if (answer === "done") {
    const used = new Set(request.added.map(({ name }) => name));
    for (const pack of step.staged) if (!used.has(pack.name)) await pack.discard(false);
    return { outcome: "done", written, ...(undecided ? { undecided } : {}) };
  }
  await discard(step.staged);
  return { outcome: "stale", written };
}

/** Makes a layer of the commit-graph, and deletes what it wrote in vain. */
async function graph({ repository, maintenance }: Maintained, begun: Begun, staged: StagedPack): Promise<Result> {
  try {
    const way = begun.graphWay === undefined ? {} : { way: begun.graphWay };
    const request = await makeGraph({ repository, name: staged.name, dropped: begun.droppedGraphs, ...way });
    if (request === undefined) return { outcome: "stale", written: 0 };
    const { added } = request;
    if (added === undefined) await staged.discard(false);
    const { kind } = await maintenance.replaceGraphs(request);
    if (kind !== "done") await staged.discard(added !== undefined);
    const isNothing = added === undefined && request.way === undefined;
    const outcome = kind === "done" ? (isNothing ? "nothing" : "done") : "stale";
    const packs = added === undefined ? 0 : request.seen.length - request.kept;
    return { outcome, written: added?.bytes ?? 0, packs, objects: added?.commits ?? 0 }; // Nothing may be written.
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

/** Writes the twin of the catalog, and deletes what it wrote in vain. */
async function twin({ repository, catalog }: Maintained, { record }: Begun, staged: StagedPack): Promise<Result> {
  let made: MadeTwin | undefined;
  try {
    made = await writeTwin(repository, record.id, staged.name);
  } catch (error) {
    await staged.discard();
    throw error;
  }
  // Where the answer is lost, the twin may well have been taken: its lease sees to the file if it was not.
  const request = made && { id: record.id, added: [], replaced: [], twin: made };
  const { kind } = request === undefined ? { kind: "stale" } : await catalog.replacePacks(request);
  if (kind !== "done") await staged.discard(made !== undefined);
  return { outcome: kind === "done" ? "done" : "stale", written: made?.bytes ?? 0 }; // Nothing may be written.
}

/** Writes the multi-pack index, and deletes what it wrote in vain. */
async function multiPackIndex(
  { repository, catalog }: Maintained,
  { record, packs }: Begun,
  staged: StagedPack,
): Promise<Result> {
  let made: MadeMultiPackIndex;
  try {
    made = await writeMultiPackIndex({ repository, record, packs, name: staged.name });
  } catch (error) {
    await staged.discard();
    throw error;
  }
  if (made.name === undefined) await staged.discard(false);
  // Where the answer is lost, the index may well have been taken: its lease sees to the file if it was not.
  const { kind } = await catalog.replacePacks({ id: record.id, added: [], replaced: [], multiPackIndex: made });
  if (kind !== "done") await staged.discard(made.name !== undefined);
  return { outcome: kind === "done" ? "done" : "stale", written: made.bytes };
}

/** Looks for Git LFS objects that no pointer names. */
async function look({ repository, maintenance, lfs }: Maintained, { purges, now }: Begun): Promise<Result> {
  const { kind, objects } = await lookForPointers({ repository, maintenance, lfs, purges, since: now });
  return { outcome: kind === "done" ? "done" : "stale", written: 0, objects };
}

/** Does a step, whatever it meets. */
async function tryStep(maintained: Maintained, begun: Begun, packNames: PackNames): Promise<Result> {
  const { repository } = maintained;
  const { record, packs, purges, step } = begun;
  if (step === "nothing") return NOTHING;
  const storage = repository.storage(record.id);
  const names = packNames.slice(0, PACKS_WRITTEN[step]);
  const staged = names.map((name) => new StagedPack(name, repository.refs, storage));
  try {
    if (step === "lfs") return await look(maintained, begun);
    if (step === "graph") return await graph(maintained, begun, itemAt(staged, 0));
    if (step === "midx") return await multiPackIndex(maintained, begun, itemAt(staged, 0));
    if (step === "twin") return await twin(maintained, begun, itemAt(staged, 0));
    return await doStep(maintained, step, { record, packs, purges, staged });
  } catch (error) {
    return { outcome: "failed", written: 0, error: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Does the step that is due in repository `id`, and reports it. Returns what it did. Nothing is done where another
 * repository has the name now. It never throws for what a step met: the report says that it failed, and the store has it
 * tried again later.
 */
export async function maintain({ maintenance, ...rest }: Maintained, id: string): Promise<MaintenanceRun> {
  const { repository } = rest;
  const at = repository.now();
  // Packs of the tail are not planned for. Where they can't be published, the job that publishes them says why, and a step goes on.
  await flushTail(rest).catch(() => undefined);
  const newName = (): string => toHex(repository.random(PACK_NAME_BYTES));
  const packNames = [newName(), newName()] as const;
  const begun = await maintenance.beginMaintenance(id, packNames);
  if (begun.kind === "gone") return { step: "roll-up", at, ms: 0, packs: 0, objects: 0, bytes: 0, ...NOTHING };
  const { packs, step } = begun;
  const result = await tryStep({ maintenance, ...rest }, begun, packNames);
  const run = {
    step: step === "nothing" ? "roll-up" : step,
    at,
    ms: repository.now() - at,
    packs: packs.length,
    objects: packs.reduce((sum, pack) => sum + pack.objects, 0),
    bytes: bytesOf(packs),
    ...result,
  } as const;
  await maintenance.endMaintenance(id, run);
  return run;
}
