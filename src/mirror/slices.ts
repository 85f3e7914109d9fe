/**
 * Fetches history that is too much for one sync in slices, oldest first. Each slice is everything that is reachable
 * from some commits, and so it is closed like a push. No ref comes with it, so readers see nothing of it before the
 * last slice.
 *
 * If the upstream has releases, a slice is everything up to one of them: tags, in the order of their numbers.
 * Otherwise, or between two releases, it is cut by depth:
 *
 * ```text
 * tip ── · ── · ── B ── · ── · ── A ── · ── · ── root        A: the commits at the depth of the first slice
 *                                 └──── first ────┘
 *                  └─── second ────┘                          B: those of the second
 * └───── the rest: refs ─────┘
 * ```
 *
 * An upstream tells which commits lie at a depth before it sends anything: it would cut history there for a client that
 * asks for this depth. The client breaks that answer off, and wants these commits by name.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), `deepen` and `shallow-info`
 */
import { concat } from "../bytes/chunk.ts";
import { decodePackHeader, PACK_HEADER_BYTES } from "../format/pack-header.ts";
import type { Slice } from "../refs/mirror-store.ts";
import type { NamedValue } from "./ref-comparison.ts";
import { ObjectIdList } from "../wire/object-id-list.ts";
import type { FetchClient, IncomingPack } from "./fetch-client.ts";
import type { BandListener } from "./line-source.ts";
import { splitNames } from "./slice-anchors.ts";

/** A pack whose first bytes were read to learn its size. */
export type OpenedPack = { readonly head: Uint8Array; readonly count: number; readonly incoming: IncomingPack };

/** The input for cutting slices. */
export type SliceInput = {
  readonly client: FetchClient;
  readonly listener: BandListener;
  /** The wants, oldest first as far as names tell. */
  readonly wanted: readonly NamedValue[];
  /** The state of earlier slices. */
  readonly last: Slice | undefined;
  /** The most objects that one sync takes. */
  readonly mostObjects: number;
  /** The number of objects that are still to come. */
  readonly objects: number;
};

/** A slice on its way: everything below the commits or tags of `cut`, concatenated raw names. */
export type IncomingSlice = { readonly pack: OpenedPack; readonly cut: Uint8Array };

/** Deeper than any history. */
const DEEPEST = 2 ** 24;
/**
 * The most packs that are requested to find one that is small enough, below one commit; also how often the search
 * begins anew below another.
 */
const MOST_TRIES = 8;
const MOST_LEVELS = 8;
/** The share of the fitting size at which a search aims, because depth says little about size. */
const AIM = 0.7;

/** Opens a pack and reads its header. */
export async function openPack(incoming: IncomingPack): Promise<OpenedPack> {
  let head = new Uint8Array(0);
  while (head.length < PACK_HEADER_BYTES) {
    const chunk = await incoming.source.read(new Uint8Array(PACK_HEADER_BYTES - head.length));
    if (chunk.length === 0) break;
    head = concat([head, chunk]);
  }
  return { head, count: decodePackHeader(head).count, incoming };
}

/**
 * Opens the next slice: one that fits, if there is one. A slice that can't be cut any more, such as a first commit that
 * brings everything, is taken as it is.
 *
 * @throws UpstreamFailure, ProtocolError
 */
export async function openSlice(input: SliceInput): Promise<IncomingSlice> {
  const upTo = await openByName(input);
  if (upTo !== undefined) return upTo;
  const [oldest] = input.wanted;
  let tip = oldest?.oid ?? new Uint8Array(0);
  for (let level = 0; level < MOST_LEVELS; level++) {
    const found = await cutBelow(input, tip, await historyDepth(input.client, tip));
    if (found.kind === "slice") return found;
    if (found.kind === "whole") break;
    // All of it hangs on one old commit that a short path reaches: look below that commit.
    ({ tip } = found);
  }
  return { pack: await openWants(input, [tip]), cut: tip };
}

async function openWants(input: SliceInput, oids: readonly Uint8Array[]): Promise<OpenedPack> {
  const wants = new ObjectIdList(input.client.format);
  for (const oid of oids) wants.push(oid);
  return await openPack(await input.client.fetchPack({ wants, haves: havesOf(input), thin: false }, input.listener));
}

/** Opens as many wants as fit, from the oldest on; `undefined` if the oldest alone is too much. */
async function openByName(input: SliceInput): Promise<IncomingSlice | undefined> {
  const { wanted, mostObjects, objects } = input;
  let [low, high] = [0, wanted.length];
  let count = Math.floor(wanted.length * Math.min(0.9, (mostObjects * AIM) / objects));
  for (let tries = 0; tries < MOST_TRIES && high - low > 1; tries++) {
    count = Math.min(high - 1, Math.max(low + 1, count));
    const oids = wanted.slice(0, count).map(({ oid }) => oid);
    const pack = await openWants(input, oids);
    if (pack.count > 0 && pack.count <= mostObjects) return { pack, cut: concat(oids) };
    await pack.incoming.cancel();
    if (pack.count === 0) low = count;
    else high = count;
    count = Math.round((low + high) / 2);
  }
  return undefined;
}

type Cut =
  | ({ readonly kind: "slice" } & IncomingSlice)
  | { readonly kind: "too-much"; readonly tip: Uint8Array }
  | { readonly kind: "whole" };

/** Looks for a depth below `tip`, less than `deep`, at which the older part is small enough. */
async function cutBelow(input: SliceInput, tip: Uint8Array, deep: number): Promise<Cut> {
  const { client, mostObjects, objects } = input;
  let [low, high] = [0, deep];
  let tooMuch: Uint8Array | undefined;
  let depth = Math.round(deep * (1 - Math.min(0.9, (mostObjects * AIM) / objects)));
  for (let tries = 0; tries < MOST_TRIES && high - low > 1; tries++) {
    depth = Math.min(high - 1, Math.max(low + 1, depth));
    const cut = await client.commitsAtDepth(tip, depth);
    const pack = cut.length === 0 ? undefined : await openWants(input, [...cut]);
    if (pack !== undefined && pack.count > 0 && pack.count <= mostObjects) {
      return { kind: "slice", pack, cut: cut.bytes().slice() };
    }
    await pack?.incoming.cancel();
    if (pack === undefined || pack.count === 0) {
      // Nothing lies so deep, or it is here already.
      high = depth;
    } else {
      low = depth;
      tooMuch = cut.at(0).slice();
    }
    depth = Math.round((low + high) / 2);
  }
  return tooMuch === undefined ? { kind: "whole" } : { kind: "too-much", tip: tooMuch };
}

function havesOf({ client, last }: SliceInput): ObjectIdList {
  const haves = new ObjectIdList(client.format);
  if (last !== undefined) for (const name of splitNames(last.anchors, client.format)) haves.push(name);
  return haves;
}

/** Returns the depth of the history below a commit, at which it can't be cut any more. */
async function historyDepth(client: FetchClient, tip: Uint8Array): Promise<number> {
  let [shallow, deep] = [1, DEEPEST];
  while (deep - shallow > Math.max(1, shallow / 8)) {
    const middle = Math.min(deep - 1, Math.max(shallow + 1, Math.round(Math.sqrt(shallow * deep))));
    if ((await client.commitsAtDepth(tip, middle)).length === 0) deep = middle;
    else shallow = middle;
  }
  return deep;
}
