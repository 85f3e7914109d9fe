/**
 * Whether bundles of the newest history are made and offered, or the base alone.
 *
 * They are not, for now. git's client begins at the greatest creation token and ends with the first bundle that it can unbundle. So a
 * pack that builds on nothing, or two that build on the base alone, have it pass over the others, and it never asks for them again.
 *
 * @packageDocumentation
 * @see git's bundle-uri.c, `fetch_bundles_by_token`
 */
export const NEWEST_BUNDLES = {
  get areOffered(): boolean {
    return false;
  },
};
