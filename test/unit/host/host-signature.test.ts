/** The key of a tenant on the host, in one request. */
import { expect, it, vi } from "vitest";
import { hostSignature } from "../../../src/host/host-signature.ts";
import { makeSshSigner } from "../../../src/signing/ssh-signer.ts";

it("what signs does not wait for the key to be sealed anew, and signs where that fails", async () => {
  const { secret, ...key } = await makeSshSigner();
  const sealed = { key: "old", data: "x" };
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const resealing = Promise.withResolvers<void>();
  const opened = vi.fn(async () => secret);
  const later: Promise<unknown>[] = [];
  const sign = hostSignature({
    tenant: "acme",
    storage: {
      mirrors: { open: opened, resealed: async () => ({ key: "new", data: "y" }) },
      tenant: () => ({
        hostKey: async () => ({ ...key, sealed, createdAt: 0 }),
        resealHostKey: async () => await resealing.promise,
      }),
    },
    later: (work) => void later.push(work),
  });
  try {
    for (const message of ["a", "b"])
      expect(await sign(new TextEncoder().encode(message))).toMatch(/^-----BEGIN SSH SIGNATURE/);
    expect(opened).toHaveBeenCalledOnce();
    expect(later).toHaveLength(1);
    resealing.reject(new Error("the storage is away"));
    await Promise.all(later);
    expect(String(logged.mock.calls[0])).toContain("the storage is away");
  } finally {
    logged.mockRestore();
  }
});
