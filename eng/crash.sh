#!/usr/bin/env bash
# Random kill -9 of real processes, checked against what the jobs wrote themselves. The same seed gives the same choices, though not the same moments.
set -euo pipefail
source eng/env.sh
minutes=1
seed=$RANDOM
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        *) echo "usage: ./dev crash [--minutes N] [--seed S]" >&2; exit 2 ;;
    esac
done
export HOLDFAST_PUBLISH=$PUBLISH/holdfast HOLDFAST_CRASH_MINUTES=$minutes HOLDFAST_CRASH_SEED=$seed
echo "crash: $minutes minute(s), seed $seed"
dotnet run --project tests/Holdfast.SystemTests -- --filter-class '*RandomCrashes' --explicit only --no-progress
