import { expect, it } from "vitest";
import { isForeignPage } from "../../../src/http/cross-origin.ts";

const HOST = "https://git.example.com";
const EVIL = "https://evil.example";

function asked(method: string, path: string, headers: Readonly<Record<string, string>>, allowed?: string): boolean {
  return isForeignPage(new Request(HOST + path, { method, headers: { ...headers } }), allowed);
}

const UPLOADS = "/api/v1/repos/acme/app/uploads";
const EVENTS = "/api/v1/repos/acme/app/events";
const SOCKET = { Upgrade: "WebSocket" };

it.each<[string, string, string, Record<string, string>]>([
  ["a change for a page of another site", "POST", UPLOADS, { "Sec-Fetch-Site": "cross-site" }],
  ["a change for a page of another host of the site", "DELETE", UPLOADS, { "Sec-Fetch-Site": "same-site" }],
  ["a push", "POST", "/acme/app.git/git-receive-pack", { "Sec-Fetch-Site": "cross-site" }],
  ["a change by a browser that says the origin only", "PUT", UPLOADS, { Origin: EVIL }],
  ["a change for a page without an origin", "PATCH", UPLOADS, { Origin: "null" }],
  ["another port", "POST", UPLOADS, { Origin: `${HOST}:8443` }],
  ["a WebSocket for a page of another site", "GET", EVENTS, { ...SOCKET, "Sec-Fetch-Site": "cross-site" }],
  ["a WebSocket of another origin", "GET", EVENTS, { ...SOCKET, Origin: EVIL }],
  ["an origin that begins like an allowed one", "POST", UPLOADS, { Origin: "https://app.example.evil.example" }],
])("refuses %s", (_what, method, path, headers) => {
  expect(asked(method, path, headers)).toBe(true);
  expect(asked(method, path, headers, "https://app.example")).toBe(true);
});

it.each<[string, string, string, Record<string, string>]>([
  ["what no browser sends", "POST", UPLOADS, {}],
  ["a WebSocket that no browser opens", "GET", EVENTS, SOCKET],
  ["a page of the host", "POST", UPLOADS, { "Sec-Fetch-Site": "same-origin", Origin: HOST }],
  ["a page of the host in a browser that says the origin only", "POST", UPLOADS, { Origin: HOST }],
  ["a WebSocket of a page of the host", "GET", EVENTS, { ...SOCKET, "Sec-Fetch-Site": "same-origin", Origin: HOST }],
  ["what the user asks for", "POST", UPLOADS, { "Sec-Fetch-Site": "none" }],
  ["a link to what only reads", "GET", EVENTS, { "Sec-Fetch-Site": "cross-site" }],
  ["a fetch", "POST", "/acme/app.git/git-upload-pack", { "Sec-Fetch-Site": "cross-site", Origin: EVIL }],
])("lets %s pass", (_what, method, path, headers) => {
  expect(asked(method, path, headers)).toBe(false);
});

it("isForeignPage lets an origin pass that the operator allows", () => {
  const headers = { ...SOCKET, Origin: "https://app.example", "Sec-Fetch-Site": "cross-site" };
  expect(asked("GET", EVENTS, headers, "https://other.example, https://App.example/")).toBe(false);
  expect(asked("POST", UPLOADS, headers, "https://app.example")).toBe(false);
  expect(asked("POST", UPLOADS, { ...headers, Origin: EVIL }, "https://app.example")).toBe(true);
  expect(asked("POST", UPLOADS, { ...headers, Origin: "null" }, "null")).toBe(true);
});
