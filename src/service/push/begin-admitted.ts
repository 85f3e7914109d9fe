/**
 * Begins a push: opens the repository with a lease for the pack, and has the requester admitted.
 *
 * @packageDocumentation
 */
import { ProtocolError } from "../../bytes/failure.ts";
import { StagedPack } from "../../packing/staged-pack.ts";
import type { BeginPushAnswer, BeginPushRequest } from "../../refs/ref-store.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import type { Admission } from "../admission.ts";
import type { PushExchange } from "../exchange.ts";

/** The state of the repository when a push begins. */
export type Begun = Extract<BeginPushAnswer, { kind: "begun" }>;

/** Who begins, and who admits. */
export type BeginningCall = {
  readonly exchange: Pick<PushExchange, "repository" | "create" | "register" | "retract" | "upload" | "lockOwner">;
  readonly admission: Pick<Admission, "admit">;
};

/** What the push is about to do. */
export type BeginningRequest = {
  /** Full names of refs. */
  readonly names: readonly string[];
  /** The object format that a repository gets which the push makes. */
  readonly format?: ObjectFormat;
  readonly isSigned?: boolean;
  /** See `BeginPushRequest`. */
  readonly mayBeSmall?: boolean;
  /** See `BeginPushRequest`. */
  readonly once?: string;
};

function askedOf(
  { exchange }: Pick<BeginningCall, "exchange">,
  request: BeginningRequest,
  packName: string | undefined,
): BeginPushRequest {
  return {
    names: request.names,
    ...(request.once === undefined ? {} : { once: request.once }),
    ...(request.isSigned === true ? { pushSeed: true } : {}),
    ...(packName === undefined ? {} : { packName, mayBeSmall: request.mayBeSmall === true }),
    ...(exchange.upload === undefined ? {} : { upload: exchange.upload }),
    ...(exchange.lockOwner === undefined ? {} : { lockOwner: exchange.lockOwner }),
  };
}

/**
 * Begins the push and has the requester admitted. Makes the repository if it is missing and the requester may make it.
 */
export async function beginAdmitted(
  call: BeginningCall,
  request: BeginningRequest,
  packName: string | undefined,
): Promise<Begun> {
  const { exchange, admission } = call;
  const { repository, create } = exchange;
  const asked = askedOf(call, request, packName);
  const found = await repository.refs.beginPush(asked);
  if (found.kind === "begun") {
    try {
      await admission.admit(found.record);
      return found;
    } catch (error) {
      if (packName !== undefined && found.unleased !== true) {
        await new StagedPack(packName, repository.refs, repository.storage(found.record.id)).discard(false);
      }
      throw error;
    }
  }
  await admission.admit(undefined);
  if (create === undefined || request.format === undefined) throw new ProtocolError("repository not found");
  const wanted = { ...create, objectFormat: request.format.name };
  const registered = await exchange.register?.(wanted);
  const made = await repository.refs.beginPush({
    ...asked,
    create: { ...wanted, ...registered },
  });
  // The tenant was deleted in this instant, and the repository with it.
  if (made.kind === "missing") throw new ProtocolError("repository not found");
  try {
    // Another client may have made it in this instant, with its own settings.
    await admission.admit(made.record);
    return made;
  } catch (error) {
    if (made.made === true) await exchange.retract?.(made.record.id);
    throw error;
  }
}
