/**
 * Reads the part of a push that comes before its pack.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import type { Pacer } from "../../bytes/pacer.ts";
import { type ObjectFormat, objectFormat } from "../../object/object-id.ts";
import { isPushableRefName, isTooLong, nameSteps } from "../../object/ref-name.ts";
import type { RefUpdate } from "../../refs/ref-update.ts";
import { PushOptionsParser } from "../../wire/push-options.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import type { PushCertificate } from "../../wire/push-certificate.ts";
import { type ReceiveCommandList, ReceiveRequestParser } from "../../wire/receive-request.ts";
import { formatOfPush } from "../client-format.ts";
import type { Exchange } from "../exchange.ts";
import type { RequestReader } from "../request-reader.ts";

/** The steps of taking a command apart, its name aside. */
const COMMAND_STEPS = 100;

/** The request of a push. */
export type PushRequest = {
  /** The client's object format. The repository must have the same. */
  readonly format: ObjectFormat;
  /** One update per command, in order. `forward` and `peeled` are not known yet: see `new-values.ts`. */
  readonly updates: readonly RefUpdate[];
  /** For each update, whether a ref may have its name. */
  readonly validNames: readonly boolean[];
  readonly deletesOnly: boolean;
  readonly atomic: boolean;
  readonly quiet: boolean;
  readonly sideBand: boolean;
  /** The version of the report; 0 if the client wants none. */
  readonly report: 0 | 1 | 2;
  readonly pushOptions: readonly string[];
  /** The commits at which the client's own history is cut. */
  readonly shallows: ObjectIdList;
  /** The certificate of a signed push. It holds the same commands. */
  readonly certificate?: PushCertificate;
};

/**
 * Reads commands and push options. Returns `undefined` if there is no command: the request is a probe, or has nothing
 * to do.
 */
export async function readPushRequest(exchange: Exchange, reader: RequestReader): Promise<PushRequest | undefined> {
  const first = await reader.peek();
  if (first === undefined) return undefined;
  const format = objectFormat(formatOfPush(first));
  const context = {
    objectFormat: format.name,
    agent: exchange.agent,
    stateless: exchange.stateful !== true,
    symrefs: [],
    sessionId: exchange.sessionId,
  };
  const parser = new ReceiveRequestParser(context, exchange.repository.limits.refs);
  await reader.feed(parser);
  const { commands, capabilities, shallows, certificate } = parser.result;
  exchange.note({ sessionId: capabilities.value("session-id") });
  if (commands.length === 0) return undefined;
  const options = new PushOptionsParser();
  if (capabilities.has("push-options")) await reader.feed(options);
  return {
    format,
    ...(await updatesOf(commands, exchange.repository.pacer)),
    deletesOnly: commands.deletesOnly,
    atomic: capabilities.has("atomic"),
    quiet: capabilities.has("quiet"),
    sideBand: capabilities.has("side-band-64k"),
    report: capabilities.has("report-status-v2") ? 2 : capabilities.has("report-status") ? 1 : 0,
    pushOptions: options.result,
    shallows,
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** Takes commands apart. It gives way to others: names of escapes alone may be 32 MiB. */
async function updatesOf(
  commands: ReceiveCommandList,
  pacer: Pacer,
): Promise<Pick<PushRequest, "updates" | "validNames">> {
  const updates: RefUpdate[] = [];
  const validNames: boolean[] = [];
  for (const { kind, name, oldOid, newOid } of commands) {
    // A creation keeps everything reachable; for other updates this is found out later.
    updates.push({ name, oldOid, newOid, forward: kind === "create" || oldOid === newOid });
    validNames.push(!isTooLong(name) && isPushableRefName(name));
    pacer.add(COMMAND_STEPS + nameSteps(name));
    if (pacer.isDue) await pacer.pace();
  }
  return { updates, validNames };
}
