# Shared by the scripts of this folder; sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON_NEEDED=3.11
NODE_NEEDED=20.19

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
warn() { printf '\033[1;33mWarning:\033[0m %s\n' "$*" >&2; }
die() {
    printf '\033[1;31mError:\033[0m %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# at_least FOUND NEEDED: is a dotted version new enough?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# fingerprint PATH...: one hash over names and contents, without what is installed or built.
fingerprint() {
    find "$@" \( -name node_modules -o -name __pycache__ \) -prune -o -type f -print0 |
        sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# fresh STAMP VALUE: does the stamp hold this value? Stamps lie inside what they describe, or beside it in build/.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
stamp() {
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$2" >"$1"
}

# as_root COMMAND...: run with root's rights, never asking for a password.
may_be_root() { [ "$(id -u)" = 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# apt_install PACKAGE...: say it, do it. Fails where this machine has no apt-get or we have no rights.
apt_install() {
    has apt-get && may_be_root || return 1
    say "Installing Debian packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
