"""Answers each request with the key in its target, as it came: escaped as in keys.py, or what is wrong.

This is what pensieve-server/API.md promises of keys in paths, written a second time: the target as it was
sent, behind the route and up to the first "?", with percent escapes decoded once, as UTF-8.
"""
import re
import socketserver

from keys import escaped


def key(target):
    """The key in a target as bytes; after it whether there is a query."""
    if not target.startswith(b"/get/"):
        return "rewritten"
    raw, _, query = target[len(b"/get/"):].partition(b"?")
    suffix = " query" if b"?" in target else ""
    if re.search(rb"[^!-~]|#", target) or re.search(rb"%(?![0-9A-Fa-f]{2})", target):
        return "malformed" + suffix
    try:
        decoded = re.sub(rb"%(..)", lambda m: bytes([int(m[1], 16)]), raw).decode()
    except UnicodeDecodeError:
        return "malformed" + suffix
    return "key " + escaped(decoded) + suffix


class Mirror(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        target = line.rstrip(b"\r\n").partition(b" ")[2].rpartition(b" ")[0]
        body = key(target).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Mirror) as server:
        print("http://127.0.0.1:%d" % server.server_address[1], flush=True)
        server.serve_forever()
