/**
 * receive-pack: a push, in git's order.
 *
 * ```text
 * commands → begin (lease) → refuse what is doomed → ingest → check new values
 *          → commit (refs and catalog, one step) → report
 * ```
 *
 * Nothing of the push is visible before the commit. A push that ends earlier leaves nothing behind.
 *
 * Capabilities: `report-status`, `report-status-v2`, `delete-refs`, `side-band-64k`, `quiet`, `atomic`, `ofs-delta`,
 * `push-options`, `push-cert`, `session-id`, `object-format`, `agent`.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-receive-pack(1), builtin/receive-pack.c
 */
import { ClientTooSlow, LimitExceeded, ObjectRejected, ProtocolError } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { nameSteps } from "../../object/ref-name.ts";
import type { StoredCertificate } from "../../refs/ref-log.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import { PktBuffer } from "../../wire/pkt-buffer.ts";
import { formatReportStatus, type RefReport } from "../../wire/report-status.ts";
import { SIDE_BAND_64K_PACKET_MAX } from "../../wire/side-band.ts";
import type { PushExchange } from "../exchange.ts";
import { type ServiceCall, answerFaults } from "../failure.ts";
import { beginAdmitted } from "./begin-admitted.ts";
import { fsckHint } from "./fsck-hint.ts";
import { holdPack, mayBeSmall } from "./held-pack.ts";
import { checkValues, commit, ingest, type Landing, tipPackOf } from "./landing.ts";
import { LfsWatch } from "../../repository/lfs-watch.ts";
import { type PackStart, packStartBytes, readPackStart } from "./pack-start.ts";
import { PushMemory } from "./push-memory.ts";
import { type PushRequest, readPushRequest } from "./push-request.ts";
import { PushVerdict } from "./push-verdict.ts";
import { explainOutcomes, reportOutcomes } from "./ref-report.ts";
import { RequestReader } from "../request-reader.ts";
import { LINE_STEPS } from "../response-writer.ts";
import { checkCertificate, isGood, optionsAgree } from "./signed-push.ts";
import type { StagedPack } from "../../packing/staged-pack.ts";
import { UnpackProgress } from "./unpack-progress.ts";

/** Bytes of randomness in the name of a pack. */
const PACK_NAME_BYTES = 20;

/** A push that brings no objects. */
const NO_PACK = { staged: undefined, held: undefined };

/** A push of a client of git. */
type Push = Landing &
  ServiceCall<PushExchange> & {
    readonly request: PushRequest;
    readonly reader: RequestReader;
    readonly start: PackStart;
  };

/** Answers a push. Returns whether there was no fault in how it was asked for. */
export async function serveReceivePack(exchange: PushExchange): Promise<boolean> {
  return await answerFaults(exchange, async (call) => {
    const reader = new RequestReader(exchange.input, exchange.repository.pacer);
    // The client runs its hook.
    exchange.pauses?.();
    const request = await readPushRequest(exchange, reader);
    // The client sent a probe before a large push, or has nothing to do.
    if (request === undefined) return;
    const memory = new PushMemory(exchange.repository, request.format.rawSize);
    try {
      const push = await begin(call, request, reader, memory);
      try {
        await report(push, await land(push));
      } finally {
        await retractUnused(push);
      }
    } finally {
      memory.end();
    }
  });
}

/** Opens the repository with a lease for the pack, if there is one, and has the requester admitted. */
async function begin(
  call: ServiceCall<PushExchange>,
  request: PushRequest,
  reader: RequestReader,
  memory: PushMemory,
): Promise<Push> {
  const { repository } = call.exchange;
  const { format, deletesOnly } = request;
  const start: PackStart = deletesOnly
    ? { kind: "none" }
    : readPackStart(await packStart(call.exchange, reader, format), format, repository.hash);
  const packName = start.kind === "objects" ? toHex(repository.random(PACK_NAME_BYTES)) : undefined;
  const names = request.updates.map(({ name }) => name);
  const isSigned = request.certificate !== undefined;
  call.admission.renew();
  const begun = await beginAdmitted(call, { names, format, isSigned, mayBeSmall: mayBeSmall(call.exchange) }, packName);
  const { staged, held } = packName === undefined ? NO_PACK : holdPack(repository, begun, packName);
  let certificate: StoredCertificate | undefined;
  try {
    if (begun.record.objectFormat !== format.name) {
      throw new ProtocolError(`unsupported object format '${format.name}'`);
    }
    certificate = await checkCertificate(call.exchange, request, { id: begun.record.id, ownSeed: begun.pushSeed });
  } catch (error) {
    await staged?.discard(false);
    if (begun.made === true) await call.exchange.retract?.(begun.record.id);
    throw error;
  }
  if (request.sideBand) await call.answer.startBands(SIDE_BAND_64K_PACKET_MAX);
  const verdict = new PushVerdict(request);
  const by = { pusher: call.exchange.pusher, signed: isGood(certificate) };
  await verdict.refuseDoomed(begun, by, repository.pacer);
  if (!optionsAgree(request)) verdict.rejectAll({ kind: "inconsistent-options" });
  const watch = new LfsWatch(begun.record.lfs);
  return { ...call, request, reader, begun, verdict, start, staged, held, memory, certificate, watch };
}

/** Reads the first bytes of the pack. A client sends none before it has looked for deltas between all of its objects. */
async function packStart(exchange: PushExchange, reader: RequestReader, format: ObjectFormat): Promise<Uint8Array> {
  return await reader.rest(packStartBytes(format), () => exchange.pauses?.());
}

