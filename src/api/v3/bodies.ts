/**
 * Bodies of requests, read for a caller that may do what the body asks for. Members that GitHub knows and this host does
 * not are passed over, since clients send them.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type * as v from "valibot";
import type { Action } from "../../access/decide.ts";
import type { ApiEnv } from "../api-host.ts";
import { checkJson, parseJson } from "../json-body.ts";
import { bodySource, readWhole, strictText } from "../v1/bounded-body.ts";
import { requestedRepository } from "../v1/requested.ts";

/** Bytes of a body. Contents that are larger are pushed, or go to version 1 as blobs. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Returns the body in the schema's form, for a caller that may do this with the repository. No body counts as an empty
 * object.
 *
 * @throws AccessDenied, Problem
 */
export async function readBody<Schema extends v.GenericSchema>(
  context: Context<ApiEnv>,
  action: Action,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const { name } = await requestedRepository(context, action);
  const { memory } = context.var.host.repository(name);
  await memory.room();
  const text = strictText(await readWhole(bodySource(context, memory), MOST_BYTES, () => undefined));
  return checkJson(text.trim() === "" ? {} : parseJson(text), schema);
}
