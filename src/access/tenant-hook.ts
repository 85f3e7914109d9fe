/**
 * Webhooks of a tenant: each is told of what moves in every repository of the tenant. The tenant keeps the list, and
 * each repository has a copy of it, with which it makes its own deliveries.
 *
 * @packageDocumentation
 */

/** A webhook of a tenant. Times are in milliseconds since the epoch. */
export type TenantHook = {
  readonly id: string;
  readonly url: string;
  /** The secret that signs each delivery, which no caller is shown. */
  readonly secret?: string;
  /** Names of events. */
  readonly events: readonly string[];
  readonly active: boolean;
  /** The origin under which the host was reached when the webhook was set. */
  readonly origin: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** A change of a tenant's webhook. Absent settings stay. An empty secret removes the secret. */
export type TenantHookChange = Partial<Pick<TenantHook, "url" | "secret" | "events" | "active">> &
  Pick<TenantHook, "origin">;

/** The most webhooks of a tenant. */
export const MOST_TENANT_HOOKS = 5;
