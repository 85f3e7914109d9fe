/**
 * What the API gets from the composition root beside what all routes get.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import type { HookStore } from "../events/hook.ts";
import type { Host } from "../http/host.ts";
import type { BareFiles } from "../maintenance/bare-files.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";

/** The platform, for one API request. */
export interface ApiHost {
  settings(name: RepositoryName): RepositorySettings;
  bareFiles(id: string): BareFiles;
  hooks(name: RepositoryName): HookStore;
  /** Whether private networks may be reached: see `parseOutgoingUrl`. */
  readonly allowPrivate: boolean;
}

/** The type of Hono's environment in the API's routes. */
export type ApiEnv = { readonly Variables: { readonly host: Host; readonly api: ApiHost } };
