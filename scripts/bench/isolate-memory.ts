/**
 * The memory of the Worker's isolate, sampled through the inspector. WebAssembly memory is not part of what V8 reports; the
 * request log has it.
 *
 * @packageDocumentation
 */

const INTERVAL = 50;
const COLLECTING = 500;
/** Milliseconds that an answer may take: an isolate that computes answers late. */
const MOST_WAITED = 60_000;

type Answer = Record<string, unknown>;
type HeapUsage = { usedSize: number; embedderHeapUsedSize?: number; backingStorageSize?: number };

/** A sampler that is running. */
export type MemorySampler = {
  /** Forgets the peak. */
  reset(): void;
  /** Has the isolate throw away what nobody holds any more. */
  collect(): Promise<void>;
  /**
   * Bytes that are left right after a collection, before anything else runs in the isolate. What is made between the two would count
   * otherwise, though nobody holds it.
   *
   * @throws Error when the isolate does not answer within a minute
   */
  held(): Promise<number>;
  /** Bytes of heap, embedder and backing stores at their highest since the reset. */
  peak(): number;
  /** The same at their lowest since the reset, which is soon after garbage was collected. */
  lowest(): number;
  /** The number of samples from which that is. */
  samples(): number;
  close(): void;
};

function isRecord(value: unknown): value is Answer {
  return typeof value === "object" && value !== null;
}

async function debuggerUrl(inspector: string): Promise<string> {
  const targets: unknown = await (await fetch(`${inspector}/json`)).json();
  const rows = Array.isArray(targets) ? targets.filter(isRecord) : [];
  const target = rows.find(({ id }) => String(id).startsWith("core:user:")) ?? rows[0];
  if (target === undefined) throw new Error(`the inspector at ${inspector} shows no isolate`);
  return String(target["webSocketDebuggerUrl"]);
}

function bytesOf(answer: Answer): number {
  const usage = answer["result"];
  if (!isRecord(usage) || typeof usage["usedSize"] !== "number") return 0;
  const {
    usedSize,
    embedderHeapUsedSize = 0,
    backingStorageSize = 0,
  }: HeapUsage = { usedSize: usage["usedSize"], ...usage };
  return usedSize + embedderHeapUsedSize + backingStorageSize;
}

/** Connects to the inspector and samples until closed. At most one question is under way: a busy isolate answers late. */
export async function sampleMemory(inspector: string): Promise<MemorySampler> {
  const socket = new WebSocket(await debuggerUrl(inspector));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the inspector refused")), { once: true });
  });
  let [highest, lowest, count, id, isWaiting] = [0, Infinity, 0, 0, false];
  const asked = new Map<unknown, (answer: Answer) => void>();
  const send = (method: string): number => {
    socket.send(JSON.stringify({ id: ++id, method }));
    return id;
  };
  const ask = async (method: string): Promise<Answer> =>
    await new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error("the inspector does not answer")), MOST_WAITED);
      asked.set(send(method), (answer) => {
        clearTimeout(limit);
        resolve(answer);
      });
    });
  socket.addEventListener("message", ({ data }) => {
    const parsed: unknown = JSON.parse(String(data));
    const answer = isRecord(parsed) ? parsed : {};
    const resolve = asked.get(answer["id"]);
    if (resolve !== undefined) {
      asked.delete(answer["id"]);
      resolve(answer);
      return;
    }
    isWaiting = false;
    const bytes = bytesOf(answer);
    // The answer to another question than that of the usage.
    if (bytes === 0) return;
    highest = Math.max(highest, bytes);
    lowest = Math.min(lowest, bytes);
    count += 1;
  });
  const timer = setInterval(() => {
    if (isWaiting || socket.readyState !== WebSocket.OPEN) return;
    isWaiting = true;
    send("Runtime.getHeapUsage");
  }, INTERVAL);
  return {
    reset: () => ([highest, lowest, count] = [0, Infinity, 0]),
    collect: async () => {
      send("HeapProfiler.collectGarbage");
      // Whether it answers depends on what it has run so far.
      await new Promise((resolve) => setTimeout(resolve, COLLECTING));
    },
    held: async () => {
      // Sent one right behind the other: the isolate answers both in one turn.
      send("HeapProfiler.collectGarbage");
      return bytesOf(await ask("Runtime.getHeapUsage"));
    },
    peak: () => highest,
    lowest: () => lowest,
    samples: () => count,
    close: () => {
      clearInterval(timer);
      socket.close();
    },
  };
}
