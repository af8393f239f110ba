#!/bin/sh
# The whole table of the map beside its peers, in some fifty minutes: hits of many keys and of one, overwrites, puts that evict
# from maps of three sizes, look-ups with misses; from 1, 2 and 8 threads, three forks each. Prints the ratios that matter most,
# then all figures, what a hit and an overwrite cost by feature, the bytes of an entry and the slowest put after a pass of reads.
# Writes the figures and a plot.
#
#   mvn -q -pl pensieve-bench -am package -DskipTests
#   pensieve-bench/map-table.sh pensieve-bench/results/<name> > pensieve-bench/results/<name>.txt
#
# Writes <name>.csv and <name>.svg. Variables make it shorter:
#
#   FORKS=1       a fork each, in some seventeen minutes (3 without)
#   ITERATIONS=2  measured in each fork (3 without)
#   SECONDS_EACH=1  of an iteration; 50ms for a look whether all runs
#   JAVA_HOME=... of the JDK to measure (java of the PATH without)
#   THREADS=2     the numbers of threads ("1 2 8" without)
#   BENCHMARKS=MapBenchmark.getHit  those that match (all without)
#   MAPS=pensieve,caffeine          those contenders (all without)
#   KEYS=uuid,path,prefix,long,record USES=uniform,one ENTRIES=1000,1000000   of hits and overwrites
#
# One pair in 20 seconds:
#
#   FORKS=1 ITERATIONS=2 THREADS=2 BENCHMARKS=MapBenchmark.getHit MAPS=pensieve,concurrentHashMap,caffeine \
#     pensieve-bench/map-table.sh pair
set -eu

name=${1:?which file to write, without .csv?}
here=$(dirname "$0")
jar=$here/target/benchmarks.jar
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
each=${SECONDS_EACH:-1}
options="-f ${FORKS:-3} -wi 2 -w $each -i ${ITERATIONS:-3} -r $each"
benchmarks=${BENCHMARKS:-.*}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

echo "Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), \
$(sed -n 's/^MemTotal: *//p' /proc/meminfo), Linux $(uname -r)"
echo "JDK: $("$java" -version 2>&1 | sed -n 2p)"
echo "Commit: $(git -C "$here" rev-parse --short HEAD)"
chosen=
for variable in FORKS ITERATIONS SECONDS_EACH THREADS BENCHMARKS MAPS KEYS USES ENTRIES; do
  eval "value=\${$variable:-}"
  [ -z "$value" ] || chosen="$chosen$variable='$value' "
done
echo "Command: ${chosen}pensieve-bench/map-table.sh <name>"
echo "JMH: $options. Load when it began: $(cut -d' ' -f1-3 /proc/loadavg)"

# The class of benchmarks, from how many threads, of which maps if not of all, and other options. Nothing if none of the chosen
# maps is left.
measure() {
  class=$1 threads=$2 maps=$3
  shift 3
  rm -f "$results/csv"
  [ -z "${MAPS:-}" ] || [ -n "$maps" ] || return 0
  # shellcheck disable=SC2086 # several options
  "$java" -jar "$jar" "^(?=.*($benchmarks)).*$class.*" $options -t "$threads" ${maps:+-p "map=$maps"} "$@" \
    -rf csv -rff "$results/csv" >"$results/output" 2>&1 ||
    grep -q 'No matching benchmarks' "$results/output" || { cat "$results/output" >&2; exit 1; }
}

# Adds what was measured; one head will do.
keep() {
  if [ -s "$results/all" ]; then tail -n +2; else cat; fi >>"$results/all"
}

for threads in ${THREADS:-1 2 8}; do
  # Guava notes hits in a queue without a bound, which from many threads fills the heap: no end was seen.
  maps=pensieve,caffeine,cache2k,concurrentHashMap,synchronizedLinkedHashMap
  [ "$threads" -gt 2 ] || maps=$maps,guava
  measure MapBenchmark "$threads" "${MAPS:-$maps}" \
    -p "keys=${KEYS:-numbered}" -p "uses=${USES:-zipf}" -p "entries=${ENTRIES:-16384}"
  [ ! -s "$results/csv" ] || keep <"$results/csv"
  # One key that all threads ask for.
  if [ -z "${USES:-}" ]; then
    measure 'MapBenchmark.getHit' "$threads" "${MAPS:-pensieve,caffeine,concurrentHashMap}" \
      -p "keys=${KEYS:-numbered}" -p uses=one -p "entries=${ENTRIES:-16384}"
    [ ! -s "$results/csv" ] || keep <"$results/csv"
  fi
  # A map without a bound does not evict.
  measure '(Eviction|Miss)Benchmark' "$threads" "$(echo "${MAPS:-}" | sed 's/concurrentHashMap,*//; s/,$//')"
  # These have no kinds of keys and uses.
  [ ! -s "$results/csv" ] || awk -F, -v OFS=, \
    '{sub(/\r$/, ""); $NF = (NR == 1 ? "\"Param: keys\"," : ",") $NF (NR == 1 ? ",\"Param: uses\"" : ",")} 1' "$results/csv" | keep
done

for threads in ${THREADS:-1 2}; do
  measure FeatureBenchmark "$threads" "$(echo "${MAPS:-}" | grep -o -E 'pensieve|caffeine' | paste -s -d , -)"
  [ ! -s "$results/csv" ] || mv "$results/csv" "$results/features-$threads"
done

program() {
  main=$1
  shift
  "$java" -Xmx2g -cp "$jar" "io.pensieve.bench.$main" "$@"
}

if [ -s "$results/all" ]; then
  cp "$results/all" "$name.csv"
  echo
  program MapRatios "$name.csv"
  echo
  program ResultTable map "$name.csv"
  program ResultPlot map "$name.csv" >"$name.svg"
fi
set -- "$results"/features-*
if [ -s "$1" ]; then
  echo
  program ResultTable map "$@"
fi
if [ -z "${BENCHMARKS:-}" ]; then
  echo
  echo "Bytes of an entry of 30,000 and of 100,000, beyond key and value, in a map of two threads:"
  program EntryFootprint 30000
  program EntryFootprint 100000
  echo
  program ReadPassStalls
fi
