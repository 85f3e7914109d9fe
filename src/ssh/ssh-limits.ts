/**
 * What a client may take of the host.
 *
 * @packageDocumentation
 */

/** Bytes of the longest packet, without its length and its MAC. RFC 4253, section 6.1, has every server take 35,000. */
export const MOST_PACKET = 35_000;
/** Bytes of the longest line with which a client names itself. RFC 4253, section 4.2. */
export const MOST_IDENTIFICATION = 255;
/** Milliseconds from the connection to the accepted key. */
export const LOGIN_TIME = 10_000;
/** Requests for authentication in one connection. Each key that a client offers takes one, and a signature another. */
export const MOST_LOGIN_REQUESTS = 20;
/** Signatures that may turn out wrong in one connection. */
export const MOST_WRONG_SIGNATURES = 3;
/**
 * Sessions that may be open at once in one connection. Git opens one; a client that shares its connection opens another
 * one where it gets no more. Everything that all connections may have sent ahead has to fit into the isolate.
 */
export const MOST_CHANNELS = 4;
/** Bytes of a command, and of a variable of the environment. */
export const MOST_COMMAND = 4096;
/** Bytes that a client may send in a session before more are asked for; a push gets the greater window. */
export const WINDOW = 32 * 1024;
export const PUSH_WINDOW = 512 * 1024;
/** Bytes of data in a packet that we send, and the most that we ask for. */
export const DATA_BYTES = 32 * 1024;
/** Bytes that may wait to be taken by the client's connection before nothing more is read from it. */
export const MOST_WAITING = 128 * 1024;
/** Bytes either way after which the host asks for new keys. RFC 4253, section 9. */
export const REKEY_BYTES = 1024 * 1024 * 1024;
/** Packets either way after which the host asks for new keys, long before their number comes round. RFC 4344, section 3.1. */
export const REKEY_PACKETS = 268_435_456;
/** Key exchanges that a client may ask for at once, then one for each of these bytes, and one for each of these milliseconds. */
export const REKEY_ALLOWANCE = {
  atOnce: 8,
  bytes: 128 * 1024,
  ms: 10_000,
};
/** Milliseconds without a sign of life after which a client is asked for one. */
export const QUIET_TIME = 60_000;
/** Questions for a sign of life that may stay without an answer. */
export const MOST_QUESTIONS = 3;
/** Milliseconds that a connection may stay open without any session. */
export const IDLE_TIME = 10 * 60_000;
