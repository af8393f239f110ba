#!/bin/sh
# The commands beside what others have: `bench` beside wrk on the same route of one server; `export`
# and `import` of a million entries of 100 bytes beside Redis, which dumps (SAVE) and loads (DEBUG
# RELOAD). Four minutes. Needs wrk; without redis-server that half is left out, and it says so.
#
#   mvn -q -pl pensieve-server -am package -DskipTests
#   pensieve-bench/tools-table.sh <folder on a real disk> > pensieve-bench/results/<name>.txt
#
# ROUNDS, SECONDS_EACH and ENTRIES replace how often and how long each load is, and how many entries
# there are.
set -eu

folder=${1:?which folder, on a real disk?}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-5}
entries=${ENTRIES:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
results=$(mktemp -d "$folder/tools-table.XXXXXX")
# shellcheck source=load-table.sh
. "$here/load-table.sh"
jar=$here/../pensieve-server/target/pensieve-server.jar
started=
# shellcheck disable=SC2086 # several processes
trap '[ -z "$started" ] || kill $started 2>/dev/null; wait; rm -rf "$results"' EXIT
trap 'exit 1' HUP INT TERM
command -v wrk >/dev/null || { echo "there is no wrk" >&2; exit 1; }

print_machine "$folder"
echo "Command: pensieve-bench/tools-table.sh <folder>; $rounds rounds of $seconds s, $entries entries"
echo

# Starts a server on an empty folder: name, port.
serve() {
  : >"$results/out-$1" # there before it is read
  java -Xmx2g -XX:+UseSerialGC -jar "$jar" --port "$2" --data-dir "$results/$1" --capacity 2000000 \
    >"$results/out-$1" 2>"$results/err-$1" &
  started="$started $!"
  last=$!
  await_listening "$last" "$results/out-$1" "$results/err-$1"
}

ask() {
  port=$1
  shift
  PENSIEVE_URL=http://127.0.0.1:$port java -Xmx256m -XX:+UseSerialGC -jar "$jar" "$@"
}

# ---- bench beside wrk: GET and PUT of /v1/kv, 64 connections
serve load 7921
loaded() {
  wrk -t 1 -c 64 -d "${2:-$seconds}s" --latency -s "$here/src/main/wrk/kv-$1.lua" http://127.0.0.1:7921 \
    >"$results/wrk"
}
loaded put 6 # fills the map, and warms up both
loaded get 6
for round in $(seq "$rounds"); do
  for request in get put; do
    loaded $request
    note_rates "wrk-$request"
    puts=0
    [ $request = get ] || puts=100
    echo "--- bench, $request, round $round" >>"$results/bench"
    ask 7921 bench --connections 64 --puts $puts --value-bytes 256 --seconds "$seconds" \
      >>"$results/bench" 2>"$results/bench-err" || { cat "$results/bench-err" >&2; exit 1; }
  done
done
echo "| wrk, 64 connections | requests/s | 50 % | 99 % | |"
echo "|---|---|---|---|---|"
line wrk-get "GET /v1/kv"
line wrk-put "PUT /v1/kv"
echo
echo "What \`bench\` printed, in turn with these:"
cat "$results/bench"
# shellcheck disable=SC2086
kill $started
wait
started=

# ---- export and import beside Redis
print_entries "$entries" >"$results/entries.jsonl"
serve full 7922
server=$last

timed() {
  name=$1
  shift
  begun=$(now)
  "$@" >"$results/timed" 2>"$results/timed-err" || { cat "$results/timed-err" >&2; exit 1; }
  printf '%-46s %8d ms\n' "$name" $(($(now) - begun))
}
high() {
  sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status" |
    awk -v name="$2" '{ printf "%-46s %8d MiB\n", name, $1 / 1024 }'
}
echo
timed "import --json of $entries" ask 7922 import --json "$results/entries.jsonl"
timed "export of $entries" ask 7922 export
high "$server" "the server's memory at most"
if command -v redis-server >/dev/null; then
  redis-server --port 7923 --dir "$results" --save "" --enable-debug-command yes \
    >"$results/redis" 2>&1 &
  redis=$!
  started="$started $redis"
  until redis-cli -p 7923 ping >/dev/null 2>&1; do
    kill -0 "$redis" 2>/dev/null || { cat "$results/redis" >&2; exit 1; }
    sleep 0.1
  done
  awk -v n="$entries" 'BEGIN {
    value = sprintf("%100s", ""); gsub(/ /, "v", value)
    for (i = 0; i < n; i++)
      printf "*3\r\n$3\r\nSET\r\n$10\r\nkey%07d\r\n$100\r\n%s\r\n", i, value
  }' >"$results/redis.in"
  timed "redis-cli --pipe of $entries" sh -c 'redis-cli -p 7923 --pipe <"$1"' pipe "$results/redis.in"
  timed "redis SAVE" redis-cli -p 7923 save
  timed "redis-cli --rdb" redis-cli -p 7923 --rdb "$results/copy.rdb"
  timed "redis DEBUG RELOAD (saves and loads)" redis-cli -p 7923 debug reload
  high "$redis" "the memory of Redis at most"
else
  echo "Redis: not measured, there is no redis-server"
fi
