#!/usr/bin/env bash
# Puts, gets and deletes some 200 odd keys with Node's fetch, Python's urllib and requests, curl and Java's
# HttpClient, escaped as each of them does it and as they are, and prints what came of them.
#
#   mvn -q -pl pensieve-server -am package -DskipTests && pensieve-server/clients/run.sh
#
# Needs node, python3, curl and java; installs requests from PyPI into a temporary folder.
#
#   passed      the server knew the key that was sent, as check.py says
#   refused     what was sent is no key, and every route said so
#   rewritten   the client sent another key than it was given, such as "b" for "a/../b"
#   not sent    the client refuses
#   FAILED      anything else
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
"$tmp/venv/bin/pip" install -q --disable-pip-version-check "requests==${REQUESTS:-2.32.5}"

: >"$tmp/out" # there before it is read
"${JAVA:-java}" -Xmx256m -jar "$jar" --port 0 --data-dir "$tmp/data" >"$tmp/out" 2>"$tmp/err" &
server=$!
for ((i = 0; i < 600; i++)); do
  url=$(sed -n 's/^listening on //p' "$tmp/out")
  [[ -z $url ]] || break
  kill -0 "$server" 2>/dev/null || { cat "$tmp/err" >&2; exit 2; }
  sleep 0.1
done

PYTHONDONTWRITEBYTECODE=1 "$tmp/venv/bin/python" "$here/check.py" "$url"

# Whatever it was sent, nothing is wrong with it.
[[ ! -s $tmp/err ]] || { cat "$tmp/err" >&2; exit 1; }
