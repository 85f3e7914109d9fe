/**
 * What pages ask of the API.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { type RepositoryName, shownName } from "../access/names.ts";
import { Problem, type ProblemStatus } from "../http/problem.ts";
import type { PageEnv } from "./page-host.ts";

const problem = v.object({ status: v.number(), detail: v.string() });
/** What is told where a page shows nothing to a visitor without a token. */
export const NOTHING_SHOWN = "There is nothing here that you may see.";
/** The API's refusals that a page repeats. Any other is a fault. */
const REPEATED: readonly ProblemStatus[] = [400, 403, 404, 409, 412, 413, 422, 429, 503];

/**
 * Throws the problem that the API answered with. That a token is missing, or not in force, stays what it is: a visitor is told that
 * there is nothing, and one whose session has ended is signed out.
 *
 * @throws Problem
 */
export async function assertDone(answer: Response): Promise<void> {
  if (answer.ok) return;
  const { status, detail } = v.parse(problem, await answer.json());
  if (status === 401) throw new Problem(401, NOTHING_SHOWN);
  throw new Problem(REPEATED.find((known) => known === status) ?? 500, detail); // 500 stands for every other fault.
}

/** Asks the API as the visitor, and returns what is needed of its answer. @throws Problem */
export async function apiJson<const T extends v.GenericSchema>(
  context: Context<PageEnv>,
  path: string,
  schema: T,
): Promise<v.InferOutput<T>> {
  const answer = await context.var.page.api(path);
  await assertDone(answer);
  return v.parse(schema, await answer.json());
}

/** As {@link apiJson}, with the `ETag` of the answer. @throws Problem */
export async function apiTagged<const T extends v.GenericSchema>(
  context: Context<PageEnv>,
  path: string,
  schema: T,
): Promise<{ readonly body: v.InferOutput<T>; readonly tag: string }> {
  const answer = await context.var.page.api(path);
  await assertDone(answer);
  return { body: v.parse(schema, await answer.json()), tag: answer.headers.get("ETag") ?? "" }; // Settings have one.
}

/** Throws the problem that the server of Git LFS answered with; of a token as {@link assertDone}. @throws Problem */
export async function assertLfsDone(answer: Response): Promise<void> {
  if (answer.ok) return;
  if (answer.status === 401) throw new Problem(401, NOTHING_SHOWN);
  const { message } = v.parse(v.object({ message: v.string() }), await answer.json());
  throw new Problem(REPEATED.find((known) => known === answer.status) ?? 500, message); // 500 stands for every other fault.
}

/** Asks the server of Git LFS of a repository as the visitor, and returns what is needed of its answer. @throws Problem */
export async function lfsJson<const T extends v.GenericSchema>(
  context: Context<PageEnv>,
  name: RepositoryName,
  path: string,
  schema: T,
): Promise<v.InferOutput<T>> {
  const answer = await context.var.page.lfs(shownName(name), path);
  await assertLfsDone(answer);
  return v.parse(schema, await answer.json());
}
