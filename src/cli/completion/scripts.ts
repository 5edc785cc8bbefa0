/** The scripts that `wlb completion` prints. They pass the words to `wlb __complete` and insert its answer. */
import type { Shell } from './typed-words.js'

const BASH = `# Tab completion of wlb and xe for bash.
# Now:      source <(wlb completion bash)
# For good: wlb completion bash > /etc/bash_completion.d/wlb
#           or, without root: echo 'source <(wlb completion bash)' >> ~/.bashrc

_wlb_complete() {
  local line typed=\${COMP_LINE-}
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(command wlb __complete --shell bash --type "\${COMP_TYPE-}" --breaks "\${COMP_WORDBREAKS-}" \\
    --line "\${typed:0:\${COMP_POINT:-0}}" -- "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
}

complete -o nospace -F _wlb_complete wlb xe
`

const ZSH = `#compdef wlb xe
# Tab completion of wlb and xe for zsh.
# Now:      source <(wlb completion zsh)
# For good: wlb completion zsh > /usr/local/share/zsh/site-functions/_wlb
#           or any other folder of $fpath; then start a new shell

_wlb() {
  local line current=\${(Q)\${:-$IPREFIX$PREFIX}}
  local -a whole wholeShown open openShown
  for line in "\${(@f)$(command wlb __complete --shell zsh -- "\${(@Q)words[1,CURRENT-1]}" "$current" 2>/dev/null)}"; do
    case $line in
      [:=]any) [[ $line == '='* ]] && compset -P 1 '*='; _files; return ;;
      [:=]folders) [[ $line == '='* ]] && compset -P 1 '*='; _files -/; return ;;
      .*) whole+=("\${\${line%%$'\\t'*}#.}"); wholeShown+=("\${line#*$'\\t'}") ;;
      +*) open+=("\${\${line%%$'\\t'*}#+}"); openShown+=("\${line#*$'\\t'}") ;;
    esac
  done
  compadd -S '' -d openShown -a open
  compadd -d wholeShown -a whole
}

if [[ \${funcstack[1]-} == _wlb ]]; then
  _wlb "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _wlb wlb xe
fi
`

const FISH = `# Tab completion of wlb and xe for fish.
# Now:      wlb completion fish | source
# For good: wlb completion fish > ~/.config/fish/conf.d/wlb.fish

function __wlb_complete
    set -l current (commandline -ct)
    command wlb __complete --shell fish -- (commandline -opc) "$current" 2>/dev/null
end

complete -c wlb -f -a '(__wlb_complete)'
complete -c xe -f -a '(__wlb_complete)'
`

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
