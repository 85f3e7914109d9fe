/**
 * `thinpack whoami`: which host is meant, with whose token, and whether the host takes it.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { ApiConnection } from "./api-connection.ts";
import { commonOptions, tenantPath } from "./command-line.ts";
import { HostRefusal } from "./failure.ts";
import { chosenHost } from "./host-choice.ts";
import { tenantOf } from "./logins.ts";
import { printThing } from "./output.ts";

/** Asks the host whether it takes the token. @throws HostRefusal if it does not */
export async function checkToken(base: string, token: string): Promise<void> {
  const tenant = tenantOf(token);
  const api = new ApiConnection({ base, token });
  try {
    await api.ask("GET", tenant === "" ? "/tenants?limit=1" : tenantPath(tenant));
  } catch (error) {
    // A token may be good for something without being good for this.
    if (!(error instanceof HostRefusal) || error.status === 401) throw error;
    if (tenant === "" || (error.status !== 403 && error.status !== 404)) throw error;
  }
}

/** Adds the command. */
export function addWhoamiCommand(program: Command): void {
  program
    .command("whoami")
    .summary("shows which host is used, as whom, and checks the token")
    .argument("[tenant]", "which tenant's token, if there are several")
    .action(async (tenant: string | undefined, _options: unknown, command: Command) => {
      const options = commonOptions(command);
      const { base, token } = chosenHost(options, tenant);
      await checkToken(base, token);
      const own = tenantOf(token);
      printThing({ host: base, as: own === "" ? "operator" : `tenant ${own}` }, options.json);
    });
}
