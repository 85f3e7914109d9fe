/** Reads the settings in `wrangler.toml` that decide where data lives, and checks that they agree. */
import { JURISDICTIONS, LOCATION_HINTS } from "../../src/durable/placement.ts";

/** The part of wrangler's configuration that is used. */
export type DeployConfig = {
  readonly account_id?: string | undefined;
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly r2_buckets: readonly { readonly binding: string; readonly jurisdiction?: string | undefined }[];
  readonly kv_namespaces: readonly { readonly binding: string; readonly id?: string | undefined }[];
  readonly queues: { readonly producers?: readonly { readonly queue?: string | undefined }[] | undefined };
};

/** Returns the chosen jurisdiction; empty if there is none. */
export function jurisdictionOf({ vars }: DeployConfig): string {
  const value = vars?.["JURISDICTION"];
  return typeof value === "string" ? value : "";
}

/** Returns the names of all queues that the Worker sends to. */
export function queuesOf({ queues }: DeployConfig): string[] {
  return (queues.producers ?? []).map(({ queue }) => queue).filter((queue) => queue !== undefined);
}

function oneOf(known: readonly string[], value: unknown): boolean {
  return value === undefined || value === "" || known.some((candidate) => candidate === value);
}

/** Returns, as a sentence each, the reasons why this must not be deployed. */
export function placementProblems(config: DeployConfig): string[] {
  const jurisdiction = jurisdictionOf(config);
  const problems: string[] = [];
  if (!oneOf(JURISDICTIONS, config.vars?.["JURISDICTION"]))
    problems.push(`JURISDICTION is none of ${JURISDICTIONS.join(", ")}.`);
  if (!oneOf(LOCATION_HINTS, config.vars?.["LOCATION_HINT"]))
    problems.push(`LOCATION_HINT is none of ${LOCATION_HINTS.join(", ")}.`);
  for (const bucket of config.r2_buckets) {
    const own = bucket.jurisdiction ?? "";
    if (own !== jurisdiction)
      problems.push(
        `JURISDICTION is "${jurisdiction}" and the bucket's jurisdiction is "${own}": they have to be the same ([[r2_buckets]] in wrangler.toml).`,
      );
  }
  if (jurisdiction !== "" && config.kv_namespaces.some(({ id }) => id === undefined || id === ""))
    problems.push(
      `A KV namespace would be made outside of "${jurisdiction}": run \`npx wrangler kv namespace create thinpack --jurisdiction ${jurisdiction}\` and put its id into wrangler.toml ([[kv_namespaces]]).`,
    );
  return problems;
}
