/**
 * Bodies of requests, read for a caller that may do what the body asks for. Members that GitHub knows and this host does
 * not are passed over, since clients send them.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type * as v from "valibot";
import type { Action } from "../../access/decide.ts";
import { folded } from "../../access/names.ts";
import { readBodyText } from "../../http/body-text.ts";
import { authorizeTenant } from "../../http/denied.ts";
import type { ApiEnv } from "../api-host.ts";
import { checkJson, parseJson } from "../json-body.ts";
import { bodySource, readWhole, strictText } from "../v1/bounded-body.ts";
import { requestedRepository } from "../v1/requested.ts";

/** Bytes of a body. Contents that are larger are pushed, or go to version 1 as blobs. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Bytes of a body that has nothing but settings. */
const MOST_SETTINGS_BYTES = 65_536;

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
  let held = 0;
  try {
    const source = bodySource(context, memory);
    const bytes = await readWhole(source, MOST_BYTES, ({ length }) => {
      held += length;
      memory.hold(length);
    });
    return formOf(strictText(bytes), schema);
  } finally {
    memory.hold(-held);
  }
}

/**
 * Returns the body in the schema's form, for a caller of the tenant: it is short, and says which repository is meant. So
 * what the caller may do with that is decided later.
 *
 * @throws AccessDenied, Problem
 */
export async function readTenantBody<Schema extends v.GenericSchema>(
  context: Context<ApiEnv>,
  tenant: string,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  await authorizeTenant(context.var.host, "show", folded(tenant));
  return formOf(await readBodyText(context.req.raw, MOST_SETTINGS_BYTES), schema);
}

function formOf<Schema extends v.GenericSchema>(text: string, schema: Schema): v.InferOutput<Schema> {
  return checkJson(text.trim() === "" ? {} : parseJson(text), schema);
}
