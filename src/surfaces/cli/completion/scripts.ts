export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** In these texts `@{` stands for the `${` of a shell, which JavaScript would read. */
function script(text: string): string {
  return text.replaceAll("@{", "${");
}

/** Each asks `qinfra __complete` what fits, so that they never have to be renewed. */
export const completionScripts: Readonly<Record<Shell, string>> = {
  bash: script(String.raw`# Completion of qinfra for bash. Load it with: source <(qinfra completion bash)
_qinfra() {
  local -a words=()
  local count=0 i word line value piece prefix kind
  # bash splits words at = and : too; what belongs together is put together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="@{COMP_WORDS[i]}"
    if ((count > 0)) && { [[ $word == [=:]* ]] || [[ @{COMP_WORDS[i - 1]} == [=:] ]]; }; then
      words[count - 1]+="$word"
    else
      words[count]="$word"
      ((count += 1))
    fi
  done
  piece="@{COMP_WORDS[COMP_CWORD]}"
  [[ $piece == [=:] ]] && piece=""
  prefix="@{words[count - 1]}"
  prefix="@{prefix:0:@{#prefix} - @{#piece}}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :none) ;;
      :file | :dir)
        compopt -o filenames 2>/dev/null
        kind=-f
        [[ $line == :dir ]] && kind=-d
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen "$kind" -- "$piece")
        ;;
      *)
        value="@{line%%$'\t'*}"
        COMPREPLY+=("@{value:@{#prefix}}")
        ;;
    esac
  done < <("@{COMP_WORDS[0]/#\~/$HOME}" __complete "@{words[@]}" 2>/dev/null)
}
complete -F _qinfra qinfra
`),
  zsh: script(String.raw`#compdef qinfra
# Completion of qinfra for zsh. Load it with: source <(qinfra completion zsh)
_qinfra() {
  local -a lines values
  local line
  lines=("@{(@f)$("@{words[1]}" __complete "@{(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :none) ;;
      :file) _files ;;
      :dir) _files -/ ;;
      *) values+=("@{@{line%%$'\t'*}//:/\\:}:@{line#*$'\t'}") ;;
    esac
  done
  (( $#values )) && _describe qinfra values
}
compdef _qinfra qinfra
`),
  fish: script(String.raw`# Completion of qinfra for fish. Load it with: qinfra completion fish | source
function __qinfra_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    for line in ($before[1] __complete $before[2..-1] "$typed" 2>/dev/null)
        switch $line
            case :none
            case :file
                __fish_complete_path "$typed"
            case :dir
                __fish_complete_directories "$typed"
            case '*'
                echo $line
        end
    end
end
complete -c qinfra -f -a '(__qinfra_complete)'
`),
};
