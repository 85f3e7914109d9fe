/**
 * The API's description of the routes of a repository's content.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { describe, PAGING } from "../describe.ts";

const REVISION =
  "A revision is a branch, a tag, a full ref name, `HEAD` or `@`, or the name of an object with four digits or more, and then any of `^`, " +
  "`^N`, `~N` and `^{type}`, as in gitrevisions(7).";
const NAMES =
  "Names are bytes in git: one that is not UTF-8 is shown with replacement characters, and in full in a member that ends in `_base64`.";

const person = v.nullable(
  v.strictObject({ name: v.string(), email: v.string(), date: v.nullable(v.string()), time: v.number() }),
);
const commit = {
  oid: v.string(),
  tree: v.string(),
  parents: v.array(v.string()),
  author: person,
  committer: person,
  message: v.string(),
  signed: v.boolean(),
  truncated: v.optional(v.literal(true)),
};
const file = v.strictObject({
  status: v.picklist(["A", "D", "M", "T"]),
  path: v.string(),
  path_base64: v.optional(v.string()),
  old_mode: v.optional(v.string()),
  old_oid: v.optional(v.string()),
  new_mode: v.optional(v.string()),
  new_oid: v.optional(v.string()),
});
const entry = v.strictObject({
  name: v.string(),
  name_base64: v.optional(v.string()),
  mode: v.string(),
  type: v.picklist(["blob", "tree", "commit"]),
  oid: v.string(),
  size: v.optional(v.number()),
});
const cursor = v.optional(v.string());

const tree = v.strictObject({
  commit: v.optional(v.string()),
  path: v.string(),
  path_base64: v.optional(v.string()),
  oid: v.string(),
  entries: v.array(entry),
  cursor,
});
const blob = v.strictObject({
  commit: v.optional(v.string()),
  path: v.string(),
  path_base64: v.optional(v.string()),
  oid: v.string(),
  mode: v.string(),
  size: v.number(),
  lfs: v.optional(v.strictObject({ oid: v.string(), size: v.number() })),
  encoding: v.nullable(v.picklist(["utf-8", "base64"])),
  content: v.nullable(v.string()),
});
const commits = v.strictObject({
  commits: v.array(v.strictObject({ ...commit, path: v.optional(v.string()), path_base64: v.optional(v.string()) })),
  cursor,
});
const oneCommit = v.strictObject({ ...commit, files: v.array(file), cursor });
const comparison = v.strictObject({
  from: v.string(),
  to: v.string(),
  status: v.picklist(["identical", "ahead", "behind", "diverged"]),
  ahead: v.number(),
  behind: v.number(),
  merge_bases: v.array(v.string()),
  commits: v.array(v.strictObject(commit)),
  cursor,
  files: v.nullable(v.array(file)),
  files_cursor: cursor,
});

const hunk = v.strictObject({
  old_start: v.number(),
  old_lines: v.number(),
  new_start: v.number(),
  new_lines: v.number(),
  heading: v.string(),
  heading_base64: v.optional(v.string()),
  text: v.string(),
  text_base64: v.optional(v.string()),
});
const diff = v.strictObject({
  old_tree: v.string(),
  new_tree: v.string(),
  files: v.array(
    v.strictObject({
      ...file.entries,
      status: v.picklist(["A", "D", "M", "R"]),
      old_path: v.optional(v.string()),
      old_path_base64: v.optional(v.string()),
      similarity: v.optional(v.number()),
      binary: v.boolean(),
      too_large: v.boolean(),
      additions: v.number(),
      deletions: v.number(),
      hunks: v.nullable(v.array(hunk)),
    }),
  ),
  cursor,
});

const lastChanges = v.strictObject({
  commit: v.string(),
  path: v.string(),
  path_base64: v.optional(v.string()),
  entries: v.array(v.strictObject({ ...entry.entries, commit: v.string() })),
  commits: v.array(v.strictObject(commit)),
  cursor,
});
const blame = v.strictObject({
  commit: v.string(),
  path: v.string(),
  path_base64: v.optional(v.string()),
  lines: v.number(),
  ranges: v.array(
    v.strictObject({
      line: v.number(),
      count: v.number(),
      commit: v.string(),
      path: v.string(),
      path_base64: v.optional(v.string()),
      original_line: v.number(),
    }),
  ),
  commits: v.array(v.strictObject(commit)),
  cursor,
});

const activity = v.strictObject({
  commit: v.string(),
  path: v.string(),
  path_base64: v.optional(v.string()),
  commits: v.number(),
  weeks: v.array(v.strictObject({ week: v.nullable(v.string()), commits: v.number() })),
  contributors: v.array(
    v.strictObject({
      name: v.string(),
      email: v.string(),
      commits: v.number(),
      first: v.nullable(v.string()),
      last: v.nullable(v.string()),
    }),
  ),
  cursor,
});

const path = { path: v.string(), path_base64: v.optional(v.string()) };
const foundFile = v.strictObject({ ...path, oid: v.string(), mode: v.string() });
const root = { commit: v.optional(v.string()), tree: v.string() };
const search = v.strictObject({
  ...root,
  matches: v.array(
    v.strictObject({
      ...path,
      oid: v.string(),
      line: v.number(),
      text: v.string(),
      text_base64: v.optional(v.string()),
      cut: v.boolean(),
    }),
  ),
  unsearched: v.array(foundFile),
  cursor,
});
const files = v.strictObject({ ...root, files: v.array(foundFile), cursor });

/** The parameters that say how files are compared. */
const DIFF_QUERY = {
  format: { about: "`json` or `diff`; else `Accept: text/x-diff` asks for a patch." },
  context: { about: "The lines shown around changes; 3 where not given.", type: "integer" },
  whitespace: {
    about:
      "The white space that counts: `exact`, `at-eol` (not that at ends of lines), `change` (`-b`), `all` (`-w`: none).",
  },
  ignore_blank_lines: { about: "`true` leaves out changes of blank lines alone." },
} as const;

