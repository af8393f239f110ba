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
tmp=$(mktemp -d "$folder/launcher-table.XXXXXX")
started=
trap '[ -z "$started" ] || kill "$started" 2>/dev/null; wait; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Copies, so that no archive is beside the one and one is beside the other.
for variant in plain launcher archive; do
  mkdir -p "$tmp/$variant/bin" "$tmp/$variant/lib"
  cp "$jar" "$tmp/$variant/lib"
  cp "$here/../pensieve-server/bin/pensieve" "$tmp/$variant/bin"
done
"$tmp/archive/bin/pensieve" prepare >&2

entries() {
  awk -v n="$1" 'BEGIN {
    value = sprintf("%100s", ""); gsub(/ /, "v", value)
    for (i = 0; i < n; i++) printf "{\"key\":\"key%07d\",\"value\":\"%s\"}\n", i, value
    printf "{\"entries_exported\":%d}\n", n
  }'
}
entries "$entries" >"$tmp/entries.jsonl"

echo "Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), \
$(sed -n 's/^MemTotal: *//p' /proc/meminfo), Linux $(uname -r)"
echo "JDK: $(java -version 2>&1 | sed -n 2p)"
echo "Commit: $(git -C "$here" rev-parse --short HEAD)"
echo "Command: pensieve-bench/launcher-table.sh <folder>; $rounds rounds, $entries entries of 100 bytes"
echo "Load when it began: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
printf '%-34s %10s %12s %12s %12s\n' "(medians)" "start ms" "RSS started" "RSS filled" "restart ms"

now() {
  echo $(($(date +%s%N) / 1000000))
}

rss() {
  sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$started/status"
}

# Starts a server and waits until it listens. Sets "took" and "started".
start() {
  : >"$tmp/out"
  begun=$(now)
  if [ "$1" = plain ]; then
    java -jar "$tmp/plain/lib/pensieve-server.jar" --port 0 --data-dir "$tmp/data" --capacity 1000000 \
      >"$tmp/out" 2>"$tmp/err" &
  else
    "$tmp/$1/bin/pensieve" --port 0 --data-dir "$tmp/data" --capacity 1000000 >"$tmp/out" 2>"$tmp/err" &
  fi
  started=$!
  until grep -q "^listening on" "$tmp/out"; do
    kill -0 "$started" 2>/dev/null || { cat "$tmp/err" >&2; exit 1; }
    sleep 0.005
  done
  took=$(($(now) - begun))
  url=$(sed -n 's/^listening on //p' "$tmp/out")
}

stop() {
  kill "$started"
  wait "$started" || true
  started=
}

for round in $(seq "$rounds"); do
  for variant in plain launcher archive; do
    rm -rf "$tmp/data"
    start "$variant"
    echo "$took" >>"$tmp/start-$variant"
    sleep 1
    rss >>"$tmp/started-$variant"
    PENSIEVE_URL=$url java -jar "$jar" import --json "$tmp/entries.jsonl" >/dev/null 2>&1
    rss >>"$tmp/filled-$variant"
    stop
    start "$variant"
    echo "$took" >>"$tmp/restart-$variant"
    stop
  done
done

median() {
  sort -n "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

row() {
  printf '%-34s %10d %8d MiB %8d MiB %12d\n' "$2" "$(median "$tmp/start-$1")" \
    $(($(median "$tmp/started-$1") / 1024)) $(($(median "$tmp/filled-$1") / 1024)) \
    "$(median "$tmp/restart-$1")"
}
row plain "java -jar"
row launcher "bin/pensieve"
row archive "bin/pensieve, prepared"
echo "Aims: start 400 ms, at most 1000; RSS filled 200 MiB (bin/pensieve, prepared)"
echo

# The first seconds after a start: 64 connections of wrk as soon as the server listens.
first_seconds() {
  rm -rf "$tmp/data"
  start archive
  wrk -t 1 -c 64 -d 5s -s "$here/src/main/wrk/$1.lua" "$url" |
    sed -n 's/^Requests\/sec: *//p' >>"$tmp/first-$1"
  stop
}

if command -v wrk >/dev/null; then
  for round in $(seq "$rounds"); do
    first_seconds put
    first_seconds get
  done
  for request in put get; do
    printf '%-34s %10.0f requests/s (aim 30000)\n' "first 5 s, $request" "$(median "$tmp/first-$request")"
  done
else
  echo "first 5 s: not measured, there is no wrk"
fi

# From the start of the launcher to the first answer, and the processor time until then.
first_answer() {
  begun=$(now)
  PENSIEVE_HEAP=2g "$tmp/$1/bin/pensieve" --port "$port" --data-dir "$tmp/large" \
    --capacity 2000000 >"$tmp/out" 2>"$tmp/err" &
  started=$!
  until curl -sf "http://127.0.0.1:$port/get/key0000001" >/dev/null; do
    kill -0 "$started" 2>/dev/null || { cat "$tmp/err" >&2; exit 1; }
    sleep 0.01
  done
  took=$(($(now) - begun))
  ticks=$(sed 's/.*) //' "/proc/$started/stat" | awk '{ print $12 + $13 }')
  used=$((ticks * 1000 / $(getconf CLK_TCK)))
}

entries "$large" >"$tmp/large.jsonl"
port=7911
: >"$tmp/out"
PENSIEVE_HEAP=2g "$tmp/archive/bin/pensieve" --port "$port" --data-dir "$tmp/large" \
  --capacity 2000000 >"$tmp/out" 2>"$tmp/err" &
started=$!
until grep -q "^listening on" "$tmp/out"; do
  kill -0 "$started" 2>/dev/null || { cat "$tmp/err" >&2; exit 1; }
  sleep 0.05
done
PENSIEVE_URL=http://127.0.0.1:$port "$tmp/archive/bin/pensieve" import --json "$tmp/large.jsonl" \
  >/dev/null 2>&1
stop
for round in $(seq "$rounds"); do
  first_answer archive
  echo "$took" >>"$tmp/answer"
  echo "$used" >>"$tmp/processor"
  stop
done
printf '%-34s %10d ms to the first answer (aim 1500), %d ms of processor\n' \
  "restart, $large entries" "$(median "$tmp/answer")" "$(median "$tmp/processor")"
