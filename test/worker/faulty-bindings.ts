/**
 * The Worker's bindings, of which the n-th operation goes wrong as a test has planned it. Everything that the Worker stores goes through
 * them: `env` is the one place where storage enters the code.
 *
 * @packageDocumentation
 */
import type { Env } from "../../src/env.ts";
import {
  type CountedOperation,
  type FaultPlan,
  type FaultReport,
  isPossible,
  type OperationTraits,
} from "../support/fault-plan.ts";

/** What the platform says when its storage fails. */
const R2_FAULT = "We encountered an internal error. Please try again. (10001)";
const OBJECT_FAULT = "Network connection lost.";
/** How long a delayed operation waits: others end meanwhile. Milliseconds. */
const DELAY = 40;
/** How many operations of one binding fail while it is away: more than anybody tries again at once. */
const AWAY = 8;

/** Calls that come when an isolate has been idle for a while, and not at a place of a journey. They count usage. */
const UNCOUNTED = new Set(["TENANTS.countUsage", "DIRECTORY.addMetrics"]);

/** Counts operations, and has the planned one go wrong. */
export class FaultInjector {
  #plan: FaultPlan | undefined;
  #operations: CountedOperation[] = [];
  #injected = false;
  /** The binding that is away, and how many of its operations are still to fail. */
  #away: { readonly binding: string; left: number } | undefined;

  /** Begins to count anew. */
  arm(plan: FaultPlan | undefined): void {
    this.#plan = plan;
    this.#operations = [];
    this.#injected = false;
    this.#away = undefined;
  }

