/**
 * The observed Worker, on bindings of which a test has the n-th operation go wrong, and with alarms and queues that go on only when the
 * test has them take a turn.
 *
 * @packageDocumentation
 */
import { objectNamed } from "../../src/durable/placement.ts";
import type { Env } from "../../src/env.ts";
import {
  DirectoryObject as DeployedDirectory,
  LenderObject as DeployedLender,
  RepositoryObject as DeployedRepository,
  TenantObject as DeployedTenant,
} from "../../src/worker.ts";
import type { FaultPlan, TurnsReport } from "../support/fault-plan.ts";
import {
  BUCKET_PATH,
  CLOCK_PATH,
  FAULTS_PATH,
  SETTLED_PATH,
  TURNS_PATH,
  UNFAULTED_HEADER,
} from "../support/observed-paths.ts";
import { FaultInjector, faultyBindings, heldToLength } from "./faulty-bindings.ts";
import observed from "./observed-entry.ts";
import { type Consumer, TurnedPlatform } from "./turned-platform.ts";

/** The most turns until nothing is due any more: jobs that make jobs for ever are a fault. */
const MOST_TURNS = 400;

const injector = new FaultInjector();
/** For requests that look at what came about. */
const calm = new FaultInjector();
const platform = new TurnedPlatform();

/** What an object can be told besides. */
type Turned = { ring(info: AlarmInvocationInfo): Promise<void> };

function turned(
  state: DurableObjectState,
  env: Env,
  binding: "REPOSITORIES" | "TENANTS" | "LENDERS",
): DurableObjectState {
  const { [binding]: objects } = env;
  return platform.takeOver(state, binding, async (name, info) => {
    const object = objectNamed<unknown>(objects, name, env) as Turned;
    const ring = async (): Promise<void> => await object.ring(info);
    await injector.run({ name: `ALARM.${binding}`, alarm: true }, ring, { again: ring });
  });
}

function ended(state: DurableObjectState): never {
  state.abort("a test ends this object");
  throw new Error("an object that was ended goes on");
}

/** The deployed object on faulty bindings. */
export class DirectoryObject extends DeployedDirectory {
  constructor(state: DurableObjectState, env: Env) {
    super(state, faultyBindings(env, injector, platform));
  }

  reset(): void {
    ended(this.ctx);
  }
}

/** The deployed object on faulty bindings. */
export class TenantObject extends DeployedTenant {
  constructor(state: DurableObjectState, env: Env) {
    super(turned(state, env, "TENANTS"), faultyBindings(env, injector, platform));
  }

  async ring(): Promise<void> {
    await this.alarm();
  }

  reset(): void {
    ended(this.ctx);
  }
}

/** The deployed object on faulty bindings. */
export class RepositoryObject extends DeployedRepository {
  constructor(state: DurableObjectState, env: Env) {
    super(turned(state, env, "REPOSITORIES"), faultyBindings(env, injector, platform));
  }

  async ring(info: AlarmInvocationInfo): Promise<void> {
    await this.alarm(info);
  }

  reset(): void {
    ended(this.ctx);
  }
}

/** The deployed object on faulty bindings. */
export class LenderObject extends DeployedLender {
  constructor(state: DurableObjectState, env: Env) {
    super(turned(state, env, "LENDERS"), faultyBindings(env, injector, platform));
  }

  async ring(info: AlarmInvocationInfo): Promise<void> {
    await this.alarm(info);
  }

  reset(): void {
    ended(this.ctx);
  }
}

/** Shows what is in the bucket, whatever goes wrong. */
async function shown(bucket: R2Bucket, asked: URLSearchParams): Promise<Response> {
  const key = asked.get("key");
  if (key !== null) return new Response((await bucket.get(key))?.body ?? null);
  const found: { key: string; etag: string }[] = [];
  for (let cursor: string | undefined, isMore = true; isMore;) {
    const page = await bucket.list({ prefix: asked.get("prefix") ?? "", ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.objects.map(({ key: name, etag }) => ({ key: name, etag })));
    isMore = page.truncated;
    cursor = page.truncated ? page.cursor : undefined;
  }
  return Response.json(found);
}

/**
 * Takes turns until nothing is due within some milliseconds, for which the clock goes on. `ask` asks the observed Worker. A test that took
 * the turns would need three requests for each.
 */
async function takeTurns(
  within: number,
  consume: Consumer,
  ask: (path: string) => Promise<Response>,
): Promise<TurnsReport> {
  const lost: string[] = [];
  let left = within;
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    await ask(SETTLED_PATH);
    const turn = await platform.turn(consume);
    lost.push(...turn.lost);
    if (turn.ran > 0) continue;
    if (turn.next === undefined || turn.next > left) return { lost, isEndless: false };
    await ask(`${CLOCK_PATH}?milliseconds=${turn.next}`);
    left -= turn.next;
  }
  return { lost, isEndless: true };
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  fetch: async (request, env, context) => {
    const { origin, pathname, searchParams } = new URL(request.url);
    const bindings = faultyBindings(env, request.headers.has(UNFAULTED_HEADER) ? calm : injector, platform);
    if (pathname === TURNS_PATH) {
      const consume: Consumer = async (batch) => await observed.queue(batch, bindings, context);
      const ask = async (path: string): Promise<Response> =>
        await observed.fetch(new Request<unknown, IncomingRequestCfProperties>(`${origin}${path}`), bindings, context);
      return Response.json(await takeTurns(Number(searchParams.get("within")), consume, ask));
    }
    if (pathname === BUCKET_PATH) return await shown(env.BUCKET, searchParams);
    if (pathname !== FAULTS_PATH) return heldToLength(await observed.fetch(request, bindings, context));
    if (request.method === "GET") return Response.json(injector.report());
    injector.arm((await request.json<{ plan?: FaultPlan }>()).plan);
    return new Response(null, { status: 204 });
  },
  connect: (socket, env) => observed.connect(socket, faultyBindings(env, injector, platform)),
} satisfies ExportedHandler<Env>;
