# SPDX-License-Identifier: BSD-3-Clause
"""Receivers of outputs: rsyslog for syslog over UDP, TCP and TLS, nginx for webhooks, and for
datagrams of the same machine, which rsyslog takes for another format, a few lines of Python. All are
processes on loopback with files of their own in a folder of the test; killed with -9 they are
started again at the same place.

usage: receivers.py SOCKET FILE    (the one of datagrams)
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

RSYSLOG, NGINX = "/usr/sbin/rsyslogd", "/usr/sbin/nginx"
HAS = {name: os.path.exists(name) or shutil.which(os.path.basename(name))
       for name in (RSYSLOG, NGINX)}
EC = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"
UID = re.compile(rb'"event_uid":"(?:(?!-gap-|-test-)[^"])*-(\d+)"')


def crc32c(data):
    """Castagnoli, bit by bit: for some bytes only."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def acknowledged(journal, name):
    """By the cursor of an output: of its two places the greater that is whole. 0 = nothing yet."""
    path = journal / f"cursor-{name}"
    data = path.read_bytes() if path.exists() else b""
    found = [(0, 0)]
    for at in (0, 512):
        part = data[at:at + 64]
        if len(part) == 64 and part[:4] == b"FTJC" and \
                struct.unpack_from("<I", part, 60)[0] == crc32c(part[:60]):
            found.append(struct.unpack_from("<QQ", part, 8))
    return max(found)[1]


def number_of(line):
    """Of an event of the journal; None of an output's own (what is missing, tests)."""
    found = UID.search(line)
    return int(found.group(1)) if found else None


def free_port(kind=socket.SOCK_STREAM):
    """Below those that the system gives to who connects: a connection never meets itself."""
    for port in range(20000 + os.getpid() % 10000, 32000):
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in free_port.given:
            free_port.given.add(port)
            return port
    raise OSError("no free port")


free_port.given = set()


