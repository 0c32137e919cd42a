#!/bin/sh
# Numbered lines on both streams, about ten a second: what `holdfast submit -- sh examples/job.sh` is shown with.
# Usage: job.sh [LINES]; exits with 0 after the last line.
lines=${1:-100}

n=1
while [ "$n" -le "$lines" ]; do
    echo "line $n"
    [ $((n % 10)) -eq 0 ] && echo "note $n: $n of $lines lines written" >&2
    sleep 0.1
    n=$((n + 1))
done
echo "done: $lines lines"