/** Whether the push moved a ref. */
function hasMoved({ verdict }: Push): boolean {
  return verdict.outcomes.some(({ kind }) => kind === "ok");
}

/** Removes a repository that this push made and then moved nothing in. */
async function retractUnused(push: Push): Promise<void> {
  if (push.begun.made === true && !hasMoved(push)) await push.exchange.retract?.(push.begun.record.id);
}

/** Takes the push from the early verdict to its end. Returns the text that follows `unpack` in the report. */
async function land(push: Push): Promise<string> {
  const { verdict, staged, start } = push;
  if (start.kind === "bad") return await failUnpack(push, start.why);
  if (verdict.running.length === 0) {
    // C git stores the pack and then moves nothing. Here a pack to which nothing will refer is not stored.
    await staged?.discard(false);
    await drainQuietly(push);
    return "ok";
  }
  let pack: IngestedPack | undefined;
  let tips: readonly number[];
  try {
    tips = verdict.running;
    const taken =
      start.kind === "objects" && staged !== undefined ? await takeInOrCut(push, start.head, staged) : undefined;
    pack = taken === "cut" ? undefined : taken;
    if (start.kind !== "none") await checkValues(push, pack, taken === "cut");
  } catch (error) {
    pack?.release();
    return await refusePack(push, error);
  }
  try {
    const tipPack = await tipPackOf(push, pack, () => push.answer.keepAlive());
    await commit(push, { pack, tips, tipPack });
  } finally {
    pack?.release();
  }
  return "ok";
}

/**
 * Reports a fault of the client's: it broke off or stood still, or sent a bad pack or more than is accepted. Any other
 * error is rethrown.
 */
async function refusePack(push: Push, error: unknown): Promise<string> {
  // the rest of the request is awaited without a kernel
  push.memory.release();
  await push.staged?.discard();
  if (error instanceof ProtocolError || error instanceof ClientTooSlow) return await tellFault(push, error.message);
  if (!(error instanceof ObjectRejected || error instanceof LimitExceeded)) throw error;
  return await failUnpack(push, error.message, fsckHint(error));
}

/**
 * Refuses a pack whose rest the client still sends. It is told at once why, which its user sees while the rest is on its way, and has the report when all has
 * come.
 */
async function failUnpack(push: Push, why: string, hint = ""): Promise<string> {
  const text = await tellFault(push, why, hint);
  await drainQuietly(push);
  return text;
}

/**
 * C git reports `index-pack abnormal exit` here, and the reason on band 2 only, where clients without side-bands never
 * see it.
 */
async function tellFault({ verdict, answer }: Push, why: string, hint = ""): Promise<string> {
  verdict.rejectAll({ kind: "unpacker-error" });
  await answer.progress(`fatal: ${why}\n${hint}`);
  return why;
}

/**
 * Reads what the client still sends, so that it comes to read its report. A client on a connection gets the report at
 * once, and the caller of the service reads the rest.
 */
async function drainQuietly({ exchange, reader }: Push): Promise<void> {
  if (exchange.stateful === true) return;
  try {
    await reader.drain();
  } catch {
    // The client has gone, or its body is broken. The report does not depend on the rest of the body.
  }
}

/**
 * Stores and checks the pack. Returns "cut" for the pack of a shallow clone whose history behind the cut is not here.
 * Such a pack is dropped, and the push goes on for its deletions and for new values that are already here. C git keeps
 * such a pack for the sake of the other refs.
 */
async function takeInOrCut(push: Push, head: Uint8Array, staged: StagedPack): Promise<IngestedPack | "cut"> {
  try {
    const { answer, exchange, reader, request } = push;
    const progress = new UnpackProgress(answer, request.quiet, () => exchange.repository.now());
    const staysOpen = exchange.stateful === true;
    return await ingest(push, { head, source: reader.source, staysOpen, staged, progress });
  } catch (error) {
    if (!(error instanceof ObjectRejected && error.rule === "shallow")) throw error;
    await staged.discard();
    (await push.memory.kernel()).reset();
    return "cut";
  }
}

/** Charges the pacer for names that go into a report: one may be of escapes alone. */
function* countNames(refs: Iterable<RefReport>, pacer: Pacer): Generator<RefReport> {
  for (const ref of refs) {
    pacer.add(nameSteps(ref.name));
    yield ref;
  }
}

/** Sends the report of the push, in band 1 if there are side-bands. */
async function report(push: Push, unpackStatus: string): Promise<void> {
  const { request, verdict, answer, begun, exchange } = push;
  const { updates, outcomes } = verdict;
  const { madeNote } = exchange;
  exchange.served?.(hasMoved(push) ? "push" : "rejected");
  if (begun.made === true && madeNote !== undefined && hasMoved(push)) await answer.progress(`${madeNote}\n`);
  await answer.progress(explainOutcomes(outcomes, updates));
  if (request.report !== 0) {
    const lines = new PktBuffer();
    const { pacer } = exchange.repository;
    const refs = countNames(reportOutcomes(outcomes, updates, request.atomic), pacer);
    await pacer.through(formatReportStatus({ unpack: unpackStatus, refs }, request.report, lines), LINE_STEPS);
    for (const chunk of lines.take()) await answer.data(chunk);
  }
  await answer.end();
}
