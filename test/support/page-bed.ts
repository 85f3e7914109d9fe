/**
 * The pages of one repository in memory, whose storage a test holds back or breaks.
 *
 * @packageDocumentation
 */
import { setImmediate as turn } from "node:timers/promises";
import { Hono } from "hono";
import type { PackStorage } from "../../src/catalog/pack-storage.ts";
import type { Host } from "../../src/http/host.ts";
import { Traffic } from "../../src/http/traffic.ts";
import { encodeRefRows } from "../../src/refs/ref-rows.ts";
import type { OpenRequest, OpenSnapshot } from "../../src/refs/ref-store.ts";
import { BegunBlames } from "../../src/web/begun-blames.ts";
import { BegunChanges } from "../../src/web/begun-changes.ts";
import type { PageEnv, PageHost } from "../../src/web/page-host.ts";
import { pageRoutes } from "../../src/web/routes.ts";
import { GitRepository } from "./git-repository.ts";
import { rawName, REF_FORMAT, TestStore } from "./store.ts";

/** Turns of the event loop after which nothing goes on any more but what waits for storage. */
const QUIET_TURNS = 30;

/** The storage's gate: reads pass, wait for the test to let them pass, or fail. */
export class Gate {
  mode: "open" | "held" | "broken" = "open";
  #waiting: (() => void)[] = [];

  /** The reads that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async pass(): Promise<void> {
    if (this.mode === "held") await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.mode === "broken") throw new Error("the storage is broken");
  }

  /** Lets the reads pass that wait, or fail where the mode says so. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The address of the repository. */
const BASE = "/acme/shown";

/** A repository with its pages. */
export class PageBed {
  readonly git = new GitRepository();
  /** Nothing is kept in memory, so that each object is read from storage. */
  readonly store = new TestStore({ cacheBytes: 0 });
  readonly gate = new Gate();
  readonly kept = new Map<string, ArrayBuffer>();
  changes = new BegunChanges();
  blames = new BegunBlames();
  traffic = new Traffic();
  readonly #work: Promise<unknown>[] = [];

  /** Takes over what the repository of C git has. */
  async fill(): Promise<void> {
    this.store.setRefs(this.git.lines(["for-each-ref", REF_FORMAT]));
    this.store.packs = [{ ...(await this.store.push(this.git.pack(["--all"]), this.git.tips())), marked: true }];
  }

  #open(asked: OpenRequest): OpenSnapshot {
    const { store } = this;
    const { refPrefixes } = asked;
    const isAsked = (name: string): boolean => refPrefixes?.some((prefix) => name.startsWith(prefix)) ?? true;
    const rows = [...store.refs].filter(([name]) => isAsked(name));
    const refs = rows.map(([name, { oid, peeled }]) => {
      return { name, oid: rawName(oid), ...(peeled === undefined ? {} : { peeled: rawName(peeled) }) };
    });
    const answer = store.answer(new Uint8Array(0));
    const head = store.refs.get(answer.record.head);
    const record = { ...answer.record, visibility: "public" as const };
    return { ...answer, record, refs: encodeRefRows(refs), ...(head === undefined ? {} : { headOid: head.oid }) };
  }

  #host(): Host {
    const { store, gate } = this;
    const repository = store.repository();
    const inner = repository.storage("repository");
    const storage: PackStorage = {
      ...inner,
      read: async (...asked) => {
        await gate.pass();
        return await inner.read(...asked);
      },
      openStream: async (...asked) => {
        await gate.pass();
        return await inner.openStream(...asked);
      },
    };
    const refs = { ...repository.refs, open: async (asked: OpenRequest) => this.#open(asked) };
    this.traffic = new Traffic();
    return {
      repository: () => ({ ...repository, refs, storage: () => storage }),
      identify: async () => ({ principal: { kind: "anonymous" } }),
      refused: () => undefined,
      traffic: this.traffic,
      until: (work: Promise<unknown>) => void this.#work.push(work),
    } as unknown as Host;
  }

  /** Forgets what views of pages have read, found and kept, as another isolate of another place would. */
  forget(): void {
    this.store.forget();
    this.kept.clear();
    this.changes = new BegunChanges();
    this.blames = new BegunBlames();
  }

  /** Asks for a page below the repository. */
  async visit(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const app = new Hono<PageEnv>();
    const page = {
      build: "1",
      secret: undefined,
      isSignedIn: false,
      isAnonymous: true,
      changes: this.changes,
      blames: this.blames,
      kept: {
        read: async (key: string) => this.kept.get(key),
        keep: async (key: string, bytes: ArrayBuffer) => void this.kept.set(key, bytes),
      },
    } as unknown as PageHost;
    app.use(async (context, next) => {
      context.set("host", this.#host());
      context.set("page", page);
      await next();
    });
    app.route("/", pageRoutes());
    return await app.request(BASE + path, { headers: { Accept: "text/html", ...headers } });
  }

  /** Waits until nothing goes on any more but what waits for storage. */
  async quiet(): Promise<void> {
    for (let count = 0; count < QUIET_TURNS; count++) await turn();
  }

  /** Waits for what goes on behind answers. */
  async settled(): Promise<void> {
    await Promise.all(this.#work.splice(0));
  }
}
