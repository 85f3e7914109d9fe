import { describe, expect, it } from "vitest";
import { parseGitRepositoryName, parseMoment, parseRepositoryName, splitMoment } from "../../../src/access/names.ts";

const LONGEST = "n".repeat(100);

describe("parseRepositoryName", () => {
  it.each(["a", "a.b_c-d", "_x", "9", "a.git.b", "a.lockx", ".github", LONGEST])(
    "accepts %s for a repository",
    (repo) => {
      expect(parseRepositoryName("acme", repo)).toEqual({ tenant: "acme", repo });
    },
  );

  it("takes names in any case, and keeps the spelling beside the name in lower case", () => {
    const name = parseRepositoryName("Acme", "Widgets.Js");
    expect(name).toEqual({ tenant: "acme", repo: "widgets.js", spelled: { tenant: "Acme", repo: "Widgets.Js" } });
    expect(parseGitRepositoryName("acme", "Widgets.GIT")).toMatchObject({ repo: "widgets" });
    for (const taken of ["API", "Healthz", "_X"]) expect(parseRepositoryName(taken, "repo")).toBeUndefined();
    expect(parseRepositoryName("acme", "a.LOCK")).toBeUndefined();
  });

  it.each(["", ".", "..", ".git", "-a", "a.git", "a.lock", "a b", "a/b", "a\0", "ä", "a%", `${LONGEST}n`, "a\n"])(
    "refuses %j for a tenant and for a repository",
    (name) => {
      expect(parseRepositoryName("acme", name)).toBeUndefined();
      expect(parseRepositoryName(name, "repo")).toBeUndefined();
    },
  );

  it.each(["api", "assets", "healthz", "_x", ".github"])(
    "refuses %s for a tenant, and accepts it for a repository",
    (name) => {
      expect(parseRepositoryName(name, "repo")).toBeUndefined();
      expect(parseRepositoryName("acme", name)).toBeDefined();
    },
  );
});

describe("parseGitRepositoryName", () => {
  it("drops one .git at the end of the repository's name", () => {
    expect(parseGitRepositoryName("acme", "repo.git")).toEqual({ tenant: "acme", repo: "repo" });
    expect(parseGitRepositoryName("acme", "repo")).toEqual({ tenant: "acme", repo: "repo" });
    expect(parseGitRepositoryName("acme", "repo.git.git")).toBeUndefined();
    expect(parseGitRepositoryName("acme", ".git")).toBeUndefined();
  });
});

describe("an instant in a repository's name", () => {
  it.each([
    ["1767225600", "2026-01-01T00:00:00.000Z"],
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T12:30", "2026-01-31T12:30:00.000Z"],
    ["2026-01-31T12:30:15.25Z", "2026-01-31T12:30:15.250Z"],
    ["2026-01-31T12:30:15+02:00", "2026-01-31T10:30:15.000Z"],
    ["2026-01-31T00:30-01:30", "2026-01-31T02:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("is accepted as %s", (text, moment) => {
    expect(parseMoment(text)).toBe(Date.parse(moment));
    expect(splitMoment(`repo@${text}.git`)).toEqual({ repo: "repo", at: Date.parse(moment) });
  });

  it.each([
    "",
    "now",
    "-1",
    "1e9",
    "1767225600000",
    "2026-02-31",
    "2026-13-01",
    "2026-01-31T25:00",
    "2026-01-31 12:00",
    "2026-01-31+02:00",
    "2026-01-31T12:00+0200",
  ])("is refused as %j", (text) => {
    expect(parseMoment(text)).toBeUndefined();
    expect(splitMoment(`repo@${text}`)).toEqual({ repo: `repo@${text}` });
  });
});
