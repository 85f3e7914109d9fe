import { describe, expect, it } from "vitest";
import { auditProblems, isPermissive, supplyProblems } from "../../../scripts/check-supply.ts";

const lock = (packages: object): string => JSON.stringify({ packages: { "": { license: "MIT" }, ...packages } });
const file = (allowScripts: object = {}): string => JSON.stringify({ allowScripts });

describe("licences", () => {
  it.each([
    ["MIT", true],
    ["(MIT OR GPL-3.0)", true],
    ["(MIT AND Zlib)", true],
    ["MIT AND LGPL-3.0-or-later", false],
    ["GPL-3.0", false],
    ["none", false],
  ])("%s: %s", (expression, expected) => {
    expect(isPermissive(expression)).toBe(expected);
  });

  it("that are not listed are told, and those of a package without one", () => {
    const packages = {
      "node_modules/a": { license: "GPL-3.0" },
      "node_modules/b/node_modules/@c/d": {},
      "node_modules/e": { license: "ISC" },
    };
    expect(supplyProblems(lock(packages), file())).toEqual([
      "a: the licence GPL-3.0 is not listed in scripts/check-supply.ts",
      "@c/d: the licence none is not listed in scripts/check-supply.ts",
    ]);
  });
});

describe("scripts of an install", () => {
  const packages = { "node_modules/a": { license: "MIT", hasInstallScript: true } };

  it("are told that are not allowed, and those that are allowed and not there", () => {
    expect(supplyProblems(lock(packages), file({ a: true }))).toEqual([]);
    expect(supplyProblems(lock(packages), file({ a: false, b: true }))).toEqual([
      "a: has a script that an install runs, and is not in allowScripts of package.json",
      "b: is in allowScripts, and has no script",
    ]);
  });

  it("of a lock file without packages are a fault", () => {
    expect(supplyProblems(lock({}), file())).toEqual(["package-lock.json: no package seen"]);
  });
});

describe("advisories", () => {
  const audit = (severity: string): string =>
    JSON.stringify({ vulnerabilities: { a: { severity } }, metadata: { vulnerabilities: { high: 1, critical: 0 } } });

  it.each(["high", "critical"])("of %s severity are told", (severity) => {
    expect(auditProblems(audit(severity))).toEqual([
      `a: has an advisory of ${severity} severity; npm audit tells more`,
    ]);
  });

  it("of lower severity are let pass", () => {
    expect(auditProblems(audit("moderate"))).toEqual([]);
  });

  it.each(['{"message":"405 Method Not Allowed","error":{"summary":""}}', "", "no JSON"])(
    "are unknown after %s",
    (printed) => {
      expect(auditProblems(printed)).toBeUndefined();
    },
  );
});
