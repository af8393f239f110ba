#!/bin/sh
# The whole table of the server: requests a second and latency from 64 connections, beside two bare handlers
# on the same library (BareServer says what they do); then the same beside 7,500 idle connections and a flood of bad ones. About eight minutes.
# Needs wrk. Prints the table; redirect it into a file below results/.
#
#   mvn -q -pl pensieve-server,pensieve-bench -am package -DskipTests
#   pensieve-bench/http-table.sh <folder on a real disk> > pensieve-bench/results/<name>.txt
#
# ROUNDS and SECONDS_EACH replace how often each is measured, in turn, and for how long.
set -eu

folder=${1:?which folder, on a real disk?}
rounds=${ROUNDS:-7}
seconds=${SECONDS_EACH:-4}
here=$(dirname "$0")
# shellcheck source=load-table.sh
. "$here/load-table.sh"
server=$here/../pensieve-server/target/pensieve-server.jar
bench=$here/target/benchmarks.jar
results=$(mktemp -d)
data=$(mktemp -d "$folder/http-table.XXXXXX")
started=
# shellcheck disable=SC2086 # several processes
trap 'kill $started 2>/dev/null; wait; rm -rf "$results" "$data"' EXIT
trap 'exit 1' HUP INT TERM
ulimit -n "$(ulimit -H -n)"

# The heap is small on purpose: it has to do for 7,500 connections, of which we allow 8,192 with it.
java="java -Xmx256m"

print_machine "$folder"
echo "Command: pensieve-bench/http-table.sh <folder>; $rounds rounds of $seconds s, wrk with 1 thread and 64 connections"

# Waits until a program has printed this; then it is up.
await() {
  tries=0
  until grep -q "$2" "$1"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { cat "$1" >&2; exit 1; }
    sleep 0.1
  done
}

# A server of ours by the level of its log.
pensieve() {
  $java -jar "$server" --port "$2" --durability "$1" --data-dir "$data/$1" --capacity 100000 \
    >"$results/out-$1" 2>&1 &
  started="$started $!"
  await "$results/out-$1" "listening on"
}

# Loads a server and notes requests a second and the 99th percentile: name, script, port.
load() {
  wrk -t 1 -c 64 -d "${4:-$seconds}s" --latency -s "$here/src/main/wrk/$2.lua" "http://127.0.0.1:$3" >"$results/wrk"
  if grep -q -e 'Non-2xx' -e 'Socket errors' "$results/wrk"; then
    cat "$results/wrk" >&2
    exit 1
  fi
  note_rates "$1"
}

# A server of the library alone, by its handler.
bare() {
  $java -cp "$bench" io.pensieve.bench.http.BareServer port="$2" handler="$1" >"$results/out-$1" 2>&1 &
  started="$started $!"
  await "$results/out-$1" "listening on"
}

bare bare 7900
bare barest 7903
pensieve process-death 7901
pensieve power-cut 7902

# Fills the maps and warms all of them up.
for port in 7900 7901 7902 7903; do
  load warm put $port 6
  load warm get $port 6
done
rm "$results/rates-warm"

round=0
while [ $round -lt "$rounds" ]; do
  load bare-get get 7900
  load barest-get get 7903
  load get get 7901
  load bare-put put 7900
  load barest-put put 7903
  load process-death put 7901
  load power-cut put 7902
  round=$((round + 1))
done

echo
echo "| 64 connections | requests/s | 50 % | 99 % | |"
echo "|---|---|---|---|---|"
line barest-get "GET, barest handler"
line bare-get "GET, bare handler that names the type of its answer" "$(ratio bare-get barest-get) % of barest"
line get "GET" "$(ratio get bare-get) % of bare, $(ratio get barest-get) % of barest"
line barest-put "PUT, barest handler that leaves the body to the library"
line bare-put "PUT, bare handler that reads the body" "$(ratio bare-put barest-put) % of barest"
line process-death "PUT, \`process-death\`" \
  "$(ratio process-death bare-put) % of bare, $(ratio process-death barest-put) % of barest"
line power-cut "PUT, \`power-cut\`" "$(ratio power-cut process-death) % of \`process-death\`"

# One round without and one with the hostile ones beside, in turn; these begin and end each time.
round=0
while [ $round -lt "$rounds" ]; do
  load calm-get get 7901
  load calm-put put 7901
  java -Xmx128m -cp "$bench" io.pensieve.bench.http.HostileConnections port=7901 idle=7500 perSecond=500 >"$results/out-hostile" 2>&1 &
  hostile=$!
  started="$started $hostile"
  await "$results/out-hostile" ready
  sleep 4 # until its own code is compiled: that is not what the server's clients would feel
  load hostile-get get 7901
  load hostile-put put 7901
  kill $hostile
  wait $hostile 2>/dev/null || true
  sleep 4 # until the server has closed so many connections at once, which is another question
  round=$((round + 1))
done

echo
echo "| 64 connections at work, heap 256 MiB | requests/s | 50 % | 99 % | |"
echo "|---|---|---|---|---|"
line calm-get "GET"
line hostile-get "GET, beside 7,500 idle connections and 500 bad ones a second" "$(ratio hostile-get calm-get) %"
line calm-put "PUT, \`process-death\`"
line hostile-put "PUT, the same beside them" "$(ratio hostile-put calm-put) %"
