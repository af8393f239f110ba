#!/bin/sh
# How long a start takes, and how much memory a small server takes: by plain java -jar, and by the
# launcher without and with its archive of classes. 100,000 entries of 100 bytes. Then what the first
# seconds after a start serve, and how long a start with a million entries takes. Each figure stands
# beside its aim. Five minutes. Needs wrk for the first seconds, and says so without it.
#
#   mvn -q -pl pensieve-server -am package -DskipTests
#   pensieve-bench/launcher-table.sh <folder on a real disk> > pensieve-bench/results/<name>.txt
#
# ROUNDS and ENTRIES replace how often each is measured, in turn, and with how many entries; LARGE how
# many entries the large restart has.
set -eu

folder=${1:?which folder, on a real disk?}
rounds=${ROUNDS:-5}
entries=${ENTRIES:-100000}
large=${LARGE:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
jar=$here/../pensieve-server/target/pensieve-server.jar
results=$(mktemp -d "$folder/launcher-table.XXXXXX")
# shellcheck source=load-table.sh
. "$here/load-table.sh"
started=
trap '[ -z "$started" ] || kill "$started" 2>/dev/null; wait; rm -rf "$results"' EXIT
trap 'exit 1' HUP INT TERM

# Copies, so that no archive is beside the one and one is beside the other.
for variant in plain launcher archive; do
  mkdir -p "$results/$variant/bin" "$results/$variant/lib"
  cp "$jar" "$results/$variant/lib"
  cp "$here/../pensieve-server/bin/pensieve" "$results/$variant/bin"
done
"$results/archive/bin/pensieve" prepare >&2

print_entries "$entries" >"$results/entries.jsonl"

print_machine "$folder"
echo "Command: pensieve-bench/launcher-table.sh <folder>; $rounds rounds, $entries entries of 100 bytes"
echo
printf '%-34s %10s %12s %12s %12s\n' "(medians)" "start ms" "RSS started" "RSS filled" "restart ms"

rss() {
  sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$started/status"
}

# Starts a server: variant, port, folder. Sets "begun" and "started".
launch() {
  variant=$1
  port=$2
  data=$3
  case $variant in
    plain) set -- java -jar "$results/plain/lib/pensieve-server.jar" ;;
    *) set -- "$results/$variant/bin/pensieve" ;;
  esac
  : >"$results/out" # there before it is read
  begun=$(now)
  "$@" --port "$port" --data-dir "$data" --capacity 2000000 >"$results/out" 2>"$results/err" &
  started=$!
}

# Starts a server and waits until it listens. Sets "took", "url" and "started".
start() {
  launch "$1" 0 "$results/data"
  await_listening "$started" "$results/out" "$results/err"
  took=$(($(now) - begun))
  url=$(sed -n 's/^listening on //p' "$results/out")
}

stop() {
  kill "$started"
  wait "$started" || true
  started=
}

for round in $(seq "$rounds"); do
  for variant in plain launcher archive; do
    rm -rf "$results/data"
    start "$variant"
    echo "$took" >>"$results/start-$variant"
    sleep 1
    rss >>"$results/started-$variant"
    PENSIEVE_URL=$url java -jar "$jar" import --json "$results/entries.jsonl" >/dev/null 2>&1
    rss >>"$results/filled-$variant"
    stop
    start "$variant"
    echo "$took" >>"$results/restart-$variant"
    stop
  done
done

row() {
  printf '%-34s %10d %8d MiB %8d MiB %12d\n' "$2" "$(median_of "$results/start-$1")" \
    $(($(median_of "$results/started-$1") / 1024)) $(($(median_of "$results/filled-$1") / 1024)) \
    "$(median_of "$results/restart-$1")"
}
row plain "java -jar"
row launcher "bin/pensieve"
row archive "bin/pensieve, prepared"
echo "Aims: start 400 ms, at most 1000; RSS filled 200 MiB (bin/pensieve, prepared)"
echo

# The first seconds after a start: 64 connections of wrk as soon as the server listens.
first_seconds() {
  rm -rf "$results/data"
  start archive
  wrk -t 1 -c 64 -d 5s --latency -s "$here/src/main/wrk/$1.lua" "$url" >"$results/wrk"
  note_rates "first-$1"
  stop
}

if command -v wrk >/dev/null; then
  for round in $(seq "$rounds"); do
    first_seconds put
    first_seconds get
  done
  for request in put get; do
    printf '%-34s %10.0f requests/s (aim 30000), 99 %% %s\n' "first 5 s, $request" \
      "$(median "first-$request" 1)" "$(median "first-$request" 3)"
  done
else
  echo "first 5 s: not measured, there is no wrk"
fi

# From the start of the launcher to the first answer, and the processor time until then.
first_answer() {
  launch "$1" "$port" "$results/large"
  until curl -sf "http://127.0.0.1:$port/get/key0000001" >/dev/null; do
    kill -0 "$started" 2>/dev/null || { cat "$results/err" >&2; exit 1; }
    sleep 0.01
  done
  took=$(($(now) - begun))
  ticks=$(sed 's/.*) //' "/proc/$started/stat" | awk '{ print $12 + $13 }')
  used=$((ticks * 1000 / $(getconf CLK_TCK)))
}

print_entries "$large" >"$results/large.jsonl"
port=7911
export PENSIEVE_HEAP=2g
launch archive "$port" "$results/large"
await_listening "$started" "$results/out" "$results/err"
PENSIEVE_URL=http://127.0.0.1:$port "$results/archive/bin/pensieve" import --json "$results/large.jsonl" \
  >/dev/null 2>&1
stop
for round in $(seq "$rounds"); do
  first_answer archive
  echo "$took" >>"$results/answer"
  echo "$used" >>"$results/processor"
  stop
done
printf '%-34s %10d ms to the first answer (aim 1500), %d ms of processor\n' \
  "restart, $large entries" "$(median_of "$results/answer")" "$(median_of "$results/processor")"
