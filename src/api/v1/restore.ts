/**
 * `POST …/reflog/{id}/restore`: takes a push back.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { actorNameOf, actorOf, pusherOf } from "../../access/principal.ts";
import { missingLfs } from "../../http/lfs-admission.ts";
import { Problem } from "../../http/problem.ts";
import { restorePush } from "../../maintenance/restore.ts";
import type { LoggedMove } from "../../refs/ref-log.ts";
import { explainRefusal } from "../../refs/ref-policy.ts";
import type { RepositorySettings } from "../../refs/repository-settings.ts";
import type { RefOutcome } from "../../refs/ref-update.ts";
import type { ApiEnv } from "../api-host.ts";
import { pathParam, requestedRepository } from "./requested.ts";

/** The most refs that are taken back in one step. */
const MOST_MOVES = 10_000;

/** What was moved back. */
export const restoredRefs = v.looseObject({
  updates: v.array(v.looseObject({ ref: v.string(), old: v.string(), new: v.string() })),
});

/** Says why a ref could not be moved. */
export function explainMove(outcome: Extract<RefOutcome, { kind: "rejected" }>): string {
  const { name, why } = outcome;
  switch (why.kind) {
    case "stale":
    case "exists":
    case "missing-ref":
      return `${name} has been moved since`;
    case "rule":
      return `${name}: ${explainRefusal(why.refusal)}`;
    case "read-only":
      return "the repository is read-only";
    case "delete-current":
      return `${name} is the default branch, and stays`;
    case "directory-conflict":
      return `${name} can't be beside ${why.other}`;
    default:
      return `${name}: ${why.kind}`;
  }
}

/** Throws if not all refs were set back; then none was. */
function requireAll(outcomes: readonly RefOutcome[]): void {
  const refused = outcomes.filter((outcome) => outcome.kind === "rejected");
  if (refused.length === 0) return;
  const first = refused.find(({ why }) => why.kind !== "atomic") ?? refused[0];
  throw new Problem(409, `Nothing was changed: ${first === undefined ? "refused" : explainMove(first)}.`);
}

async function movesOf(settings: Pick<RepositorySettings, "refLog">, push: number): Promise<readonly LoggedMove[]> {
  const page = await settings.refLog({ limit: MOST_MOVES, push });
  if (page?.before !== undefined) throw new Problem(409, `A push of more than ${MOST_MOVES} refs can't be taken back.`);
  return page?.pushes.flatMap(({ moves }) => moves) ?? [];
}

/** Answers the request. */
export async function restore(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await requestedRepository(context, "administer");
  if (record.mirror !== undefined) throw new Problem(409, "A mirror's refs follow its upstream.");
  const id = pathParam(context, "id");
  const push = /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : undefined;
  const { host, api } = context.var;
  const settings = api.settings(name);
  const moves = push === undefined ? [] : await movesOf(settings, push);
  if (moves.length === 0) throw new Problem(404, "There is no such push in the log.");
  const { principal } = await host.identify(name);
  const who = { actor: actorOf(principal), ...actorNameOf(principal), pusher: pusherOf(principal) };
  const answer = await restorePush(host.repository(name), settings, moves, {
    ...who,
    lfs: record.lfs,
    missingLfs: (oids) => missingLfs(host, name, oids),
  });
  if (answer.kind === "missing") throw new Problem(404, "There is no such repository.");
  if (answer.kind !== "done")
    throw new Problem(409, "Objects of what the refs were are not kept any more, so they can't be set back.");
  requireAll(answer.outcomes);
  const updates = answer.updates.map(({ name: ref, oldOid, newOid }) => ({ ref, old: oldOid, new: newOid }));
  return context.json({ updates });
}
