/**
 * Answers a client's haves. Over HTTP each request repeats what is common so far, so that a round is worked out from its
 * request alone. On a connection a client says each have once, and the negotiation remembers what was common before.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-v2(5), git's upload-pack.c
 */
import { toHex } from "../../bytes/hex.ts";
import type { Acknowledgement, AcknowledgementStatus } from "../../wire/acknowledgements.ts";
import { formatAcknowledgement } from "../../wire/acknowledgements.ts";
import { formatAcknowledgments } from "../../wire/fetch-response.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import type { UploadHaves } from "../../wire/upload-request.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import type { ResponseWriter } from "../response-writer.ts";

/** The way in which a client of versions 0 and 1 wants its haves acknowledged. */
export type AcknowledgementStyle = {
  readonly multiAck: "none" | "multi_ack" | "multi_ack_detailed";
  /** Whether the pack follows as soon as `ready` was said. */
  readonly noDone: boolean;
  /** Whether later rounds leave out what this one had in common. */
  readonly remembers?: boolean;
};

/** The part of a fetch session that negotiation needs. */
export type CommonGround = Pick<FetchSession, "has" | "addCommon" | "okToGiveUp">;

/**
 * The most times per round that an unknown have causes a check whether enough is common. Each check is a walk, and a
 * client decides how often its haves change from known to unknown. The check at the end of the round does not count.
 */
const MOST_LOOKS = 16;
/** The most checks of one negotiation, those at the ends of rounds included. A client needs one or two. */
const MOST_LOOKS_OF_ALL = 256;

/** What earlier rounds of a negotiation have found. */
type Remembered = { lastCommon: Uint8Array | undefined; looks: number };

/** The common objects so far, learnt have by have as in C git's upload-pack. */
class Learning {
  readonly #ground: CommonGround;
  readonly #haves: ObjectIdList;
  readonly #before: Remembered;
  /** The index of the first have of which the session was not told. */
  #told = 0;
  #lastCommon = -1;
  #enough: boolean | undefined;
  #looks = 0;
  readonly #known: Uint8Array;

  constructor(ground: CommonGround, haves: ObjectIdList, known: Uint8Array, before: Remembered) {
    this.#ground = ground;
    this.#haves = haves;
    this.#known = known;
    this.#before = before;
  }

  /** The last have that is common; `undefined` while there is none. */
  get lastCommon(): Uint8Array | undefined {
    return this.hasCommon ? this.#haves.at(this.#lastCommon) : this.#before.lastCommon;
  }

  /** Whether some have of this round is common. */
  get hasCommon(): boolean {
    return this.#lastCommon >= 0;
  }

