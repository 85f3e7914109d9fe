/**
 * `thinpack tenant`.
 *
 * @packageDocumentation
 */
import type { Command } from "commander";
import { byteCount, commonOptions, confirmed, connect, onOrOff, tenantPath, wholeNumber } from "./command-line.ts";
import { type Column, formatTime, printDone, printList, printThing } from "./output.ts";

const COLUMNS: readonly Column[] = [
  ["TENANT", "name"],
  ["CREATED", (row) => formatTime(row["created_at"])],
];

type TenantOptions = {
  readonly pushToCreate?: boolean;
  readonly repos?: number;
  readonly bytes?: number;
  readonly objects?: number;
  readonly largestBlob?: number;
  readonly leastMirrorInterval?: number;
};

/** Returns the settings. Quotas are set as a whole: one that is not given has no bound. */
function settingsOf(options: TenantOptions): object {
  const { pushToCreate, repos, bytes, objects, largestBlob, leastMirrorInterval: least } = options;
  const quotas = {
    ...(repos === undefined ? {} : { repos }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(objects === undefined ? {} : { objects }),
    ...(largestBlob === undefined ? {} : { largest_blob: largestBlob }),
  };
  return {
    ...(pushToCreate === undefined ? {} : { push_to_create: pushToCreate }),
    ...(Object.keys(quotas).length === 0 ? {} : { quotas }),
    ...(least === undefined ? {} : { least_mirror_interval: least === 0 ? null : least }),
  };
}

function withSettings(command: Command): Command {
  return command
    .option("--push-to-create <on|off>", "whether a push may make a repository", onOrOff)
    .option("--repos <n>", "quota: repositories", wholeNumber)
    .option("--bytes <size>", "quota: bytes of all the tenant's repositories together, such as 20GB", byteCount)
    .option("--objects <n>", "quota: objects of all the tenant's repositories together", wholeNumber)
    .option("--largest-blob <size>", "quota: bytes of the largest object, such as 100MB", byteCount)
    .option(
      "--least-mirror-interval <seconds>",
      "the least time between two syncs of a mirror; 0 for the host's own",
      wholeNumber,
    );
}

/** Adds the commands. */
export function addTenantCommands(program: Command): void {
  const tenants = program
    .command("tenant")
    .description("Tenants. Making, listing and deleting them is the operator's.");
  tenants
    .command("list")
    .summary("lists the tenants")
    .action(async (_options: unknown, command: Command) => {
      printList(await connect(command).list("/tenants", "tenants"), COLUMNS, {
        json: commonOptions(command).json,
        what: "tenants",
      });
    });
  withSettings(
    tenants.command("create").summary("makes a tenant; one that exists has to be as asked").argument("<tenant>"),
  ).action(async (tenant: string, options: TenantOptions, command: Command) => {
    const made = await connect(command).ask("PUT", tenantPath(tenant), settingsOf(options));
    printThing(made, commonOptions(command).json);
  });
  tenants
    .command("show")
    .summary("shows a tenant")
    .argument("<tenant>")
    .action(async (tenant: string, _options: unknown, command: Command) => {
      printThing(await connect(command, tenant).ask("GET", tenantPath(tenant)), commonOptions(command).json);
    });
  withSettings(
    tenants
      .command("set")
      .summary("changes a tenant's settings")
      .description("Changes a tenant's settings. Quotas are set as a whole: what is not given is without bound.")
      .argument("<tenant>"),
  ).action(async (tenant: string, options: TenantOptions, command: Command) => {
    const changed = await connect(command, tenant).ask("PATCH", tenantPath(tenant), settingsOf(options));
    printThing(changed, commonOptions(command).json);
  });
  tenants
    .command("adopt")
    .summary("makes found what an earlier build stored with capitals in its name")
    .argument("<tenant>")
    .option("--merge", "take in the repositories of a tenant whose name differs in its case alone")
    .action(async (tenant: string, { merge = false }: { merge?: boolean }, command: Command) => {
      const adopted = await connect(command).ask("POST", `${tenantPath(tenant)}/adoption`, { merge });
      printThing(adopted, commonOptions(command).json);
    });
  tenants
    .command("delete")
    .summary("deletes a tenant with all its repositories and tokens")
    .argument("<tenant>")
    .option("--yes", "don't ask")
    .action(async (tenant: string, { yes }: { yes?: boolean }, command: Command) => {
      await confirmed(tenant, yes);
      await connect(command).ask("DELETE", tenantPath(tenant));
      printDone(`deleted tenant ${tenant}`, { name: tenant }, commonOptions(command).json);
    });
}
