/** Packets are sealed as another implementation of the ciphers does it, and nothing that a cipher makes is left behind. */
import { createCipheriv, createHmac } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { concat } from "../../../src/bytes/chunk.ts";
import { CIPHERS, MACS } from "../../../src/ssh/algorithms.ts";
import { type CipherKeys, openerOf, sealerOf } from "../../../src/ssh/packet-cipher.ts";

const PACKETS = 5;

/** Secrets, with a counter that is about to come round in its lower half, or in all of it. */
function keysOf(cipherName: string, macName: string, fixed: number): CipherKeys {
  const cipher = CIPHERS.get(cipherName);
  if (cipher === undefined) throw new TypeError(cipherName);
  const mac = cipher.kind === "gcm" ? undefined : MACS.get(macName);
  const iv = new Uint8Array(cipher.ivBytes).fill(0xff);
  iv.fill(fixed, 0, cipher.ivBytes - 8);
  iv[cipher.ivBytes - 1] = 0xfe;
  const bytes = (length: number, from: number) => Uint8Array.from({ length }, (_, at) => (at * 7 + from) % 256);
  return { cipher, mac, iv, key: bytes(cipher.keyBytes, 1), macKey: bytes(mac?.bytes ?? 1, 2) };
}

/** Seals packets as RFC 4344 and RFC 5647 have it, with the ciphers of Node. */
function reference({ cipher, mac, key, iv, macKey }: CipherKeys): (framed: Uint8Array, sequence: number) => Uint8Array {
  if (cipher.kind === "gcm") {
    const nonce = Uint8Array.from(iv);
    const counter = new DataView(nonce.buffer);
    return (framed) => {
      const gcm = createCipheriv(cipher.name === "aes-128-gcm" ? cipher.name : "aes-256-gcm", key, nonce);
      counter.setBigUint64(4, BigInt.asUintN(64, counter.getBigUint64(4) + 1n));
      gcm.setAAD(framed.subarray(0, 4));
      return concat([framed.subarray(0, 4), gcm.update(framed.subarray(4)), gcm.final(), gcm.getAuthTag()]);
    };
  }
  const ctr = createCipheriv(cipher.name, key, iv);
  return (framed, sequence) => {
    const number = Uint8Array.of(sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence);
    const hash = mac?.hash === "SHA-512" ? "sha512" : "sha256";
    return concat([ctr.update(framed), createHmac(hash, macKey).update(number).update(framed).digest()]);
  };
}

const KINDS = [...CIPHERS].flatMap(([name, { kind }]) =>
  kind === "gcm" ? [[name, ""] as const] : [...MACS.keys()].map((mac) => [name, mac] as const),
);

describe.each(KINDS)("%s %s", (cipherName, macName) => {
  const overhead = (keys: CipherKeys): number => keys.mac?.bytes ?? 16;

  it.each([[0], [0xff]])(
    "seals as others do, and opens it, where the counter comes round below bytes of %i",
    async (fixed) => {
      const keys = keysOf(cipherName, macName, fixed);
      const [sealer, opener, others] = [await sealerOf(keys), await openerOf(keys), reference(keys)];
      for (let sequence = 2 ** 32 - 2; sequence < 2 ** 32 - 2 + PACKETS; sequence++) {
        const payload = Uint8Array.from({ length: 1 + (sequence % 90) }, (_, at) => at + sequence);
        const packet = sealer.frame(payload.subarray(0, 3), payload.subarray(3));
        const expected = others(packet.slice(0, packet.length - overhead(keys)), sequence % 2 ** 32);
        await sealer.seal(packet, sequence % 2 ** 32);
        expect(packet).toEqual(expected);
        expect(await opener.length(packet.subarray(0, opener.headBytes))).toBe(packet.length);
        expect(new Uint8Array(await opener.open(packet, sequence % 2 ** 32))).toEqual(payload);
      }
    },
  );

  it("takes no packet of which a bit was changed, and none with another number", async () => {
    const keys = keysOf(cipherName, macName, 0);
    const seal = async (): Promise<Uint8Array<ArrayBuffer>> => {
      const sealer = await sealerOf(keys);
      const packet = sealer.frame(new Uint8Array(40).fill(1));
      await sealer.seal(packet, 0);
      return packet;
    };
    const { length } = await seal();
    const open = async (packet: Uint8Array<ArrayBuffer>, sequence: number): Promise<Uint8Array> => {
      const opener = await openerOf(keys);
      await opener.length(packet.subarray(0, opener.headBytes));
      return await opener.open(packet, sequence);
    };
    // The first block says the length, which has a refusal of its own.
    for (let at = 16; at < length; at++) {
      const packet = await seal();
      packet[at] = (packet[at] ?? 0) ^ 1;
      await expect(open(packet, 0)).rejects.toMatchObject({ reason: 5 });
    }
    if (keys.mac !== undefined) await expect(open(await seal(), 1)).rejects.toMatchObject({ reason: 5 });
  });

  it("frees what a cipher makes, but for the last packet that was opened", async () => {
    const keys = keysOf(cipherName, macName, 0);
    const { subtle } = crypto;
    const made: ArrayBuffer[] = [];
    const spies = (["encrypt", "decrypt"] as const).map((use) => {
      const original = subtle[use].bind(subtle);
      return vi.spyOn(subtle, use).mockImplementation(async (...args) => {
        const bytes = await original(...args);
        made.push(bytes);
        return bytes;
      });
    });
    try {
      const [sealer, opener] = [await sealerOf(keys), await openerOf(keys)];
      for (let sequence = 0; sequence < PACKETS; sequence++) {
        const packet = sealer.frame(new Uint8Array(30_000));
        await sealer.seal(packet, sequence);
        await opener.length(packet.subarray(0, opener.headBytes));
        await opener.open(packet, sequence);
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    const left = made.filter(({ byteLength }) => byteLength > 16);
    expect(made.length).toBeGreaterThanOrEqual(2 * PACKETS);
    expect(left.length).toBeLessThanOrEqual(1);
  });
});
