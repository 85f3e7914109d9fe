/**
 * The numbers of a step that makes a layer of the commit-graph.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `mostCommits` | 200,000 | the commits of a layer |
 * | `mostWalked` | 300,000 | the commits that a step holds: of a longer line, it goes to the oldest part first, and lets go of the rest |
 * | `leastCommits` | 50,000 | the commits of which a step makes a layer, where it has no room for more: with fewer, it begins anew further down |
 * | `spacing` | 25,000 | of a line that is let go of, one in this many commits is remembered, to go on from |
 * | `mostWay` | 4096 | the commits that are remembered |
 * | `mostRead` | 1,000,000 | the commits that a step reads: some ten seconds of processor time. What is left goes to the next steps |
 * | `rowBytes` | 40 | what a commit takes that a step has come to, beside the names of itself and of its tree |
 * | `nameBytes` | 16 | what a name takes, beside its raw bytes |
 * | `collectedBytes` | 200 | what a commit takes besides that the layer is to have: tables, names and the file |
 * | `stepBytes` | 60,000,000 | the memory of a step, with what it holds of the layers that are there: an isolate that does nothing has some 45 MB |
 * | `mostFilters` | 5000 | the filters that a step computes, for each of which trees are compared, at about a fifth of a read of the bucket; the newest commits come first |
 * | `leastFilters` | 500 | the filters that a step computes before it ends for others who wait for the memory of its kernel: about a second |
 * | `mostFilterBytes` | 12 MiB | the filters of a layer: what has no room has no filter |
 * | `mostSteps` | 4,000,000,000 | the work after which no further filter is computed: about ten seconds |
 * | `wholeBytes` | 24 MiB | layers that take no more memory together are held as a whole; of more, the beginnings of names, and one layer at a time |
 * | `factor` | 2 | a layer is merged into the next one unless it is more than this many times as large |
 *
 * @packageDocumentation
 */
import { LAYER_MEMORY, MOST_LAYER_COMMITS, MOST_LAYER_FILTER_BYTES } from "../catalog/commit-graph-record.ts";

const MIB = 1024 * 1024;

/** The numbers; see the table above. */
export const GRAPHING = {
  mostCommits: MOST_LAYER_COMMITS,
  mostWalked: 300_000,
  leastCommits: 50_000,
  spacing: 25_000,
  mostWay: 4096,
  mostRead: 1_000_000,
  ...LAYER_MEMORY,
  mostFilters: 5000,
  leastFilters: 500,
  mostFilterBytes: MOST_LAYER_FILTER_BYTES,
  mostSteps: 4_000_000_000,
  wholeBytes: 24 * MIB,
  factor: 2,
} as const;

/** The numbers of one step. */
export type Graphing = { readonly [Figure in keyof typeof GRAPHING]: number };
