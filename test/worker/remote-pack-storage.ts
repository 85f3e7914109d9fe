/**
 * The pack storage inside workerd, as a test in Node sees it.
 *
 * @packageDocumentation
 */
import type { PackStorage } from "../../src/catalog/pack-storage.ts";
import type { PortCall, PortReply } from "./port-messages.ts";

/** A connection and the storage at its other end. */
export type RemotePackStorage = PackStorage & { close(): void };

type Call = Omit<PortCall, "id">;

const decode = (reply: PortReply): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(reply.bytes ?? "", "base64"));
const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** Connects to a host that was started with `ports-entry.ts`. */
export async function remotePackStorage(base: string): Promise<RemotePackStorage> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/_ports`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const waiting = new Map<number, PromiseWithResolvers<PortReply>>();
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as PortReply & { id: number };
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) call?.resolve(reply);
    else call?.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
  });
  let last = 0;
  const ask = async (call: Call): Promise<PortReply & { id: number }> => {
    const id = ++last;
    const reply = Promise.withResolvers<PortReply>();
    waiting.set(id, reply);
    socket.send(JSON.stringify({ id, ...call }));
    return { ...(await reply.promise), id };
  };
  return {
    close: () => socket.close(),
    read: async (file, offset, length) => decode(await ask({ call: "read", file, offset, length })),
    openStream: async (file, offset, length) => {
      const { id: handle } = await ask({ call: "openStream", file, offset, length });
      return {
        read: async (buffer) => {
          const reply = await ask({ call: "streamRead", handle, length: buffer.byteLength });
          const bytes = decode(reply);
          const whole = new Uint8Array(reply.capacity ?? 0);
          whole.set(bytes);
          return whole.subarray(0, bytes.length);
        },
        cancel: async () => {
          await ask({ call: "streamCancel", handle });
        },
      };
    },
    write: async (file, bytes) => {
      await ask({ call: "write", file, bytes: encode(bytes) });
    },
    createUpload: async (file) => {
      const { id: handle, partSize = 0 } = await ask({ call: "createUpload", file });
      return {
        partSize,
        writePart: async (bytes) => {
          await ask({ call: "writePart", handle, bytes: encode(bytes) });
        },
        complete: async () => {
          await ask({ call: "complete", handle });
        },
        abort: async () => {
          await ask({ call: "abort", handle });
        },
      };
    },
    delete: async (files) => {
      await ask({ call: "delete", files });
    },
    deletePack: async (pack) => {
      await ask({ call: "deletePack", file: { pack, extension: "pack" } });
    },
  };
}
