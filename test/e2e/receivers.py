# SPDX-License-Identifier: BSD-3-Clause
"""Receivers of outputs, as small as they can be: syslog over TCP and TLS, HTTP, UDP. Each can be
killed, which breaks its connections at once, and started again on the same port."""

import contextlib
import http.server
import json
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time


def crc32c(data):
    """Castagnoli, bit by bit: for some bytes only."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def body(message):
    """The JSON body of a syslog message."""
    return json.loads(message[message.index(b"{"):].decode("utf-8-sig"))


class Receiver:
    """Counts what it got before it says that it did."""

    def __init__(self, name):
        self.name, self.server, self.port = name, None, 0
        self.lock = threading.Lock()
        self.got, self.faults, self.open = [], [], set()
        self.start()

    def take(self, event):
        with self.lock:
            self.got.append(event)

    def events(self):
        """Of the journal: an output's own (what is missing, tests) have no number."""
        with self.lock:
            return [e for e in self.got if "event_uid" in e.get("fieldtap", {})
                    and e["fieldtap"]["event_uid"].rsplit("-", 1)[1].isdigit()]

    def until(self, number, seconds=20):
        deadline = time.monotonic() + seconds
        while not any(e["fieldtap"]["event_uid"].endswith(f"-{number}")
                      for e in self.events()[-100:]):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: {number} does not come")
            time.sleep(0.05)

    def handler(self):
        raise NotImplementedError

    def start(self):
        if self.server:
            return
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self):
        """As kill -9 does: connections are reset, what was not read is lost."""
        if not self.server:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        with self.lock:
            connections, self.open = list(self.open), set()
        for one in connections:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Not that of SSLSocket, behind which others read what is still encrypted. Who reads
                # from it closes it.
                socket.socket.shutdown(one, socket.SHUT_RDWR)


class Tcp(Receiver):
    """RFC 5424 with octet counting."""

    def wrap(self, connection):
        return connection

    def read(self, connection):
        file = connection.makefile("rb")
        while True:
            size = b""
            while (one := file.read(1)) and one != b" ":
                size += one
            if not one:
                return
            message = file.read(int(size))
            if len(message) < int(size):
                return
            try:
                self.take(body(message))
            except ValueError as error:
                self.faults.append(f"{error}: {message[:200]}")

    def handler(self):
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            """A connection."""

            def handle(self):
                with receiver.lock:
                    receiver.open.add(self.request)
                with contextlib.suppress(OSError, ValueError), \
                        receiver.wrap(self.request) as connection:
                    receiver.read(connection)
        return Handler

    def output(self):
        return {"name": self.name, "kind": "syslog", "host": "127.0.0.1", "port": self.port,
                "transport": "tcp", "retry_ms": 200}


class Tls(Tcp):
    """The same over TLS, with a certificate that the sensor checks."""

    def __init__(self, name, folder):
        self.authority, key = folder / "ca.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", self.authority, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.authority, key)
        super().__init__(name)

    def wrap(self, connection):
        wrapped = self.context.wrap_socket(connection, server_side=True)
        with self.lock:
            self.open.add(wrapped)
        return wrapped

    def output(self):
        return dict(super().output(), transport="tls", ca_file=str(self.authority))


class Http(Receiver):
    """A webhook that takes lines of JSON."""

    def handler(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers when it has taken all."""

            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with receiver.lock:
                    receiver.open.add(self.request)

            def do_POST(self):
                """A batch."""
                data = self.rfile.read(int(self.headers["Content-Length"]))
                for line in data.splitlines():
                    receiver.take(json.loads(line))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle(self):
                with contextlib.suppress(OSError, ValueError):
                    super().handle()

            def log_message(self, *_):
                """Nobody reads it."""
        return Handler

    def output(self):
        return {"name": self.name, "kind": "webhook", "url": f"http://127.0.0.1:{self.port}/",
                "format": "ndjson", "retry_ms": 200}
