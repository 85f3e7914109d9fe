/**
 * The memory that all requests of an isolate share, granted in bytes. A request that claims more than there is room for
 * waits. The share that holds least is served next, and within a share the first that came. What of one caller waits is bounded, and
 * so is the wait: see {@link WaitingClaims}.
 *
 * Memory that is kept for later requests (caches, an idle kernel) is freed for claims. A request that waits for its
 * client is ended if others need the memory that it holds: see {@link RequestMemory.whileClient}.
 *
 * @packageDocumentation
 */
import type { BudgetLimits, KeptMemory, MemoryClaim } from "./budget-limits.ts";
import { ClientWaits, endsWithin } from "./client-waits.ts";
import { ClientTooSlow, HostBusy } from "./failure.ts";
import { type BudgetClock, CALM, type Holding, Lookout, newHolding, PRESSED } from "./memory-holding.ts";
import { SlowClients } from "./slow-clients.ts";
import { isFurther, type Waiter, WaitingClaims } from "./waiting-claims.ts";

const SECOND = 1000;

/** The memory of one isolate. */
export class MemoryBudget {
  readonly limits: BudgetLimits;
  readonly clock: BudgetClock;
  readonly #holdings = new Set<Holding>();
  readonly #kept: KeptMemory[] = [];
  readonly #queue: WaitingClaims;
  readonly #lookout: Lookout;
  readonly #slow: SlowClients;
  /** A request that was cut off never ends. Its memory is given back when its {@link RequestMemory} is collected. */
  readonly #lost = new FinalizationRegistry<Holding>((holding) => this.#drop(holding));

  constructor(limits: BudgetLimits, clock: BudgetClock) {
    this.limits = limits;
    this.clock = clock;
    this.#queue = new WaitingClaims(limits);
    this.#slow = new SlowClients(limits.pressed, clock, this.#holdings);
    this.#lookout = new Lookout(clock, this.#holdings, (holding) => this.#drop(holding));
  }

  /** Bytes that requests hold or that are kept for later requests. */
  get used(): number {
    return this.#kept.reduce((bytes, { byteLength }) => bytes + byteLength, this.held);
  }

  /** Bytes that requests hold. */
  get held(): number {
    let bytes = 0;
    for (const holding of this.#holdings) bytes += holding.bytes;
    return bytes;
  }

  /** Bytes that requests may hold as long as they grow. */
  get #growth(): number {
    const { bytes, reserve, small } = this.limits;
    return bytes - reserve - small.room;
  }

  /** Whether requests hold more than the limit without what is kept for small claims and for those that are to end. */
  get isOver(): boolean {
    return this.held > this.#growth;
  }

