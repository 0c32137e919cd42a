#!/usr/bin/env bash
# A mixed load under random kills, until the books balance or do not. The first argument is crash or soak; the same seed gives the same choices, though not the same moments.
set -euo pipefail
source eng/env.sh
export HOLDFAST_PUBLISH=$PUBLISH/holdfast PATH=/usr/bin:$PATH
dotnet build tests/Holdfast.Soak -c Release -v q --nologo >&2
exec artifacts/bin/Holdfast.Soak/release/Holdfast.Soak "$@"
