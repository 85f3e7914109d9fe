/**
 * Turns what a service throws into an answer, as far as the answer can still carry one: `ERR` where a line is due, band 3 once the
 * pack has begun. What can't be told any more is thrown on, and the stream breaks off.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), JGit's UploadPackErrorHandler
 */
import {
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

/** What the user is told of a fault of ours; the log has the rest. */
function describeFault(error: unknown): string {
  if (error instanceof HostBusy || error instanceof ClientTooSlow) return error.message;
  return error instanceof CorruptStore || error instanceof MissingObject
    ? "thinpack: internal error: aborting due to possible repository corruption on the remote side."
    : "thinpack: internal error";
}

/** What a service works with. */
export type ServiceCall<Request extends Exchange = Exchange> = {
  readonly exchange: Request;
  readonly admission: Admission;
  readonly answer: ResponseWriter;
};

/**
 * Runs a service and answers its faults. A fault of the client's is answered and done with; one of ours is told on band 3 where
 * there is one, and thrown on in any case, to be logged. A refusal by `admit` passes untouched.
 */
export async function answerFaults<Request extends Exchange>(
  exchange: Request,
  serve: (call: ServiceCall<Request>) => Promise<void>,
): Promise<void> {
  const { repository, output } = exchange;
  const call = {
    exchange,
    admission: new Admission(exchange),
    answer: new ResponseWriter(output, () => repository.now()),
  };
  try {
    await serve(call);
    await call.admission.settle();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LimitExceeded) {
      await call.admission.settle();
      if (await call.answer.fail(error.message)) return;
    } else if (call.answer.inBands && (call.answer.hasBegun || !(error instanceof HostBusy))) {
      // A client that has gone can't be told; what went wrong before counts.
      await call.answer.fail(describeFault(error)).catch(() => undefined);
    }
    throw error;
  }
}
