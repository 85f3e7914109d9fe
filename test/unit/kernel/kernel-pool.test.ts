import { describe, expect, it } from "vitest";
import { KernelPool } from "../../../src/kernel/kernel-pool.ts";
import { KERNEL_MODULE } from "../../support/store.ts";

const KIB = 1024;

function pool(): KernelPool {
  return new KernelPool(KERNEL_MODULE, {
    windowBytes: 64 * KIB,
    ringBytes: 512 * KIB,
    smallRingBytes: 256 * KIB,
    seed: () => [1, 2],
  });
}

describe("KernelPool", () => {
  it("lends the same kernel again, emptied", () => {
    const kernels = pool();
    const kernel = kernels.lend(20);
    kernel.oidAdd(kernel.scratchAt);
    expect(kernel.oidCount).toBe(1);
    kernels.giveBack(kernel);
    kernels.giveBack(kernel);
    const again = kernels.lend(20);
    expect(again).toBe(kernel);
    expect(again.oidCount).toBe(0);
    expect(kernels.byteLength).toBe(kernel.byteLength);
  });

  it("lends no kernel twice at once, and small ones to many", () => {
    const kernels = pool();
    const lent = [1, 2, 3, 4].map(() => kernels.lend(20));
    expect(new Set(lent).size).toBe(4);
    expect(lent.map((kernel) => kernel.ringBytes / KIB)).toEqual([512, 512, 256, 256]);
    for (const kernel of lent) kernels.giveBack(kernel);
    // one is kept, and none of the small
    expect(kernels.lend(20).ringBytes).toBe(512 * KIB);
    expect(kernels.byteLength).toBeLessThan(2 * (lent[0]?.byteLength ?? 0));
  });

  it("makes another for names of another size", () => {
    const kernels = pool();
    kernels.giveBack(kernels.lend(20));
    expect(kernels.lend(32).rawSize).toBe(32);
  });

  it("does not keep one that grew", () => {
    const kernels = pool();
    const kernel = kernels.lend(20);
    for (let i = 0; kernel.byteLength <= 72 * KIB * KIB; i++) {
      new DataView(kernel.memory.buffer).setUint32(kernel.scratchAt, i);
      kernel.oidAdd(kernel.scratchAt);
    }
    const grown = kernel.byteLength;
    kernels.giveBack(kernel);
    expect(kernels.byteLength).toBe(0);
    expect([kernels.takeHighest(), kernels.takeHighest()]).toEqual([grown, 0]);
  });
});
