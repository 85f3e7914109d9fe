/**
 * Answers whether wanted objects are tips, and whether the wants leave a tip out.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { objectFormat, type ObjectFormatName } from "../../object/object-id.ts";
import type { OpenRequest, OpenSnapshot } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { countTips, findPeeledTips, findTips } from "./tables/refs.ts";

/** A snapshot's answer about wants: see `OpenAnswer`. */
export type TipAnswer = { readonly wantIsTip: Uint8Array; readonly uncoveredTips: number };

/** Appends the values of wanted refs (hex; "" for a ref that does not exist) to the wants. */
export function joinWants(wants: Uint8Array, byRef: readonly string[]): Uint8Array {
  const found = byRef.map((oid) => fromHex(oid)).filter((oid) => oid !== undefined);
  return found.length === 0 ? wants : concat([wants, ...found]);
}

function splitNames(names: Uint8Array, format: ObjectFormatName): Uint8Array[] {
  const { rawSize } = objectFormat(format);
  const split: Uint8Array[] = [];
  for (let at = 0; at + rawSize <= names.length; at += rawSize) split.push(names.subarray(at, at + rawSize));
  return split;
}

/** Looks up wants in the indexes of the refs. Remembers the number of tips as long as the refs stay the same. */
export class TipIndex {
  readonly #db: SqlDatabase;
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

  /**
   * Looks up `wants`, which are raw oids, concatenated. `snapshot` is a name that no other state of the refs ever has.
   */
  look(wants: Uint8Array, format: ObjectFormatName, snapshot: string): TipAnswer {
    const names = splitNames(wants, format).map((name) => toHex(name));
    const distinct = new Set(names);
    const tips = findTips(this.#db, distinct);
    const peeled = findPeeledTips(
      this.#db,
      [...distinct].filter((name) => !tips.has(name)),
    );
    if (this.#snapshot !== snapshot) {
      this.#tips = countTips(this.#db);
      this.#snapshot = snapshot;
    }
    return {
      wantIsTip: Uint8Array.from(names, (name) => (tips.has(name) ? 1 : peeled.has(name) ? 2 : 0)),
      uncoveredTips: this.#tips - tips.size,
    };
  }
}
