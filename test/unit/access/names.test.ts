import { expect, it } from "vitest";
import { parseGitRepositoryName, parseRepositoryName } from "../../../src/access/names.ts";

const LONGEST = "n".repeat(100);

it.each(["a", "A.b_c-d", "_x", "9", "a.git.b", "a.lockx", LONGEST])("takes %s for a repository", (repo) => {
  expect(parseRepositoryName("acme", repo)).toEqual({ tenant: "acme", repo });
});

it.each(["", ".", "..", ".a", "-a", "a.git", "a.lock", "a b", "a/b", "a\0", "ä", "a%", `${LONGEST}n`, "a\n"])(
  "refuses %j for either",
  (name) => {
    expect(parseRepositoryName("acme", name)).toBeUndefined();
    expect(parseRepositoryName(name, "repo")).toBeUndefined();
  },
);

it.each(["api", "assets", "healthz", "_x"])("keeps %s from tenants, not from repositories", (name) => {
  expect(parseRepositoryName(name, "repo")).toBeUndefined();
  expect(parseRepositoryName("acme", name)).toBeDefined();
});

it("takes one .git off a Git URL", () => {
  expect(parseGitRepositoryName("acme", "repo.git")).toEqual({ tenant: "acme", repo: "repo" });
  expect(parseGitRepositoryName("acme", "repo")).toEqual({ tenant: "acme", repo: "repo" });
  expect(parseGitRepositoryName("acme", "repo.git.git")).toBeUndefined();
  expect(parseGitRepositoryName("acme", ".git")).toBeUndefined();
});
