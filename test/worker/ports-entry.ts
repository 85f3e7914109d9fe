/**
 * The Worker, with a Durable Object whose leases can be ended, and with one more path: a WebSocket through which a test works on the real pack storage. A socket, because handles (an
 * open stream, an upload) live in the request that made them, and a socket is one request for as long as it is open.
 *
 * Messages are JSON, each answered by one: `{ id, call, … }`, and `{ id, … }` or `{ id, error: { name, message } }`.
 *
 * @packageDocumentation
 */
import kernel from "../../src/kernel/kernel.wasm";
import { isolateTools } from "../../src/cloudflare/isolate-tools.ts";
import { durableSql } from "../../src/durable/sql/durable-sql.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "../../src/durable/sql/sql-database.ts";
import { RepositoryDatabase } from "../../src/durable/repository/repository-database.ts";
import type { BeginPushRequest, CommitPushRequest, OpenRequest } from "../../src/refs/ref-store.ts";
import { RepositoryObject as DeployedObject } from "../../src/durable/repository/repository-object.ts";
import { assembleParts } from "../../src/cloudflare/r2-assembled.ts";
import { RequestCounters } from "../../src/cloudflare/request-counters.ts";
import type { StoredUpload } from "../../src/lfs/lfs-files.ts";
import type { LfsObject } from "../../src/refs/lfs-store.ts";
import { RequestStorage } from "../../src/cloudflare/open-repository.ts";
import type { Env } from "../../src/env.ts";
import type { PackByteStream, PackFile, PackStorage, PackUpload } from "../../src/catalog/pack-storage.ts";
import worker from "../../src/worker.ts";
import { type DatabaseKind, wake, type Woken } from "../support/wake.ts";
import type { PortCall, PortReply } from "./port-messages.ts";

export { DirectoryObject } from "../../src/durable/tenant/directory-object.ts";
export { LenderObject } from "../../src/durable/lender/lender-object.ts";
export { TenantObject } from "../../src/durable/tenant/tenant-object.ts";

/** The deployed object, and a clock that a test can put forward. */
export class RepositoryObject extends DeployedObject {
  /** Lets the alarm go off when every lease has ended. */
  async alarmAfterLeases(): Promise<void> {
    this.ctx.storage.sql.exec("UPDATE leases SET expires_at = ?", Date.now());
    await this.alarm();
  }

  /**
   * Gives the rows that SQLite reads to answer each of these requests. `undefined` stands for `describe`.
   */
  rowsReadBy(requests: readonly (OpenRequest | undefined)[]): number[] {
    const { sql } = this.ctx.storage;
    let rowsRead = 0;
    const counting: SqlDatabase = {
      ...durableSql(this.ctx.storage),
      rows: (statement, ...parameters) => {
        const cursor = sql.exec(statement, ...parameters);
        const rows = Array.from(cursor.raw(), (row) =>
          row.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value)),
        );
        rowsRead += cursor.rowsRead;
        return rows;
      },
    };
    const database = new RepositoryDatabase(counting, () => "");
    return requests.map((request) => {
      rowsRead = 0;
      if (request === undefined) database.describe(true);
      else database.open(request);
      return rowsRead;
    });
  }

  /** Makes a Git LFS object of the parts of an upload, in several operations if it has more than `mostBytes`. Tells of a failure. */
  async assembled(upload: StoredUpload, object: LfsObject, mostBytes: number): Promise<string> {
    const from = { bucket: this.env.BUCKET, counters: new RequestCounters(), repositoryId: "assembled", upload };
    try {
      return String(await assembleParts(from, `lfs/test/${object.oid}`, object, mostBytes));
    } catch (error) {
      return String(error);
    }
  }

  /** Lands a push in a repository whose small pushes have a tail. Gives the rows that SQLite writes for it, by statement. */
  async rowsWrittenBy(
    begin: BeginPushRequest,
    commit: Omit<CommitPushRequest, "id">,
  ): Promise<[statement: string, rows: number][]> {
    const { sql } = this.ctx.storage;
    const written: [string, number][] = [];
    const counted = (statement: string, parameters: readonly SqlValue[]): SqlRow[] => {
      const cursor = sql.exec(statement, ...parameters);
      const rows = Array.from(cursor.raw(), (row) =>
        row.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value)),
      );
      if (cursor.rowsWritten > 0) written.push([statement.slice(0, 60), cursor.rowsWritten]);
      return rows;
    };
    const counting: SqlDatabase = {
      ...durableSql(this.ctx.storage),
      run: (statement, ...parameters) => void counted(statement, parameters),
      rows: (statement, ...parameters) => counted(statement, parameters),
    };
    const database = new RepositoryDatabase(counting, () => "", 60_000);
    const begun = database.beginPush(begin, Date.now());
    if (begun.kind !== "begun") return [];
    await database.commitPush({ ...commit, id: begun.record.id }, () => Date.now());
    return written;
  }

  /** Runs what an earlier build did to a fresh database, and wakes up on it. Tells of a failure rather than throws: the way to the test is a proxy. */
  wake(kind: DatabaseKind, statements: readonly string[]): Woken | { failure: string } {
    try {
      return wake(durableSql(this.ctx.storage), kind, statements);
    } catch (error) {
      return { failure: String(error) };
    }
  }
}

