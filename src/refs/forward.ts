/**
 * Renaming: the tables of a repository go from the Durable Object of its old name to that of the new one. Its bytes
 * stay where they are, since their prefix is named by the repository's id.
 *
 * @packageDocumentation
 */

/** The new name of a repository that was renamed, kept by the old one until that is taken again. */
export type Forward = {
  /** `{tenant}/{repo}`, as it is shown. */
  readonly to: string;
  /** Whether everybody could read the repository when it was renamed, so that its old name was no secret. */
  readonly isPublic: boolean;
};

/**
 * The result of a rename. `taken`: there is a repository of the new name; `too-large`: it has more rows than one step
 * moves.
 */
export type MoveAnswer =
  | { readonly kind: "moved"; readonly id: string }
  | { readonly kind: "missing" | "taken" | "too-large" };

/** Some rows of one table. */
export type MovedRows = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null | Uint8Array)[])[];
};

/** A step of the arrival of repository `id` at its new name. Nothing of it is visible before `end`. */
export type ArrivalStep = { readonly id: string } & (
  | { readonly kind: "begin" }
  | { readonly kind: "rows"; readonly rows: MovedRows }
  /**
   * `spelled` is the new name as it is shown, if that is not in lower case. `leavesTenant` says whether the tenant is
   * another now, whose webhooks are not the old one's.
   */
  | {
      readonly kind: "end";
      readonly settings: MovedRows;
      readonly spelled: string | null;
      readonly leavesTenant: boolean;
    }
  | { readonly kind: "cancel" }
);

/** The result of a step. `arrived`: the repository is here, and the cancellation came too late. */
export type ArrivalAnswer = "done" | "taken" | "arrived";
