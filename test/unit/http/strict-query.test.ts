import { describe, expect, it } from "vitest";
import { queryFault } from "../../../src/http/strict-query.ts";

const faultOf = (query: string): string | undefined => queryFault(`https://host.example/x?${query}`)?.detail;

describe("a query", () => {
  it.each(["", "a=1", "a=%41&b=x+y", "a=%c3%a9", "a&&b=", "rev=%e9", "path=caf%E9", "a=%25", "a=%00"])(
    "%j is taken",
    (query) => {
      expect(faultOf(query)).toBeUndefined();
    },
  );

  it.each(["a=%", "a=%4", "a=%zz", "a=1&b=%g0", "path=%", "%x=1", "rev=%c3%"])(
    "%j has an encoding that is none",
    (query) => {
      expect(faultOf(query)).toMatch(/^the parameter ".*" has a % that encodes nothing$/);
    },
  );

  it.each(["a=%ff", "cursor=%c3", "a=1&b=%ed%a0%80", "%ff=1"])("%j is not UTF-8, and no name of git's", (query) => {
    expect(faultOf(query)).toMatch(/is not UTF-8$/);
  });

  it("names the parameter, and no more than a part of a long one", () => {
    expect(queryFault(`https://host.example/?${"n".repeat(5000)}=%`)?.parameter).toBe("n".repeat(100));
  });
});
