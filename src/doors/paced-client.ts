/**
 * A client's bytes at its pace: counted, and under the rules for slow clients that HTTP has.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { ClientTooSlow, ProtocolError } from "../bytes/failure.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import { PacedWriter } from "../http/paced-writer.ts";
import type { Traffic } from "../http/traffic.ts";

/** How long a client may send nothing after its service has ended, in milliseconds. */
const LONGEST_END = 30_000;
/**
 * The longest time, in milliseconds, that is waited for {@link STEP_BYTES} of a client, unless something is written to
 * it meanwhile. A client that sends a byte each second makes no progress.
 */
const LONGEST_STEP = 120_000;
const STEP_BYTES = 65_536;
/** The longest pause, in milliseconds, of a client that may be at work itself, if its door sets no other. */
const LONGEST_PAUSE = 30 * 60_000;
/** Bytes of the buffer into which the rest of a session is read. */
const DRAIN_BYTES = 65_536;

/** A client at its pace. */
export type PacedClient = {
  readonly input: ByteSource;
  readonly output: ByteSink;
  /** Whether anything was written. */
  readonly hasBegun: boolean;
  /** The memory that the session holds, once it has begun. */
  readonly memory: RequestMemory | undefined;
  /** Says which memory the session holds while the client is waited for. */
  start(memory: RequestMemory): void;
  /** Gives the client a pause before the next bytes: see `Exchange.pauses`. */
  pause(): void;
};

/** See {@link pacedClient}. */
export type PaceOptions = { readonly longestPause?: number; readonly now?: () => number };

/** Counts how long a client was waited for, and how much it sent in that time. */
class Step {
  #waited = 0;
  #bytes = 0;

  /** @throws ClientTooSlow */
  add(bytes: number, waited: number): void {
    this.#bytes += bytes;
    this.#waited += waited;
    if (this.#bytes >= STEP_BYTES) this.begin();
    if (this.#waited >= LONGEST_STEP) throw new ClientTooSlow("standstill");
  }

  begin(): void {
    this.#waited = 0;
    this.#bytes = 0;
  }
}

/**
 * Awaits the bytes that end a pause. Others may wait for memory meanwhile: the session holds next to none.
 *
 * @throws ClientTooSlow
 */
async function afterPause<T>(reading: Promise<T>, memory: RequestMemory | undefined, longestPause: number): Promise<T> {
  if (memory !== undefined && !(await memory.endsWithin(reading, longestPause))) {
    reading.catch(() => undefined);
    throw new ClientTooSlow("standstill");
  }
  return await reading;
}

/**
 * Returns a client's bytes at its pace. `onGone` is called when the client has gone. `longestPause` is how long it may be
 * silent where it may be at work itself, in milliseconds. `now` returns milliseconds since the epoch.
 */
export function pacedClient(
  client: { readonly input: ByteSource; readonly output: ByteSink },
  traffic: Traffic,
  onGone: () => void,
  { longestPause = LONGEST_PAUSE, now = () => Date.now() }: PaceOptions = {},
): PacedClient {
  const step = new Step();
  let memory: RequestMemory | undefined;
  let writer: PacedWriter | undefined;
  let hasBegun = false;
  let isPausing = false;
  const gone = (error: unknown): void => {
    traffic.breakOff("gone", error);
    onGone();
  };
  const read = async (buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    const began = now();
    const reading = client.input.read(buffer);
    const isPause = isPausing;
    isPausing = false;
    const bytes = await (isPause
      ? afterPause(reading, memory, longestPause)
      : (memory?.whileClient(reading) ?? reading));
    traffic.receive(bytes.length);
    memory?.moved(bytes.length);
    if (bytes.length > 0 && !isPause) step.add(bytes.length, now() - began);
    return bytes;
  };
  return {
    get hasBegun() {
      return hasBegun;
    },
    get memory() {
      return memory;
    },
    start: (held) => {
      memory = held;
      writer = new PacedWriter(client.output, held);
    },
    pause: () => void (isPausing = true),
    input: {
      read: async (buffer) => {
        try {
          return await read(buffer);
        } catch (cause) {
          if (cause instanceof ClientTooSlow) throw cause;
          gone(cause);
          throw new ProtocolError("the remote end hung up unexpectedly", { cause });
        }
      },
    },
    output: {
      write: async (bytes) => {
        if (bytes.length === 0) return;
        hasBegun = true;
        step.begin();
        try {
          await (writer ?? client.output).write(bytes);
        } catch (error) {
          // This comes before the service hears of it, so that the consequences are recognized.
          gone(error);
          throw error;
        }
        traffic.send(bytes.length);
      },
    },
  };
}

/**
 * Reads what a client still sends after its service has ended, until it ends, too. A connection that is closed while
 * bytes come is reset, and the client may never read what it was told.
 */
export async function drain({ input, memory }: PacedClient): Promise<void> {
  // A client that was refused at once has sent nothing yet.
  if (memory === undefined) return;
  let buffer = new Uint8Array(DRAIN_BYTES);
  try {
    for (;;) {
      const reading = input.read(buffer);
      if (!(await memory.endsWithin(reading, LONGEST_END))) {
        reading.catch(() => undefined);
        return;
      }
      const bytes = await reading;
      if (bytes.length === 0) return;
      buffer = new Uint8Array(bytes.buffer);
    }
  } catch {
    // The client has gone, or stands still: there is nobody to tell.
  }
}
