import { describe, expect, it } from "vitest";
import { type KernelPoolLayout, KernelPool, type Kernels } from "../../../src/kernel/kernel-pool.ts";
import type { BudgetLimits } from "../../../src/bytes/budget-limits.ts";
import type { MemoryBudget } from "../../../src/bytes/memory-budget.ts";
import { memoryBudget, settle } from "../../support/memory.ts";
import { KERNEL_MODULE } from "../../support/store.ts";

const KIB = 1024;

const LAYOUT: KernelPoolLayout = {
  windowBytes: 64 * KIB,
  ringBytes: 512 * KIB,
  smallRingBytes: 256 * KIB,
  tableRingBytes: 64 * KIB,
  seed: () => [1, 2],
};

/** Creates a pool, its budget, and the kernels as one request borrows them. */
function pool(limits: Partial<BudgetLimits> = {}): { pool: KernelPool; budget: MemoryBudget; kernels: Kernels } {
  const budget = memoryBudget(limits);
  const made = new KernelPool(KERNEL_MODULE, LAYOUT, budget);
  return { pool: made, budget, kernels: made.for(budget.open("test")) };
}

describe("KernelPool", () => {
  it("lends the same kernel again, emptied", async () => {
    const { pool: all, kernels } = pool();
    const kernel = await kernels.lend(20);
    kernel.oidAdd(kernel.scratchAt);
    expect(kernel.oidCount).toBe(1);
    kernels.giveBack(kernel);
    kernels.giveBack(kernel);
    const again = await kernels.lend(20);
    expect(again).toBe(kernel);
    expect(again.oidCount).toBe(0);
    expect(all.byteLength).toBe(kernel.byteLength);
  });

  it("lends no kernel twice at once, and lends all with the same size", async () => {
    const { pool: all, kernels } = pool();
    const lent = await Promise.all([1, 2, 3, 4].map(() => kernels.lend(20)));
    expect(new Set(lent).size).toBe(4);
    expect(lent.map((kernel) => kernel.ringBytes / KIB)).toEqual([512, 512, 512, 512]);
    const one = lent[0]?.byteLength;
    for (const kernel of lent) kernels.giveBack(kernel);
    // One kernel is kept.
    expect(all.byteLength).toBe(one);
  });

  it("lends small kernels on demand, and keeps none of them", async () => {
    const { pool: all, kernels } = pool();
    const small = await kernels.lendSmall(20);
    expect(small.ringBytes).toBe(256 * KIB);
    kernels.giveBack(small);
    expect(all.byteLength).toBe(0);
  });

  it("lends kernels for tables beside those with a ring, and keeps some of both", async () => {
    const { pool: all, kernels } = pool();
    const large = await kernels.lend(20);
    kernels.giveBack(large);
    const tables = await Promise.all(Array.from({ length: 6 }, () => kernels.lendTable(20)));
    expect(new Set(tables).size).toBe(6);
    for (const kernel of tables) {
      expect(kernel.byteLength).toBeLessThan(large.byteLength / 1.2);
      kernels.giveBack(kernel);
    }
    expect(await kernels.lend(20)).toBe(large);
    const again = await Promise.all(Array.from({ length: 6 }, () => kernels.lendTable(20)));
    expect(again.filter((kernel) => tables.includes(kernel))).toHaveLength(4);
    const kept = large.byteLength + 4 * (again[0]?.byteLength ?? 0);
    for (const kernel of [...again, large]) kernels.giveBack(kernel);
    expect(all.byteLength).toBe(kept);
  });

  it("makes a request wait for the kernel of another, and reuses that kernel", async () => {
    const { pool: all, budget } = pool({ bytes: 3 * 1024 * KIB });
    const [first, second] = [all.for(budget.open("first")), all.for(budget.open("second"))];
    const kernel = await first.lend(20);
    let isLent = false;
    const waiting = second.lend(20).then((lent) => {
      isLent = true;
      return lent;
    });
    await settle();
    expect([isLent, budget.waiting]).toEqual([false, 1]);
    first.giveBack(kernel);
    expect(await waiting).toBe(kernel);
    second.giveBack(kernel);
    expect(budget.held).toBe(0);
  });

  it("keeps two kernels while others are lent, and makes no new ones", async () => {
    const { pool: all, kernels } = pool();
    const lent = await Promise.all([1, 2, 3, 4].map(() => kernels.lend(20)));
    const [first, second, third, fourth] = lent;
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) return;
    for (const kernel of [first, second, third]) kernels.giveBack(kernel);
    expect(all.byteLength).toBe(3 * fourth.byteLength);
    const again = await Promise.all([1, 2].map(() => kernels.lend(20)));
    expect(new Set(again)).toEqual(new Set([second, third]));
    for (const kernel of [...again, fourth]) kernels.giveBack(kernel);
    expect(all.byteLength).toBe(fourth.byteLength);
  });

  it("leaves nothing of a kernel that it drops to a request that goes on", async () => {
    const { kernels } = pool();
    const [first, second] = await Promise.all([kernels.lendSmall(20), kernels.lend(20)]);
    kernels.giveBack(first);
    expect(first.byteLength).toBe(0);
    expect(() => first.oidCount).toThrow("used after it had been given back");
    expect(() => first.inflateWhole(0, 0, 0, 0)).toThrow("used after it had been given back");
    expect(() => first.difference.list({ at: 0, length: 0 }, { at: 0, length: 0 }, () => {})).toThrow("given back");
    // One that is kept is whole, until another is made for names of another size, or its room is needed.
    kernels.giveBack(second);
    expect(second.oidCount).toBe(0);
    await kernels.lend(32);
    expect(second.byteLength).toBe(0);
  });

  it("lets go of a kept kernel when its room is needed", async () => {
    const { budget, kernels } = pool();
    const kernel = await kernels.lend(20);
    kernels.giveBack(kernel);
    expect(kernel.byteLength).toBeGreaterThan(0);
    await budget.open("test").claim({ bytes: budget.limits.bytes });
    expect(kernel.byteLength).toBe(0);
  });

  it("makes another kernel for names of another size", async () => {
    const { kernels } = pool();
    kernels.giveBack(await kernels.lend(20));
    expect((await kernels.lend(32)).rawSize).toBe(32);
  });

  it("does not keep a kernel that grew", { tags: "thorough" }, async () => {
    const { pool: all, kernels } = pool();
    const kernel = await kernels.lend(20);
    for (let i = 0; kernel.byteLength <= 72 * KIB * KIB; i++) {
      new DataView(kernel.memory.buffer).setUint32(kernel.scratchAt, i);
      kernel.oidAdd(kernel.scratchAt);
    }
    const grown = kernel.byteLength;
    kernels.giveBack(kernel);
    expect(all.byteLength).toBe(0);
    expect([all.takeHighest(), all.takeHighest()]).toEqual([grown, 0]);
  });
});
