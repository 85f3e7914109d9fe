/**
 * Makes objects and moves refs as a push would, for a caller that sends no pack but says what is to change: a commit of
 * the API, a merge, a tag, a ref. The objects go in by the same steps as those of a push, and the same transaction moves
 * the refs.
 *
 * ```text
 * begin (lease, snapshot) → read objects, add new ones → land (ingest, checks, transaction) → end
 * ```
 *
 * @packageDocumentation
 */
import { toHex } from "../../bytes/hex.ts";
import { GraphSession } from "../../graph/graph-session.ts";
import { type ObjectFormat, objectFormat } from "../../object/object-id.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import type { StagedPack } from "../../packing/staged-pack.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { KeptBlobStore } from "../../refs/kept-blobs.ts";
import type { AnsweredOnce, RequestOnce } from "../../refs/ref-store.ts";
import type { RefOutcome, RefUpdate } from "../../refs/ref-update.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import type { PushExchange } from "../../service/exchange.ts";
import { beginAdmitted, type Begun } from "../../service/push/begin-admitted.ts";
import {
  checkValues,
  commit,
  databaseOf,
  ingest,
  type Landing,
  type LandingExchange,
  tipPackOf,
} from "../../service/push/landing.ts";
import { LfsWatch } from "../../repository/lfs-watch.ts";
import { type ComingPush, type HeldPack, holdPack } from "../../service/push/held-pack.ts";
import { PushMemory } from "../../service/push/push-memory.ts";
import { PushVerdict } from "../../service/push/push-verdict.ts";
import { keptFile } from "./kept-file.ts";
import { NewObjects } from "./new-objects.ts";
import { withSignature, withTagSignature } from "./signed-payload.ts";

/** Random bytes of the name of a pack. */
const PACK_NAME_BYTES = 20;
/** Steps that a signature counts for: RSA with 4096 bits takes about 5 milliseconds. */
const SIGNATURE_STEPS = 150_000;
const NO_PROGRESS = { received: async () => undefined, resolved: async () => undefined };

/** Who writes, and by which rules. */
export type WriteExchange = LandingExchange &
  Pick<PushExchange, "admit" | "lockOwner" | "served"> & {
    /** The blobs that were sent before. Without it there are none. */
    readonly kept?: KeptBlobStore;
    /** How commits and annotated tags are signed that are made here. Without it they are not. */
    readonly signing?: Signing;
  };

/** How what is made is signed. */
export type Signing = {
  /** Whether it is, whatever the settings of the repository say. */
  readonly isAsked: boolean;
  /**
   * Returns an armoured signature of these bytes; `undefined` if they are to be signed elsewhere, and are only shown. `number` says how
   * many objects of the same session have been signed, this one included.
   */
  readonly sign: (payload: Uint8Array, number: number) => Promise<string | undefined>;
};

/** What a session begins with. */
export type WriteRequest = {
  /** Full names of the refs whose values the caller needs. */
  readonly names: readonly string[];
  /** Whether objects may be made. If not, no keys are leased for a pack. */
  readonly makesObjects: boolean;
  /** See `BeginPushRequest`. */
  readonly once?: string;
};

/** How refs are to be moved. */
export type WriteOrder = {
  readonly updates: readonly Pick<RefUpdate, "name" | "oldOid" | "newOid">[];
  /** Whether all updates succeed or none. */
  readonly atomic: boolean;
  /** Whether the updates are only tried: their outcomes are found out, and the repository stays as it is. */
  readonly isTrial?: boolean;
  /** See `CommitPushRequest`. */
  readonly once?: RequestOnce;
};

/** What came of an order: the outcome of each update, or the answer that the same request was given before. */
export type WriteAnswer =
  | { readonly kind: "done"; readonly outcomes: readonly RefOutcome[] }
  | { readonly kind: "answered"; readonly before: AnsweredOnce };

/** One writing to one repository. Call {@link WriteSession.end} at its end, whatever happened. */
export class WriteSession {
  readonly begun: Begun;
  readonly format: ObjectFormat;
  /** The objects that the landing stores, together. */
  readonly objects: NewObjects;
  readonly #exchange: WriteExchange;
  readonly #memory: PushMemory;
  readonly #values: ReadonlyMap<string, string>;
  readonly #staged: StagedPack | undefined;
  readonly #held: HeldPack | undefined;
  #graph: GraphSession | undefined;
  #database: ObjectDatabase | undefined;
  #hasLanded = false;
  #signed = 0;

  private constructor(exchange: WriteExchange, { names }: WriteRequest, begun: Begun, coming: ComingPush | undefined) {
    const { repository } = exchange;
    this.begun = begun;
    this.format = objectFormat(begun.record.objectFormat);
    this.objects = new NewObjects(repository, this.format);
    this.#exchange = exchange;
    this.#memory = new PushMemory(repository, this.format.rawSize);
    this.#values = new Map(names.map((name, at) => [name, begun.current[at] ?? ""])); // One value for each name.
    this.#staged = coming?.staged;
    this.#held = coming?.held;
  }

  /** Opens the repository and has the requester admitted. @throws the refusal of the exchange's `admit`. */
  static async begin(exchange: WriteExchange, request: WriteRequest): Promise<WriteSession> {
    const { repository } = exchange;
    const packName = request.makesObjects ? toHex(repository.random(PACK_NAME_BYTES)) : undefined;
    const admission = { admit: exchange.admit };
    const begun = await beginAdmitted({ exchange, admission }, { ...request, mayBeSmall: true }, packName);
    const coming = packName === undefined ? undefined : holdPack(repository, begun, packName);
    return new WriteSession(exchange, request, begun, coming);
  }

