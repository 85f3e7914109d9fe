/**
 * Takes history that is too much for one go in slices, oldest first. Each is all that is reachable from some commits, and so closed
 * like a push; no ref comes with it, so that readers see nothing of it before the last.
 *
 * Where the upstream has releases, a slice is all up to one of them: tags, in the order of their numbers. Else, or between two
 * releases, it is cut by depth:
 *
 * ```text
 * tip ── · ── · ── B ── · ── · ── A ── · ── · ── root        A: the commits at the depth of the first slice, B: of the second
 *                                 └──── first ────┘
 *                  └─── second ────┘
 * └───── the rest: refs ─────┘
 * ```
 *
 * Which commits lie at a depth an upstream says before it sends anything: they are where it would cut history for a client that asks for
 * so much of it. That answer is broken off there, and the commits are wanted by name.
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

/** A pack whose first bytes were read to know how much it is. */
export type OpenedPack = { readonly head: Uint8Array; readonly count: number; readonly incoming: IncomingPack };

/** Where slices are cut. */
export type SliceInput = {
  readonly client: FetchClient;
  readonly listener: BandListener;
  /** What is wanted, oldest first as far as names tell. */
  readonly wanted: readonly NamedValue[];
  /** What is here of slices before. */
  readonly last: Slice | undefined;
  /** Objects that are taken in one go. */
  readonly mostObjects: number;
  /** Objects that are still to come. */
  readonly objects: number;
};

/** A slice on its way: all below the commits or tags of `cut`, raw names one after the other. */
export type IncomingSlice = { readonly pack: OpenedPack; readonly cut: Uint8Array };

/** Deeper than any history is. */
const DEEPEST = 2 ** 24;
/** Packs asked for to find one that is small enough, below one commit; and how often to begin anew below another. */
const MOST_TRIES = 8;
const MOST_LEVELS = 8;
/** Of what fits, what is aimed at: depth says little of size. */
const AIM = 0.7;

/** Opens a pack and reads what it says of itself. */
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
 * Opens the next slice: one that fits, where there is one. What can't be cut any more, such as a first commit that brings all, is
 * taken as it is.
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
    // All of it hangs on one commit of old that is reached by a short way: look below that.
    ({ tip } = found);
  }
  return { pack: await openWants(input, [tip]), cut: tip };
}

async function openWants(input: SliceInput, oids: readonly Uint8Array[]): Promise<OpenedPack> {
  const wants = new ObjectIdList(input.client.format);
  for (const oid of oids) wants.push(oid);
  return await openPack(await input.client.fetchPack({ wants, haves: havesOf(input), thin: false }, input.listener));
}

/** Opens as much as fits of what is wanted, from the oldest on; `undefined` where the oldest alone is too much. */
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

/** Looks for a depth below `tip`, less than `deep`, where what is older is little enough. */
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
      // There is nothing so deep, or it is here.
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

/** Gives the depth of history below a commit: where it can't be cut any more. */
async function historyDepth(client: FetchClient, tip: Uint8Array): Promise<number> {
  let [shallow, deep] = [1, DEEPEST];
  while (deep - shallow > Math.max(1, shallow / 8)) {
    const middle = Math.min(deep - 1, Math.max(shallow + 1, Math.round(Math.sqrt(shallow * deep))));
    if ((await client.commitsAtDepth(tip, middle)).length === 0) deep = middle;
    else shallow = middle;
  }
  return deep;
}
