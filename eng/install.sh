#!/usr/bin/env bash
# Installs Debian packages: install.sh PACKAGE... Says which, or, where it may not, exactly what to run.
set -euo pipefail
missing=("$@")

if ! command -v apt-get >/dev/null; then
    echo "Missing here, by their Debian names: ${missing[*]}. This system has no apt-get: install what it calls them, and run this again." >&2
    exit 1
fi

if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "Some system packages are missing, and this user is neither root nor may use sudo without a password. Run:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "Installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# RUNLEVEL=1: Debian starts a service as it is installed, unless the machine is not up yet. We start what we need ourselves.
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$log" 2>&1; }
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
    cat "$log" >&2
    echo "apt-get could not install ${missing[*]}; its words are above." >&2
    exit 1
fi
