#!/bin/sh
# The whole table of a cluster: three nodes on this machine beside a single one, forces on, from 256 connections
# with values of 256 bytes; then how long writes stand still when the leader is killed, how long a new node and a
# restart take with a million entries, and what memory an idle node takes. 12 minutes at most on a quiet machine, of
# which the kills take half. Beside each figure stands what it should be, on a machine with two cores.
# Needs wrk and curl. Prints the table; redirect it into a file below results/.
#
#   mvn -q -pl pensieve-server,pensieve-bench -am package -DskipTests
#   pensieve-bench/cluster-table.sh <folder on a real disk> > pensieve-bench/results/<name>.txt
#
# ROUNDS and SECONDS_EACH replace how often each is measured, in turn, and for how long; WARM for how long the
# leader is warmed up: three virtual machines compile at once, so it takes a while. KILLS and ENTRIES replace those
# of the second half, 0 leaves it out. JAVA_FLAGS are of all servers. STEADY adds a run of so many seconds at full
# load, and counts the changes of leader in it; this alone, for ten minutes:
#
#   ROUNDS=1 SECONDS_EACH=1 KILLS=0 ENTRIES=0 STEADY=600 pensieve-bench/cluster-table.sh <folder>
set -eu

folder=${1:?which folder, on a real disk?}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-5}
kills=${KILLS:-50}
entries=${ENTRIES:-1000000}
warm=${WARM:-30}
steady=${STEADY:-0}
flags=${JAVA_FLAGS:-}
here=$(dirname "$0")
# shellcheck source=load-table.sh
. "$here/load-table.sh"
server=$here/../pensieve-server/target/pensieve-server.jar
bench=$here/target/benchmarks.jar
results=$(mktemp -d)
: >"$results/errors"
data=$(mktemp -d "$folder/cluster-table.XXXXXX")
begun=$(date +%s)
started=
# shellcheck disable=SC2086 # several processes
trap 'kill -9 $started 2>/dev/null; wait; rm -rf "$results" "$data"' EXIT
trap 'exit 1' HUP INT TERM
ulimit -n "$(ulimit -H -n)"

print_machine "$folder"
echo "Servers with -Xmx512m $flags"
echo "Command: pensieve-bench/cluster-table.sh <folder>; $rounds rounds of $seconds s, wrk with 1 thread and 256 connections"

# Waits until a URL answers with 200; then its server is up.
await() {
  tries=0
  until [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' "$1")" = 200 ]; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || { cat "$results"/out-* >&2; exit 1; }
    sleep 0.1
  done
}

# Starts a server: name, port, more.
serve() {
  name=$1
  port=$2
  shift 2
  # shellcheck disable=SC2086 # several flags
  java -Xmx512m $flags -jar "$server" --port "$port" --durability power-cut --capacity 100000 \
    --data-dir "$data/$name" "$@" >"$results/out-$name" 2>&1 &
  eval "pid_$name=$!"
  started="$started $!"
}

memory() {
  awk '/^VmRSS/ {printf "%.0f MB", $2 / 1024}' "/proc/$1/status"
}

# Loads a server: name, script, port, argument.
load() {
  wrk -t 1 -c 256 -d "${5:-$seconds}s" --timeout 10s --latency -s "$here/src/main/wrk/$2.lua" "http://127.0.0.1:$3" -- "${4:-}" \
    >"$results/wrk"
  # Printed below the table: a figure with failed requests in it is none.
  sed -n -e "s/^ *\\(Non-2xx.*\\)/$1: \\1/p" -e "s/^ *\\(Socket errors.*\\)/$1: \\1/p" "$results/wrk" >>"$results/errors"
  note_rates "$1"
}

serve single 7901
for node in 1 2 3; do
  serve "node$node" "791$node" --replicate --node-id "$node" --raft-port "792$node" \
    --peers "http://127.0.0.1:7911,http://127.0.0.1:7912,http://127.0.0.1:7913"
done
for port in 7901 7911 7912 7913; do
  await "http://127.0.0.1:$port/readyz"
done
sleep 20
# shellcheck disable=SC2154 # set by serve
idle="$(memory "$pid_single") | $(memory "$pid_node1") | $(memory "$pid_node2") | $(memory "$pid_node3")"

leader=
follower=
roles() {
  leader=
  for port in 7911 7912 7913; do
    if curl -s -m 2 "http://127.0.0.1:$port/cluster" | grep -q '"role":"leader"'; then
      leader=$port
    else
      follower=$port
    fi
  done
  [ -n "$leader" ] || { echo "no node leads" >&2; exit 1; }
}

changes() {
  curl -s -m 2 "http://127.0.0.1:7911/cluster" | sed -n 's/.*"term":\([0-9]*\).*/\1/p'
}

# The keys that the load generator asks for, in a batch of a thousand.
fill() {
  first=1
  while [ $first -lt 10000 ]; do
    awk -v first=$first 'BEGIN {
      for (v = ""; length(v) < 256;) v = v "v"
      printf "{\"atomic\":false,\"ops\":["
      for (i = first; i < first + 1000; i++)
        printf "%s{\"op\":\"put\",\"key\":\"key%d\",\"value\":\"%s\"}", (i == first ? "" : ","), i, v
      printf "]}"
    }' | curl -sS -f -o /dev/null -m 60 -H 'Content-Type: application/json' --data-binary @- "http://127.0.0.1:$1/v1/batch"
    first=$((first + 1000))
  done
}

