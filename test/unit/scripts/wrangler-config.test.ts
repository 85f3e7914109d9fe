/** The settings that the host on this machine takes from `wrangler.toml`. */
import { describe, expect, it } from "vitest";
import { readWranglerConfig, simulatorOptions } from "../../../scripts/wrangler-config.ts";

describe("simulatorOptions()", () => {
  it("binds each object with a database, and each queue with its bounds", () => {
    const options = simulatorOptions(readWranglerConfig(), {});
    expect(Object.keys(options.durableObjects)).toEqual(["REPOSITORIES", "TENANTS", "DIRECTORY", "LENDERS"]);
    expect(Object.values(options.durableObjects).every(({ useSQLite }) => useSQLite)).toBe(true);
    expect(Object.values(options.queueConsumers).map((consumer) => consumer.deadLetterQueue)).toEqual([
      "thinpack-dead",
      "thinpack-dead",
      "thinpack-dead",
      // The queue of what was given up has none of its own.
      undefined,
    ]);
    expect(options.queueConsumers["thinpack-mirrors"]?.maxConcurrency).toBe(10);
    expect(Object.values(options.queueProducers).toSorted()).toEqual(Object.keys(options.queueConsumers).toSorted());
  });

  it("binds a counter of requests only where a bound is given", () => {
    const config = readWranglerConfig();
    expect(simulatorOptions(config, {}).ratelimits).toEqual({});
    const { ratelimits } = simulatorOptions(config, { LOGIN_LIMIT: 3 });
    expect(ratelimits).toEqual({ LOGIN_LIMIT: { namespace_id: "4101", simple: { limit: 3, period: 60 } } });
  });
});
