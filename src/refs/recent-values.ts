/**
 * The time for which a ref's former value may still be wanted. A client lists refs in one request and wants them in the
 * next. A branch that is deleted or moved in between would end its clone. Over an open connection C git serves the refs
 * that it advertised. Over HTTP it has the same gap (gitprotocol-http(5)).
 *
 * @packageDocumentation
 */

/** The time in milliseconds. */
export const RECENT_TIME = 60_000;
