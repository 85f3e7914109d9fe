/**
 * Answers whether wanted objects are tips, and whether the wants leave a tip out.
 *
 * @packageDocumentation
 */
import { toHex } from "../../bytes/hex.ts";
import { objectFormat, type ObjectFormatName } from "../../object/object-id.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { countTips, findPeeledTips, findTips } from "./tables/refs.ts";

/** What a snapshot says of wants. See `OpenAnswer`. */
export type TipAnswer = { readonly wantIsTip: Uint8Array; readonly uncoveredTips: number };

/** Looks wants up in the indexes of the refs. Holds the number of tips while the refs are the same. */
export class TipIndex {
  readonly #db: SqlDatabase;
  #snapshot = "";
  #tips = 0;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  /** `wants` is raw oids, concatenated; `snapshot` is a name that no other state of the refs ever has. */
  look(wants: Uint8Array, format: ObjectFormatName, snapshot: string): TipAnswer {
    const { rawSize } = objectFormat(format);
    const names: string[] = [];
    for (let at = 0; at + rawSize <= wants.length; at += rawSize) names.push(toHex(wants.subarray(at, at + rawSize)));
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
