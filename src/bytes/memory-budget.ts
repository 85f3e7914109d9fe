/**
 * The memory that all requests of an isolate share, granted in bytes. Who asks for more than there is room for waits: the share
 * that holds least comes next, and within a share whoever came first. The queue is bounded, and so is the wait.
 *
 * What is kept for later requests (caches, an idle kernel) gives way to what is asked for now. A request that waits for its client
 * is told to go where others need what it holds: see {@link RequestMemory.whileClient}.
 *
 * @packageDocumentation
 */
import { ClientTooSlow, HostBusy } from "./failure.ts";

/** A clock, as the platform has it. */
export type BudgetClock = {
  /** Gives the time, in milliseconds. */
  now(): number;
  /** Calls `then` once, after so many milliseconds, unless what it gives is called before. */
  after(milliseconds: number, then: () => void): () => void;
};

/** How much there is, and how long is waited for it. Bytes and milliseconds. */
export type BudgetLimits = {
  readonly bytes: number;
  /** Bytes that only a request which was granted some already gets, so that it can end. */
  readonly reserve: number;
  /** Requests that wait at once, and those of one share. */
  readonly waiting: number;
  readonly waitingOfShare: number;
  /** How long a request waits for room. */
  readonly patience: number;
  /** How long a client may take or send nothing while others wait: one whose request holds much, and one whose holds little. */
  readonly pressed: { readonly much: number; readonly little: number };
  /** What much is. */
  readonly muchBytes: number;
  /** How long a client may take or send nothing in any case. */
  readonly standstill: number;
  /** How long a client is waited for before the request lets go of what it can do without. */
  readonly parkAfter: number;
};

/** Something that is kept for later and can be made smaller. */
export type KeptMemory = {
  readonly byteLength: number;
  /** Lets go of about `bytes`, where it has so many to spare. */
  reclaim(bytes: number): void;
};

/** Makes a {@link KeptMemory} of how large it is now, and of what makes it smaller. */
export function keptMemory(size: () => number, reclaim: (bytes: number) => void): KeptMemory {
  return {
    get byteLength() {
      return size();
    },
    reclaim,
  };
}

/** What is asked for. */
export type MemoryClaim = {
  readonly bytes: number;
  /** What is kept and becomes part of what is asked for, with its bytes. */
  readonly reuses?: { readonly kept: KeptMemory; bytes(): number };
  /** Called in the moment in which it is granted. */
  readonly onGrant?: () => void;
};

/** What one request holds. Kept apart from {@link RequestMemory}, so that one that is lost can be noticed. */
type Holding = {
  readonly share: string;
  bytes: number;
  /** Claims that were granted and are not given back. */
  claims: number;
  /** Since when its client is waited for; `undefined` while it works. */
  waitsSince: number | undefined;
  isGoing: boolean;
};

type Waiter = {
  readonly holding: Holding;
  readonly claim: MemoryClaim;
  readonly grant: () => void;
};

/** How often a request that waits for its client looks whether it may go on waiting. */
const TICK = 500;
const SECOND = 1000;

/** The memory of one isolate. */
export class MemoryBudget {
  readonly limits: BudgetLimits;
  readonly clock: BudgetClock;
  readonly #holdings = new Set<Holding>();
  readonly #kept: KeptMemory[] = [];
  readonly #queue: Waiter[] = [];
  /** A request that was cut off never ends: what it held is given back when its memory is collected. */
  readonly #lost = new FinalizationRegistry<Holding>((holding) => this.#drop(holding));

  constructor(limits: BudgetLimits, clock: BudgetClock) {
    this.limits = limits;
    this.clock = clock;
  }

