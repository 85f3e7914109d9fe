/**
 * The first answer of a service: all refs in versions 0 and 1, the capabilities in version 2.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), http-backend.c `get_info_refs()`
 */
import { fromHex } from "../bytes/hex.ts";
import { type ObjectFormat, type ObjectFormatName, objectFormat } from "../object/object-id.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import { type CapabilityContext, formatServiceCapabilities } from "../wire/capabilities.ts";
import { formatCapabilityAdvertisement } from "../wire/capability-advertisement.ts";
import { PktBuffer } from "../wire/pkt-buffer.ts";
import type { ProtocolVersion } from "../wire/protocol-version.ts";
import { RefAdvertisementWriter } from "../wire/ref-advertisement.ts";
import { type ServiceName, formatServiceAnnouncement } from "../wire/service-announcement.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Exchange, PushExchange } from "./exchange.ts";
import { type ServiceCall, answerFaults } from "./failure.ts";
import { advertisedNonce } from "./push/signed-push.ts";

/** A request for the first answer of either service. The nonce for signed pushes is part of it. */
type Advertising = Exchange & Pick<PushExchange, "pushCertSeed">;

/**
 * Returns the whole advertisement of version 2. It depends on these arguments only, so no repository need be opened for
 * it. `promisor` is what is offered as a promisor remote.
 */
export function advertiseV2(
  objectFormatName: ObjectFormatName,
  { agent, sessionId, stateful }: Pick<Exchange, "agent" | "sessionId" | "stateful">,
  promisor?: string,
): Uint8Array {
  const out = new PktBuffer();
  const stateless = stateful !== true;
  const context = { objectFormat: objectFormatName, agent, stateless, symrefs: [], sessionId };
  formatCapabilityAdvertisement(promisor === undefined ? context : { ...context, promisor }, out);
  return out.takeBytes();
}

/**
 * Answers `info/refs?service=…`, or opens a connection. Receive-pack has no version 2 and falls back to version 0.
 * Returns whether it was answered without a fault.
 */
export async function advertiseRefs(
  exchange: Advertising,
  service: ServiceName,
  version: ProtocolVersion,
): Promise<boolean> {
  return await answerFaults(exchange, async (call) => {
    if (service === "git-upload-pack" && version === 2) await advertiseCapabilities(call);
    else await advertiseAll(call, service, version);
  });
}

async function advertiseCapabilities({ exchange, admission }: ServiceCall<Advertising>): Promise<void> {
  const snapshot = await admission.open({});
  const promisor = snapshot && (await exchange.promisorOf?.(snapshot.record));
  await exchange.output.write(advertiseV2(snapshot?.record.objectFormat ?? "sha1", exchange, promisor));
}

async function advertiseAll(
  call: ServiceCall<Advertising>,
  service: ServiceName,
  version: ProtocolVersion,
): Promise<void> {
  const { exchange, admission, answer } = call;
  const isUpload = service === "git-upload-pack";
  const snapshot = await admission.open({
    refPrefixes: [],
    pushSeed: !isUpload && exchange.pushCertSeed === undefined,
  });
  const format = objectFormat(snapshot?.record.objectFormat ?? "sha1");
  // http-backend leaves the announcement out for a client that asked for version 2, even where it gets version 0. It is
  // for HTTP alone.
  if (version !== 2 && exchange.stateful !== true) formatServiceAnnouncement(service, answer.lines);
  const head = isUpload ? headOf(snapshot) : undefined;
  const capabilities = formatServiceCapabilities(isUpload ? "upload-pack" : "receive-pack", {
    ...contextOf(exchange, snapshot, isUpload),
    symrefs: head === undefined ? [] : [{ name: "HEAD", target: head.target }],
  });
  const writer = new RefAdvertisementWriter(
    { version: version === 1 ? 1 : 0, objectFormat: format, capabilities },
    answer.lines,
  );
  if (head !== undefined) writer.ref("HEAD", head.oid);
  if (snapshot === undefined) writer.have(nobodysObject(format));
  await answer.sendEach(writeRefs(writer, decodeRefRows(snapshot?.refs ?? [], format.rawSize), isUpload));
  writer.end();
  await answer.send();
}

function* writeRefs(writer: RefAdvertisementWriter, rows: Iterable<RefRow>, peel: boolean): Generator<void> {
  for (const { name, oid, peeled } of rows) {
    writer.ref(name, oid, peel ? peeled : undefined);
    yield;
  }
}

/**
 * Returns the object name that opens the advertisement of a repository that a push would make.
 *
 * Such a repository offers both hash functions, as gitprotocol-capabilities(5) allows, and the client takes its own.
 * git's usual line for "no refs" prevents that. Before 2.41, a client in a SHA-256 repository takes as many zeros as
 * its own names have. It compares them with the zeros of a SHA-1 advertisement, and gives up. Every client can read an
 * object that is there without a ref, and ignores it if it lacks the object. No repository has the object of this name.
 * The name is not zero, since some clients take zeros for a malformed "no refs" line.
 */
function nobodysObject(format: ObjectFormat): Uint8Array {
  return new Uint8Array(format.rawSize).fill(0xff);
}

/** Returns everything that capabilities depend on, except the symbolic refs. */
function contextOf(
  exchange: Advertising,
  snapshot: OpenSnapshot | undefined,
  isUpload: boolean,
): Omit<CapabilityContext, "symrefs"> {
  const { agent, sessionId } = exchange;
  // A push that would make the repository can't be signed: the repository has no id and no secret yet.
  const signable = isUpload ? undefined : snapshot;
  const pushNonce = signable && advertisedNonce(exchange, signable.record.id, signable.pushSeed);
  return {
    objectFormat: snapshot?.record.objectFormat ?? "sha1",
    otherFormats: snapshot === undefined ? ["sha256"] : [],
    agent,
    sessionId,
    stateless: exchange.stateful !== true,
    ...(pushNonce === undefined ? {} : { pushNonce }),
  };
}

/** Returns HEAD, or `undefined` if the branch that it points to is unborn. */
function headOf(snapshot: OpenSnapshot | undefined): { readonly target: string; readonly oid: Uint8Array } | undefined {
  const oid = snapshot?.headOid === undefined ? undefined : fromHex(snapshot.headOid);
  return snapshot === undefined || oid === undefined ? undefined : { target: snapshot.record.head, oid };
}
