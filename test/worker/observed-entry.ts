/**
 * The Worker as journeys run it: with a clock that a test puts forward, and with a way to wait until no request is under way. The
 * rest is the Worker's own. A test waits for no second to pass and for no host to be quiet.
 *
 * @packageDocumentation
 */
import type { Env } from "../../src/env.ts";
import worker, {
  DirectoryObject as DeployedDirectory,
  LenderObject as DeployedLender,
  RepositoryObject as DeployedRepository,
  TenantObject as DeployedTenant,
} from "../../src/worker.ts";
import { heldState, hold, runWatched } from "../support/held-jobs.ts";
import { CLOCK_PATH, HELD_PATH, KERNELS_PATH, SETTLED_PATH } from "../support/observed-paths.ts";

/** Milliseconds between two looks, and how many of them: a request whose client has gone may never end. */
const PAUSE = 2;
const LOOKS = 2500;

const realNow = Date.now;
/** Milliseconds. A host that is started again begins where its clock was: see `CLOCK_AHEAD`. */
let ahead = Number(Reflect.get(globalThis, "CLOCK_AHEAD") ?? 0);
const requests = { underWay: 0 };

Date.now = () => realNow() + ahead;

/** Sets alarms by the platform's clock, which no test puts forward. */
function byRealClock(state: DurableObjectState): DurableObjectState {
  const { storage } = state;
  const setAlarm = storage.setAlarm.bind(storage);
  const getAlarm = storage.getAlarm.bind(storage);
  storage.setAlarm = async (at, options) => await setAlarm(Number(at) - ahead, options);
  storage.getAlarm = async (options) => {
    const at = await getAlarm(options);
    return at === null ? null : at + ahead;
  };
  return state;
}

/** The deployed object on the test's clock. */
export class DirectoryObject extends DeployedDirectory {
  constructor(state: DurableObjectState, env: Env) {
    super(byRealClock(state), env);
  }
}

/** The deployed object on the test's clock. */
export class TenantObject extends DeployedTenant {
  constructor(state: DurableObjectState, env: Env) {
    super(byRealClock(state), env);
  }
}

/** The deployed object on the test's clock. */
export class RepositoryObject extends DeployedRepository {
  constructor(state: DurableObjectState, env: Env) {
    super(byRealClock(state), env);
  }
}

/** The deployed object on the test's clock. */
export class LenderObject extends DeployedLender {
  constructor(state: DurableObjectState, env: Env) {
    super(byRealClock(state), env);
  }
}

const memories = new Set<WeakRef<WebAssembly.Memory>>();

/** An instance whose memory is counted as long as it is there. */
class CountedInstance extends WebAssembly.Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    for (const value of Object.values(this.exports))
      if (value instanceof WebAssembly.Memory) memories.add(new WeakRef(value));
  }
}
WebAssembly.Instance = CountedInstance;

/** Adds up the memories of kernels, those included that nobody holds and that are not collected yet. */
function kernelBytes(): number {
  let bytes = 0;
  for (const reference of memories) {
    const memory = reference.deref();
    if (memory === undefined) memories.delete(reference);
    else bytes += memory.buffer.byteLength;
  }
  return bytes;
}

type Asked = Parameters<typeof worker.fetch>[0];

/** Answers as the Worker does, and counts the request until the work behind its answer is done. */
async function observe(request: Asked, env: Env, context: ExecutionContext): Promise<Response> {
  const works: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>): void => {
    works.push(work);
    context.waitUntil(work);
  };
  const observed = new Proxy(context, {
    get: (target, key) => {
      if (key === "waitUntil") return waitUntil;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const ended = async (): Promise<void> => {
    // Work may add work.
    for (const work of works) await work.catch(() => undefined);
    requests.underWay -= 1;
  };
  requests.underWay += 1;
  try {
    return await worker.fetch(request, env, observed);
  } finally {
    context.waitUntil(ended());
  }
}

/** Answers 200 as soon as no other request is under way, and 202 where that does not come. */
async function settle(): Promise<Response> {
  for (let look = 0; look < LOOKS && requests.underWay > 0; look++) await scheduler.wait(PAUSE);
  return new Response(null, { status: requests.underWay === 0 ? 200 : 202 });
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  fetch: async (request, env, context) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === SETTLED_PATH) return await settle();
    if (pathname === KERNELS_PATH) return new Response(String(kernelBytes()));
    if (pathname === HELD_PATH) {
      if (request.method === "POST") hold(searchParams.get("step") ?? "", Number(searchParams.get("at")));
      return Response.json(heldState());
    }
    if (pathname !== CLOCK_PATH) return await observe(request, env, context);
    ahead += Number(searchParams.get("milliseconds"));
    return new Response(null, { status: 204 });
  },
  connect: (socket, env) => worker.connect(socket, env),
  queue: (batch, env, context) => runWatched(batch, env, (watched) => worker.queue(batch, watched, context)),
} satisfies ExportedHandler<Env>;
