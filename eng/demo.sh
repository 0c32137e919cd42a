#!/usr/bin/env bash
# The promise, shown: a long notebook and a long job, the server killed with -9 in the middle of both, and nothing missing. Both write each line that
# they print, with its time, into a file of their own as well: long.truth and job.truth. What Holdfast gives back is compared with these, byte for byte.
set -euo pipefail
source eng/env.sh
source eng/server.sh
demo=$ROOT/artifacts/demo
work=$demo/work
export HOLDFAST_DATA=$demo/data
job_lines=${1:-200}

say() { if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi; }
count() { if [ -f "$work/$1" ]; then wc -l <"$work/$1"; else echo 0; fi; }
written() { echo "written so far: $(count job.truth) lines by the job, $(count long.truth) by the notebook"; }

# The pids of the kernel and the job, while they live, by what their supervisors put on record.
children() {
    local record pid
    for record in "$HOLDFAST_DATA"/attempts/*/child.json; do
        [ -f "$record" ] || continue
        pid=$(field pid <"$record")
        [ "$(start_ticks "$pid")" != "$(field startTicks <"$record")" ] || echo "$pid"
    done
}

# Whatever happens to this script, neither its server nor its work stays behind.
leave() {
    stop_server || true
    for pid in $(children); do
        kill -KILL "$pid" 2>/dev/null || true
    done
}
leave
trap leave EXIT
rm -rf "$demo"
mkdir -p "$work"
cp examples/long.ipynb "$work/"

say "1. A server, a job and a notebook"
start_server "$work" --port 0
echo "server: process $(server_pid) at $(server_url)"
job=$(holdfast submit --json --cwd "$work" --name long-job -- sh -c \
    "i=0; while [ \$i -lt $job_lines ]; do i=\$((i+1)); echo \"line \$i of the job, \$(date +%s.%N)\" | tee -a job.truth; sleep 0.1; done" | field id)
run=$(api POST /v1/notebooks/run '{"path":"long.ipynb"}' | field id)
echo "job $job, notebook run $run"
for _ in $(seq 300); do
    if [ "$(count job.truth)" -ge 20 ] && [ "$(count long.truth)" -ge 20 ]; then
        break
    fi
    sleep 0.1
done
written

pid=$(server_pid)
say "2. kill -9 $pid"
killed=$(date +%s.%N)
kill -KILL "$pid"
for _ in 1 2 3 4; do
    sleep 2
    [ -z "$(server_pid)" ] || { echo "The server is still there." >&2; exit 1; }
    echo "no server; alive: $(children | while read -r child; do printf '%s (%s)  ' "$child" "$(cat "/proc/$child/comm")"; done)"
    written
done

say "3. holdfast serve, again"
start_server "$work" --port 0
back=$(date +%s.%N)
echo "server: process $(server_pid) at $(server_url)"
holdfast recovery

say "4. The rest, and the count"
holdfast wait "$job"
holdfast wait "$run"
holdfast logs "$job" >"$work/job.got"
dotnet run eng/count.cs "$work" "$killed" "$back"