  /** Bytes that requests hold, and that are kept for later ones. */
  get used(): number {
    let bytes = 0;
    for (const holding of this.#holdings) bytes += holding.bytes;
    for (const { byteLength } of this.#kept) bytes += byteLength;
    return bytes;
  }

  /** Bytes that requests hold. */
  get held(): number {
    let bytes = 0;
    for (const holding of this.#holdings) bytes += holding.bytes;
    return bytes;
  }

  /** Whether more is held than there is room for. */
  get isOver(): boolean {
    return this.held > this.limits.bytes - this.limits.reserve;
  }

  /** Requests that wait for room. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Counts what is kept for later, and makes it give way. */
  keep(kept: KeptMemory): void {
    this.#kept.push(kept);
  }

  /** Opens the account of one request. `share` names whom it is for: shares come in turn. */
  open(share: string): RequestMemory {
    const holding: Holding = { share, bytes: 0, claims: 0, waitsSince: undefined, isGoing: false };
    const memory = new RequestMemory(this, holding);
    this.#lost.register(memory, holding);
    return memory;
  }

  /** @internal Settles when the holding has been granted the bytes. @throws HostBusy */
  async claim(holding: Holding, claim: MemoryClaim): Promise<void> {
    if (this.#mayPass(holding) && this.#fits(holding, claim)) return this.#grant(holding, claim);
    const own = this.#queue.filter(({ holding: { share } }) => share === holding.share).length;
    if (own >= this.limits.waitingOfShare) throw new HostBusy("share", this.#retryAfter());
    if (this.#queue.length >= this.limits.waiting) throw new HostBusy("host", this.#retryAfter());
    await new Promise<void>((resolve, reject) => {
      const cancel = this.clock.after(this.limits.patience, () => {
        const at = this.#queue.indexOf(waiter);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        reject(new HostBusy("host", this.#retryAfter()));
      });
      const waiter: Waiter = {
        holding,
        claim,
        grant: () => {
          cancel();
          this.#grant(holding, claim);
          resolve();
        },
      };
      this.#queue.push(waiter);
    });
  }

  #grant(holding: Holding, { bytes, onGrant }: MemoryClaim): void {
    holding.claims++;
    this.add(holding, bytes);
    onGrant?.();
  }

  /** @internal Changes what a holding is known to hold, and serves who waits. */
  add(holding: Holding, bytes: number): void {
    holding.bytes = Math.max(0, holding.bytes + bytes);
    if (holding.bytes > 0) this.#holdings.add(holding);
    else this.#holdings.delete(holding);
    if (bytes < 0) this.serve();
  }

  #drop(holding: Holding): void {
    this.#holdings.delete(holding);
    holding.bytes = 0;
    this.serve();
  }

  /** Grants what there is room for, in turn: called by whoever has made room. */
  serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (!this.#fits(next.holding, next.claim)) return;
      this.#queue.splice(this.#queue.indexOf(next), 1);
      next.grant();
    }
  }

  /** Whether a holding that waits for its client has to make way for those who wait for room. */
  mustGo(holding: Holding): boolean {
    const next = this.#next();
    if (next === undefined) return false;
    if (holding.isGoing) return true;
    const now = this.clock.now();
    const { much, little } = this.limits.pressed;
    const isIdle = ({ bytes, waitsSince }: Holding): boolean =>
      waitsSince !== undefined && now - waitsSince >= (bytes >= this.limits.muchBytes ? much : little);
    let missing = this.#missing(next.holding, next.claim);
    for (const each of this.#holdings) if (each.isGoing) missing -= each.bytes;
    const idle = [...this.#holdings].filter((each) => !each.isGoing && isIdle(each));
    for (const each of idle.sort((a, b) => b.bytes - a.bytes)) {
      if (missing <= 0) return false;
      missing -= each.bytes;
      if (each === holding) {
        holding.isGoing = true;
        return true;
      }
    }
    return false;
  }

  /** Who is served next: one who was granted something already, else the first of the share that holds least. */
  #next(): Waiter | undefined {
    const further = this.#queue.find(({ holding }) => holding.claims > 0);
    if (further !== undefined) return further;
    let next: { readonly waiter: Waiter; readonly held: number } | undefined;
    for (const waiter of this.#queue) {
      const held = this.#heldBy(waiter.holding.share);
      if (next === undefined || held < next.held) next = { waiter, held };
    }
    return next?.waiter;
  }

  #heldBy(share: string): number {
    let bytes = 0;
    for (const holding of this.#holdings) if (holding.share === share) bytes += holding.bytes;
    return bytes;
  }

  /** Whether a holding need not wait behind those in the queue. */
  #mayPass(holding: Holding): boolean {
    return this.#queue.length === 0 || (holding.claims > 0 && this.#queue.every((each) => each.holding.claims === 0));
  }

  /** Bytes that have to be given back before a claim fits. */
  #missing(holding: Holding, { bytes, reuses }: MemoryClaim): number {
    const kept = holding.claims > 0 ? 0 : this.limits.reserve;
    const reused = reuses === undefined ? 0 : Math.min(bytes, reuses.bytes());
    return this.used + bytes - reused + kept - this.limits.bytes;
  }

  /** Whether there is room, or can be made. A request that would be alone always has it. */
  #fits(holding: Holding, claim: MemoryClaim): boolean {
    for (const kept of this.#kept) {
      const missing = this.#missing(holding, claim);
      if (missing > 0 && kept !== claim.reuses?.kept) kept.reclaim(missing);
    }
    if (this.#missing(holding, claim) <= 0) return true;
    for (const each of this.#holdings) if (each !== holding) return false;
    return holding.claims === 0;
  }

  /** Seconds after which it is worth asking again. */
  #retryAfter(): number {
    return Math.ceil(this.limits.patience / SECOND / 2);
  }
}

/** What one request holds of an isolate's memory. */
export class RequestMemory {
  readonly #budget: MemoryBudget;
  readonly #holding: Holding;
  #park: (() => void) | undefined;

  /** @internal */
  constructor(budget: MemoryBudget, holding: Holding) {
    this.#budget = budget;
    this.#holding = holding;
  }

  /** Bytes that the request holds. */
  get bytes(): number {
    return this.#holding.bytes;
  }

  /** Waits until a claim is granted; give it back with {@link RequestMemory.giveBack}. @throws HostBusy */
  async claim(claim: MemoryClaim): Promise<void> {
    await this.#budget.claim(this.#holding, claim);
  }

  /** Waits, where more is held than there is room for, until that has changed. @throws HostBusy */
  async room(): Promise<void> {
    if (!this.#budget.isOver) return;
    await this.claim({ bytes: 0 });
    this.giveBack(0);
  }

  /** Gives back what was claimed. */
  giveBack(bytes: number): void {
    this.#holding.claims = Math.max(0, this.#holding.claims - 1);
    this.#budget.add(this.#holding, -bytes);
  }

  /** Accounts for bytes that the request has begun to hold or, negative, holds no longer. */
  hold(bytes: number): void {
    this.#budget.add(this.#holding, bytes);
  }

  /** Has `park` called, once, when the client is waited for: to let go of what can be made again. `undefined`: nothing can. */
  parkWith(park: (() => void) | undefined): void {
    this.#park = park;
  }

  /**
   * Awaits one step of the client's: that it takes some bytes, or sends some. For one that is known to be slow, nothing is kept that
   * can be made again.
   *
   * @throws ClientTooSlow where it stands still for too long, or for long while others wait for what the request holds.
   */
  async whileClient<T>(step: Promise<T>, isSlow = false): Promise<T> {
    const { clock, limits } = this.#budget;
    const holding = this.#holding;
    const since = clock.now();
    if (isSlow) this.#parkNow();
    let cancel: () => void = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      const tick = (): void => {
        const waited = clock.now() - since;
        holding.waitsSince = since;
        if (waited >= limits.standstill) return reject(new ClientTooSlow("standstill"));
        if (this.#budget.mustGo(holding)) return reject(new ClientTooSlow("pressed"));
        if (waited >= limits.parkAfter || this.#budget.waiting > 0) this.#parkNow();
        cancel = clock.after(TICK, tick);
      };
      cancel = clock.after(TICK, tick);
    });
    try {
      return await Promise.race([step, ended]);
    } finally {
      cancel();
      holding.waitsSince = undefined;
    }
  }

  #parkNow(): void {
    const park = this.#park;
    this.#park = undefined;
    park?.();
  }
}
