import { expect, it } from "vitest";
import { networkOf } from "../../../src/access/client-network.ts";
import { RateLimits } from "../../../src/cloudflare/rate-limits.ts";

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0DB8:0000:0000:9::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
])("counts %s as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it("bounds nothing without the bindings, or without an address", async () => {
  const bounds = new RateLimits().forClient({}, "192.0.2.1");
  expect([await bounds.admitsAfterWrongToken(), await bounds.admitsRequest("acme"), bounds.isShut()]).toEqual([
    true,
    true,
    false,
  ]);
  const never = { limit: async () => ({ success: false }) };
  expect(await new RateLimits().forClient({ LOGIN_LIMIT: never }, "").admitsAfterWrongToken()).toBe(true);
});

it("shuts an address out from the first refusal on", async () => {
  const limits = new RateLimits();
  const never = { limit: async () => ({ success: false }) };
  const bounds = limits.forClient({ LOGIN_LIMIT: never }, "192.0.2.1");
  expect(bounds.isShut()).toBe(false);
  expect(await bounds.admitsAfterWrongToken()).toBe(false);
  expect(bounds.isShut()).toBe(true);
  expect(limits.forClient({}, "192.0.2.1").isShut()).toBe(true);
  expect(limits.forClient({}, "192.0.2.2").isShut()).toBe(false);
});
