/**
 * The depth that a client asks for, with names and refs resolved.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5); `process_shallow()`, `process_deepen_not()` in git's upload-pack.c
 */
import { ProtocolError } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { learnNamed } from "../../graph/named-objects.ts";
import { type ShallowPlan, type ShallowRequest, planShallow } from "../../graph/shallow.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { expandRefName } from "../../object/ref-name.ts";
import { decodeRefRows } from "../../refs/ref-rows.ts";
import { type DepthRequest, INFINITE_DEPTH } from "../../wire/depth-request.ts";
import type { PktBuffer } from "../../wire/pkt-buffer.ts";
import { type ShallowLine, formatShallowLine } from "../../wire/shallow-info.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import { FOR_CUTS } from "../../repository/view.ts";

/** A depth request, and whether its depth counts from the present cut of the client's history. */
export type FetchDepth = DepthRequest & { readonly deepenRelative: boolean };

/**
 * Returns the full names of all refs that these `deepen-not` arguments may mean. The snapshot must be opened with them.
 */
export function deepenNotRefs(names: readonly string[]): string[] {
  return names.flatMap((name) => expandRefName(name));
}

/** Whether the request wants history cut in some way. */
export function asksForDepth({ depth, deepenSince, deepenNot }: DepthRequest): boolean {
  return depth !== undefined || deepenSince !== undefined || deepenNot.length > 0;
}

/** Plans the cuts of a fetch; `undefined` if there are none. @throws ProtocolError in git's words */
export async function planDepth(session: FetchSession, request: FetchDepth): Promise<ShallowPlan | undefined> {
  const { depth, deepenSince, deepenNot } = request;
  const byHistory = deepenSince !== undefined || deepenNot.length > 0;
  if (depth !== undefined && byHistory) {
    throw new ProtocolError("git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together");
  }
  const not = resolveDeepenNot(session, deepenNot);
  const clientShallow = await clientShallows(session, request);
  if (depth === undefined && !byHistory && clientShallow.length === 0) return undefined;
  const cut = depth === INFINITE_DEPTH ? { kind: "unshallow" as const, reachable: clientShallow } : cutOf(request, not);
  return await planShallow(session.graph, session.wants, { clientShallow, cut });
}

function cutOf({ depth, deepenSince, deepenRelative }: FetchDepth, not: readonly number[]): ShallowRequest["cut"] {
  if (depth !== undefined) return { kind: "depth", depth, relative: deepenRelative };
  if (deepenSince === undefined && not.length === 0) return { kind: "none" };
  return { kind: "history", since: deepenSince ?? Number.NEGATIVE_INFINITY, not };
}

/**
 * Returns the nodes of the commits at which the client's history is cut, as far as they are stored here. A commit that
 * no ref reaches is ignored as if it had never been there. Nobody gets the history behind it, not even a client that
 * knows its name.
 */
async function clientShallows(session: FetchSession, { shallows }: DepthRequest): Promise<number[]> {
  if (shallows.length === 0) return [];
  const { graph } = session;
  const names = shallows.bytes().slice();
  const here = new Set((await session.locate(names)).filter((node) => node >= 0));
  const nodes = await session.visible([...here], FOR_CUTS);
  await learnNamed(graph, nodes);
  for (const node of nodes) {
    if ((await graph.typeOf(node)) !== TYPE_NUMBER.commit) {
      throw new ProtocolError(`invalid shallow object ${toHex(graph.nameOf(node))}`);
    }
  }
  return nodes;
}

function resolveDeepenNot({ answer, graph }: FetchSession, names: readonly string[]): number[] {
  if (names.length === 0) return [];
  const values = new Map<string, Uint8Array>();
  const head = answer.headOid === undefined ? undefined : fromHex(answer.headOid);
  if (head !== undefined) values.set("HEAD", head);
  for (const { name, oid } of decodeRefRows(answer.refs, graph.format.rawSize)) values.set(name, oid);
  return names.map((name) => {
    const found = expandRefName(name)
      .map((full) => values.get(full))
      .filter((oid) => oid !== undefined);
    const [oid] = found;
    if (oid === undefined) {
      throw new ProtocolError(`git upload-pack: deepen-not is not a ref: deepen-not ${name}`);
    }
    if (found.length > 1) throw new ProtocolError(`git upload-pack: ambiguous deepen-not: deepen-not ${name}`);
    return graph.node(oid);
  });
}

/** Yields the lines that tell a client of a plan. */
export function* shallowLines({ graph }: FetchSession, plan: ShallowPlan | undefined): Generator<ShallowLine> {
  for (const kind of ["shallow", "unshallow"] as const) {
    for (const node of plan?.[kind] ?? []) yield { kind, oid: graph.nameOf(node) };
  }
}

/** Appends the section of versions 0 and 1, with its flush-pkt, and yields after each line. */
export function* formatShallowSection(lines: Iterable<ShallowLine>, out: PktBuffer): Generator<void> {
  for (const line of lines) {
    formatShallowLine(line, out);
    yield;
  }
  out.flush();
}
