/** The deep health check, with storages that answer or do not. */
import { expect, it, vi } from "vitest";
import { deepHealth } from "../../../src/http/health.ts";

const well = async (): Promise<void> => undefined;
const gone = async (): Promise<void> => {
  throw new Error("gone");
};

function asked(token: string): Request {
  return new Request("http://host/healthz?deep=1", { headers: { Authorization: `Bearer ${token}` } });
}

it("says which storage does not answer", async () => {
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const storages = { bucket: gone, kv: well };
  const answer = await deepHealth(asked("secret"), { version: "1", adminToken: "secret", storages });
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { ok: false, version: "1", checks: { bucket: false, kv: true } },
  ]);
  expect(logged.mock.calls.flat().join("\n")).toContain("health of bucket");
  logged.mockRestore();
});

it("is the operator's: anybody else makes no storage work", async () => {
  const bucket = vi.fn(well);
  for (const adminToken of ["secret", undefined]) {
    const answer = await deepHealth(asked("another"), { version: "1", adminToken, storages: { bucket } });
    expect(answer.status).toBe(401);
  }
  expect(bucket).not.toHaveBeenCalled();
});
