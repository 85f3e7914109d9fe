/**
 * The observed Worker, which counts what the platform bills and no log has: the rows that its Durable Objects read and write, what
 * these are asked by each other and by their alarms, and the messages of queues.
 *
 * @packageDocumentation
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
import type { UsageReport } from "../../src/access/quotas.ts";
import type { Env } from "../../src/env.ts";
import observed, {
  DirectoryObject as ObservedDirectory,
  LenderObject as ObservedLender,
  RepositoryObject as ObservedRepository,
  TenantObject as ObservedTenant,
} from "./observed-entry.ts";
import { ASKED, ROWS_PATH } from "../support/observed-paths.ts";

type Statement = {
  readonly object: string;
  readonly sql: string;
  readonly cursor: Pick<SqlStorageCursor<never>, "rowsRead" | "rowsWritten">;
};

const statements: Statement[] = [];

/** Notes something that is billed and is no statement. It reads and writes no row. */
function note(object: string, sql: string): void {
  statements.push({ object, sql, cursor: { rowsRead: 0, rowsWritten: 0 } });
}

/** Has the statements of an object counted. An alarm that is set counts as a row that is written. */
function counted(state: DurableObjectState, object: string): DurableObjectState {
  const { storage } = state;
  const { sql } = storage;
  const exec = sql.exec.bind(sql) as (text: string, ...bindings: unknown[]) => Statement["cursor"];
  sql.exec = ((text: string, ...bindings: unknown[]) => {
    const cursor = exec(text, ...bindings);
    statements.push({ object, sql: text, cursor });
    return cursor;
  }) as typeof sql.exec;
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = async (at, options) => {
    statements.push({ object, sql: "alarm", cursor: { rowsRead: 0, rowsWritten: 1 } });
    await setAlarm(at, options);
  };
  return state;
}

/** The observed object, whose rows are counted. */
export class DirectoryObject extends ObservedDirectory {
  constructor(state: DurableObjectState, env: Env) {
    super(counted(state, "directory"), env);
  }
}

/** The observed object, whose rows are counted. */
export class TenantObject extends ObservedTenant {
  constructor(state: DurableObjectState, env: Env) {
    super(counted(state, "tenant"), env);
  }

  override noteUsage(report: UsageReport): void {
    note("tenant", ASKED);
    super.noteUsage(report);
  }

  override async alarm(): Promise<void> {
    note("tenant", ASKED);
    await super.alarm();
  }
}

/** The observed object, whose rows are counted. */
export class RepositoryObject extends ObservedRepository {
  constructor(state: DurableObjectState, env: Env) {
    super(counted(state, "repository"), env);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    note("repository", ASKED);
    await super.alarm(info);
  }
}

/** The observed object, whose rows are counted. */
export class LenderObject extends ObservedLender {
  constructor(state: DurableObjectState, env: Env) {
    super(counted(state, "lender"), env);
  }
}

/** Tells the statements since the last time that read or wrote rows, with how many. */
function taken(): Response {
  const told = statements.splice(0).map(({ object, sql, cursor: { rowsRead, rowsWritten } }) => {
    return { object, sql: sql.replaceAll(/\s+/g, " ").trim(), read: rowsRead, written: rowsWritten };
  });
  return Response.json(told);
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  fetch: async (request, env, context) => {
    if (new URL(request.url).pathname === ROWS_PATH) return taken();
    return await observed.fetch(request, env, context);
  },
  connect: (socket, env) => observed.connect(socket, env),
  queue: (batch, env, context) => {
    for (const _ of batch.messages) note("queue", ASKED);
    return observed.queue(batch, env, context);
  },
} satisfies ExportedHandler<Env>;
