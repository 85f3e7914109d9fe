/**
 * The Worker: the entry points that the platform calls. Everything is built once per isolate.
 *
 * @packageDocumentation
 */
import kernel from "./kernel/kernel.wasm";
import { version } from "../package.json";
import { createApp } from "./app.ts";
import { Beside } from "./cloudflare/beside.ts";
import { isolateTools } from "./cloudflare/isolate-tools.ts";
import { RequestStorage } from "./cloudflare/open-repository.ts";
import { DEAD_QUEUE } from "./cloudflare/dead-letters.ts";
import { objectNamed } from "./durable/placement.ts";
import { DIRECTORY_NAME } from "./durable/tenant/directory-object.ts";
import { allowsPrivate, type Env } from "./env.ts";
import { isolateState } from "./host/begun-request.ts";
import { GitHostEntrypoint } from "./host/git-host.ts";
import { Meter } from "./host/meter.ts";
import { passOn } from "./host/pass-on.ts";
import { logDamage, logFault, logJob } from "./http/log.ts";

export { DirectoryObject } from "./durable/tenant/directory-object.ts";
export { LenderObject } from "./durable/lender/lender-object.ts";
export { TenantObject } from "./durable/tenant/tenant-object.ts";
export { RepositoryObject } from "./durable/repository/repository-object.ts";

const tools = isolateTools(kernel);
/** The queue of syncs under `npm start`, and how many syncs run at once there. */
const SYNC_QUEUE = "thinpack-mirrors";
const beside = new Beside(10);
const agent = `thinpack/${version}`;
const meter = new Meter();
const platform = { agent, tools, meter, state: isolateState() };
const app = createApp({ version, build: `${version}-${SOURCES_DIGEST}`, ...platform });

/** What other Workers of the account bind to. */
export class GitHost extends GitHostEntrypoint {
  constructor(context: ExecutionContext, env: Env) {
    super(context, env, (request) => app.fetch(request, env, context));
  }
}

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  connect: async (socket, env) => {
    const { serveSocket } = await import("./host/serve-socket.ts");
    await serveSocket(socket, platform, env);
  },
  queue: (batch, env, context) => {
    const work = async (): Promise<void> => {
      const { keepDeadLetters, pushedCommits, runJobs } = await import("./jobs.ts");
      if (batch.queue === DEAD_QUEUE) {
        const directory = objectNamed(env.DIRECTORY, DIRECTORY_NAME, env);
        await keepDeadLetters(batch, {
          keep: async (jobs) => directory.noteDead(jobs),
          onFault: logFault,
          onDead: ({ type }) => meter.dead(type),
        });
        await passOn(env, meter);
        return;
      }
      await runJobs(batch, {
        open: () => new RequestStorage(env, tools, agent),
        agent,
        allowPrivate: allowsPrivate(env),
        readPush: pushedCommits,
        onDamage: logDamage,
        onFault: logFault,
        onEnd: (line) => {
          logJob(line);
          meter.job(line);
        },
      });
      await passOn(env, meter);
    };
    if (env.SYNCS_BESIDE !== "1" || batch.queue !== SYNC_QUEUE) return work();
    return beside.begin(work, (running) => context.waitUntil(running));
  },
} satisfies ExportedHandler<Env>;
