/**
 * Looks up what a call asks of the refs before it is answered, in turns with other requests, where that is very much: the values of
 * the refs of a push, which wants are tips, or a list of refs. The answer takes what was found if nothing has changed since. Of the values
 * it takes what was found in any case, and reads those that have changed since, if they are few.
 *
 * @packageDocumentation
 */
import { atOnce, Pacer } from "../../bytes/pacer.ts";
import type { BeginPushRequest, OpenRequest } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { turnOfEvents } from "../turn-of-events.ts";
import { type RefPage, refPage } from "./open-page.ts";
import { askedRefs } from "./tables/refs-at.ts";
import { movedSince } from "./plan-push.ts";
import { refLogEnds } from "./tables/ref-log.ts";
import { readRefs, readRefsInParts } from "./tables/refs.ts";
import { isHidden, readRepository, type RepositoryRow } from "./tables/repository.ts";
import type { TipIndex } from "./tip-index.ts";

/** Names that are looked up without a pause. */
const FEW_NAMES = 2000;
/** How often refs, or wants, are looked up while refs change meanwhile, before that is done without a pause. */
const MOST_TRIES = 3;
/** Milliseconds for which one list of refs waits for another. */
const LONGEST_WAIT = 60_000;
/** Bytes of the name of an object, at least. */
const LEAST_NAME_BYTES = 20;

/** The values of refs, in hexadecimal, by their names. Later moves come after the place `logEnd` in the log. */
export type ValuesAhead = {
  readonly id: string;
  readonly logEnd: number;
  readonly values: ReadonlyMap<string, string>;
};

/** Refs that a call asks for, and of which version of the repository they are. */
export type RefsAhead = { readonly id: string; readonly version: number; readonly page: RefPage };

/** Looks ahead for the calls of one object. */
export class LookAhead {
  readonly #db: SqlDatabase;
  readonly #tips: TipIndex;
  readonly #hasTables: () => boolean;
  /** When the last list of refs ends that is read in turns. */
  #lastList: Promise<void> = Promise.resolve();

  constructor(db: SqlDatabase, tips: TipIndex, hasTables: () => boolean) {
    this.#db = db;
    this.#tips = tips;
    this.#hasTables = hasTables;
  }

  #read(): RepositoryRow | undefined {
    return this.#hasTables() ? readRepository(this.#db) : undefined;
  }

  /** Reads the values of the refs of a push. Returns `undefined` for few, and where there is no repository. */
  async valuesFor({ names }: Pick<BeginPushRequest, "names">): Promise<ValuesAhead | undefined> {
    const row = names.length > FEW_NAMES ? this.#read() : undefined;
    if (row === undefined) return undefined;
    const logEnd = refLogEnds(this.#db).newest;
    const values = await new Pacer(turnOfEvents).finish(readRefsInParts(this.#db, names));
    return { id: row.record.id, logEnd, values };
  }

  /** Looks up what a request asks for, and returns the refs behind `after`: see {@link LookAhead.lookFor}, {@link LookAhead.refsFor}. */
  async forOpen(request: OpenRequest, after?: string): Promise<RefsAhead | undefined> {
    await this.lookFor(request);
    return await this.refsFor(request, after);
  }

  /** Looks up which wants of a request are tips, if they are many: {@link TipIndex.look} finds the answer there. */
  async lookFor({ wants, publicOnly }: OpenRequest): Promise<void> {
    if (wants === undefined || wants.length <= FEW_NAMES * LEAST_NAME_BYTES) return;
    const pacer = new Pacer(turnOfEvents);
    let before: number | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const row = this.#read();
      if (row === undefined || row.version === before || isHidden(row, publicOnly)) return;
      before = row.version;
      await pacer.finish(this.#tips.lookAhead(wants, row));
    }
  }

  /**
   * Reads the refs that a request asks for by prefix, behind `after`. Where they change meanwhile it begins anew, some times:
   * {@link pageOfRefs} takes only what is still so. Of lists that are read in turns one is read at a time: each takes up to 16 MiB.
   */
  async refsFor(request: OpenRequest, after = ""): Promise<RefsAhead | undefined> {
    const row = this.#rowFor(request);
    if (row === undefined) return undefined;
    const { record, version } = row;
    const first = refPage(askedRefs(this.#db, request, record), after).next();
    if (first.done === true) return { id: record.id, version, page: first.value };
    return await this.#afterOthers(async () => await this.#readRefs(request, after));
  }

  /** Returns the repository, if a request asks for refs of it that its caller may read. */
  #rowFor({ refPrefixes, publicOnly }: OpenRequest): RepositoryRow | undefined {
    const row = refPrefixes === undefined ? undefined : this.#read();
    return row === undefined || isHidden(row, publicOnly) ? undefined : row;
  }

  async #readRefs(request: OpenRequest, after: string): Promise<RefsAhead | undefined> {
    let ahead: RefsAhead | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const row = this.#rowFor(request);
      if (row === undefined) return undefined;
      const { record, version } = row;
      if (ahead?.id === record.id && ahead.version === version) return ahead;
      const list = askedRefs(this.#db, request, record);
      ahead = { id: record.id, version, page: await new Pacer(turnOfEvents).finish(refPage(list, after)) };
    }
    return ahead;
  }

  /** Does something after what was begun before it has ended, or has taken very long. */
  async #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#lastList;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastList = promise;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([before, new Promise((go) => (timer = setTimeout(go, LONGEST_WAIT)))]);
    clearTimeout(timer);
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}

/** Returns the refs that a request asks for by prefix, behind `after`, or a page of them. */
export function pageOfRefs(
  db: SqlDatabase,
  { request, row, after }: { readonly request: OpenRequest; readonly row: RepositoryRow; readonly after: string },
  ahead: RefsAhead | undefined,
): RefPage {
  if (request.refPrefixes === undefined) return { refs: [] };
  if (ahead?.id === row.record.id && ahead.version === row.version) return ahead.page;
  return atOnce(refPage(askedRefs(db, request, row.record), after));
}

function readInOrder(db: SqlDatabase, names: readonly string[]): string[] {
  const values = readRefs(db, names);
  return names.map((name) => values.get(name) ?? ""); // There is none.
}

/** Returns the present values of refs, in the order of the names; "" for one that does not exist. */
export function presentValues(
  db: SqlDatabase,
  names: readonly string[],
  { record }: RepositoryRow,
  ahead: ValuesAhead | undefined,
): string[] {
  const moved = ahead?.id === record.id ? movedSince(db, ahead.logEnd) : undefined;
  if (ahead === undefined || moved === undefined) return readInOrder(db, names);
  const since = readRefs(db, moved);
  const valueOf = (name: string): string | undefined => (moved.has(name) ? since.get(name) : ahead.values.get(name));
  return names.map((name) => valueOf(name) ?? ""); // There is none.
}
