/** Which pages of other origins may read answers. */
import { expect, it } from "vitest";
import { corsHeaders, preflightAnswer } from "../../../src/http/cors.ts";

const PAGE = "https://dash.example";

function asked(headers: Record<string, string>, method = "GET"): Request {
  return new Request("https://host.example/acme/widgets.git/info/refs", { method, headers });
}

it.each([
  [PAGE, PAGE],
  [PAGE, "https://other.example, https://DASH.example/"],
  [PAGE, "*"],
  ["http://localhost:5173", "*, https://other.example"],
])("a page of %s may read where %s are allowed", (origin, allowed) => {
  const headers = corsHeaders(asked({ Origin: origin }), allowed);
  expect(headers?.["Access-Control-Allow-Origin"]).toBe(origin);
  expect(headers?.["Access-Control-Expose-Headers"]).toContain("ETag");
  expect(headers).not.toHaveProperty("Access-Control-Allow-Credentials");
});

it.each([
  [PAGE, undefined],
  [PAGE, ""],
  [PAGE, "https://dash.example.evil"],
  ["http://dash.example", PAGE],
  ["null", "*"],
])("a page of %s may not where %s are allowed", (origin, allowed) => {
  expect(corsHeaders(asked({ Origin: origin }), allowed)).toBeUndefined();
});

it("a browser's question is answered with what it asks for", () => {
  const question = { Origin: PAGE, "Access-Control-Request-Method": "POST" };
  const answer = preflightAnswer(
    asked({ ...question, "Access-Control-Request-Headers": "authorization,git-protocol" }, "OPTIONS"),
    PAGE,
  );
  expect(answer?.status).toBe(204);
  expect(Object.fromEntries(answer?.headers ?? [])).toMatchObject({
    "access-control-allow-origin": PAGE,
    "access-control-allow-methods": expect.stringContaining("POST"),
    "access-control-allow-headers": "authorization,git-protocol",
  });
  expect(preflightAnswer(asked(question, "OPTIONS"), "")).toBeUndefined();
  expect(preflightAnswer(asked({ Origin: PAGE }, "OPTIONS"), PAGE)).toBeUndefined();
  expect(preflightAnswer(asked(question), PAGE)).toBeUndefined();
});
