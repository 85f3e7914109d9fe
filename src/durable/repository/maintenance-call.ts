/**
 * The calls by which the Worker reaches the maintenance of a repository, and their answers.
 *
 * @packageDocumentation
 */
import type { DamagedFile } from "../../catalog/damaged-file.ts";
import type {
  BeginMaintenanceAnswer,
  LfsLookAnswer,
  LfsLookReport,
  MaintenanceRun,
  MaintenanceState,
  ReplaceGraphsAnswer,
  ReplaceGraphsRequest,
} from "../../refs/maintenance-store.ts";
import type { ReplacePacksAnswer, ReplacePacksRequest } from "../../refs/pack-catalog.ts";

/** A call of one of the methods of `MaintenanceStore`, or of `PackCatalog`. */
export type MaintenanceCall =
  | { readonly kind: "show" | "revive" }
  | { readonly kind: "ask"; readonly purge: boolean }
  | { readonly kind: "begin"; readonly id: string; readonly packNames: readonly string[] }
  | { readonly kind: "packs"; readonly request: ReplacePacksRequest }
  | { readonly kind: "graphs"; readonly request: ReplaceGraphsRequest }
  | { readonly kind: "lfs"; readonly report: LfsLookReport }
  | { readonly kind: "damage"; readonly files: readonly DamagedFile[] }
  | { readonly kind: "end"; readonly id: string; readonly run: MaintenanceRun };

/** What the method returns: of `show` and `ask` the state, of `begin` the beginning, of `packs` and `graphs` what was replaced. */
export type MaintenanceAnswer = {
  readonly state?: MaintenanceState;
  readonly begun?: BeginMaintenanceAnswer;
  readonly replaced?: ReplacePacksAnswer | ReplaceGraphsAnswer | LfsLookAnswer;
  readonly revived?: boolean;
};
