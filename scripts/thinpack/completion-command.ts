/**
 * `thinpack completion`: completes the command's words in a shell.
 *
 * @packageDocumentation
 */
import { Argument, type Command } from "commander";
import { printText } from "./output.ts";

/** Each script asks the command itself, so that it knows every command that this version has. */
const SCRIPTS = {
  bash: `_thinpack() {
  local IFS=$'\\n'
  COMPREPLY=($(thinpack complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _thinpack thinpack`,
  zsh: `#compdef thinpack
_thinpack() {
  local -a found
  found=("\${(@f)$(thinpack complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _thinpack thinpack`,
  fish: `function __thinpack_complete
  set -l words (commandline -opc) (commandline -ct)
  thinpack complete -- $words[2..-1] 2>/dev/null
end
complete -c thinpack -a '(__thinpack_complete)'`,
} as const;

/** Finds the command that the words before the last one name. */
function commandAt(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) command = command.commands.find((each) => each.name() === word) ?? command;
  return command;
}

/** Returns the words that the last word may become. */
export function completionsOf(program: Command, words: readonly string[]): string[] {
  const last = words.at(-1) ?? "";
  const command = commandAt(program, words.slice(0, -1));
  const options = [...command.options, ...program.options].flatMap(({ long }) => long ?? []);
  const names = command.commands.map((each) => each.name()).filter((name) => name !== "complete");
  const found = last.startsWith("-") ? [...options, "--help"] : names;
  return [...new Set(found)].filter((word) => word.startsWith(last)).toSorted();
}

/** Adds the commands. */
export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .summary("prints what a shell needs to complete this command's words")
    .addHelpText(
      "after",
      `
Examples:
  echo 'source <(thinpack completion bash)' >> ~/.bashrc
  thinpack completion zsh > "\${fpath[1]}/_thinpack"
  thinpack completion fish > ~/.config/fish/completions/thinpack.fish`,
    )
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => printText(SCRIPTS[shell]));
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .action((words: readonly string[]) => printText(completionsOf(program, words).join("\n")));
}
