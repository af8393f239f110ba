#!/bin/sh
# The whole table of the map beside its peers, in some thirty-five minutes: hits and overwrites, puts that evict from maps of three
# sizes, look-ups with misses; from 1, 2 and 8 threads, three forks each. Prints it with ratios, and writes the figures and a plot.
#
#   mvn -q -pl pensieve-bench -am package -DskipTests
#   pensieve-bench/map-table.sh pensieve-bench/results/<name> > pensieve-bench/results/<name>.txt
#
# Writes <name>.csv and <name>.svg. JMH_OPTIONS replaces the options of JMH, and THREADS the numbers of threads.
set -eu

name=${1:?which file to write, without .csv?}
here=$(dirname "$0")
jar=$here/target/benchmarks.jar
options=${JMH_OPTIONS:--f 3 -wi 2 -w 1 -i 3 -r 1}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

echo "Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), \
$(sed -n 's/^MemTotal: *//p' /proc/meminfo), Linux $(uname -r)"
echo "JDK: $(java -version 2>&1 | sed -n 2p)"
echo "Commit: $(git -C "$here" rev-parse --short HEAD)"
echo "Command: pensieve-bench/map-table.sh <name>"
echo "JMH: $options. Load when it began: $(cut -d' ' -f1-3 /proc/loadavg)"

# Which benchmarks, from how many threads, of which maps if not of all.
measure() {
  # shellcheck disable=SC2086 # several options
  java -jar "$jar" "$1" $options -t "$2" ${3:+-p "map=$3"} -rf csv -rff "$results/csv" >"$results/output" 2>&1 ||
    { cat "$results/output" >&2; exit 1; }
}

# Adds what was measured; one head will do.
keep() {
  if [ -s "$results/all" ]; then tail -n +2; else cat; fi >>"$results/all"
}

for threads in ${THREADS:-1 2 8}; do
  measure '(Eviction|Miss)Benchmark' "$threads" ''
  keep <"$results/csv"
  # Guava notes hits in a queue without a bound, which from many threads fills the heap: no end was seen.
  maps=pensieve,caffeine,cache2k,concurrentHashMap,synchronizedLinkedHashMap
  [ "$threads" -gt 2 ] || maps=$maps,guava
  measure MapBenchmark "$threads" "$maps"
  # These have no number of entries before the map.
  awk -F, -v OFS=, '{$NF = (NR == 1 ? "\"Param: entries\"," : ",") $NF; print}' "$results/csv" | keep
done

cp "$results/all" "$name.csv"

echo
java -cp "$jar" io.pensieve.bench.ResultTable map "$name.csv"
java -cp "$jar" io.pensieve.bench.ResultPlot map "$name.csv" >"$name.svg"
