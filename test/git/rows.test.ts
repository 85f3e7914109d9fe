/** The rows of Durable Objects that a push and a poll read and write: users pay for each. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { isShared, type Statement } from "../support/billed.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { ASKED, ROWS_PATH, SETTLED_PATH } from "../support/observed-paths.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const OPERATOR = "test-token";

describe("rows", () => {
  let host: RunningHost;
  let git: GitSandbox;
  let cwd = "";
  let url = "";

  beforeAll(async () => {
    const here = dirname(fileURLToPath(import.meta.url));
    host = await startTestHost({
      entry: join(here, "..", "worker", "rows-entry.ts"),
      adminToken: OPERATOR,
      // Longer than a run takes on any machine: the rows of publication are not those of a push.
      publishAfter: "3600",
    });
    git = new GitSandbox("rows");
    const operator = apiClient(host.base, OPERATOR);
    await operator("PUT", "/tenants/acme");
    await operator("PUT", "/repos/acme/repo");
    const { body } = await operator("POST", "/tenants/acme/tokens", { name: "ci", scopes: ["repo:write"] });
    url = withToken(`${host.base}/acme/repo.git`, String(body["token"]));
    cwd = await git.init();
    await pushOne("first");
    await pushOne("second");
  });

  afterAll(async () => {
    await host.stop();
    git.close();
  });

  async function pushOne(text: string): Promise<void> {
    await git.commit(cwd, "file.txt", `${text}\n`, text);
    await git.ok(["push", "-q", url, "main"], { cwd });
  }

  /** Returns the statements that `act` brings about, with what follows its answers. */
  async function statementsOf(act: () => Promise<unknown>): Promise<Statement[]> {
    const take = async (): Promise<Statement[]> => {
      await fetch(host.base + SETTLED_PATH, { signal: AbortSignal.timeout(WAIT_LIMIT) });
      return await (
        await fetch(host.base + ROWS_PATH, { signal: AbortSignal.timeout(WAIT_LIMIT) })
      ).json<Statement[]>();
    };
    await take();
    await act();
    return await take();
  }

  /** Returns the statements of a poll while and before which no alarm ran: those that follow pushes read rows, a second later. */
  async function polledInQuiet(): Promise<Statement[]> {
    for (let quiet = 0; ;) {
      const statements = await statementsOf(async () => git.ok(["ls-remote", url]));
      quiet = statements.some(({ sql }) => sql === ASKED) ? 0 : quiet + 1;
      if (quiet === 2) return statements;
    }
  }

  const written = (statements: readonly Statement[]): number => statements.reduce((sum, each) => sum + each.written, 0);
  const read = (statements: readonly Statement[]): number => statements.reduce((sum, each) => sum + each.read, 0);

  it("that a push of one commit writes are six, and as many for each, with four for all pushes of a second", async () => {
    for (const text of ["third", "fourth", "fifth"]) {
      const statements = await statementsOf(async () => pushOne(text));
      const own = statements.filter((statement) => statement.written > 0 && !isShared(statement));
      // The ref and its index by value, the push and its move in the log, the pack, the version.
      expect(own.map(({ written: rows }) => rows)).toEqual([2, 1, 1, 1, 1]);
      expect(written(statements.filter(isShared))).toBeLessThanOrEqual(4);
    }
  });

  it("that a poll with nothing new reads are some, and none is written", async () => {
    const statements = await polledInQuiet();
    expect(written(statements.filter((statement) => !isShared(statement)))).toBe(0);
    expect(read(statements)).toBeGreaterThan(0);
    expect(read(statements)).toBeLessThanOrEqual(16);
  });
});
