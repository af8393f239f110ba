#!/usr/bin/env bash
# Holds a running server against its own description, /openapi.json, with all checks of Schemathesis
# (https://schemathesis.io), which this installs from PyPI into a temporary folder.
#
#   mvn -q -pl pensieve-server -am package -DskipTests && pensieve-server/schemathesis/run.sh
#
# SEED=42 repeats a run, EXAMPLES=100 is how many requests an operation gets. What is said on the
# command line goes to Schemathesis. /v1/watch is left out: an event stream has no end to be checked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jar=${JAR:-$here/../target/pensieve-server.jar}
[[ -f $jar ]] || { echo "there is no $jar: package the server first" >&2; exit 2; }

tmp=$(mktemp -d)
server=
tidy() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$tmp"
}
trap tidy EXIT

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -q --disable-pip-version-check "${SCHEMATHESIS:-schemathesis==4.32.5}"

: >"$tmp/out" # there before it is read
"${JAVA:-java}" -Xmx256m -jar "$jar" --port 0 --data-dir "$tmp/data" --durability power-cut >"$tmp/out" 2>"$tmp/err" &
server=$!
for ((i = 0; i < 600; i++)); do
  url=$(sed -n 's/^listening on //p' "$tmp/out")
  [[ -z $url ]] || break
  kill -0 "$server" 2>/dev/null || { cat "$tmp/err" >&2; exit 2; }
  sleep 0.1
done

cd "$tmp" # where it keeps what it remembers
"$tmp/venv/bin/st" --config-file "$here/schemathesis.toml" run "$url/openapi.json" \
  --checks all --exclude-path /v1/watch --max-examples "${EXAMPLES:-50}" --seed "${SEED:-1}" "$@"

# Whatever it was sent, it works, and nothing is wrong with it.
[[ $(curl -s -o /dev/null -w '%{http_code}' "$url/readyz") == 200 ]]
