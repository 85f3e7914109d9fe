/**
 * The calls of a repository's object about its webhooks, and about what they alone are told of: statuses of commits.
 *
 * @packageDocumentation
 */
import type {
  AttemptResult,
  Delivery,
  DueDeliveries,
  Hook,
  HookChange,
  HookSettings,
  RedeliverAnswer,
} from "../../events/hook.ts";
import type { StatusAnswer, StatusRequest } from "../../refs/commit-statuses.ts";
import type { LockChange } from "../../events/lock-change.ts";
import type { LfsCall, LfsReply } from "./lfs-database.ts";
import { lockChangeOf } from "./lock-database.ts";
import type { RepositoryHooks } from "./hook-database.ts";
import type { RepositoryObjectEnv } from "./repository-env.ts";
import { CopiedObject } from "../sql/copied-object.ts";
import { KEPT_TABLES, REPOSITORY_SCHEMA } from "./schema.ts";
import { departedIds } from "./tables/moved.ts";
import { leaseStrays, settleRestored, whereabouts } from "./tables/restored.ts";

/** An object of a repository that may have webhooks. */
export abstract class HookedObject extends CopiedObject<RepositoryObjectEnv> {
  constructor(state: DurableObjectState, env: RepositoryObjectEnv) {
    super(state, env, {
      kind: "repository",
      schema: REPOSITORY_SCHEMA,
      settle: settleRestored,
      outliving: KEPT_TABLES,
      repositories: { whereabouts, departed: departedIds, leaseStrays },
    });
  }

  override woken(): void {
    this.waking(undefined);
  }

  /** See `HookStore.listHooks`. */
  listHooks(): Hook[] | undefined {
    return this.hooks()?.list();
  }

  /** See `HookStore.addHook`. */
  addHook(settings: HookSettings, origin: string): Hook | "too-many" | undefined {
    return this.waking(this.hooks()?.add(settings, origin, Date.now()));
  }

  /** See `HookStore.changeHook`. */
  changeHook(id: string, change: HookChange, origin: string): Hook | undefined {
    return this.waking(this.hooks()?.change(id, change, { origin, now: Date.now() }));
  }

  /** See `HookStore.removeHook`. */
  removeHook(id: string): boolean {
    return this.hooks()?.remove(id) ?? false;
  }

  /** See `HookStore.listDeliveries`. */
  listDeliveries(hook: string): Delivery[] | undefined {
    return this.hooks()?.deliveries(hook);
  }

  /** See `HookStore.redeliver`. */
  redeliver(hook: string, delivery: number | "ping"): RedeliverAnswer {
    return this.waking(this.hooks()?.redeliver(hook, delivery, Date.now()));
  }

  /** See `HookStore.takeDeliveries`. */
  takeDeliveries(id: string, hook: string): DueDeliveries | undefined {
    return this.hooks(id)?.take(hook, Date.now());
  }

  /** See `HookStore.deliveriesDone`. */
  deliveriesDone(id: string, hook: string, results: readonly AttemptResult[]): void {
    this.waking(this.hooks(id)?.done(hook, results, Date.now()));
  }

  /** See `StatusStore`. */
  statuses(request: StatusRequest): StatusAnswer {
    return this.waking(this.hooks(request.id)?.statuses(request) ?? { kind: "gone" });
  }

  /** See `LfsStore`, whose methods these calls stand for. Webhooks and subscribers are told of locks. */
  lfs(call: LfsCall): LfsReply {
    const now = Date.now();
    const reply = this.answerLfs(call, now);
    const change = call.kind === "locks" ? lockChangeOf(call.request, reply.locks, now) : undefined;
    if (change !== undefined) {
      this.hooks()?.lockChanged(change);
      this.lockChanged(change);
    }
    return this.waking(reply);
  }

  protected abstract answerLfs(call: LfsCall, now: number): LfsReply;

  /** Has subscribers told of a lock. */
  protected abstract lockChanged(change: LockChange): void;

  /** Returns the webhooks of the repository, if it is the one asked for; `undefined` if there is none. */
  protected abstract hooks(id?: string): RepositoryHooks | undefined;

  /** Returns the result of a change, and sets the alarm for the work that is then due. */
  protected abstract waking<Answer>(answer: Answer): Answer;
}
