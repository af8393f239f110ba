# Functions for the scripts that load servers and print a table; they source this file. Expects $here, the folder of the
# script, and $results, a folder for what was measured.

# Prints on what this runs: the folder of the data.
print_machine() {
  echo "Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), \
$(sed -n 's/^MemTotal: *//p' /proc/meminfo), Linux $(uname -r), $(df -T "$1" | awk 'NR == 2 {print $2}')"
  echo "JDK: $(java -version 2>&1 | sed -n 2p)"
  echo "Commit: $(git -C "$here" rev-parse --short HEAD)"
  echo "Load when it began: $(cut -d' ' -f1-3 /proc/loadavg)"
}

# The time in milliseconds.
now() {
  echo $(($(date +%s%N) / 1000000))
}

# Prints so many entries with values of 100 bytes, as lines that `import --json` reads.
print_entries() {
  awk -v n="$1" 'BEGIN {
    value = sprintf("%100s", ""); gsub(/ /, "v", value)
    for (i = 0; i < n; i++) printf "{\"key\":\"key%07d\",\"value\":\"%s\"}\n", i, value
    printf "{\"entries_exported\":%d}\n", n
  }'
}

# Waits until a server listens: its process, the file with its output, the file with its errors. The caller empties the
# first file before the server starts.
await_listening() {
  until grep -q "^listening on" "$2"; do
    kill -0 "$1" 2>/dev/null || { cat "$2" "$3" >&2; exit 1; }
    sleep 0.005
  done
}

# Notes requests a second and latencies from what wrk has printed into $results/wrk, under a name.
note_rates() {
  awk '/Requests\/sec/ {rate = $2} $1 == "50%" {half = $2} $1 == "99%" {late = $2} END {print rate, half, late}' \
    "$results/wrk" >>"$results/rates-$1"
}

# The median of a column of a file, by default of its first one.
median_of() {
  cut -d' ' -f"${2:-1}" "$1" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

# The median of a column of what was noted.
median() {
  median_of "$results/rates-$1" "$2"
}

# The median of the ratios of the rounds, in percent: in one round both ran one after the other.
ratio() {
  paste -d' ' "$results/rates-$1" "$results/rates-$2" | awk '{print 100 * $1 / $4}' | sort -n |
    awk '{v[NR] = $1} END {printf "%.0f", v[int((NR + 1) / 2)]}'
}

# A line of the table: name of the figures, text, remark.
line() {
  printf '| %s | %.0f | %s | %s | %s |\n' "$2" "$(median "$1" 1)" "$(median "$1" 2)" "$(median "$1" 3)" "${3:-}"
}