  /** Returns the value in hexadecimal of a ref that the request named; `undefined` if it does not exist. */
  valueOf(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === "" ? undefined : value;
  }

  /** Adds a commit to the new objects, signed if it is to be. Returns its raw name. */
  async addCommit(text: Uint8Array): Promise<Uint8Array> {
    return await this.objects.add("commit", await this.signed("commit", text));
  }

  /** Adds an annotated tag, signed if it is to be. Returns its raw name. */
  async addTag(text: Uint8Array): Promise<Uint8Array> {
    return await this.objects.add("tag", await this.signed("tag", text));
  }

  /** Returns a commit or a tag with its signature, if it is to be signed: in a header of a commit, and at the end of a tag's message. */
  async signed(type: "commit" | "tag", text: Uint8Array): Promise<Uint8Array> {
    const { signing } = this.#exchange;
    if (signing === undefined || !(signing.isAsked || this.begun.record.hostSigns === true)) return text;
    const { pacer } = this.#exchange.repository;
    pacer.add(SIGNATURE_STEPS);
    if (pacer.isDue) await pacer.pace();
    const armoured = await signing.sign(text, ++this.#signed);
    if (armoured === undefined) return text;
    return type === "tag" ? withTagSignature(text, armoured) : withSignature(text, armoured, this.format.name);
  }

  /** The objects that were there before. */
  get database(): ObjectDatabase {
    return (this.#database ??= databaseOf({ exchange: this.#exchange, begun: this.begun }));
  }

  /** Returns the session in which objects are read. It is over when {@link land} is called. @throws HostBusy */
  async graph(): Promise<GraphSession> {
    return (this.#graph ??= new GraphSession(this.database, await this.#memory.kernel()));
  }

  /**
   * Stores the new objects, checks everything as for a push, and moves the refs. The outcomes are in the order of the
   * updates.
   *
   * @throws ObjectRejected, LimitExceeded if an object or their sum is refused. Nothing is stored then.
   */
  async land({ updates, atomic, ...how }: WriteOrder): Promise<WriteAnswer> {
    await this.#leaveGraph();
    const landing = this.#landing(updates, atomic);
    const { verdict } = landing;
    // The session knows refs that are not moved.
    const current = updates.map(({ name }) => this.#values.get(name) ?? ""); // No value is none.
    // A signature of what comes is no signed push: it can be handed in again, by anybody, and for another branch.
    const by = { pusher: this.#exchange.pusher, signed: false };
    await verdict.refuseDoomed({ ...this.begun, current }, by, this.#exchange.repository.pacer);
    const before = verdict.running.length === 0 ? undefined : await this.#store(landing, how);
    if (before !== undefined) return { kind: "answered", before };
    const { outcomes } = verdict;
    this.#exchange.served?.(outcomes.some(({ kind }) => kind === "ok") ? "push" : "rejected");
    return { kind: "done", outcomes };
  }

  /** Gives back what the session holds, and drops what was not landed. */
  async end(): Promise<void> {
    await this.#leaveGraph();
    this.objects.free();
    this.#memory.end();
    if (!this.#hasLanded) await this.#staged?.discard(false);
  }

  #landing(updates: WriteOrder["updates"], atomic: boolean): Landing {
    const { format, begun } = this;
    const moves = updates.map((update): RefUpdate => {
      const { name, oldOid, newOid } = update;
      return { name, oldOid, newOid, forward: isZeroOid(oldOid) || oldOid === newOid };
    });
    const validNames = moves.map(({ name }) => !isTooLong(name) && isPushableRefName(name));
    return {
      exchange: this.#exchange,
      request: { format, atomic, pushOptions: [], shallows: [] },
      begun,
      verdict: new PushVerdict({ updates: moves, atomic, validNames }),
      staged: this.#staged,
      held: this.#held,
      certificate: undefined,
      memory: this.#memory,
      watch: new LfsWatch(begun.record.lfs),
    };
  }

  async #store(landing: Landing, how: Pick<WriteOrder, "isTrial" | "once">): Promise<AnsweredOnce | undefined> {
    const { verdict, staged } = landing;
    const tips = verdict.running;
    let pack: IngestedPack | undefined;
    try {
      if (this.objects.count > 0 && staged !== undefined) {
        this.#hasLanded = true;
        pack = await ingest(landing, { ...this.#pack(), staged, progress: NO_PROGRESS });
      }
      await checkValues(landing, pack, false);
    } catch (error) {
      pack?.release();
      await staged?.discard();
      throw error;
    }
    try {
      const tipPack = how.isTrial === true ? undefined : await tipPackOf(landing, pack);
      return await commit(landing, { pack, tips, tipPack, ...how });
    } finally {
      pack?.release();
    }
  }

  #pack(): ReturnType<NewObjects["pack"]> {
    const storage = this.#exchange.repository.storage(this.begun.record.id);
    return this.objects.pack(({ pack, bytes }) => storage.openStream(keptFile(pack), 0, bytes));
  }

  /** The kernel is needed for the new objects: nothing is read any more. */
  async #leaveGraph(): Promise<void> {
    const graph = this.#graph;
    if (graph === undefined) return;
    this.#graph = undefined;
    graph.close();
    (await this.#memory.kernel()).reset();
  }
}
