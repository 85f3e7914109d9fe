/**
 * Begins a push: opens the repository with a lease for the pack, and has the requester admitted.
 *
 * @packageDocumentation
 */
import { ProtocolError } from "../../bytes/failure.ts";
import { StagedPack } from "../../packing/staged-pack.ts";
import type { BeginPushAnswer } from "../../refs/ref-store.ts";
import type { PushExchange } from "../exchange.ts";
import type { ServiceCall } from "../failure.ts";
import type { PushRequest } from "./push-request.ts";

/** The state of the repository when a push begins. */
export type Begun = Extract<BeginPushAnswer, { kind: "begun" }>;

/**
 * Begins the push and has the requester admitted. Makes the repository if it is missing and the requester may make it.
 */
export async function beginAdmitted(
  call: ServiceCall<PushExchange>,
  request: PushRequest,
  packName: string | undefined,
): Promise<Begun> {
  const { exchange, admission } = call;
  const { repository, create } = exchange;
  const asked = {
    names: request.updates.map(({ name }) => name),
    ...(request.certificate === undefined ? {} : { pushSeed: true }),
    ...(packName === undefined ? {} : { packName }),
    ...(exchange.upload === undefined ? {} : { upload: exchange.upload }),
    ...(exchange.lockOwner === undefined ? {} : { lockOwner: exchange.lockOwner }),
  };
  const found = await repository.refs.beginPush(asked);
  if (found.kind === "begun") {
    try {
      await admission.admit(found.record);
      return found;
    } catch (error) {
      if (packName !== undefined) {
        await new StagedPack(packName, repository.refs, repository.storage(found.record.id)).discard(false);
      }
      throw error;
    }
  }
  await admission.admit(undefined);
  if (create === undefined) throw new ProtocolError("repository not found");
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
