/**
 * `/api/v1/repos/{tenant}/{repo}/maintenance`: what a repository's packs are like, what is due, and what was done.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { Problem } from "../../http/problem.ts";
import type { MaintenanceRun, MaintenanceState, PackSum } from "../../refs/maintenance-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { requestedRepository } from "./requested.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const sums = v.looseObject({ packs: count, objects: count, bytes: count });
const purging = v.strictObject({ purge: v.optional(v.boolean(), false) });
const shownState = v.looseObject({
  total: sums,
  unmarked: sums,
  unreachable: sums,
  tip_packs: sums,
  borrowed: sums,
  commit_graph: v.looseObject({ layers: count, commits: count, filters: count, bytes: count }),
  due: v.nullable(v.looseObject({ packs: count, reason: v.picklist(["asked", "packs", "commit-graph"]) })),
  purging: v.boolean(),
  waiting_for_forks: count,
  running_since: v.nullable(time),
  runs: v.array(
    v.looseObject({
      step: v.picklist(["roll-up", "walk", "bitmap", "graph", "twin", "midx", "lfs", "bundle", "order"]),
      outcome: v.picklist(["done", "stale", "failed"]),
      at: time,
      seconds: v.number(),
      packs: count,
      objects: count,
      bytes_read: count,
      bytes_written: count,
      error: v.nullable(v.string()),
    }),
  ),
});

const isoTime = (at: number): string => new Date(at).toISOString();

const shownSums = ({ packs, objects, bytes }: PackSum): object => ({ packs, objects, bytes });

function shownRun({ step, outcome, at, ms, packs, objects, bytes, written, error }: MaintenanceRun): object {
  return {
    step,
    outcome,
    at: isoTime(at),
    seconds: ms / 1000,
    packs,
    objects,
    bytes_read: bytes,
    bytes_written: written,
    error: error ?? null,
  };
}

function shown({
  total,
  unmarked,
  unreachable,
  tipPacks,
  borrowed,
  waitingForForks,
  graph,
  isGraphDue,
  due,
  asked,
  purging: isPurging,
  runningSince,
  runs,
}: MaintenanceState): object {
  const reason = asked ? "asked" : due > 0 ? "packs" : "commit-graph";
  return {
    total: shownSums(total),
    unmarked: shownSums(unmarked),
    unreachable: shownSums(unreachable),
    tip_packs: shownSums(tipPacks),
    borrowed: shownSums(borrowed),
    commit_graph: { ...graph },
    due: asked || isGraphDue || due > 0 ? { packs: due, reason } : null,
    purging: isPurging,
    waiting_for_forks: waitingForForks,
    running_since: runningSince === undefined ? null : isoTime(runningSince),
    runs: runs.map(shownRun),
  };
}

function answer(context: Context<ApiEnv>, state: MaintenanceState | undefined, status: 200 | 202): Response {
  if (state === undefined) throw new Problem(404, "There is no such repository.");
  return context.json(shown(state), status, { "Cache-Control": "no-store" });
}

/** The routes of maintenance, below `/api/v1/repos`. */
export function maintenanceRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/:repo/maintenance",
    describe({
      tag: "repositories",
      summary: "Shows what the packs are like, what is due and what the last runs did",
      about: "`unmarked` are the packs of which something may be unreachable; clones of them walk the history.",
      access: "token",
      answers: { 200: { about: "The state.", json: shownState } },
    }),
    async (context) => {
      const { name } = await requestedRepository(context, "administer");
      return answer(context, await context.var.api.settings(name).maintenance(), 200);
    },
  );
  routes.post(
    "/:tenant/:repo/maintenance",
    describe({
      tag: "repositories",
      summary: "Has maintenance begin now",
      about:
        "It goes on behind the answer, step by step; pushes and fetches go on meanwhile. GET says how far it is. " +
        "With `purge`, what no ref reaches is removed at once, and the files of earlier packs with it.",
      access: "token",
      body: purging,
      answers: { 202: { about: "It begins.", json: shownState } },
    }),
    async (context) => {
      const { name, record } = await requestedRepository(context, "administer");
      const { purge } = await readJson(context.req.raw, purging);
      if (purge && record.mirror !== undefined)
        throw new Problem(409, "A mirror keeps what its refs were for thirty days. Purge it once it is promoted.");
      return answer(context, await context.var.api.settings(name).askForMaintenance(purge), 202);
    },
  );
  return routes;
}
