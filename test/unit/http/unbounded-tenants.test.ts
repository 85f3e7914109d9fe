import { expect, it } from "vitest";
import { UnboundedTenants } from "../../../src/http/unbounded-tenants.ts";

it("remembers tenants without bounds for a while, and no others", () => {
  const tenants = new UnboundedTenants();
  tenants.note("free", {}, 0);
  for (const bound of [{ bytes: 0 }, { objects: 5 }, { blobBytes: 5 }]) {
    tenants.note("bound", bound, 0);
    expect(tenants.has("bound", 0)).toBe(false);
  }
  expect(tenants.has("free", 0)).toBe(true);
  expect(tenants.has("other", 0)).toBe(false);
  expect(tenants.has("free", 300_000)).toBe(false);
});

it("forgets a tenant that gets bounds, or may have got them", () => {
  const tenants = new UnboundedTenants();
  tenants.note("seen", {}, 0);
  tenants.note("seen", { bytes: 1 }, 1);
  expect(tenants.has("seen", 1)).toBe(false);
  tenants.note("changed", {}, 0);
  tenants.forget("changed");
  expect(tenants.has("changed", 0)).toBe(false);
});

it("remembers a bounded number of tenants", () => {
  const tenants = new UnboundedTenants();
  for (let at = 0; at < 1001; at++) tenants.note(`t${at}`, {}, 0);
  expect([tenants.has("t0", 0), tenants.has("t1", 0), tenants.has("t1000", 0)]).toEqual([false, true, true]);
});
