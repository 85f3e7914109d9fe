/**
 * Holds a job of the Worker at one of its storage operations, so that a test kills the host there. Runs in workerd, in the observed Worker.
 *
 * @packageDocumentation
 */
import type { Env } from "../../src/env.ts";

/** What a test is told. */
export type HeldState = {
  /** The operation at which the job is held. */
  readonly at?: string;
  /** The operations of each step so far, in order. */
  readonly seen: Readonly<Record<string, readonly string[]>>;
  /** How many jobs of each type have ended. */
  readonly ended: Readonly<Record<string, number>>;
};

const BUCKET_CALLS = new Set([
  "get",
  "put",
  "delete",
  "list",
  "head",
  "createMultipartUpload",
  "resumeMultipartUpload",
]);
const UPLOAD_CALLS = new Set(["uploadPart", "complete", "abort"]);

let wanted: { readonly step: string; readonly at: number } | undefined;
let heldAt: string | undefined;
let seen: Record<string, string[]> = {};
let ended: Record<string, number> = {};

/** Has the n-th operation of a step held, from 1 on; 0 only counts. Forgets what was seen. */
export function hold(step: string, at: number): void {
  wanted = { step, at };
  heldAt = undefined;
  seen = {};
  ended = {};
}

/** Returns what was seen since {@link hold}. */
export function heldState(): HeldState {
  return { ...(heldAt === undefined ? {} : { at: heldAt }), seen, ended };
}

type Callable = (...input: readonly unknown[]) => unknown;

/** A job that is watched, and the step that it is at. */
class WatchedJob {
  #step: string;

  constructor(type: string) {
    this.#step = type;
  }

  /** Counts an operation before it is done, and holds it for ever if it is the one. */
  async #operation<Result>(name: string, work: () => Result): Promise<Awaited<Result>> {
    const list = (seen[this.#step] ??= []);
    list.push(name);
    if (wanted?.step === this.#step && wanted.at === list.length) {
      heldAt = `${this.#step} ${list.length}: ${name}`;
      await new Promise(() => undefined);
    }
    return await work();
  }

  /** Watches the calls of an object: those that are named, or all. */
  #watched<Target extends object>(
    target: Target,
    prefix: string,
    isCounted: (key: string) => boolean,
    after: (result: unknown) => unknown,
  ): Target {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof key !== "string" || typeof value !== "function") return value;
        const call: Callable = (...input) => Reflect.apply(value, object, input);
        if (!isCounted(key)) return call;
        return async (...input: readonly unknown[]) => {
          const [first] = input;
          const subject = typeof first === "string" ? ` ${first.replace(/^repos\/\w+\.git\//, "")}` : "";
          return after(await this.#operation(`${prefix}.${key}${subject}`, () => call(...input)));
        };
      },
    });
  }

  #bucket(bucket: R2Bucket): R2Bucket {
    return this.#watched(
      bucket,
      "bucket",
      (key) => BUCKET_CALLS.has(key),
      (result) =>
        isUpload(result)
          ? this.#watched(
              result,
              "upload",
              (key) => UPLOAD_CALLS.has(key),
              (part) => part,
            )
          : result,
    );
  }

  #repository<Stub extends object>(stub: Stub): Stub {
    return this.#watched(
      stub,
      "repository",
      (key) => key !== "id" && key !== "name",
      (result) => {
        const begun = begunStep(result);
        if (begun !== undefined) this.#step = begun;
        return result;
      },
    );
  }

  /** Returns bindings that count what the job does. */
  env(env: Env): Env {
    const { REPOSITORIES } = env;
    const namespace = new Proxy(REPOSITORIES, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...input: readonly unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, target, input);
          return key === "get" && typeof result === "object" && result !== null ? this.#repository(result) : result;
        };
      },
    });
    return { ...env, BUCKET: this.#bucket(env.BUCKET), REPOSITORIES: namespace };
  }
}

function isUpload(value: unknown): value is R2MultipartUpload {
  return typeof value === "object" && value !== null && "uploadPart" in value;
}

/** Returns the step that was begun, if this is the answer that says so. */
function begunStep(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("begun" in answer)) return undefined;
  const { begun } = answer;
  if (typeof begun !== "object" || begun === null || !("step" in begun)) return undefined;
  return "purges" in begun && begun.purges === true ? `purge:${String(begun.step)}` : String(begun.step);
}

/** Runs the jobs of a batch on bindings that are watched, if a test has asked for that. */
export async function runWatched(
  batch: MessageBatch,
  env: Env,
  run: (env: Env) => Promise<void> | void,
): Promise<void> {
  if (wanted === undefined) return await run(env);
  const types = batch.messages.map(({ body }) => (body as { type?: string }).type ?? "");
  await run(new WatchedJob([...new Set(types)].join("+")).env(env));
  for (const type of types) ended[type] = (ended[type] ?? 0) + 1;
}
