#!/usr/bin/env bash
# Runs the suites and ends, whatever happens, in one line `N passed, N failed, N skipped` with the status that goes with it.
set -euo pipefail
source eng/env.sh

suites=(Holdfast.Tests Holdfast.SystemTests)
clients=--tests
# Most of what is tried with clients of other people takes long, and waits for those who ask.
traits=(--filter-not-trait suite=clients --filter-not-trait suite=points)
crash=yes
case ${1:-} in
    --fast)
        suites=(Holdfast.Tests)
        clients=
        crash=
        shift ;;
    --clients)
        suites=(Holdfast.SystemTests)
        traits=(--filter-trait suite=clients)
        crash=
        shift ;;
    --points)
        suites=(Holdfast.SystemTests)
        traits=(--filter-trait suite=points --show-live-output on)
        shift ;;
esac

passed=0 failed=0 skipped=0 finished=no
logs=$ROOT/artifacts/test
mkdir -p "$logs"
rm -f "$logs"/*.log

finish() {
    # A set-up, a build or a runner that died counts as one failure: no line may look better than what happened.
    [ $finished = yes ] || failed=$((failed + 1))
    grep -hs '^failed ' "$logs"/*.log || true
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] || exit 1
}
trap finish EXIT

count() { awk -v key="$1:" '/^Test run summary/ { n = "" } $1 == key { n = $2 } END { print n + 0 }' "$2"; }

run_suite() {
    local suite=$1 log=$logs/$1.log status=0
    shift
    echo "== $suite"
    # A shell gives what it starts in the background an ignored Ctrl-C, and so would the programs that are tried with it.
    # 8 says that a filter left nothing of this suite; the other one may have it.
    env --default-signal=INT,QUIT "artifacts/bin/$suite/debug/$suite" --no-ansi --no-progress --timeout 45m --ignore-exit-code 8 "${traits[@]}" "$@" </dev/null 2>&1 | tee "$log" || status=$?
    passed=$((passed + $(count succeeded "$log")))
    skipped=$((skipped + $(count skipped "$log")))
    local failures
    failures=$(count failed "$log")
    if [ "$status" != 0 ] && [ "$failures" = 0 ]; then
        echo "failed $suite: the runner ended with status $status" | tee -a "$log"
        failures=1
    fi
    failed=$((failed + failures))
}

eng/setup.sh $clients
echo "== build"
if ! dotnet build Holdfast.slnx -v q ${CI:+-p:RestoreLockedMode=true} >"$logs/build.txt" 2>&1; then
    cat "$logs/build.txt"
    exit 1
fi
[ -z "$clients" ] || eng/build.sh
[ -z "$crash" ] || eng/build.sh --crash

# The tests start servers of their own: none of them may find the developer's. Kernels come from Debian's python.
unset HOLDFAST_URL HOLDFAST_TOKEN HOLDFAST_DATA
export HOLDFAST_PUBLISH=$PUBLISH/holdfast HOLDFAST_CRASH_PUBLISH=$PUBLISH/holdfast-crash
export PATH=/usr/bin:$PATH
for suite in "${suites[@]}"; do
    run_suite "$suite" "$@"
done

if [ $((passed + failed + skipped)) = 0 ]; then
    echo "failed: no test ran"
    failed=1
fi
finished=yes
