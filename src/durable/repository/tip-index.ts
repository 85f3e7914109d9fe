/**
 * Answers whether wanted objects are tips, and whether the wants leave a tip out.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { atOnce } from "../../bytes/pacer.ts";
import { objectFormat, type ObjectFormatName } from "../../object/object-id.ts";
import type { OpenRequest, OpenSnapshot } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { countTips, findPeeledTips, findTips } from "./tables/refs.ts";
import type { RepositoryRow } from "./tables/repository.ts";

/** Names that are looked up before a pause, and the steps of each. */
const NAMES_AT_ONCE = 5000;
const NAME_STEPS = 250;

/** A snapshot's answer about wants: see `OpenAnswer`. */
export type TipAnswer = { readonly wantIsTip: Uint8Array; readonly uncoveredTips: number };

/** Appends the values of wanted refs (hex; "" for a ref that does not exist) to the wants. */
function joinWants(wants: Uint8Array, byRef: readonly string[]): Uint8Array {
  const found = byRef.map((oid) => fromHex(oid)).filter((oid) => oid !== undefined);
  return found.length === 0 ? wants : concat([wants, ...found]);
}

function splitNames(names: Uint8Array, format: ObjectFormatName): Uint8Array[] {
  const { rawSize } = objectFormat(format);
  const split: Uint8Array[] = [];
  for (let at = 0; at + rawSize <= names.length; at += rawSize) split.push(names.subarray(at, at + rawSize));
  return split;
}

/** Returns a name for a state of the refs that no other one ever has. */
function snapshotOf({ record, version }: RepositoryRow): string {
  return `${record.id}/${version}`;
}

/** Looks up wants in the indexes of the refs. Remembers the number of tips as long as the refs stay the same. */
export class TipIndex {
  readonly #db: SqlDatabase;
  /** Answers that were found before they were asked for, by the wants. */
  readonly #ahead = new WeakMap<Uint8Array, { readonly snapshot: string; readonly answer: TipAnswer }>();
  #snapshot = "";
  #tips = 0;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  /** Returns which of the haves are tips, as `OpenRequest` says. `areMarked`: all packs that were asked for have the mark. */
  lookAtHaves({ haves }: OpenRequest, areMarked: boolean, format: ObjectFormatName): Pick<OpenSnapshot, "tipHaves"> {
    if (haves === undefined || areMarked) return {};
    const names = new Map(splitNames(haves, format).map((name) => [toHex(name), name]));
    const found = [...findTips(this.#db, names.keys()), ...findPeeledTips(this.#db, names.keys())];
    return { tipHaves: [...new Set(found)].flatMap((hex) => names.get(hex) ?? []) };
  }

  /** Looks up `wants`, which are raw oids, concatenated, and the values of wanted refs (hex; "" for a ref that does not exist). */
  look(wants: Uint8Array | undefined, byRef: readonly string[], row: RepositoryRow): TipAnswer {
    if (wants === undefined) return { wantIsTip: new Uint8Array(0), uncoveredTips: 0 };
    const snapshot = snapshotOf(row);
    const names = joinWants(wants, byRef);
    const ahead = this.#ahead.get(names);
    return ahead?.snapshot === snapshot ? ahead.answer : atOnce(this.#search(names, row.record.objectFormat, snapshot));
  }

  /** Looks the wants of a request up before it is answered, and keeps the answer for as long as the request is there. Yields steps. */
  *lookAhead(wants: Uint8Array, row: RepositoryRow): Generator<number, void, undefined> {
    const snapshot = snapshotOf(row);
    const answer = yield* this.#search(wants, row.record.objectFormat, snapshot);
    this.#ahead.set(wants, { snapshot, answer });
  }

  *#search(wants: Uint8Array, format: ObjectFormatName, snapshot: string): Generator<number, TipAnswer, undefined> {
    if (this.#snapshot !== snapshot) {
      this.#tips = countTips(this.#db);
      this.#snapshot = snapshot;
    }
    const all = this.#tips;
    const { rawSize } = objectFormat(format);
    const count = Math.floor(wants.length / rawSize);
    const wantIsTip = new Uint8Array(count);
    const covered = new Set<string>();
    for (let from = 0; from < count; from += NAMES_AT_ONCE) {
      const part = wants.subarray(from * rawSize, Math.min(count, from + NAMES_AT_ONCE) * rawSize);
      const names = splitNames(part, format).map((name) => toHex(name));
      const tips = findTips(this.#db, new Set(names));
      const rest = new Set(names.filter((name) => !tips.has(name)));
      const peeled = findPeeledTips(this.#db, rest);
      for (const name of tips) covered.add(name);
      for (const [at, name] of names.entries()) wantIsTip[from + at] = tips.has(name) ? 1 : peeled.has(name) ? 2 : 0;
      yield names.length * NAME_STEPS;
    }
    return { wantIsTip, uncoveredTips: all - covered.size };
  }
}
