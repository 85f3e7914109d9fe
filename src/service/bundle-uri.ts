/**
 * Version 2's `bundle-uri`: where a client finds bundles before it fetches.
 *
 * Capabilities: `bundle-uri`. It has no arguments.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's bundle-uri.c
 */
import { BundleUriRequestParser, formatBundleUris } from "../wire/bundle-uri.ts";
import { listBundles } from "./bundle.ts";
import type { CommandCall } from "./v2-command.ts";

/** Answers a `bundle-uri`. */
export async function tellBundles(call: CommandCall): Promise<void> {
  const { exchange, admission, answer, context } = call;
  await call.readArguments(new BundleUriRequestParser());
  const snapshot = await admission.openAs(context.objectFormat, { packs: true });
  const addressOf = async (path: string): Promise<string | undefined> =>
    await exchange.addressOf?.(path, snapshot.record);
  const bundles = await listBundles(exchange.repository, snapshot, addressOf);
  formatBundleUris(bundles, answer.lines);
  await answer.send();
}
