# Run in place of a derivation's builder: says what a build would begin with, for `nival develop`.
set -e
if [ -e "${NIX_ATTRS_SH_FILE-}" ]; then . "$NIX_ATTRS_SH_FILE"; fi
export IN_NIX_SHELL=impure dontAddDisableDepTrack=1
if [ -n "${stdenv-}" ]; then . "$stdenv/setup"; fi
__nival_variables=$(declare -p)
__nival_functions=$(declare -F)

__nival_say() {
    local line
    printf 'variables\0%s\0' "$__nival_variables"
    while read -r line; do
        case $line in
        'declare -f '*) printf 'function\0%s\0%s\0' "${line##* }" "$(declare -f "${line##* }")" ;;
        esac
    done <<<"$__nival_functions"
    if [ -e "${NIX_ATTRS_SH_FILE-}" ]; then
        printf 'attributes\0%s\0%s\0' "$(<"$NIX_ATTRS_SH_FILE")" "$(<"$NIX_ATTRS_JSON_FILE")"
    fi
}

# Each output has to be made; the first one says it.
__nival_done=
__nival_make() {
    if [ -z "$__nival_done" ]; then __nival_say >"$1"; else printf '' >"$1"; fi
    __nival_done=1
}
if [ -e "${NIX_ATTRS_SH_FILE-}" ]; then
    for __nival_output in "${outputs[@]}"; do __nival_make "$__nival_output"; done
else
    for __nival_output in $outputs; do __nival_make "${!__nival_output}"; done
fi