# Fills the maps and warms all of them up.
roles
fill 7901
fill "$leader"
load warm kv-put "$leader" "" "$warm"
load warm kv-put 7901 "" "$(((warm + 2) / 3))"
for port in 7901 "$leader" "$follower"; do
  load warm kv-get "$port" "" "$(((warm + 2) / 3))"
done
load warm kv-put "$follower" "" "$(((warm + 2) / 3))"
rm "$results/rates-warm"
: >"$results/errors"

before=$(changes)
round=0
while [ $round -lt "$rounds" ]; do
  roles
  load single-put kv-put 7901
  load leader-put kv-put "$leader"
  load follower-put kv-put "$follower"
  load single-get kv-get 7901
  load leader-get kv-get "$leader"
  load follower-get kv-get "$follower"
  load follower-stale kv-get "$follower" "?consistency=stale"
  round=$((round + 1))
done

echo
echo "| 256 connections, values of 256 bytes | requests/s | 50 % | 99 % | | aim |"
echo "|---|---|---|---|---|---|"
line single-put "PUT, a single node" " |"
line leader-put "PUT at the leader" "$(ratio leader-put single-put) % of a single node | >= 20000/s, 99 % < 30 ms"
line follower-put "PUT at a follower" "$(ratio follower-put leader-put) % of the leader | >= 50 %"
line single-get "GET, a single node" " |"
line leader-get "GET at the leader" "$(ratio leader-get single-get) % of a single node | >= 70 %"
line follower-get "GET at a follower" "$(ratio follower-get single-get) % of a single node | >= 50 %"
line follower-stale "stale GET at a follower" "$(ratio follower-stale single-get) % of a single node | as a single node"
echo
echo "Terms that began meanwhile: $(($(changes) - before)) (aim: 0)"
if [ "$steady" -gt 0 ]; then
  roles
  before=$(changes)
  load steady kv-put "$leader" "" "$steady"
  echo "Terms that began in $steady s of full load: $(($(changes) - before)) (aim: 0); PUT $(median steady 1)/s, \
50 % $(median steady 2), 99 % $(median steady 3)"
fi
if [ -s "$results/errors" ]; then
  echo "Failed requests:"
  cat "$results/errors"
fi
echo
echo "| Idle, after 20 s | a single node | node 1 | node 2 | node 3 |"
echo "|---|---|---|---|---|"
echo "| memory (RSS) | $idle |"

# shellcheck disable=SC2086 # several processes
kill -9 $started
wait 2>/dev/null || true
started=
rm -rf "$data"/*

echo
echo "The engine alone, without map and HTTP, with the same packing:"
# shellcheck disable=SC2086 # several flags
java -Xmx512m $flags -cp "$bench" io.pensieve.bench.cluster.BareRaft folder="$data" seconds="$seconds" warm="$warm" value=256 \
  flights=1,64,256 2>"$results/out-bare" | tee "$results/bare" || cat "$results/out-bare" >&2
bare=$(sed -n 's/.*in-flight=256 writes.s=\([0-9]*\).*/\1/p' "$results/bare")
echo "The PUT at the leader is $(median leader-put 1 | awk -v bare="${bare:-0}" '{printf "%.0f", bare ? 100 * $1 / bare : 0}') % \
of the engine alone with 256 in flight (aim: >= 60 %)."
rm -rf "$data"/*

took() {
  echo
  echo "It took $(($(date +%s) - begun)) s. Load when it ended: $(cut -d' ' -f1-3 /proc/loadavg)"
}

if [ "$kills" -eq 0 ] && [ "$entries" -eq 0 ]; then
  took
  exit
fi
echo
echo "| Three nodes, heap 1500 MiB | | aim |"
echo "|---|---|---|"
java -Xmx512m -cp "$bench" io.pensieve.bench.cluster.ClusterTimes jar="$server" folder="$data" kills="$kills" entries="$entries" \
  java="-Xmx1500m$(echo "${flags:+ $flags}" | tr ' ' ',')"
took
