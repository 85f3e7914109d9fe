/** Tokens by host and tenant. */
import { describe, expect, it } from "vitest";
import { findLogin, originOf, tenantOf, withLogin, withoutLogin } from "../../../scripts/thinpack/logins.ts";

const HOST = "https://host";
const ACME = `tpk_acme_${"a".repeat(38)}`;
const OTHER = `tpk_my_team.x_${"b".repeat(38)}`;

describe("logins", () => {
  it("know whose a token is by its text", () => {
    expect([ACME, OTHER, "operator", "tpk_acme_short"].map(tenantOf)).toEqual(["acme", "my_team.x", "", ""]);
  });

  it("give a tenant's own token, else the operator's, else the only one", () => {
    const one = withLogin({ hosts: {} }, HOST, ACME);
    expect(findLogin(one, HOST, "acme")).toBe(ACME);
    expect(findLogin(one, HOST, "other")).toBe(ACME);
    const two = withLogin(one, HOST, OTHER);
    expect(findLogin(two, HOST, "my_team.x")).toBe(OTHER);
    expect(findLogin(two, HOST, "elsewhere")).toBeUndefined();
    expect(findLogin(two, HOST, undefined)).toBeUndefined();
    const three = withLogin(two, HOST, "operator");
    expect(findLogin(three, HOST, "elsewhere")).toBe("operator");
    expect(findLogin(three, HOST, "acme")).toBe(ACME);
    expect(findLogin(three, "https://host.example", "acme")).toBeUndefined();
    expect(findLogin(three, "http://host", "acme")).toBeUndefined();
  });

  it("forget one token, or a host with all of it", () => {
    const both = { ...withLogin(withLogin({ hosts: {} }, HOST, ACME), HOST, OTHER), default: HOST };
    expect(withoutLogin(both, HOST, ACME)).toEqual({ default: HOST, hosts: { [HOST]: { "my_team.x": OTHER } } });
    expect(withoutLogin(both, HOST, "another")).toEqual(both);
    expect(withoutLogin(both, HOST)).toEqual({ hosts: {} });
  });

  it("are kept by origin", () => {
    expect(originOf("https://Host:443/acme/x.git")).toBe("https://host");
    for (const address of ["host", "ssh://host", "", "javascript:x"])
      expect(() => originOf(address)).toThrow("not the address");
  });
});