  report(): FaultReport {
    return { operations: this.#operations, injected: this.#injected };
  }

  /** Counts an operation. Returns the kind of fault that it is to have. */
  #count(operation: CountedOperation): FaultPlan["kind"] | undefined {
    const { name } = operation;
    if (UNCOUNTED.has(name)) return undefined;
    this.#operations.push(operation);
    const binding = name.slice(0, name.indexOf("."));
    if (this.#away?.binding === binding && this.#away.left > 0) {
      this.#away.left -= 1;
      return "fail";
    }
    if (this.#plan?.at !== this.#operations.length) return undefined;
    // What an isolate remembers may take an operation away: then another is at this place than when the plan was made.
    if (!isPossible(this.#plan.kind, operation)) return undefined;
    this.#injected = true;
    if (this.#plan.kind === "away") this.#away = { binding, left: AWAY };
    return this.#plan.kind;
  }

  /** Runs an operation as planned. `spoil` makes what was read end half-way, `again` does the rest of what is done twice. */
  async run<T>(operation: CountedOperation, does: () => Promise<T>, more: Spoiling<T> = {}): Promise<T> {
    const kind = this.#count(operation);
    const fault = (): Error => faultOf(operation);
    if (kind === undefined) return await does();
    if (kind === "fail" || kind === "away") throw fault();
    if (kind === "delay") await scheduler.wait(DELAY);
    const result = await does();
    if (kind === "cut" || kind === "break") return more.spoil?.(result, kind) ?? result;
    if (kind === "late") throw fault();
    if (kind === "twice" || kind === "reset") await more.again?.();
    if (kind === "reset") throw fault();
    return result;
  }
}

type Spoiling<T> = {
  readonly spoil?: (result: T, kind: "cut" | "break") => T;
  readonly again?: () => Promise<unknown>;
};

/** Returns the error that the platform would throw. */
function faultOf({ name, object }: CountedOperation): Error {
  const [, method = ""] = name.split(".");
  if (object !== true) return new Error(`${method}: ${R2_FAULT}`);
  return Object.assign(new Error(OBJECT_FAULT), { remote: true, retryable: true });
}

/** Returns `target` with some of its members replaced; the others work as ever. */
function replaced<T extends object>(target: T, members: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(target, {
    get: (_, key) => {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The bytes that halved streams should have had. */
const lengths = new WeakMap<ReadableStream, number>();

/**
 * Has an answer break off whose body is a halved stream. A stream of the bucket's has a length, to which the platform holds whatever is
 * made of it: where it ends early, the connection does. A stream of ours that is cut has lost it.
 */
export function heldToLength(answer: Response): Response {
  const length = answer.body === null ? undefined : lengths.get(answer.body);
  if (answer.body === null || length === undefined) return answer;
  const { readable, writable } = new FixedLengthStream(length);
  answer.body.pipeTo(writable).catch(() => undefined);
  return new Response(readable, answer);
}

/** Returns the first half of a stream, which then ends or fails. */
function halved(body: ReadableStream, length: number, kind: "cut" | "break"): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  const half = async (): Promise<void> => {
    const reader = body.getReader({ mode: "byob" });
    const writer = writable.getWriter();
    const { value } = await reader.readAtLeast(Math.ceil(length / 2), new Uint8Array(Math.ceil(length / 2)));
    if (value !== undefined && value.length > 0) await writer.write(value);
    await reader.cancel();
    await (kind === "cut" ? writer.close() : writer.abort(new Error(R2_FAULT)));
  };
  // Whoever reads it may have gone.
  half().catch(() => undefined);
  lengths.set(readable, length);
  return readable;
}

/** Returns an object of which only half can be read. */
function spoilt<T extends R2Object | R2ObjectBody | null>(object: T, kind: "cut" | "break"): T {
  if (object === null || !("body" in object)) return object;
  const { range, size } = object;
  const length = range !== undefined && "length" in range ? (range.length ?? size) : size;
  let half: ReadableStream | undefined;
  const body = (): ReadableStream => (half ??= halved(object.body, length, kind));
  const members: Partial<Record<keyof R2ObjectBody, unknown>> = {
    arrayBuffer: async () => await new Response(body()).arrayBuffer(),
    text: async () => await new Response(body()).text(),
    json: async () => await new Response(body()).json(),
  };
  Object.defineProperty(members, "body", { get: body });
  return replaced<R2ObjectBody>(object, members) as T & R2ObjectBody;
}

function faultyUpload(upload: R2MultipartUpload, injector: FaultInjector): R2MultipartUpload {
  return replaced(upload, {
    uploadPart: (...input: Parameters<R2MultipartUpload["uploadPart"]>) =>
      injector.run({ name: "BUCKET.uploadPart" }, () => upload.uploadPart(...input)),
    complete: (parts: R2UploadedPart[]) => injector.run({ name: "BUCKET.complete" }, () => upload.complete(parts)),
    abort: () => injector.run({ name: "BUCKET.abort" }, () => upload.abort()),
  });
}

function faultyBucket(bucket: R2Bucket, injector: FaultInjector): R2Bucket {
  const counted = (method: "head" | "put" | "delete" | "list") => {
    const does: (...input: never[]) => Promise<unknown> = bucket[method].bind(bucket);
    return (...input: never[]) => injector.run({ name: `BUCKET.${method}` }, () => does(...input));
  };
  return replaced(bucket, {
    head: counted("head"),
    put: counted("put"),
    delete: counted("delete"),
    list: counted("list"),
    get: (key: string, options?: R2GetOptions) =>
      injector.run({ name: "BUCKET.get", reads: true }, () => bucket.get(key, options), { spoil: spoilt }),
    createMultipartUpload: async (...input: Parameters<R2Bucket["createMultipartUpload"]>) =>
      faultyUpload(
        await injector.run({ name: "BUCKET.createMultipartUpload" }, () => bucket.createMultipartUpload(...input)),
        injector,
      ),
  });
}

function faultyKv(kv: KVNamespace, injector: FaultInjector): KVNamespace {
  const counted = (method: "get" | "getWithMetadata" | "put" | "list" | "delete") => {
    const does: (...input: never[]) => Promise<unknown> = kv[method].bind(kv);
    return (...input: never[]) => injector.run({ name: `KV.${method}` }, () => does(...input));
  };
  const methods = ["get", "getWithMetadata", "put", "list", "delete"] as const;
  return replaced(kv, Object.fromEntries(methods.map((method) => [method, counted(method)])));
}

/** What objects of the test's Worker can do besides. */
type Resettable = { reset(): Promise<void> };

function faultyStub<Stub extends object>(stub: Stub, binding: string, injector: FaultInjector): Stub {
  const traits: OperationTraits = { object: true };
  return new Proxy(stub, {
    get: (_, key) => {
      const value: unknown = Reflect.get(stub, key, stub);
      if (typeof value !== "function" || typeof key !== "string" || key === "then") return value;
      // A method of a stub is a proxy itself, and has no `bind` of its own; `fetch` has to be called on the stub.
      const does = async (...input: unknown[]): Promise<unknown> =>
        await (stub as Record<string, (...input: unknown[]) => Promise<unknown>>)[key]?.(...input);
      return (...input: unknown[]) =>
        injector.run({ name: `${binding}.${key}`, ...traits }, async () => await does(...input), {
          // The call that ends the object never has an answer.
          again: async () => await (stub as unknown as Resettable).reset().catch(() => undefined),
        });
    },
  });
}

function faultyNamespace<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
  binding: string,
  injector: FaultInjector,
): DurableObjectNamespace<T> {
  return replaced(namespace, {
    get: (...input: Parameters<DurableObjectNamespace<T>["get"]>) =>
      faultyStub(namespace.get(...input), binding, injector),
    jurisdiction: (jurisdiction: DurableObjectJurisdiction) =>
      faultyNamespace(namespace.jurisdiction(jurisdiction), binding, injector),
  });
}

/** A queue whose messages the test hands out. */
export type Outbox = { send(binding: string, body: unknown): void };

function faultyQueue<Body>(queue: Queue<Body>, binding: string, injector: FaultInjector, outbox: Outbox): Queue<Body> {
  const send = async (body: Body): Promise<void> => outbox.send(binding, body);
  return replaced(queue, {
    send: (body: Body) =>
      injector.run({ name: `${binding}.send`, message: true }, () => send(body), { again: () => send(body) }),
  });
}

/** Returns the bindings with the faults of `injector`. Messages go to `outbox`. */
export function faultyBindings(env: Env, injector: FaultInjector, outbox: Outbox): Env {
  return {
    ...env,
    BUCKET: faultyBucket(env.BUCKET, injector),
    KV: faultyKv(env.KV, injector),
    REPOSITORIES: faultyNamespace(env.REPOSITORIES, "REPOSITORIES", injector),
    TENANTS: faultyNamespace(env.TENANTS, "TENANTS", injector),
    DIRECTORY: faultyNamespace(env.DIRECTORY, "DIRECTORY", injector),
    LENDERS: faultyNamespace(env.LENDERS, "LENDERS", injector),
    JOBS: faultyQueue(env.JOBS, "JOBS", injector, outbox),
    MIRROR_JOBS: faultyQueue(env.MIRROR_JOBS, "MIRROR_JOBS", injector, outbox),
    MAINTENANCE_JOBS: faultyQueue(env.MAINTENANCE_JOBS, "MAINTENANCE_JOBS", injector, outbox),
  };
}
