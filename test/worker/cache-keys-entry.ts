/**
 * The observed Worker, which also tells under which keys it remembers and finds things, for whom.
 *
 * @packageDocumentation
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { ExpiringMap } from "../../src/bytes/expiring-map.ts";
import type { Env } from "../../src/env.ts";
import { BlockCache } from "../../src/store/block-cache.ts";
import { Remembered } from "../../src/web/remembered.ts";
import { ASKER_HEADER, CACHE_USES_PATH, type CacheUse } from "../support/isolation/cache-uses.ts";
import { GitHost as DeployedHost } from "../../src/worker.ts";
import observed, { DirectoryObject, LenderObject, RepositoryObject, TenantObject } from "./observed-entry.ts";

export { DirectoryObject, LenderObject, RepositoryObject, TenantObject };

const askers = new AsyncLocalStorage<string>();
let uses: CacheUse[] = [];

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** Notes that something was kept, or found, under a key. Without a digest, what it is may change. */
function note(cache: string, key: string, found: boolean, bytes?: Uint8Array): void {
  uses.push({
    cache,
    key,
    found,
    asker: askers.getStore() ?? "",
    ...(bytes === undefined ? {} : { digest: digestOf(bytes) }),
  });
}

/** Calls `then` after each call of a method, with what it was given and what it gave. */
function follow<Name extends string>(
  target: Record<Name, unknown>,
  name: Name,
  then: (given: readonly unknown[], gave: unknown) => void,
): void {
  const before = target[name] as (...given: unknown[]) => unknown;
  target[name] = function followed(this: unknown, ...given: unknown[]): unknown {
    const gave = before.apply(this, given);
    then(given, gave);
    return gave;
  };
}

const keyOf = ([key]: readonly unknown[]): string => String(key);

const blocks = BlockCache.prototype as unknown as Record<"get" | "set" | "findBlock" | "setBlock", unknown>;
follow(blocks, "set", (given) => note("files", keyOf(given), false, given[1] as Uint8Array));
follow(blocks, "setBlock", (given) => note("blocks", keyOf(given), false, given[1] as Uint8Array));
follow(blocks, "get", (given, gave) => {
  if (gave !== undefined) note("files", keyOf(given), true, gave as Uint8Array);
});
follow(blocks, "findBlock", (given, gave) => {
  const { bytes } = (gave ?? {}) as { bytes?: Uint8Array };
  if (bytes !== undefined) note("blocks", keyOf(given), true, bytes);
});
const hints = ExpiringMap.prototype as unknown as Record<"get" | "set", unknown>;
follow(hints, "set", (given) => note("hints", keyOf(given), false));
follow(hints, "get", (given, gave) => {
  if (gave !== undefined) note("hints", keyOf(given), true);
});
const begun = Remembered.prototype as unknown as Record<"read" | "keep", unknown>;
follow(begun, "keep", (given) => note("begun", keyOf(given), false));
follow(begun, "read", (given, gave) => {
  if (gave !== undefined) note("begun", keyOf(given), true);
});
const place = caches.default;
const match = place.match.bind(place);
const put = place.put.bind(place);
place.match = async (url) => {
  const found = await match(url);
  if (found !== undefined) note("pages", new Request(url).url, true, new Uint8Array(await found.clone().arrayBuffer()));
  return found;
};
place.put = async (url, page) => {
  note("pages", new Request(url).url, false, new Uint8Array(await page.clone().arrayBuffer()));
  await put(url, page);
};

/** Names a key of the bucket or of KV where it is read. */
function followedStore<Store extends object>(cache: string, store: Store, methods: readonly string[]): Store {
  return new Proxy(store, {
    get: (target, method) => {
      const value: unknown = Reflect.get(target, method, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        if (methods.includes(String(method))) note(cache, keyOf(given), true);
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}

/** Returns the environment with stores that tell which keys are read. */
function toldEnv(env: Env): Env {
  return {
    ...env,
    BUCKET: followedStore("bucket", env.BUCKET, ["get", "head"]),
    KV: followedStore("kv", env.KV, ["get", "getWithMetadata"]),
  };
}

const askedBy = (request: Request): string => request.headers.get(ASKER_HEADER) ?? "";

/** The deployed entry for other Workers. */
export class GitHost extends DeployedHost {
  constructor(context: ExecutionContext, env: Env) {
    super(context, toldEnv(env));
  }

  override async fetch(...given: Parameters<DeployedHost["fetch"]>): Promise<Response> {
    const request = new Request(...given);
    return await askers.run(askedBy(request), async () => await super.fetch(request));
  }
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  ...observed,
  fetch: async (request, env, context) => {
    if (new URL(request.url).pathname !== CACHE_USES_PATH) {
      return await askers.run(askedBy(request), async () => await observed.fetch(request, toldEnv(env), context));
    }
    const told = uses;
    uses = [];
    return Response.json(told);
  },
} satisfies ExportedHandler<Env>;