/** The handles of one socket. */
class Session {
  readonly #storage: PackStorage;
  readonly #streams = new Map<number, PackByteStream>();
  readonly #uploads = new Map<number, PackUpload>();

  constructor(storage: PackStorage) {
    this.#storage = storage;
  }

  async answer(call: PortCall): Promise<PortReply> {
    const file: PackFile = call.file ?? { pack: "", extension: "pack" };
    const handle = call.handle ?? 0;
    switch (call.call) {
      case "read":
        return { bytes: base64(await this.#storage.read(file, call.offset ?? 0, call.length ?? 0)) };
      case "write":
        await this.#storage.write(file, bytesOf(call));
        return {};
      case "delete":
        await this.#storage.delete(call.files ?? []);
        return {};
      case "deletePack":
        await this.#storage.deletePack(file.pack);
        return {};
      case "openStream":
        this.#streams.set(call.id, await this.#storage.openStream(file, call.offset ?? 0, call.length ?? 0));
        return {};
      case "streamRead": {
        const view = await found(this.#streams, handle).read(new Uint8Array(call.length ?? 0));
        return { bytes: base64(view), capacity: view.buffer.byteLength };
      }
      case "streamCancel":
        await found(this.#streams, handle).cancel();
        return {};
      case "createUpload": {
        const upload = await this.#storage.createUpload(file);
        this.#uploads.set(call.id, upload);
        return { partSize: upload.partSize };
      }
      case "writePart":
        await found(this.#uploads, handle).writePart(bytesOf(call));
        return {};
      case "complete":
        await found(this.#uploads, handle).complete();
        return {};
      case "abort":
        await found(this.#uploads, handle).abort();
        return {};
    }
  }
}

function found<T>(handles: ReadonlyMap<number, T>, handle: number): T {
  const value = handles.get(handle);
  if (value === undefined) throw new Error(`no handle ${handle}`);
  return value;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytesOf = (call: PortCall): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(call.bytes ?? "", "base64"));

function openSession(env: Env): Response {
  const storage = new RequestStorage(env, isolateTools(kernel), "thinpack/test")
    .repository("test/ports")
    .storage("ports");
  const session = new Session(storage);
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener("message", ({ data }) => {
    const call = JSON.parse(String(data)) as PortCall;
    session.answer(call).then(
      (reply) => server.send(JSON.stringify({ id: call.id, ...reply })),
      (error: unknown) => {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        server.send(JSON.stringify({ id: call.id, error: { name, message } }));
      },
    );
  });
  return new Response(null, { status: 101, webSocket: client });
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  fetch: (request, env, context) =>
    new URL(request.url).pathname === "/_ports" ? openSession(env) : worker.fetch(request, env, context),
  queue: (batch, env, context) => worker.queue(batch, env, context),
} satisfies ExportedHandler<Env>;
