#!/usr/bin/env bash
# Measures: see docs/benchmarks.md. `--peers` first installs what Holdfast is held against, where it is missing. Nothing of it is left running:
# each bench starts its own Redis, on a socket in a temporary folder.
set -euo pipefail
source eng/env.sh

arguments=()
peers=no
for argument in "$@"; do
    if [ "$argument" = --peers ]; then
        peers=yes
    else
        arguments+=("$argument")
    fi
done

if [ $peers = yes ]; then
    missing=()
    [ -x /usr/bin/tsp ] || missing+=(task-spooler)
    [ -x /usr/bin/redis-server ] || missing+=(redis-server)
    mapfile -t -O "${#missing[@]}" missing < <(/usr/bin/python3 -c '
import importlib.machinery as m
for name in ("celery", "redis", "nbclient", "jupyter_client", "jupyter_server"):
    spec = m.PathFinder.find_spec(name)
    if spec is None or spec.origin is None: print("jupyter-server" if name == "jupyter_server" else "python3-" + name.replace("_", "-"))')
    [ ${#missing[@]} -eq 0 ] || eng/install.sh "${missing[@]}"
fi

exec dotnet run --project bench/Holdfast.Bench -c Release -v q -- "${arguments[@]}"
