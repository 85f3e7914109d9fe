/**
 * Turns the errors that a service throws into an answer, as far as the answer can still carry one: `ERR` where a line
 * is due, band 3 once the pack has begun. An error that can't be reported any more is rethrown, and the stream breaks
 * off.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), JGit's UploadPackErrorHandler
 */
import {
  BucketUnavailable,
  ClientTooSlow,
  CorruptStore,
  HostBusy,
  LimitExceeded,
  MissingObject,
  ProtocolError,
} from "../bytes/failure.ts";
import { Admission } from "./admission.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseWriter } from "./response-writer.ts";

/** Returns what the user is told of a fault of the host's. The log has the rest. */
function describeFault(error: unknown): string {
  if (error instanceof HostBusy || error instanceof ClientTooSlow) return error.message;
  if (error instanceof BucketUnavailable) {
    return error.does === "takes"
      ? "thinpack: nothing can be stored now: nothing was changed, push again later"
      : "thinpack: nothing can be read now: nothing was changed, try again later";
  }
  return error instanceof CorruptStore || error instanceof MissingObject
    ? "thinpack: internal error: aborting due to possible repository corruption on the remote side."
    : "thinpack: internal error";
}

/** The request that a service answers, with its admission and its answer. */
export type ServiceCall<Request extends Exchange = Exchange> = {
  readonly exchange: Request;
  readonly admission: Admission;
  readonly answer: ResponseWriter;
};

/**
 * Runs a service and answers its faults. A fault of the client's is answered and done with. A fault of the host's is
 * reported on band 3, or as a line where lines have begun, and is always rethrown so that it is logged. A refusal by `admit` passes
 * untouched. Returns whether there was no fault.
 */
export async function answerFaults<Request extends Exchange>(
  exchange: Request,
  serve: (call: ServiceCall<Request>) => Promise<void>,
): Promise<boolean> {
  const { repository, output } = exchange;
  const call = {
    exchange,
    admission: new Admission(exchange),
    answer: new ResponseWriter(output, { now: () => repository.now(), pacer: repository.pacer }),
  };
  try {
    await serve(call);
    await call.admission.settle();
    return true;
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LimitExceeded) {
      await call.admission.settle();
      if (await call.answer.fail(error.message)) return false;
    } else if (isTold(call, error)) {
      // A client that has gone can't be told; the earlier error counts.
      const isSaid = await call.answer.fail(describeFault(error)).catch(() => false);
      if (isSaid && error instanceof Error) told.add(error);
    }
    throw error;
  }
}

/**
 * Whether the client is told of a fault of the host's here: in an answer that has begun, where no status can tell any more, and on a
 * connection, which has none.
 */
function isTold({ exchange, admission, answer }: ServiceCall, error: unknown): boolean {
  if (exchange.stateful === true) return admission.isAdmitted;
  return answer.hasBegun || (answer.inBands && !(error instanceof HostBusy));
}

/** The faults that clients were told of, as far as the answer could still carry them. */
const told = new WeakSet<Error>();

/** Whether the client was told of a fault that a service has rethrown. */
export function wasTold(error: unknown): boolean {
  return error instanceof Error && told.has(error);
}
