/**
 * Looks up what a call asks of the refs before it is answered, in turns with other requests, where that is very much: the values of
 * the refs of a push, or which wants are tips. The answer takes what was found if nothing has changed since.
 *
 * @packageDocumentation
 */
import { Pacer } from "../../bytes/pacer.ts";
import type { BeginPushRequest, OpenRequest } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { turnOfEvents } from "../turn-of-events.ts";
import { readRefs, readRefsInParts } from "./tables/refs.ts";
import { isHidden, readRepository, type RepositoryRow } from "./tables/repository.ts";
import type { TipIndex } from "./tip-index.ts";

/** Names that are looked up without a pause. */
const FEW_NAMES = 2000;
/** Bytes of the name of an object, at least. */
const LEAST_NAME_BYTES = 20;

/** The values of refs, in hexadecimal, by their names, and of which version of the repository they are. */
export type ValuesAhead = {
  readonly id: string;
  readonly version: number;
  readonly values: ReadonlyMap<string, string>;
};

/** Looks ahead for the calls of one object. */
export class LookAhead {
  readonly #db: SqlDatabase;
  readonly #tips: TipIndex;
  readonly #hasTables: () => boolean;

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
    const values = await new Pacer(turnOfEvents).finish(readRefsInParts(this.#db, names));
    return { id: row.record.id, version: row.version, values };
  }

  /** Looks up which wants of a request are tips, if they are many: {@link TipIndex.look} finds the answer there. */
  async lookFor({ wants, publicOnly }: OpenRequest): Promise<void> {
    const row = wants !== undefined && wants.length > FEW_NAMES * LEAST_NAME_BYTES ? this.#read() : undefined;
    if (row === undefined || wants === undefined || isHidden(row, publicOnly)) return;
    await new Pacer(turnOfEvents).finish(this.#tips.lookAhead(wants, row));
  }
}

/** Returns the present values of refs, in the order of the names; "" for one that does not exist. */
export function presentValues(
  db: SqlDatabase,
  names: readonly string[],
  { record, version }: RepositoryRow,
  ahead: ValuesAhead | undefined,
): string[] {
  const holds = ahead?.id === record.id && ahead.version === version;
  const values = holds ? ahead.values : readRefs(db, names);
  return names.map((name) => values.get(name) ?? ""); // There is none.
}
