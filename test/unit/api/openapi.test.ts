import { createHash } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { apiRoutes } from "../../../src/api/v1/routes.ts";

type Operation = {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
};
type Description = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const routes = apiRoutes();
let described: Description;

beforeAll(async () => {
  const answer = await routes.request("/openapi.json");
  described = await answer.json<Description>();
});

const operations = (): [string, Operation][] =>
  Object.entries(described.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

it("the description lists every route, and no other", () => {
  const there = routes.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} /api/v1${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`);
  expect(there.length).toBeGreaterThan(30);
  expect(new Set(operations().map(([name]) => name))).toEqual(new Set(there));
});

/** What is wrong with a description. */
function faultsOf(name: string, { summary, tags, parameters = [], responses }: Operation): string[] {
  const inPath = parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
  const inName = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  return [
    ...(/^[A-Z].*[^.]$/.test(summary) ? [] : ["summary"]),
    ...(tags.length === 1 ? [] : ["tags"]),
    ...(Object.keys(responses).some((status) => /^[12]/.test(status)) ? [] : ["no answer"]),
    ...(Object.values(responses).every(({ description }) => description !== "") ? [] : ["an answer without words"]),
    ...(inPath.toSorted().join(" ") === inName.toSorted().join(" ") ? [] : ["parameters"]),
  ].map((fault) => `${name}: ${fault}`);
}

it("the description of each route says what it does, what it takes and what it answers", () => {
  expect(described.openapi).toMatch(/^3\.1\./);
  expect(operations().flatMap(([name, operation]) => faultsOf(name, operation))).toEqual([]);
});

it("the description contains the schemas that requests are checked with", () => {
  const body = described.paths["/api/v1/tenants/{tenant}/tokens"]?.["post"]?.requestBody;
  expect(body?.content["application/json"]?.schema).toMatchObject({
    type: "object",
    required: ["name", "scopes"],
    additionalProperties: false,
    properties: { scopes: { items: { enum: ["repo:read", "repo:write", "tenant:admin"] } } },
  });
});

it("the page loads and runs nothing, and has every path", async () => {
  const answer = await routes.request("/docs");
  expect(answer.headers.get("Content-Type")).toMatch(/^text\/html/);
  const policy = answer.headers.get("Content-Security-Policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; /);
  expect(policy).not.toContain("unsafe");
  const page = await answer.text();
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  expect(style).toContain("body{");
  expect(policy).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|javascript:|\son\w+=/i);
  expect([...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1])).toEqual(["openapi.json"]);
  for (const path of Object.keys(described.paths)) expect(page).toContain(`<code>${path}</code>`);
});
