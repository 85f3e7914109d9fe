/**
 * How long a value that a ref had may still be wanted. A client lists refs in one request and wants them in the next: a branch that
 * is deleted or moved in between would end its clone. Where C git serves over a connection that stays open it wants from the refs it
 * advertised; over HTTP it has the same gap (gitprotocol-http(5)).
 *
 * @packageDocumentation
 */

/** Milliseconds. */
export const RECENT_TIME = 60_000;
