#!/usr/bin/env bash
# Starts the server, or finds the one that runs, and puts examples/ through it. Options go to `holdfast serve`: --port N, --host H.
set -euo pipefail
source eng/env.sh
source eng/server.sh
export HOLDFAST_DATA=${HOLDFAST_DATA:-$ROOT/artifacts/data}
work=$ROOT/artifacts/examples
mkdir -p "$work"

# A server of an older build gives way. That harms nothing: what runs in it goes on, and the new one finds it.
pid=$(server_pid)
if [ -n "$pid" ] && [ "$(readlink -f "/proc/$pid/exe")" != "$(readlink -f "$PUBLISH/holdfast/holdfast")" ]; then
    echo "The server that runs is of another build: it is replaced, and what runs in it goes on."
    stop_server
    pid=
fi

if [ -n "$pid" ]; then
    echo "A server runs already, process $pid"
else
    start_server "$work" "$@"
    echo "The server runs, process $(server_pid)"
fi

# Results are written into notebooks, so the examples are copied: the working tree stays as it is.
cp -r examples/. "$work/"

failed=0
for notebook in "$work"/*.ipynb; do
    [ "$(basename "$notebook")" != long.ipynb ] || continue
    echo
    echo "== holdfast run $(basename "$notebook")"
    holdfast run "$notebook" || failed=$?
done

echo
echo "== holdfast submit -- sh job.sh 50"
id=$(holdfast submit --json --cwd "$work" --name example -- sh job.sh 50 | field id)
holdfast logs "$id" -f
holdfast wait "$id" || failed=$?

url=$(server_url)
echo
echo "Results    $work"
echo "API        $url/v1/openapi.json, described in README.md"
echo "Token      $HOLDFAST_DATA/token"
echo "Look       export HOLDFAST_DATA=$HOLDFAST_DATA; $PUBLISH/holdfast/holdfast ls"
echo "The server goes on running; ./dev stop stops it, ./dev demo shows what happens when it is killed."
exit "$failed"
