/**
 * Reads `wrangler.toml` for the host on this machine, so that both run the Worker with the same settings.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import * as v from "valibot";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const text = v.string();
const count = v.number();
const period = v.picklist([10, 60]);

/**
 * The settings that the host on this machine follows. The others, such as where data lives, are for the platform alone.
 */
const CONFIG = v.object({
  name: text,
  compatibility_date: text,
  compatibility_flags: v.array(text),
  r2_buckets: v.array(v.object({ binding: text, bucket_name: text })),
  kv_namespaces: v.array(v.object({ binding: text, id: v.optional(text) })),
  durable_objects: v.object({ bindings: v.array(v.object({ name: text, class_name: text })) }),
  migrations: v.array(v.object({ new_sqlite_classes: v.array(text) })),
  queues: v.object({
    producers: v.array(v.object({ binding: text, queue: text })),
    consumers: v.array(
      v.object({
        queue: text,
        max_batch_size: count,
        max_batch_timeout: count,
        max_retries: count,
        max_concurrency: v.optional(count),
        dead_letter_queue: v.optional(text),
      }),
    ),
  }),
  ratelimits: v.array(v.object({ name: text, namespace_id: text, simple: v.object({ limit: count, period }) })),
});

/** The parsed settings of `wrangler.toml`. */
export type WranglerConfig = v.InferOutput<typeof CONFIG>;

/**
 * Reads `wrangler.toml`.
 *
 * @throws Error if it lacks a setting that the host needs.
 */
export function readWranglerConfig(): WranglerConfig {
  return v.parse(CONFIG, parse(readFileSync(join(root, "wrangler.toml"), "utf8")));
}

/** Returns the values of these rows, under their names. */
function named<Row, Value>(
  rows: readonly Row[],
  name: (row: Row) => string,
  value: (row: Row) => Value,
): Record<string, Value> {
  return Object.fromEntries(rows.map((row) => [name(row), value(row)]));
}

/** The bounds on requests that a test may set in place of those of `wrangler.toml`, by the binding's name. */
export type RateLimits = Readonly<Record<string, number>>;

/**
 * Returns the bindings and settings of `wrangler.toml` in the form of the platform's simulator. Counters are bound only
 * if `limits` has them.
 */
export function simulatorOptions(config: WranglerConfig, limits: RateLimits) {
  const classes = new Set(config.migrations.flatMap((migration) => migration.new_sqlite_classes));
  return {
    name: config.name,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    r2Buckets: named(
      config.r2_buckets,
      ({ binding }) => binding,
      (bucket) => bucket.bucket_name,
    ),
    kvNamespaces: named(
      config.kv_namespaces,
      ({ binding }) => binding,
      ({ id }) => id ?? config.name,
    ),
    durableObjects: named(
      config.durable_objects.bindings,
      ({ name }) => name,
      (object) => ({ className: object.class_name, useSQLite: classes.has(object.class_name) }),
    ),
    queueProducers: named(
      config.queues.producers,
      ({ binding }) => binding,
      ({ queue }) => queue,
    ),
    queueConsumers: named(
      config.queues.consumers,
      ({ queue }) => queue,
      (consumer) => ({
        maxBatchSize: consumer.max_batch_size,
        maxBatchTimeout: consumer.max_batch_timeout,
        maxRetries: consumer.max_retries,
        ...(consumer.dead_letter_queue === undefined ? {} : { deadLetterQueue: consumer.dead_letter_queue }),
        ...(consumer.max_concurrency === undefined ? {} : { maxConcurrency: consumer.max_concurrency }),
      }),
    ),
    ratelimits: named(
      config.ratelimits.filter(({ name }) => limits[name] !== undefined),
      ({ name }) => name,
      ({ name, namespace_id, simple }) => ({
        namespace_id,
        simple: { ...simple, limit: limits[name] ?? simple.limit },
      }),
    ),
  };
}
