/**
 * The instance's memory: statics, then the window of input, then the ring of objects, then the table of object names, which is
 * the only part that grows.
 */

/** Vector loads may look this far behind what they are asked for. */
const SLACK: usize = 64;

const scratch: usize = memory.data(1024, 64);

let window: usize = 0;
let ring: usize = 0;
let rest: usize = 0;
let limit: usize = 0;

/** Carves the regions; false where they do not fit in `maxBytes` or in what the machine gives. */
export function carve(windowBytes: usize, ringBytes: usize, maxBytes: usize): bool {
  window = align(__heap_base);
  ring = align(window + windowBytes);
  rest = align(ring + ringBytes + SLACK);
  limit = maxBytes;
  return ensureMemory(rest);
}

export function scratchAt(): usize {
  return scratch;
}

export function windowAt(): usize {
  return window;
}

export function ringAt(): usize {
  return ring;
}

/** Where the table of object names begins. */
export function restAt(): usize {
  return rest;
}

/** Makes the memory reach to `end`; false where it may not or cannot. */
export function ensureMemory(end: usize): bool {
  const have = <usize>memory.size() << 16;
  if (end + SLACK <= have) return true;
  if (end + SLACK > limit) return false;
  return memory.grow(<i32>((end + SLACK - have + 0xffff) >> 16)) >= 0;
}

function align(at: usize): usize {
  return (at + 63) & ~63;
}
