#!/usr/bin/env bash
# Installs the clients and kernels of other people that the system tests drive: some 600 MB. What cannot be had here is said, and its tests are skipped.
set -euo pipefail
source eng/env.sh

try() { eng/install.sh "$@" || echo "Without $*: the tests that need it will be skipped." >&2; }

mapfile -t modules < <(/usr/bin/python3 -c '
import importlib.machinery as m
for module, package in (("jupyter_server", "jupyter-server"), ("nbclient", "python3-nbclient"), ("nbconvert", "jupyter-nbconvert"),
                        ("notebook", "jupyter-notebook"), ("websocket", "python3-websocket")):
    spec = m.PathFinder.find_spec(module)
    if spec is None or spec.origin is None: print(package)')
[ ${#modules[@]} -eq 0 ] || try "${modules[@]}"
[ -d /usr/lib/R/site-library/IRkernel ] || [ -d /usr/local/lib/R/site-library/IRkernel ] || try r-cran-irkernel
command -v chromium >/dev/null || try chromium
command -v promtool >/dev/null || try prometheus # For its promtool; RUNLEVEL keeps the service from being started.
# Node from elsewhere brings its own npm; Debian's does not.
command -v node >/dev/null || try nodejs
command -v npm >/dev/null || try npm

# What npm brings is pinned by its lock file; it is asked again only when that has changed.
source=$ROOT/tests/Holdfast.SystemTests/Clients/node
target=$ROOT/artifacts/clients
if command -v npm >/dev/null && ! cmp -s "$source/package-lock.json" "$target/node_modules/.installed"; then
    echo "Installing JupyterLab's client library and Deno, from npm"
    mkdir -p "$target"
    cp "$source/package.json" "$source/package-lock.json" "$target/"
    if (cd "$target" && npm ci --ignore-scripts --no-audit --no-fund </dev/null >npm.log 2>&1); then
        cp "$source/package-lock.json" "$target/node_modules/.installed"
    else
        tail -5 "$target/npm.log" >&2
        echo "npm could not install them: the tests that need them will be skipped." >&2
    fi
fi
