"""Python's urllib and requests, and curl. The protocol is told in check.py."""
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import quote, unquote

JSON = {"Content-Type": "application/json"}


def by_urllib(method, base, form, key, body):
    url = base + (quote(key) if form == "escaped" else key)
    request = urllib.request.Request(url, body.encode() or None, JSON, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def by_requests():
    import requests  # not there for the other clients

    session = requests.Session()

    def send(method, base, form, key, body):
        url = base + (quote(key, safe="") if form == "escaped" else key)
        answer = session.request(method, url, data=body.encode() or None, headers=JSON, timeout=30)
        return answer.status_code, answer.text

    return send


def by_curl(method, base, form, key, body):
    url = base + (quote(key, safe="") if form == "escaped" else key)
    command = ["curl", "-sS", "--globoff", "-m", "30", "-X", method, "-w", "\n%{http_code}"]
    command += ["--path-as-is"] if form == "escaped" else []
    command += ["-H", "Content-Type: application/json", "-d", body] if body else []
    sent = subprocess.run([*command, "--", url], capture_output=True, check=True)
    text, _, status = sent.stdout.decode().rpartition("\n")
    return int(status), text


def main():
    send = {"urllib": lambda: by_urllib, "requests": by_requests, "curl": lambda: by_curl}[sys.argv[1]]()
    for line in sys.stdin:
        method, base, form, key, body = map(unquote, line.rstrip("\n").split("\t"))
        try:
            status, text = send(method, base, form, key, body)
        except Exception as refused:  # whatever a client has for what it does not send
            status, text = "-", repr(refused)
        print(status, quote(text, safe=""), sep="\t", flush=True)


main()