  /** Records that the have at `index` is common. */
  note(index: number): void {
    this.#lastCommon = index;
    // Once enough is common, more of it can't change that.
    if (this.#enough === false) this.#enough = undefined;
  }

  /**
   * Whether enough is common, as C git's `ok_to_give_up()` decides. The result is kept until more is common. `index` is
   * the end of the haves taken so far.
   */
  async enough(index: number, isEnd: boolean): Promise<boolean> {
    if (this.lastCommon === undefined) return false;
    if (this.#enough === undefined) {
      if (!isEnd && this.#looks++ >= MOST_LOOKS) return false;
      if (this.#before.looks++ >= MOST_LOOKS_OF_ALL) return false;
      await this.tell(index);
      this.#enough = await this.#ground.okToGiveUp();
    }
    return this.#enough;
  }

  /** Tells the session which haves before `end` are common. */
  async tell(end: number): Promise<void> {
    const names = commonOf(this.#haves, this.#known, this.#told, end);
    this.#told = end;
    if (names.length > 0) await this.#ground.addCommon(names);
  }
}

/** Returns the known haves from `start` up to `end`, concatenated. */
function commonOf(haves: ObjectIdList, known: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const { rawSize } = haves.format;
  let count = 0;
  for (let index = start; index < end; index++) count += known[index] === 1 ? 1 : 0;
  const names = new Uint8Array(count * rawSize);
  let at = 0;
  for (let index = start; index < end; index++) {
    if (known[index] !== 1) continue;
    names.set(haves.at(index), at);
    at += rawSize;
  }
  return names;
}

/**
 * The negotiation of versions 0 and 1, as in git's `get_common_commits()`.
 *
 * There is one difference. Without multi_ack C git may acknowledge a second object if it is a parent of the first.
 * gitprotocol-pack(5) acknowledges the first only, and a client that gets a second line takes it for the pack.
 */
export class Negotiation {
  readonly #ground: CommonGround;
  readonly #style: AcknowledgementStyle;
  readonly #answer: ResponseWriter;
  readonly #before: Remembered = { lastCommon: undefined, looks: 0 };

  constructor(ground: CommonGround, style: AcknowledgementStyle, answer: ResponseWriter) {
    this.#ground = ground;
    this.#style = style;
    this.#answer = answer;
  }

  /** Answers one round. Returns `pack` if the pack follows, `end` if the client is to send another round. */
  async round(round: UploadHaves): Promise<"pack" | "end"> {
    const known = await knownOf(this.#ground, round.haves);
    const learning = new Learning(this.#ground, round.haves, known, this.#before);
    const next = await this.#answerRound({ round, known, learning, style: this.#style, answer: this.#answer });
    this.#before.lastCommon = learning.lastCommon?.slice();
    return next;
  }

  async #answerRound(under: RoundUnderWay): Promise<"pack" | "end"> {
    const { round, learning, style, answer } = under;
    const gotOther = await acknowledgeHaves(under);
    const say = (status: AcknowledgementStatus): void => {
      const oid = learning.lastCommon;
      if (oid !== undefined) formatAcknowledgement({ kind: "ack", oid, status }, answer.lines);
    };
    const detailed = style.multiAck === "multi_ack_detailed";
    if (round.done) {
      // The client has no more to say. Without multi_ack its first common object was answered already.
      await learning.tell(round.haves.length);
      if (learning.lastCommon === undefined) formatAcknowledgement({ kind: "nak" }, answer.lines);
      else if (style.multiAck !== "none") say("final");
      return "pack";
    }
    // In a round in which everything was common, no unknown have asked whether enough is common: ask here.
    const isAllCommon = learning.hasCommon && !gotOther.other;
    const ready = detailed && isAllCommon && (await learning.enough(round.haves.length, true));
    if (ready) say("ready");
    if (learning.lastCommon === undefined || style.multiAck !== "none") {
      formatAcknowledgement({ kind: "nak" }, answer.lines);
    }
    const isEnd = !style.noDone || !(ready || gotOther.ready);
    if (!isEnd || style.remembers === true) await learning.tell(round.haves.length);
    if (isEnd) return "end";
    say("final");
    return "pack";
  }
}

type RoundUnderWay = {
  readonly round: UploadHaves;
  readonly known: Uint8Array;
  readonly learning: Learning;
  readonly style: AcknowledgementStyle;
  readonly answer: ResponseWriter;
};

/** Answers each have in turn. `other`: whether one was not known. `ready`: whether `ready` was said at one. */
async function acknowledgeHaves(under: RoundUnderWay): Promise<{ readonly other: boolean; readonly ready: boolean }> {
  const { round, known, learning, style, answer } = under;
  let [other, ready] = [false, false];
  for (let index = 0; index < round.haves.length; index++) {
    const oid = round.haves.at(index);
    let reply: Acknowledgement | undefined;
    if (known[index] === 1) {
      reply = replyToCommon(oid, style, learning.lastCommon === undefined);
      learning.note(index);
    } else {
      other = true;
      if (style.multiAck !== "none" && (await learning.enough(index, false))) {
        // Acknowledged although it is unknown here: the client need not go further down from it.
        ready ||= style.multiAck === "multi_ack_detailed";
        reply = { kind: "ack", oid, status: style.multiAck === "multi_ack_detailed" ? "ready" : "continue" };
      }
    }
    if (reply !== undefined) formatAcknowledgement(reply, answer.lines);
    await answer.sendFull();
  }
  return { other, ready };
}

function replyToCommon(oid: Uint8Array, style: AcknowledgementStyle, isFirst: boolean): Acknowledgement | undefined {
  if (style.multiAck === "multi_ack_detailed") return { kind: "ack", oid, status: "common" };
  if (style.multiAck === "multi_ack") return { kind: "ack", oid, status: "continue" };
  return isFirst ? { kind: "ack", oid, status: "final" } : undefined;
}

async function knownOf(ground: CommonGround, haves: ObjectIdList): Promise<Uint8Array> {
  return haves.length === 0 ? new Uint8Array(0) : await ground.has(haves.bytes().slice());
}

/** Takes the haves of a version 2 client that has said `done` and so wants no answer to them. */
export async function takeHaves(ground: CommonGround, haves: ObjectIdList): Promise<void> {
  const common = commonOf(haves, await knownOf(ground, haves), 0, haves.length);
  if (common.length > 0) await ground.addCommon(common);
}

/** What the haves of a version 2 client may lead to. */
export type HavesAllow = {
  /** Whether the pack may follow: not for a client that asked for `wait-for-done`. */
  readonly ready: boolean;
  /** Whether the first haves may decide: the client has all of its commits' history, and wants all of theirs. */
  readonly early: boolean;
};

/**
 * Answers the haves of a version 2 client. Returns whether the pack follows. As git's server it acknowledges all that are common, but where
 * the first ones suffice, and to look the others up would cost much, it acknowledges one.
 */
export async function acknowledgeHavesV2(
  ground: CommonGround & Pick<FetchSession, "settleByFirst">,
  haves: ObjectIdList,
  may: HavesAllow,
  answer: ResponseWriter,
): Promise<boolean> {
  const first = may.ready && may.early ? await ground.settleByFirst(haves.bytes().slice()) : undefined;
  if (first !== undefined) {
    await answer.sendEach(formatAcknowledgments({ common: [first], ready: true }, answer.lines));
    await answer.send();
    return true;
  }
  const common = commonOf(haves, await knownOf(ground, haves), 0, haves.length);
  if (common.length > 0) await ground.addCommon(common);
  const ready = may.ready && common.length > 0 && (await ground.okToGiveUp());
  await answer.sendEach(formatAcknowledgments({ common: namesOf(common, haves.format.rawSize), ready }, answer.lines));
  await answer.send();
  return ready;
}

/** Returns each of some raw names once, however often a client has sent it: newer clients take a second acknowledgement for a mistake. */
function* namesOf(names: Uint8Array, rawSize: number): Generator<Uint8Array> {
  const seen = new Set<string>();
  for (let at = 0; at < names.length; at += rawSize) {
    const name = names.subarray(at, at + rawSize);
    const key = toHex(name);
    if (!seen.has(key)) yield name;
    seen.add(key);
  }
}
