/**
 * Issues a token, or bounds a key, within the rights of the token that makes it.
 *
 * @packageDocumentation
 */
import { excessOver } from "../../access/token-bounds.ts";
import { type Excess, type IssueAnswer, type IssueRequest, MOST_TOKENS } from "../../access/token-store.ts";
import type { NewId } from "../repository/repository-database.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { countTokens, deleteTokens, insertToken, readToken } from "./tables/tokens.ts";

/**
 * Whether what is to be made stays within its maker. Without a requested time, the expiry of the token that makes it
 * applies.
 */
type Bound =
  | { readonly kind: "within"; readonly expiresAt?: number }
  | { readonly kind: "no-maker" }
  | { readonly kind: "excess"; readonly of: Excess };

/** Compares what is to be made with the token that makes it, if one does. */
export function boundByMaker(db: SqlDatabase, request: Omit<IssueRequest, "hash" | "name">, now: number): Bound {
  const maker = request.createdBy === undefined ? undefined : readToken(db, request.createdBy);
  const isGone = maker === undefined || (maker.expiresAt ?? Number.POSITIVE_INFINITY) <= now;
  if (request.createdBy !== undefined && isGone) return { kind: "no-maker" };
  const excess = maker === undefined ? undefined : excessOver(maker, request);
  if (excess !== undefined) return { kind: "excess", of: excess };
  const expiresAt = request.expiresAt ?? maker?.expiresAt;
  return { kind: "within", ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Issues a token of a tenant that exists, as a part of the caller's transaction. */
export function issueToken(db: SqlDatabase, newId: NewId, request: IssueRequest, now: number): IssueAnswer {
  if (countTokens(db) >= MOST_TOKENS) deleteTokens(db, now);
  if (countTokens(db) >= MOST_TOKENS) return { kind: "full" };
  const bound = boundByMaker(db, request, now);
  if (bound.kind !== "within") return bound;
  const { expiresAt } = bound;
  const id = newId();
  insertToken(db, id, { ...request, ...(expiresAt === undefined ? {} : { expiresAt }) }, now);
  const token = readToken(db, id);
  if (token === undefined) throw new Error("a row that was inserted is not there");
  return { kind: "issued", token };
}
