/**
 * The properties of a doc comment that can be checked without understanding it: that it belongs to a declaration, and
 * that a predicate's says when it is true.
 */

const DOC_COMMENT = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\n\s*(\/\*\*|[^\n]*)/g;
/** A declaration, or a member, that is a predicate by its name. */
const PREDICATE = /^(?:(?:export|readonly|get|static|async|function|const|let) )*#?((?:is|has)[A-Z]\w*)\b/;
const NEGATION = /\b(?:no|not|nothing|nobody|never|none|neither|nor)\b/;

/**
 * Returns the faults of a file's doc comments: one that stands above another, or a predicate's that reads as its
 * opposite.
 */
export function commentProblems(file: string, source: string): string[] {
  const problems: string[] = [];
  for (const match of source.matchAll(DOC_COMMENT)) {
    const [, comment = "", next = ""] = match;
    const where = `${file}:${source.slice(0, match.index).split("\n").length}`;
    // the head of a file is about all of it
    if (next === "/**" && match.index > 0) {
      problems.push(`${where}: a doc comment with nothing below it but another`);
    }
    // names in tests and scripts are only for themselves
    const name = file.startsWith("src/") ? PREDICATE.exec(next)?.[1] : undefined;
    if (name !== undefined) problems.push(...predicateProblems(`${where}: ${name}`, comment));
  }
  return problems;
}

/**
 * Returns the fault of a predicate's comment, whose first clause has to say when it is true, and not when it is false.
 */
function predicateProblems(where: string, comment: string): string[] {
  const said = comment.replaceAll(/\s*\n\s*\*\s?/g, " ").trim();
  if (!said.startsWith("Whether ")) return [`${where}: the comment of a predicate begins with "Whether"`];
  const [clause = ""] = said.split(/[,.:;(]/);
  return NEGATION.test(clause) ? [`${where}: the comment says when it is false: ${clause}`] : [];
}
