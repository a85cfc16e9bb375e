/** What a shell needs to complete `odradek`: it asks the command itself, with the words typed so far. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# Completion of odradek for bash. Load it with: source <(odradek completion bash)
_odradek_completion() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:0:COMP_CWORD+1}")
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" --get-yargs-completions "\${words[@]}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _odradek_completion odradek bin/odradek
`;

const ZSH = `#compdef odradek
# Completion of odradek for zsh. Load it with: source <(odradek completion zsh)
_odradek() {
  local replies
  replies=("\${(@f)$(\${words[1]} --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$replies" ]]; then
    _describe 'values' replies
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" = _odradek ]]; then _odradek "$@"; else compdef _odradek odradek; fi
`;

const FISH = `# Completion of odradek for fish. Load it with: odradek completion fish | source
function __odradek_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] --get-yargs-completions $words 2>/dev/null
end
complete -c odradek -f -a '(__odradek_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
