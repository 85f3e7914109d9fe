/**
 * The findings that fsck may have: the message ids of C git, each with its severity and text. A host that checks what
 * it receives is strict, so warnings refuse as errors do. `info` and `ignore` never refuse.
 *
 * @packageDocumentation
 * @see git-fsck(1), `receive.fsckObjects` in git-config(1)
 */

type Severity = "error" | "warn" | "info" | "ignore";

const AUTHOR_LINE = "invalid author/committer line - ";

const RULES = {
  nulInHeader: ["error", "unterminated header: NUL at offset "],
  unterminatedHeader: ["error", "unterminated header"],
  badDate: ["error", `${AUTHOR_LINE}bad date`],
  badDateOverflow: ["error", `${AUTHOR_LINE}date causes integer overflow`],
  badEmail: ["error", `${AUTHOR_LINE}bad email`],
  badName: ["error", `${AUTHOR_LINE}bad name`],
  badObjectSha1: ["error", "invalid 'object' line format - bad sha1"],
  badParentSha1: ["error", "invalid 'parent' line format - bad sha1"],
  badTimezone: ["error", `${AUTHOR_LINE}bad time zone`],
  badTree: ["error", "cannot be parsed as a tree"],
  badTreeSha1: ["error", "invalid 'tree' line format - bad sha1"],
  badType: ["error", "invalid 'type' value"],
  duplicateEntries: ["error", "contains duplicate file entries"],
  gitattributesBlob: ["error", "non-blob found at .gitattributes"],
  gitattributesLarge: ["error", ".gitattributes too large to parse"],
  gitattributesLineLength: ["error", ".gitattributes has too long lines to parse"],
  gitattributesMissing: ["error", "unable to read .gitattributes blob"],
  gitmodulesBlob: ["error", "non-blob found at .gitmodules"],
  gitmodulesLarge: ["error", ".gitmodules too large to parse"],
  gitmodulesName: ["error", "disallowed submodule name: "],
  gitmodulesPath: ["error", "disallowed submodule path: "],
  gitmodulesSymlink: ["error", ".gitmodules is a symbolic link"],
  gitmodulesUpdate: ["error", "disallowed submodule update setting: "],
  gitmodulesUrl: ["error", "disallowed submodule url: "],
  missingAuthor: ["error", "invalid format - expected 'author' line"],
  missingCommitter: ["error", "invalid format - expected 'committer' line"],
  missingEmail: ["error", `${AUTHOR_LINE}missing email`],
  // Git itself uses the same text for a missing name.
  missingNameBeforeEmail: ["error", `${AUTHOR_LINE}missing space before email`],
  missingObject: ["error", "invalid format - expected 'object' line"],
  missingSpaceBeforeDate: ["error", `${AUTHOR_LINE}missing space before date`],
  missingSpaceBeforeEmail: ["error", `${AUTHOR_LINE}missing space before email`],
  missingTag: ["error", "invalid format - unexpected end after 'type' line"],
  missingTagEntry: ["error", "invalid format - expected 'tag' line"],
  missingTree: ["error", "invalid format - expected 'tree' line"],
  missingTypeEntry: ["error", "invalid format - expected 'type' line"],
  multipleAuthors: ["error", "invalid format - multiple 'author' lines"],
  treeNotSorted: ["error", "not properly sorted"],
  zeroPaddedDate: ["error", `${AUTHOR_LINE}zero-padded date`],

  emptyName: ["warn", "contains empty pathname"],
  fullPathname: ["warn", "contains full pathnames"],
  hasDot: ["warn", "contains '.'"],
  hasDotdot: ["warn", "contains '..'"],
  hasDotgit: ["warn", "contains '.git'"],
  largePathname: ["warn", "contains excessively large pathname"],
  nulInCommit: ["warn", "NUL byte in the commit object body"],
  nullSha1: ["warn", "contains entries pointing to null sha1"],
  zeroPaddedFilemode: ["warn", "contains zero-padded file modes"],

  badFilemode: ["info", "contains bad file modes"],
  badTagName: ["info", "invalid 'tag' name: "],
  gitattributesSymlink: ["info", ".gitattributes is a symlink"],
  gitignoreSymlink: ["info", ".gitignore is a symlink"],
  gitmodulesParse: ["info", "could not parse gitmodules blob"],
  mailmapSymlink: ["info", ".mailmap is a symlink"],
  missingTaggerEntry: ["info", "invalid format - expected 'tagger' line"],
  extraHeaderEntry: ["ignore", "invalid format - extra header(s) after 'tagger'"],
} as const satisfies Record<string, readonly [Severity, string]>;

/** A message id, as git prints it and as `receive.fsck.<id>` spells it. */
export type FsckId = keyof typeof RULES;

/**
 * Slips of old programs in names, dates and modes. They harm nobody who checks the object out, and history that has
 * them can't be mended.
 */
export const HARMLESS = [
  "badDate",
  "badDateOverflow",
  "badEmail",
  "badName",
  "badTimezone",
  "missingEmail",
  "missingNameBeforeEmail",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "multipleAuthors",
  "nulInCommit",
  "zeroPaddedDate",
  "zeroPaddedFilemode",
] as const satisfies readonly FsckId[];

/**
 * The rules that a mirror may be told to ignore: slips, and trees whose entries are not in git's order or come twice.
 */
export const FORGIVABLE = [...HARMLESS, "duplicateEntries", "treeNotSorted"] as const satisfies readonly FsckId[];

/** Exceptions to the rules. */
export type FsckLeniency = {
  /** Rules of {@link FORGIVABLE} that refuse nothing: `receive.fsck.<id>=ignore`. */
  readonly ignored: ReadonlySet<FsckId>;
  /** Rules that refuse nothing, but lead to a warning to the sender: `receive.fsck.<id>=warn`. */
  readonly warned: ReadonlySet<FsckId>;
  /** Names in hexadecimal of objects that are not checked, as in `receive.fsck.skipList`. */
  readonly skipped: ReadonlySet<string>;
};

/** No exceptions. */
export const STRICT: FsckLeniency = { ignored: new Set(), warned: new Set(), skipped: new Set() };

/** Whether a finding of this rule is let pass. It is called for each finding that there is. */
export type Forgiving = (id: FsckId) => boolean;

/** Lets no finding pass. */
export const FORGIVES_NOTHING: Forgiving = () => false;

/** The reason why an object is refused. Git prints it as `error: object <name>: <id>: <text>`. */
export type FsckFinding = { readonly id: FsckId; readonly text: string };

/** Returns the finding of a rule; `undefined` if the rule doesn't refuse. `detail` follows the rule's text. */
export function finding(id: FsckId, detail = ""): FsckFinding | undefined {
  const [severity, text] = RULES[id];
  return severity === "error" || severity === "warn" ? { id, text: text + detail } : undefined;
}
