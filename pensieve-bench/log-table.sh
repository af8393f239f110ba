#!/bin/sh
# The whole table of the log, in about eight minutes: puts beside those of peers, by the size of the
# values, the size of the folder, and how long writers stand still. Prints it; redirect it into a file
# below results/.
#
#   mvn -q -pl pensieve-bench -am package -DskipTests
#   pensieve-bench/log-table.sh <folder on a real disk> [part ...] > pensieve-bench/results/<name>.txt
#
# Parts: processDeath sizes powerCut overwriting; all of them unless named. JMH_OPTIONS replaces the options of JMH.
set -eu

folder=${1:?which folder, on a real disk?}
shift
parts=${*:-processDeath sizes powerCut overwriting}
here=$(dirname "$0")
jar=$here/target/benchmarks.jar
options=${JMH_OPTIONS:--f 1 -wi 3 -w 1 -i 5 -r 1}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

echo "Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), \
$(sed -n 's/^MemTotal: *//p' /proc/meminfo), Linux $(uname -r), $(df -T "$folder" | awk 'NR == 2 {print $2}')"
echo "JDK: $(java -version 2>&1 | sed -n 2p)"
echo "Commit: $(git -C "$here" rev-parse --short HEAD)"
echo "Command: pensieve-bench/log-table.sh <folder> $parts"
echo "JMH: $options. Load when it began: $(cut -d' ' -f1-3 /proc/loadavg)"

# A benchmark, and from how many threads; then any more options.
measure() {
  name=$1
  threads=$2
  shift 2
  runs=$((runs + 1))
  # shellcheck disable=SC2086 # several options
  java -jar "$jar" "LogBenchmark.$name\$" $options -t "$threads" -p folder="$folder" "$@" \
    -rf csv -rff "$results/$runs.csv" >"$results/output" 2>&1 || { cat "$results/output" >&2; exit 1; }
}

runs=10 # so that the files' names are in the order of the runs

overwrite() {
  echo
  java -Xmx2g -cp "$jar" io.pensieve.bench.OverwriteStalls folder="$folder" "$@"
}

for part in $parts; do
  case $part in
    processDeath)
      measure processDeath 1
      measure processDeath 2
      ;;
    sizes)
      for threads in 1 2; do
        # About as many bytes each: the files stay in the page cache, as those of Chronicle Map must.
        measure processDeath "$threads" -p store=pensieve,chronicleMap -p valueBytes=10,1000
        measure processDeath "$threads" -p store=pensieve,chronicleMap -p valueBytes=10000 -p entries=10000
      done
      ;;
    powerCut)
      measure powerCut 1
      measure powerCut 64 -p store=pensieve,rocksDb
      ;;
    overwriting) ;;
    *)
      echo "no such part: $part" >&2
      exit 1
      ;;
  esac
done

if ls "$results"/*.csv >/dev/null 2>&1; then
  echo
  java -cp "$jar" io.pensieve.bench.ResultTable store "$results"/*.csv
fi

for part in $parts; do
  if [ "$part" = overwriting ]; then
    overwrite keys=100000 puts=36000000
    overwrite keys=1000000 puts=6000000
    overwrite keys=1000000 puts=20000000 logBytes=$((512 << 20))
    overwrite keys=100000 puts=1000000 perSecond=50000
    overwrite keys=100000 puts=300000 threads=64 durability=POWER_CUT
  fi
done
