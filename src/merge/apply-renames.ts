/**
 * Brings the versions of files that were moved to the paths that they have now.
 *
 * @packageDocumentation
 * @see git-merge-tree(1), "CONFLICTED FILE INFO"
 */
import { present } from "../bytes/assert.ts";
import { mergeContent } from "./content-merge.ts";
import { detectRenames } from "./detect-renames.ts";
import { DirectoryRenames } from "./directory-renames.ts";
import type { MergeState } from "./merge-state.ts";
import type { PathInfo, Versions } from "./path-info.ts";
import { BASE, bitOf, kindOf, NOTHING, otherSide, OURS, type Side, SIDES, THEIRS, type Version } from "./version.ts";

/** A file that one side moved. */
type Move = { readonly from: string; readonly to: string; readonly side: Side };

/** A move with what is known of both paths. */
type KnownMove = Move & { readonly before: PathInfo; readonly after: PathInfo };

/** Finds the files and directories that were moved, and brings their versions together. */
export async function applyRenames(state: MergeState): Promise<void> {
  if (!SIDES.some((side) => mayHaveRenames(state, side))) return;
  for (const side of SIDES) await detectRenames(state, side);
  const moves = await collectMoves(state);
  // Sorting is stable: of two moves of one file, ours comes first.
  moves.sort((one, two) => (one.from === two.from ? 0 : one.from < two.from ? -1 : 1));
  for (let at = 0; at < moves.length; at++) {
    const move = present(moves[at], "a move");
    const next = moves[at + 1];
    const before = state.paths.get(move.from);
    if (before === undefined || before.isClean) continue;
    if (next?.from === move.from) {
      await joinMoves(state, before, move, next);
      at++;
    } else await applyMove(state, { ...move, before, after: state.paths.open(move.to) });
  }
}

function mayHaveRenames(state: MergeState, side: Side): boolean {
  const { pairs, wanted } = state.renamesOf(side);
  return pairs.length > 0 && wanted.size > 0;
}

async function collectMoves(state: MergeState): Promise<Move[]> {
  const directories = await DirectoryRenames.find(state);
  const moves: Move[] = [];
  for (const side of SIDES) {
    for (const pair of state.renamesOf(side).pairs) {
      if (pair.after === undefined) continue;
      await directories.follow(pair, side);
      if (pair.before !== undefined) moves.push({ from: pair.before.path, to: pair.after.path, side });
    }
  }
  return moves;
}

/** Both sides moved the same file. */
async function joinMoves(state: MergeState, base: PathInfo, one: Move, two: Move): Promise<void> {
  const ours = state.paths.open(one.to);
  const theirs = state.paths.open(two.to);
  if (one.to === two.to) {
    ours.stages[BASE] = base.stages[BASE];
    ours.files |= bitOf(BASE);
    base.remove();
    return;
  }
  const versions: Versions = [base.stages[BASE], ours.stages[OURS], theirs.stages[THEIRS]];
  const merged = await mergeContent(state, {
    path: one.from,
    versions,
    paths: [one.from, one.to, two.to],
    extraMarkerSize: 1 + 2 * state.depth,
  });
  const isUnmerged = !merged.isClean && isEqual(merged.version, versions[OURS]);
  ours.stages[OURS] = merged.version;
  // Where nothing could be merged, each path keeps what its side has.
  theirs.stages[THEIRS] = isUnmerged ? versions[THEIRS] : merged.version;
  for (const info of [base, ours, theirs]) info.hasPathConflict = true;
  state.note("rename-rename", one.from, one.to, two.to);
}

function isEqual(one: Version, two: Version): boolean {
  return one.mode === two.mode && one.oid === two.oid;
}

/** One side moved a file. */
async function applyMove(state: MergeState, move: KnownMove): Promise<void> {
  const { before, after, side } = move;
  const other = otherSide(side);
  const isDeleted = before.files === bitOf(BASE);
  const isFile = (version: Version): boolean => kindOf(version.mode) === "file";
  const isOtherKind = !isDeleted && isFile(before.stages[other]) !== isFile(after.stages[side]);
  const collides = (after.files & bitOf(other)) !== 0 && !isOtherKind;
  if (collides && !isDeleted) await mergeIntoCollision(state, move);
  else if (isDeleted) {
    if (!collides) takeBase(move);
    after.hasPathConflict = true;
    state.note("rename-delete", move.to, move.from);
  } else takeBase(move);
  if (!collides && isOtherKind) {
    before.stages[BASE] = NOTHING;
    before.files &= ~bitOf(BASE);
    return;
  }
  if (!collides && !isDeleted) {
    after.stages[other] = before.stages[other];
    after.files |= bitOf(other);
    after.paths[other] = move.from;
  }
  before.remove();
}

function takeBase({ before, after, from }: KnownMove): void {
  after.stages[BASE] = before.stages[BASE];
  after.files |= bitOf(BASE);
  after.paths[BASE] = from;
}

/** The other side has something else at the new path: what the file has become is in conflict with that. */
async function mergeIntoCollision(state: MergeState, { before, after, from, to, side }: KnownMove): Promise<void> {
  const versions: Versions = [before.stages[BASE], before.stages[OURS], before.stages[THEIRS]];
  versions[side] = after.stages[side];
  const paths = [from, from, from];
  paths[side] = to;
  const merged = await mergeContent(state, { path: from, versions, paths, extraMarkerSize: 1 + 2 * state.depth });
  after.stages[side] = merged.version;
  if (!merged.isClean) state.note("rename-collides", to, from);
}
