/**
 * A request that changes a repository, whose body is JSON.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type * as v from "valibot";
import { Problem } from "../../http/problem.ts";
import { admitWriter, type Writer } from "../../http/pusher.ts";
import type { ApiEnv } from "../api-host.ts";
import { checkJson, mediaType, parseJson } from "../json-body.ts";
import { bodySource, readWhole, strictText } from "./bounded-body.ts";
import { type KeyedRequest, keyedRequest } from "./idempotency.ts";
import { requestedName } from "./requested.ts";

/** A request by one who may write: what its body says, and its key. */
export type AskedWrite<Body> = Writer & { readonly body: Body; readonly keyed: KeyedRequest | undefined };

/** How a body is read: the most bytes of it, and whether it waits until the isolate has room for work that takes much. */
export type BodyReading = { readonly mostBytes: number; readonly needsRoom: boolean };

/** Admits the writer, and reads the body. @throws AccessDenied, Problem */
export async function askedWrite<Schema extends v.GenericSchema>(
  context: Context<ApiEnv>,
  schema: Schema,
  { mostBytes, needsRoom }: BodyReading,
): Promise<AskedWrite<v.InferOutput<Schema>>> {
  const name = await requestedName(context, "write");
  const writer = await admitWriter({ host: context.var.host, name });
  const { repository } = writer.exchange;
  if (needsRoom) await repository.memory.room();
  const hash = repository.hash("sha256");
  const bytes = await readWhole(bodySource(context, repository.memory), mostBytes, (piece) => hash.update(piece));
  if (mediaType(context.req.raw) !== "application/json") throw new Problem(415, "The body has to be application/json.");
  const body = checkJson(parseJson(strictText(bytes)), schema);
  return { ...writer, body, keyed: keyedRequest(context, writer.principal, hash) };
}
