#!/usr/bin/env bash
# Stops the server, and nothing else.
set -euo pipefail
source eng/env.sh
source eng/server.sh
export HOLDFAST_DATA=${HOLDFAST_DATA:-$ROOT/artifacts/data}

if stop_server; then
    echo "The server of $HOLDFAST_DATA has stopped. What ran in it goes on; ./dev run finds it again."
else
    echo "No server runs on $HOLDFAST_DATA."
fi