class Authority:
    """Signs certificates of a test."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.openssl("req", "-x509", *EC, "-nodes", "-keyout", self.key,
                     "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}")

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def sign(self, name, *alternatives):
        """Certificate and key made out to a name."""
        files = [self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr", "ext")]
        certificate, key, request, extra = files
        extra.write_text("subjectAltName=" + ",".join(alternatives or (f"DNS:{name}",)))
        self.openssl("req", *EC, "-nodes", "-keyout", key, "-out", request,
                     "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                     "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", certificate)
        return certificate, key


class Receiver:
    """A process that receives. What it got is in files of each of its runs; the last line of a run
    that was killed may be torn."""

    def __init__(self, name, folder, **output):
        self.name, self.folder = name, folder / f"receiver-{name}"
        self.prefix = output.pop("prefix", ())  # what starts it: in a namespace, for instance
        self.more = output
        self.folder.mkdir()
        self.process, self.runs, self.kills = None, [], 0
        self.got = []
        self.ends = {}  # of files: bytes that were taken
        self.port = free_port(socket.SOCK_DGRAM if output.get("transport") == "udp"
                              else socket.SOCK_STREAM)
        self.start()

    def command(self, run):
        raise NotImplementedError

    def files(self, run):
        """In the order in which they were begun."""
        return [run / "got"]

    def body(self, line):
        return line

    def output(self):
        raise NotImplementedError

    def start(self):
        if self.process:
            return
        run = self.folder / f"{len(self.runs) + 1:04}"
        run.mkdir()
        self.runs.append(run)
        command = [str(word) for word in (*self.prefix, *self.command(run))]
        with open(run / "said", "wb") as said:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(command, stdout=said, stderr=said)

    def kill(self, number=signal.SIGKILL):
        if not self.process:
            return
        self.process.send_signal(number)
        self.process.wait()
        self.process = None
        self.kills += 1
        self.got += self.take(self.runs[-1])
        for path in self.files(self.runs[-1]):
            path.unlink(missing_ok=True)

    def take(self, run):
        """Whole lines that were not taken before."""
        fresh = []
        for path in self.files(run):
            if not path.exists():
                continue
            with open(path, "rb") as file:
                file.seek(self.ends.get(path, 0))
                data = file.read()
            data = data[:data.rfind(b"\n") + 1]
            self.ends[path] = self.ends.get(path, 0) + len(data)
            fresh += data.splitlines()
        return fresh

    def received(self):
        """Bodies of all that it got, in the order in which they came."""
        if self.process:
            self.got += self.take(self.runs[-1])
        return [self.body(line) for line in self.got]

    def received_since(self):
        """The same, and then they are forgotten."""
        fresh, self.got = self.received(), []
        return fresh

    def events(self):
        """Those of the journal, parsed."""
        return [json.loads(line) for line in self.received() if number_of(line)]

    def said(self):
        return b"".join((run / "said").read_bytes() for run in self.runs).decode()

    def until(self, condition, what, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition(self.received()):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{self.name}: {what} does not come; {self.said()}")
            time.sleep(0.05)

    def until_number(self, number, seconds=20):
        self.until(lambda got: number in map(number_of, got[-1000:]), number, seconds)


class Rsyslog(Receiver):
    """Its modules imudp and imtcp. A line has fields of the header and the body, as it came."""

    TEMPLATE = r"%pri%\t%hostname%\t%app-name%\t%msgid%\t%syslogtag%\t%msg%\n"

    def __init__(self, name, folder, transport, certificate=None, **output):
        self.transport, self.certificate = transport, certificate  # (authority, own, key)
        self.peer = output.pop("peer", None)  # whose certificate is asked for
        super().__init__(name, folder, transport=transport, **output)

    def driver(self):
        if self.transport != "tls":
            return ""
        mode = f'StreamDriver.AuthMode="x509/name" PermittedPeer="{self.peer}"' if self.peer else \
            'StreamDriver.AuthMode="anon"'
        return f'StreamDriver.Name="ossl" StreamDriver.Mode="1" {mode}'

    def command(self, run):
        certificate = "" if not self.certificate else \
            'defaultNetstreamDriverCAFile="{}" defaultNetstreamDriverCertFile="{}" ' \
            'defaultNetstreamDriverKeyFile="{}"'.format(*self.certificate)
        module = 'module(load="imudp")' if self.transport == "udp" else \
            f'module(load="imtcp" {self.driver()})'
        kind = "imudp" if self.transport == "udp" else "imtcp"
        buffer = 'rcvbufSize="8m"' if self.transport == "udp" else ""
        conf = run / "rsyslog.conf"
        conf.write_text(
            f'global(workDirectory="{run}" maxMessageSize="64k" {certificate})\n{module}\n'
            f'template(name="plain" type="string" string="{self.TEMPLATE}")\n'
            f'input(type="{kind}" address="127.0.0.1" port="{self.port}" ruleset="ot" {buffer})\n'
            f'ruleset(name="ot") {{ action(type="omfile" file="{run}/got" template="plain") }}\n'
            f'action(type="omfile" file="{run}/own")\n')
        return RSYSLOG, "-n", "-f", conf, "-i", run / "pid"

    def headers(self):
        """Of all messages: priority, host, program, kind, and what a receiver of RFC 3164 takes for
        the tag."""
        return [line.decode().split("\t", 5)[:5] for line in self.got]

    def body(self, line):
        return line.split(b"\t", 5)[-1].strip()

    def output(self):
        more = {"ca_file": str(self.certificate[0])} if self.certificate else {}
        return {"name": self.name, "kind": "syslog", "host": "127.0.0.1", "port": self.port,
                "retry_ms": 200, "max_message": 60000, **more, **self.more}


class Nginx(Receiver):
    """The body of each request becomes a file before it is answered: by a second server of its own,
    to which it is passed on."""

    def __init__(self, name, folder, certificate=None, **output):
        self.certificate = certificate
        self.inner = free_port()
        super().__init__(name, folder, **output)

    def command(self, run):
        (run / "bodies").mkdir()
        tls = "" if not self.certificate else \
            "ssl_certificate {1}; ssl_certificate_key {2};".format(*self.certificate)
        conf = run / "nginx.conf"
        conf.write_text(f"""
            daemon off; master_process off; pid {run}/pid; error_log stderr;
            events {{ worker_connections 64; }}
            http {{
                access_log {run}/access;
                client_body_temp_path {run}/bodies; proxy_temp_path {run}/proxy;
                fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
                client_max_body_size 64m;
                server {{
                    listen 127.0.0.1:{self.port} {"ssl" if tls else ""}; {tls}
                    location / {{
                        client_body_in_file_only on;
                        proxy_pass_request_body off;
                        proxy_set_header Content-Length "";
                        proxy_pass http://127.0.0.1:{self.inner}/;
                    }}
                }}
                server {{ listen 127.0.0.1:{self.inner}; return 204; }}
            }}""")
        return NGINX, "-c", conf, "-p", run, "-e", "stderr"

    def files(self, run):
        return sorted((run / "bodies").iterdir())

    def output(self):
        scheme = "https" if self.certificate else "http"
        more = {"ca_file": str(self.certificate[0])} if self.certificate else {}
        return {"name": self.name, "kind": "webhook", "url": f"{scheme}://localhost:{self.port}/ot",
                "format": "ndjson", "retry_ms": 200, **more, **self.more}


class Datagrams(Receiver):
    """Of a socket of this machine."""

    def command(self, run):
        return sys.executable, __file__, self.folder / "socket", run / "got"

    def output(self):
        return {"name": self.name, "kind": "unix_datagram", "path": str(self.folder / "socket"),
                "retry_ms": 200, **self.more}


def receive_datagrams(path, to):
    pathlib.Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one, open(to, "ab", buffering=0) as file:
        one.bind(path)
        while True:
            file.write(one.recv(65536).rstrip(b"\n") + b"\n")


if __name__ == "__main__":
    receive_datagrams(*sys.argv[1:])