const PATCH_FORMAT = {
  about:
    "`json`, `diff` or `patch`; else the path may end in `.diff` or `.patch`, or `Accept` be `text/x-diff` or `text/x-patch`.",
};

/** The descriptions, by route. */
export const DESCRIPTIONS = {
  tree: describe({
    tag: "content",
    summary: "Lists a directory",
    about: `\`tree/{rev}/{path}\`: of a branch whose name has slashes, the longest name counts. ${REVISION} ${NAMES} Blobs have their size.`,
    query: PAGING,
    answers: { 200: { about: "Entries in git's order.", json: tree } },
    problems: [409, 413],
  }),
  blob: describe({
    tag: "content",
    summary: "Shows a file",
    about:
      "`blob/{rev}/{path}`: its name, mode and size, and its content as text, or in base64 where it is not UTF-8; null above 1 MiB. " +
      `\`lfs\` is what a pointer of Git LFS names. ${REVISION} ${NAMES}`,
    answers: { 200: { about: "The file.", json: blob } },
    problems: [409, 413, 422],
  }),
  commits: describe({
    tag: "content",
    summary: "Lists commits",
    about:
      "Youngest first, as `git log` does; of a path those that changed it, simplified as git does by default. A page may be short " +
      "and have a `cursor` all the same.",
    query: {
      rev: { about: `Where to begin; \`HEAD\` where not given. ${REVISION}` },
      path: { about: "A file or a directory." },
      follow: {
        about:
          "`true` follows the file at `path` through renames, as `git log --follow` does. Each commit then has the `path` that the file has in it.",
      },
      ...PAGING,
    },
    answers: { 200: { about: "Commits.", json: commits } },
    problems: [409, 413],
  }),
  commit: describe({
    tag: "content",
    summary: "Shows a commit",
    about:
      "`commits/{rev}`. Files are those that differ from the first parent, without renames. `format=diff` gives them as a patch, with renames, and " +
      `\`format=patch\` the commit as a mail for \`git am\`, as \`git format-patch --full-index\` makes it. ${REVISION}`,
    query: {
      ...PAGING,
      ...DIFF_QUERY,
      format: PATCH_FORMAT,
    },
    answers: { 200: { about: "The commit, and the files that it changed.", json: oneCommit } },
    problems: [409, 413],
  }),
  compare: describe({
    tag: "content",
    summary: "Compares two revisions",
    about:
      "`compare/{a}...{b}`: what b has beyond a (`ahead`, and these `commits`), what it lacks (`behind`), and the files that differ " +
      "between their merge base and b; `null` where there is none. `format=diff` gives what `git diff a...b` prints, and `format=patch` the commits " +
      "as mails, as `git format-patch a..b` makes them.",
    query: {
      ...PAGING,
      ...DIFF_QUERY,
      format: PATCH_FORMAT,
      files_cursor: { about: "Where the list of files goes on." },
    },
    answers: { 200: { about: "The comparison.", json: comparison } },
    problems: [409, 413],
  }),
  diff: describe({
    tag: "content",
    summary: "Shows the lines that two revisions differ in",
    about:
      "`diff/{a}..{b}` compares the two, `diff/{a}...{b}` their merge base with b. As a patch the answer is that of `git diff --full-index`. In JSON a " +
      "hunk's `text` is its body in that patch; `hunks` is null for files that are binary or too large.",
    query: {
      ...PAGING,
      ...DIFF_QUERY,
      format: {
        about:
          "`json`, `diff`, or `patch` for mails of the commits; else the end of the path, or `Accept: text/x-diff` for a patch.",
      },
    },
    answers: { 200: { about: "The changed files, as JSON or as a patch.", json: diff } },
    problems: [409, 413, 422],
  }),
  lastChanges: describe({
    tag: "content",
    summary: "Lists a directory's entries with their last changes",
    about:
      "`last-changes/{rev}/{path}`: for each entry the commit that `git log -1 {rev} -- {entry}` shows. A page has the entries that were found; its `cursor` " +
      `leads to the others, which may come before them in the directory. \`commits\` has each commit once. ${REVISION}`,
    query: PAGING,
    answers: { 200: { about: "Entries and commits.", json: lastChanges } },
    problems: [409, 413, 422],
  }),
  blame: describe({
    tag: "content",
    summary: "Shows the commit that each line of a file comes from",
    about:
      "`blame/{rev}/{path}`, as `git blame` does, through renames of the file. A page has the lines that were found; its `cursor` leads to the others, which may " +
      `come before them in the file. Where a range is in two pages, both say the same. ${REVISION}`,
    query: {
      cursor: PAGING.cursor,
      whitespace: DIFF_QUERY.whitespace,
      ignore_revs: {
        about:
          "The path of a list in the revision, such as `.git-blame-ignore-revs`: its commits are passed over, as `git blame --ignore-revs-file` does.",
      },
    },
    answers: { 200: { about: "Ranges of lines, and their commits, each once.", json: blame } },
    problems: [409, 413, 422],
  }),
  activity: describe({
    tag: "content",
    summary: "Counts commits, by week and by author",
    about:
      "`activity/{rev}/{path}`: the commits that `git log` lists, those of each week by the committer's time (weeks begin on Mondays, UTC), and the authors as " +
      "`git shortlog -sne` has them, by the `.mailmap` of the revision. Authors with the most commits come first. A page counts some 20,000 commits; its `cursor` leads to " +
      `older ones, whose counts are to be added. ${REVISION}`,
    query: { cursor: PAGING.cursor },
    answers: { 200: { about: "Counts of the commits of this page.", json: activity } },
    problems: [409, 413, 422],
  }),
  search: describe({
    tag: "content",
    summary: "Looks for lines in the files of a revision",
    about:
      "The lines that `git grep -n -I` finds, in the order of paths. With `regexp=true` the pattern is an extended regular expression as `-E` takes it, " +
      "matched byte by byte; references to groups, `\\b`, `\\<` and `\\>` are not understood. Binary files are passed over; `unsearched` has the files that are too large. A page may be " +
      "short, or empty, and have a `cursor` all the same. Of a long line the first 1000 bytes are shown, and `cut` is true.",
    query: {
      q: { about: "The text, or the regular expression." },
      rev: { about: `The revision; \`HEAD\` where not given. ${REVISION}` },
      path: { about: "A file or a directory, outside of which nothing is looked at." },
      regexp: { about: "`true` for a regular expression." },
      ...PAGING,
    },
    answers: { 200: { about: "Lines.", json: search } },
    problems: [409, 413, 422],
  }),
  files: describe({
    tag: "content",
    summary: "Finds the files of a revision by their paths",
    about: "`files/{rev}`: the files whose paths have all words of `q`, in the order of paths. Capitals don't matter.",
    query: { q: { about: "Words, with spaces between; all files where not given." }, ...PAGING },
    answers: { 200: { about: "Files.", json: files } },
    problems: [409, 413, 422],
  }),
  raw: describe({
    tag: "content",
    summary: "Gives a file",
    about: `\`raw/{rev}/{path}\`, as \`git show\` does; of a symbolic link its target. ${REVISION} Takes ranges; the \`ETag\` is the blob's name.`,
    query: {
      lfs: {
        about:
          "`1` for the file behind a pointer of Git LFS; 404 if it is not here. Its `ETag` is its SHA-256. What is no pointer is given as ever.",
      },
    },
    answers: {
      200: { about: "The file, as text or octets.", type: "application/octet-stream" },
      206: { about: "A part of it.", type: "application/octet-stream" },
      304: { about: "It is what `If-None-Match` names." },
    },
    problems: [409, 413, 416, 422],
  }),
  archive: describe({
    tag: "content",
    summary: "Gives an archive",
    about: `\`archive/{rev}.tar.gz\`, \`.tgz\`, \`.tar\` or \`.zip\`, as \`git archive\` makes it. ${REVISION} The \`Link\` with \`rel="immutable"\` names the address by which this commit's archive will always be found.`,
    query: {
      prefix: { about: "What the paths in it begin with, as in `project-1.0/`; `{repo}-{rev}/` by default." },
      rev: { about: "The name of the commit that it has to be of: the answer is 409 if it is of another." },
      lfs: {
        about:
          "`1` for the files behind pointers of Git LFS, in place of those pointers whose files are here. Such an archive has no `ETag` and no `Link`.",
      },
    },
    answers: {
      200: { about: "The archive.", type: "application/octet-stream" },
      304: { about: "It is what `If-None-Match` names." },
    },
    problems: [409],
  }),
} as const;
