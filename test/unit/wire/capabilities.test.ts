import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import {
  CAPABILITIES,
  type CapabilityContext,
  acceptServiceCapabilities,
  advertisedOn,
  findCapability,
  formatServiceCapabilities,
  offeredFeatures,
} from "../../../src/wire/capabilities.ts";
import {
  formatCapability,
  formatCapabilityList,
  parseCapability,
  parseCapabilityList,
} from "../../../src/wire/capability-list.ts";
import { CONTEXT as context } from "../../support/capability-context.ts";

const accept = (service: "upload-pack" | "receive-pack", text: string, changes: Partial<CapabilityContext> = {}) =>
  acceptServiceCapabilities(service, { ...context, ...changes }, text);

describe("the capability table", () => {
  test("names each capability once per surface, and excludes only capabilities that exist", () => {
    const keys = CAPABILITIES.map(({ surface, name }) => `${surface} ${name}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { surface, excludes } of CAPABILITIES) {
      if (excludes !== undefined) expect(findCapability(surface, excludes)).toBeDefined();
    }
  });

  test("offers nothing that is marked as later", () => {
    for (const row of CAPABILITIES.filter(({ status }) => status === "later")) {
      expect(advertisedOn(row.surface, context).map(({ name }) => name)).not.toContain(row.name);
    }
  });

  test("advertises upload-pack as git does", () => {
    expect(formatServiceCapabilities("upload-pack", context)).toBe(
      "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress " +
        "include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done " +
        "symref=HEAD:refs/heads/main filter session-id=s1 object-format=sha1 agent=thinpack/1",
    );
  });

  test("offers no-done only if requests are stateless, and symref only if HEAD resolves", () => {
    expect(formatServiceCapabilities("upload-pack", { ...context, stateless: false, symrefs: [] })).toBe(
      "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress " +
        "include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want " +
        "filter session-id=s1 object-format=sha1 agent=thinpack/1",
    );
  });

  test("advertises receive-pack as git does", () => {
    expect(formatServiceCapabilities("receive-pack", context)).toBe(
      "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options " +
        "session-id=s1 object-format=sha1 agent=thinpack/1",
    );
  });

  test("advertises version 2 with the features of its commands", () => {
    expect(advertisedOn("v2", context).map(formatCapability)).toEqual([
      "agent=thinpack/1",
      "ls-refs=unborn",
      "fetch=shallow wait-for-done filter ref-in-want sideband-all packfile-uris",
      "server-option",
      "object-format=sha1",
      "session-id=s1",
      "object-info=size",
      "bundle-uri",
    ]);
    expect([...offeredFeatures("object-info", context)]).toEqual(["size"]);
    expect([...offeredFeatures("fetch", context)]).toEqual([
      "shallow",
      "wait-for-done",
      "filter",
      "ref-in-want",
      "sideband-all",
      "packfile-uris",
    ]);
    expect([...offeredFeatures("ls-refs", context)]).toEqual(["unborn"]);
    expect([...offeredFeatures("upload-pack", context)]).toEqual([]);
  });
});

describe("a session id", () => {
  test("is offered, and accepted from clients, if the request has one", () => {
    const without: CapabilityContext = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] };
    for (const service of ["upload-pack", "receive-pack"] as const) {
      expect(formatServiceCapabilities(service, without)).not.toContain("session-id");
      expect(() => acceptServiceCapabilities(service, without, "session-id=x")).toThrow("did not offer");
      expect(accept(service, "session-id=theirs").value("session-id")).toBe("theirs");
    }
    expect(advertisedOn("v2", without).map(({ name }) => name)).not.toContain("session-id");
  });
});

describe("acceptServiceCapabilities", () => {
  test("accepts what was offered, one by one and all together", () => {
    for (const service of ["upload-pack", "receive-pack"] as const) {
      const offered = advertisedOn(service, context).map(formatCapability);
      for (const capability of offered) expect(formatCapabilityList(accept(service, capability))).toBe(capability);
      const compatible = offered.filter((capability) => capability !== "side-band").join(" ");
      expect(formatCapabilityList(accept(service, ` ${compatible}\n`))).toBe(compatible);
    }
  });

  test("accepts what real clients send", () => {
    const git = " multi_ack_detailed no-done side-band-64k thin-pack include-tag ofs-delta agent=git/2.39.5";
    expect(accept("upload-pack", git).has("no-done")).toBe(true);
    expect(accept("upload-pack", git).value("agent")).toBe("git/2.39.5");
    const push = " report-status-v2 side-band-64k quiet atomic push-options object-format=sha1 agent=git/2.39.5";
    expect(accept("receive-pack", push).has("atomic")).toBe(true);
    expect([...accept("receive-pack", "")]).toEqual([]);
  });

  test.each([
    ["upload-pack", "side-band side-band-64k", "the capabilities 'side-band' and 'side-band-64k' exclude each other"],
    ["upload-pack", "side-band-64k ofs-delta side-band", "the capabilities 'side-band' and 'side-band-64k' exclude"],
    ["upload-pack", "packfile-uris", "the server did not offer the capability 'packfile-uris'"],
    ["upload-pack", "report-status", "the server did not offer the capability 'report-status'"],
    ["upload-pack", "__proto__", "the server did not offer the capability '__proto__'"],
    ["upload-pack", "constructor", "the server did not offer the capability 'constructor'"],
    ["upload-pack", "multi_ack_", "the server did not offer the capability 'multi_ack_'"],
    ["upload-pack", "MULTI_ACK", "the server did not offer the capability 'MULTI_ACK'"],
    ["upload-pack", "thin-pack=1", "the capability 'thin-pack' does not take the value '1'"],
    ["upload-pack", "symref=HEAD:refs/heads/x", "the capability 'symref' does not take the value"],
    ["upload-pack", "object-format=sha256", "unsupported object format 'sha256'"],
    ["receive-pack", "object-format=sha256", "unsupported object format 'sha256'"],
    ["receive-pack", "side-band", "the server did not offer the capability 'side-band'"],
    ["receive-pack", "push-cert=x", "the server did not offer the capability 'push-cert'"],
    ["receive-pack", "atomic=", "the capability 'atomic' does not take the value ''"],
  ] as const)("refuses, for %s, %j", (service, text, message) => {
    expect(() => accept(service, text)).toThrow(ProtocolError);
    expect(() => accept(service, text)).toThrow(message);
  });

  test("assumes SHA-1 if a push names no object format, as C git does", () => {
    const sha256 = { objectFormat: "sha256" } as const;
    expect(() => accept("receive-pack", "atomic", sha256)).toThrow("unsupported object format 'sha1'");
    expect(accept("receive-pack", "object-format=sha256", sha256).value("object-format")).toBe("sha256");
    expect(accept("upload-pack", "ofs-delta", sha256).has("ofs-delta")).toBe(true);
  });

  test("refuses a capability that is not offered in this context", () => {
    expect(() => accept("upload-pack", "no-done", { stateless: false })).toThrow("did not offer");
    expect(() => accept("upload-pack", "symref=HEAD:refs/heads/main", { symrefs: [] })).toThrow("did not offer");
  });
});

describe("capability lists", () => {
  const name = fc.stringMatching(/^[a-z_-]{1,12}$/);
  const value = fc.option(fc.stringMatching(/^[!-~]{0,12}$/), { nil: undefined });

  test("are parsed as they were formatted", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name, value })), (list) => {
        expect([...parseCapabilityList(formatCapabilityList(list))]).toEqual(list);
      }),
    );
  });

  test("keep every value of a name that is repeated", () => {
    const list = parseCapabilityList("symref=HEAD:refs/heads/a  symref=X:refs/y\tsymref \n agent=a=b");
    expect(list.values("symref")).toEqual(["HEAD:refs/heads/a", "X:refs/y"]);
    expect(list.value("agent")).toBe("a=b");
    expect(list.has("symre")).toBe(false);
    expect(parseCapability("=x")).toEqual({ name: "", value: "x" });
  });

  test("know the features of a command", () => {
    const list = parseCapabilityList("ls-refs");
    list.add(parseCapability("fetch=shallow wait-for-done"));
    expect(list.hasFeature("fetch", "shallow")).toBe(true);
    expect(list.hasFeature("fetch", "shal")).toBe(false);
    expect(list.hasFeature("ls-refs", "unborn")).toBe(false);
  });
});