  /** Bytes that requests may hold more. */
  get free(): number {
    return Math.max(0, this.#growth - this.held);
  }

  /** Whether requests may hold this many bytes more. */
  hasRoom(bytes: number): boolean {
    return this.held + bytes <= this.#growth;
  }

  /** The number of claims that wait for room. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Counts memory that is kept for later requests, and frees it for claims. */
  keep(kept: KeptMemory): void {
    this.#kept.push(kept);
  }

  /**
   * Opens the account of one request. `share` names the party that it counts for; the one that holds least is served
   * first. `caller` names the party whose claims are counted where too many wait.
   */
  open(share: string, caller = share): RequestMemory {
    const holding = newHolding(share, caller);
    const memory = new RequestMemory(this, holding);
    this.#lost.register(memory, holding);
    return memory;
  }

  /**
   * @internal Resolves when the claim is granted.
   *
   * @throws HostBusy if too many wait, or after the limit of waiting.
   */
  async claim(holding: Holding, claim: MemoryClaim): Promise<void> {
    if (this.#isSmall(holding, claim) && this.#fits(holding, claim)) return this.#grant(holding, claim);
    if (this.#queue.mayPass({ holding, claim }) && this.#fits(holding, claim)) {
      this.#queue.take({ holding, claim });
      return this.#grant(holding, claim);
    }
    const refusal = this.#queue.refusal({ holding, claim });
    if (refusal !== undefined) throw new HostBusy(refusal, this.#retryAfter());
    const { patience, standstill } = this.limits;
    const stopLooking = this.#lookout.begin();
    await new Promise<void>((resolve, reject) => {
      const cancel = this.clock.after(claim.isResumed === true ? standstill : patience, () => {
        if (this.#queue.remove(waiter)) reject(new HostBusy("host", this.#retryAfter()));
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
      this.#queue.add(waiter);
    }).finally(stopLooking);
  }

  #grant(holding: Holding, { bytes, onGrant }: MemoryClaim): void {
    holding.claims++;
    // First: what is kept and becomes a part of the claim must not be freed to make room for it.
    onGrant?.();
    this.add(holding, bytes);
  }

  /** @internal Changes the bytes of a holding, and grants waiting claims if it has become smaller. */
  add(holding: Holding, bytes: number): void {
    holding.silentLooks = 0;
    holding.bytes = Math.max(0, holding.bytes + bytes);
    if (holding.bytes > 0) this.#holdings.add(holding);
    else this.#holdings.delete(holding);
    if (bytes < 0) this.serve();
    else this.reclaim();
  }

  /** Has what is kept for later make room for what is held now. Code that has kept more calls it. */
  reclaim(): void {
    const { bytes } = this.limits;
    for (const kept of this.#kept) if (this.used > bytes) kept.reclaim(this.used - bytes);
  }

  /** @internal Ends the request that holds most of all, so that the others go on. @throws HostBusy */
  assertNotLargest(holding: Holding): void {
    for (const each of this.#holdings) if (each.bytes > holding.bytes) return;
    throw new HostBusy("host", this.#retryAfter());
  }

  /** @internal Takes the waiting claims of a request out of the queue: nobody would give back what they are granted. */
  withdraw(holding: Holding): void {
    for (const waiter of this.#queue.filter((each) => each.holding === holding)) this.#queue.remove(waiter);
  }

  #drop(holding: Holding): void {
    this.#holdings.delete(holding);
    holding.bytes = 0;
    this.serve();
  }

  /** Grants waiting claims in order, as far as there is room. Code that frees memory calls it. */
  serve(): void {
    let next = this.#queue.next(this.#holdings);
    for (; next !== undefined && this.#fits(next.holding, next.claim); next = this.#queue.next(this.#holdings)) {
      this.#queue.take(next);
      this.#grantWaiting(next);
    }
    if (next === undefined) return;
    for (const waiter of this.#queue.filter(({ holding, claim }) => this.#isSmall(holding, claim)))
      if (this.#fits(waiter.holding, waiter.claim)) this.#grantWaiting(waiter);
  }

  #grantWaiting(waiter: Waiter): void {
    this.#queue.remove(waiter);
    waiter.grant();
  }

  /** Whether a request that waits for its client has to end for claims that wait for room. */
  mustGo(holding: Holding): boolean {
    const next = this.#queue.next(this.#holdings);
    return next !== undefined && this.#slow.mustEnd(holding, this.#missing(next.holding, next.claim));
  }

  /** Whether a claim passes larger ones: the first of a request, unless that grows without end. */
  #isSmall(holding: Holding, { bytes, isGrowth = false }: MemoryClaim): boolean {
    return bytes <= this.limits.small.bytes && holding.claims === 0 && !isGrowth;
  }

  /** Bytes that have to be given back before a claim fits. */
  #missing(holding: Holding, claim: MemoryClaim): number {
    const { bytes, reuses } = claim;
    const { reserve, small } = this.limits;
    const [reused, spare] = reuses === undefined ? [0, 0] : [Math.min(bytes, reuses.bytes()), reuses.spare()];
    const reserved = isFurther({ holding, claim }) ? 0 : Math.max(0, reserve - spare);
    const kept = this.#isSmall(holding, claim) ? 0 : small.room + reserved;
    return this.used + bytes - reused + kept - this.limits.bytes;
  }

  /**
   * Whether a claim fits, after kept memory is freed for it if needed. The first claim of a request that is alone
   * always fits.
   */
  #fits(holding: Holding, claim: MemoryClaim): boolean {
    for (const kept of this.#kept) {
      const missing = this.#missing(holding, claim);
      if (missing > 0 && kept !== claim.reuses?.kept) kept.reclaim(missing);
    }
    if (this.#missing(holding, claim) <= 0) return true;
    for (const each of this.#holdings) if (each !== holding) return false;
    return holding.claims === 0;
  }

  /** Returns the seconds after which a client may try again. */
  #retryAfter(): number {
    return Math.ceil(this.limits.patience / SECOND / 2);
  }
}

/** The account of the memory that one request holds. */
export class RequestMemory {
  readonly #budget: MemoryBudget;
  readonly #holding: Holding;
  readonly #waits: ClientWaits;
  #park: (() => void) | undefined;

  /** @internal */
  constructor(budget: MemoryBudget, holding: Holding) {
    this.#budget = budget;
    this.#holding = holding;
    this.#waits = new ClientWaits(budget.clock, (since) => this.#checkWait(since));
  }

  /** Bytes that the request holds. */
  get bytes(): number {
    return this.#holding.bytes;
  }

  /**
   * Resolves when a claim is granted. The caller gives it back with {@link RequestMemory.giveBack}.
   *
   * @throws HostBusy
   */
  async claim(claim: MemoryClaim): Promise<void> {
    await this.#budget.claim(this.#holding, claim);
  }

  /** Whether claims wait for room: for those who can end their work early. */
  get othersWait(): boolean {
    return this.#budget.waiting > 0;
  }

  /** Whether this many bytes more may be held: for those who can do with less. */
  hasRoom(bytes: number): boolean {
    return this.#budget.hasRoom(bytes);
  }

  /** If requests hold more than there is room for, waits until there is room. @throws HostBusy */
  async room(): Promise<void> {
    if (!this.#budget.isOver) return;
    this.#budget.assertNotLargest(this.#holding);
    await this.claim({ bytes: 0, isGrowth: true });
    this.giveBack(0);
  }

  /** Returns the bytes of one claim to the budget. */
  giveBack(bytes: number): void {
    this.#holding.claims = Math.max(0, this.#holding.claims - 1);
    this.#budget.add(this.#holding, -bytes);
  }

  /** Records that the client has reset its connection. What the request holds is given back once it does nothing more. */
  cutOff(): void {
    this.#holding.isCut = true;
    this.#holding.silentLooks = 0;
    this.#budget.withdraw(this.#holding);
  }

  /** Counts bytes that the request has begun to hold or, if negative, no longer holds. */
  hold(bytes: number): void {
    this.#budget.add(this.#holding, bytes);
  }

  /** Counts bytes that the request has begun to hold, as far as there is room. Returns how many it counted. */
  holdUpTo(bytes: number): number {
    const held = Math.min(bytes, this.#budget.free);
    this.hold(held);
    return held;
  }

  /** Sets the function that is called once when the request waits for its client, to free what can be made again. */
  parkWith(park: (() => void) | undefined): void {
    this.#park = park;
  }

  /**
   * Awaits one step of the client: that it takes or sends some bytes. For a client that is known to be slow, it first
   * frees what can be made again.
   *
   * @throws ClientTooSlow if the client stands still for too long, or holds memory for long that others wait for.
   */
  async whileClient<T>(step: Promise<T>, isSlow = false): Promise<T> {
    const { waiting } = this.#budget;
    const holding = this.#holding;
    if (isSlow) this.#parkNow();
    if (waiting === 0) [holding.moved, holding.waited] = [0, 0];
    holding.isWaiting = true;
    holding.silentLooks = 0;
    try {
      return await this.#waits.wait(step, waiting > 0 ? PRESSED : CALM, (waited) => (holding.waited += waited));
    } finally {
      holding.waitsSince = undefined;
      holding.isWaiting = false;
    }
  }

  /** Waits this many milliseconds for a step, and returns whether it has ended by then. It goes on if not. */
  async endsWithin(step: Promise<unknown>, milliseconds: number): Promise<boolean> {
    return await endsWithin(step, milliseconds, this.#budget.clock);
  }

  /** Looks at a step of the client that is waited for since a time. Returns the reason if the wait has to end. */
  #checkWait(since: number): ClientTooSlow["reason"] | undefined {
    const { clock, limits, waiting } = this.#budget;
    const holding = this.#holding;
    const waited = clock.now() - since;
    holding.waitsSince = since;
    holding.silentLooks = 0;
    if (waited >= limits.standstill) return "standstill";
    if (this.#budget.mustGo(holding)) return "pressed";
    if (waited >= limits.parkAfter || waiting > 0) this.#parkNow();
    return undefined;
  }

  /**
   * Records that the client has taken or sent this many bytes in the last step.
   *
   * @throws ClientTooSlow if that is too little for what the request holds, while others wait.
   */
  moved(bytes: number): void {
    this.#holding.moved += bytes;
    if (this.#budget.mustGo(this.#holding)) throw new ClientTooSlow("pressed");
  }

  #parkNow(): void {
    const park = this.#park;
    this.#park = undefined;
    park?.();
  }
}
