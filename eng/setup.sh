#!/usr/bin/env bash
# Installs what is missing and says nothing when all is there. Looks at what the programs will load, not at package
# names, so that an ipykernel from elsewhere counts too. Only /usr/bin/python3 counts: the kernelspecs of Debian name it.
# --tests: also the clients that only the system tests need.
set -euo pipefail
source eng/env.sh

if ! compgen -G "${DOTNET_ROOT:-/nowhere}/sdk/10.*" >/dev/null; then
    echo "Holdfast needs the .NET SDK 10: see https://dotnet.microsoft.com/download/dotnet/10.0, or your distribution's dotnet-sdk-10.0." >&2
    exit 1
fi

missing=()
libraries=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
[[ $libraries == *libsqlite3.so.0* ]] || missing+=(libsqlite3-0)
[[ $libraries == *libzmq.so.5* ]] || missing+=(libzmq5)
if [ -x /usr/bin/python3 ]; then
    mapfile -t -O "${#missing[@]}" missing < <(/usr/bin/python3 -c '
import importlib.machinery as m
for name in ("ipykernel", "matplotlib", "pandas"):
    spec = m.PathFinder.find_spec(name)
    if spec is None or spec.origin is None: print("python3-" + name)')
else
    missing+=(python3-ipykernel python3-matplotlib python3-pandas)
fi
[ ${#missing[@]} -eq 0 ] || eng/install.sh "${missing[@]}"
[ "${1:-}" != --tests ] || eng/clients.sh
