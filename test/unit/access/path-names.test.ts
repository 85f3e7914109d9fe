/** The names in a request's path. */
import { expect, it } from "vitest";
import { namesInPath } from "../../../src/access/path-names.ts";

it.each([
  ["/acme/widgets.git/info/refs", { tenant: "acme", repo: "widgets" }],
  ["/acme/widgets/git-upload-pack", { tenant: "acme", repo: "widgets" }],
  ["//acme//widgets.git/HEAD", { tenant: "acme", repo: "widgets" }],
  ["/acme/widgets@2026-01-31.git/info/refs", { tenant: "acme", repo: "widgets" }],
  ["/api/v1/repos/acme/widgets/refs", { tenant: "acme", repo: "widgets" }],
  ["/api/v1/repos/acme/-x", { tenant: "acme" }],
  ["/api/v1/tenants/acme/tokens", { tenant: "acme" }],
  ["/Acme/Widgets.git/HEAD", { tenant: "acme", repo: "widgets" }],
  ["/api/v1/tenants/Acme", { tenant: "acme" }],
  ["/api/v1/tenants", {}],
  ["/healthz", {}],
  ["/_x/y", {}],
])("%s has %o", (path, names) => {
  expect(namesInPath(path)).toEqual(names);
});
