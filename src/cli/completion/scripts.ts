/** What a shell needs to complete `odradek`: it asks the command itself, with the words typed so far. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// SHELL tells yargs how to write descriptions; it names the login shell, which may be another one than this.

const BASH = `# Completion of odradek for bash. Load it with: source <(odradek completion bash)
_odradek_completion() {
  # bash cuts words at : and = too, and replaces what stands behind the last of these; odradek gets them whole.
  local line="\${COMP_LINE:0:COMP_POINT}" words current reply breaks="\${COMP_WORDBREAKS//[!:=]/}" kept=
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  current="\${words[\${#words[@]}-1]}"
  [[ -n $breaks ]] && kept="\${current%"\${current##*[$breaks]}"}"
  COMPREPLY=()
  while IFS= read -r reply; do
    [[ $reply == "$current"* ]] && printf -v reply %q "\${reply#"$kept"}" && COMPREPLY+=("$reply")
  done < <(SHELL=bash "\${words[0]}" --get-yargs-completions "\${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _odradek_completion odradek bin/odradek
`;

const ZSH = `#compdef odradek
# Completion of odradek for zsh. Load it with: source <(odradek completion zsh)
_odradek() {
  local replies
  replies=("\${(@f)$(SHELL=zsh \${words[1]} --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$replies" ]]; then
    _describe 'values' replies
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" = _odradek ]]; then
  _odradek "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _odradek odradek
fi
`;

const FISH = `# Completion of odradek for fish. Load it with: odradek completion fish | source
function __odradek_complete
  set -l current (commandline -ct)
  set -l words (commandline -opc) $current
  set -l replies (SHELL=fish $words[1] --get-yargs-completions $words 2>/dev/null)
  if set -q replies[1]
    printf '%s\\n' $replies
  else
    set -l option (string match -r '^--[^=]+=' -- $current; or echo '')
    printf '%s\\n' $option(__fish_complete_path (string replace -r '^--[^=]+=' '' -- $current))
  end
end
complete -c odradek -f -a '(__odradek_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
