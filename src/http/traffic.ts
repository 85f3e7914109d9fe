/**
 * What passed in the bodies of one request, for the log and for what a tenant used.
 *
 * @packageDocumentation
 */

import { ClientTooSlow } from "../bytes/failure.ts";

/** The bytes of one request's bodies, and whether its answer came to its end. */
export class Traffic {
  /** Bytes of the request's body that were read as a stream; `undefined` if it was read otherwise. */
  received: number | undefined;
  /** Bytes of the answer's body; `undefined` while nobody has counted them. */
  sent: number | undefined;
  /** How a streamed answer broke off, if it did: the client was gone, or the host failed. */
  broken: "gone" | "failed" | undefined;
  /** What the host had against the rest of the answer, if it was not the client that left. */
  why: string | undefined;

  /** Counts bytes of the request's body. */
  receive(bytes: number): void {
    this.received = (this.received ?? 0) + bytes; // The first piece begins the count.
  }

  /** Counts bytes of the answer's body. */
  send(bytes: number): void {
    this.sent = (this.sent ?? 0) + bytes; // The first piece begins the count.
  }

  /** Notes how the answer broke off, and the error that did it. The first reason counts: later ones follow from it. */
  breakOff(how: "gone" | "failed", error?: unknown): void {
    if (this.broken !== undefined) return;
    this.broken = how;
    // A client that has gone has done so by an error of the platform's, which says nothing.
    if (error instanceof Error && (how === "failed" || error instanceof ClientTooSlow)) this.why = error.message;
  }
}
