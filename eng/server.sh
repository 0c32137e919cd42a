# Sourced by run, stop and demo: one server on $HOLDFAST_DATA, started, found, killed. Needs eng/env.sh.

holdfast() { "$PUBLISH/holdfast/holdfast" "$@"; }

# One field of a JSON object on standard input.
field() { /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

start_ticks() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The command's name may hold spaces and brackets; what follows the last bracket does not. Field 22 of stat is the 20th there.
    set -- ${stat##*) }
    echo "${20}"
}

# The pid of the live server, or nothing: the file may be of a server that was killed, and its pid may be another's by now.
server_pid() {
    local record pid
    record=$(cat "$HOLDFAST_DATA/server.json" 2>/dev/null) || return 0
    pid=$(field pid <<<"$record")
    if [ "$(field bootId <<<"$record")" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ "$(start_ticks "$pid")" = "$(field startTicks <<<"$record")" ]; then
        echo "$pid"
    fi
}

server_url() { field url <"$HOLDFAST_DATA/server.json"; }

# api METHOD PATH [BODY]: REST without curl, which a fresh Debian does not have.
api() {
    /usr/bin/python3 -c '
import sys, urllib.error, urllib.request as web
url, token, method, path, body = sys.argv[1:6]
request = web.Request(url + path, body.encode() or None, {"Authorization": "Bearer " + token, "Content-Type": "application/json"}, method=method)
try: print(web.urlopen(request).read().decode())
except urllib.error.HTTPError as refusal: sys.exit(refusal.read().decode())
' "$(server_url)" "$(cat "$HOLDFAST_DATA/token")" "$1" "$2" "${3:-}"
}

# start_server ROOT [options of serve]: in a session of its own, so that it outlives this terminal. Kernels get Debian's python first.
start_server() {
    local root=$1 log=$HOLDFAST_DATA/server.log started
    shift
    mkdir -p -m 700 "$HOLDFAST_DATA"
    PATH=/usr/bin:$PATH setsid "$(readlink -f "$PUBLISH/holdfast/holdfast")" serve --data "$HOLDFAST_DATA" --root "$root" "$@" </dev/null >>"$log" 2>&1 &
    started=$!
    disown
    for _ in $(seq 300); do
        if [ -n "$(server_pid)" ] && holdfast ls --json >/dev/null 2>&1; then
            return 0
        fi
        if ! kill -0 "$started" 2>/dev/null; then
            break
        fi
        sleep 0.1
    done
    tail -n 20 "$log" >&2
    echo "The server did not start; its last words are above, all of them in $log." >&2
    return 1
}

# Asks the server to stop, and waits until it has: its jobs and kernels are left alone.
stop_server() {
    local pid
    pid=$(server_pid)
    [ -n "$pid" ] || return 1
    kill -TERM "$pid"
    while [ -n "$(server_pid)" ]; do
        sleep 0.1
    done
}
