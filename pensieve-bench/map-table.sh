#!/bin/sh
# The whole table of the map beside its peers, in at most forty minutes: hits and overwrites, puts that evict from maps of three
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

for threads in ${THREADS:-1 2 8}; do
  # shellcheck disable=SC2086 # several options
  java -jar "$jar" '(Map|Eviction|Miss)Benchmark' $options -t "$threads" \
    -rf csv -rff "$results/$threads.csv" >"$results/output" 2>&1 || { cat "$results/output" >&2; exit 1; }
done

# Their columns are the same: one head will do.
for file in "$results"/*.csv; do
  if [ -s "$results/all" ]; then tail -n +2 "$file"; else cat "$file"; fi >>"$results/all"
done
cp "$results/all" "$name.csv"

echo
java -cp "$jar" io.pensieve.bench.ResultTable map "$name.csv"
java -cp "$jar" io.pensieve.bench.ResultPlot map "$name.csv" >"$name.svg"
