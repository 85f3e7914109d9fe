/**
 * Files that a program made: pages fold them, as people look at what they were made from.
 *
 * @packageDocumentation
 */

/** Names that say of a file what made it, in lower case. */
const LOCK_FILES = new Set(
  "bun.lock cargo.lock composer.lock flake.lock gemfile.lock go.sum mix.lock npm-shrinkwrap.json package-lock.json pdm.lock pipfile.lock pnpm-lock.yaml poetry.lock pubspec.lock uv.lock yarn.lock".split(
    " ",
  ),
);
const COMPRESSED = /[.-]min\.(?:css|js|mjs)$/;
const MADE = /\.(?:pb\.(?:cc|go|h)|g\.dart|designer\.cs|generated\.[a-z]+|[a-z]+\.map|snap)$|_pb2(?:_grpc)?\.py$/;
const FOREIGN = /(?:^|\/)(?:node_modules|vendor|third_party)\//;

/** Returns why a file counts as generated, by its path; `undefined` if it does not. */
export function generatedReason(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (LOCK_FILES.has(name)) return "a list of locked versions";
  if (COMPRESSED.test(name)) return "compressed code";
  if (MADE.test(name)) return "generated";
  return FOREIGN.test(path) ? "code of others" : undefined;
}
