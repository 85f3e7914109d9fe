/**
 * Turns a client's filter-spec into the filter that selects objects, and tells fetches apart that have none.
 *
 * @packageDocumentation
 */
import { type ObjectFilter, NO_FILTER, combineFilters, typesFilter } from "../../graph/object-filter.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { DepthRequest } from "../../wire/depth-request.ts";
import type { FetchRequest } from "../../wire/fetch-request.ts";
import { type ObjectFilterSpec, parseObjectFilterSpec } from "../../wire/object-filter-spec.ts";
import { asksForDepth } from "./fetch-depth.ts";

/** A request of version 2 whose filter-spec was understood. */
export type FilteredRequest = Omit<FetchRequest, "filter"> & { readonly filter: ObjectFilter };

/** Whether a fetch is plain: its client has nothing, and wants neither a depth nor a filter. */
export function isPlainFetch(request: DepthRequest, filter: ObjectFilter, hasNothing: boolean): boolean {
  return hasNothing && filter === NO_FILTER && request.shallows.length === 0 && !asksForDepth(request);
}

/** Returns the filter of a request. @throws ProtocolError in git's words if its spec is malformed or not supported. */
export function requestedFilter(spec: string | undefined): ObjectFilter {
  return spec === undefined ? NO_FILTER : objectFilterOf(parseObjectFilterSpec(spec));
}

/**
 * Returns the filter of a client that fetches large blobs later. One that leaves out nothing at all keeps a repository in which
 * nothing may be missing, and so gets everything.
 */
export function withoutLargeBlobs(
  filter: ObjectFilter,
  { offloadFrom }: Pick<RepositoryRecord, "offloadFrom">,
): ObjectFilter {
  if (offloadFrom === undefined || filter === NO_FILTER) return filter;
  return combineFilters([filter, { ...NO_FILTER, blobBytes: offloadFrom }]);
}

function objectFilterOf(spec: ObjectFilterSpec): ObjectFilter {
  switch (spec.kind) {
    case "blob:none":
      return typesFilter("commit", "tree", "tag");
    case "blob:limit":
      return { ...NO_FILTER, blobBytes: spec.bytes };
    case "tree":
      return { ...NO_FILTER, treeDepth: spec.depth };
    case "object:type":
      return typesFilter(spec.type);
    case "combine":
      return combineFilters(spec.parts.map((part) => objectFilterOf(part)));
  }
}
