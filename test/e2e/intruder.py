# SPDX-License-Identifier: BSD-3-Clause
"""What worms, tools and intruders send, and who looks for a way in: for the built-in rules."""

import base64
import struct

import sensor
import traffic
from traffic import ACK, C, RST, S, attempt, der, dns, http, others, repeat, tcp, udp, wide

KILL = "iuqerfsodp9ifjaposdfjhgosurijfaewrwergwe"


# ---- messages, attempts, logins ----

def smb1(command, words=b"", body=b"", multiplex=64):
    """A request of SMB 1: its words as 16-bit numbers, and what follows."""
    header = (b"\xffSMB" + bytes([command]) + bytes(4) + b"\x18" + b"\7\xc0" + bytes(12)
              + struct.pack("<HHHH", 0x800, 0xFEFF, 0x800, multiplex))
    message = header + bytes([len(words) // 2]) + words + struct.pack("<H", len(body)) + body
    return struct.pack(">I", len(message)) + message


def trans2(setup):
    """TRANS2 with one setup word."""
    return smb1(0x32, struct.pack("<HHHHBBHIHHHHHBBH", 12, 0, 1, 0, 0, 0, 0, 0, 0, 12, 66, 0, 78,
                                  1, 0, setup), bytes(12))


def nt_transact(function, data=4):
    return smb1(0xA0, struct.pack("<BHIIIIIIIIBH", 1, 0, 4, data, 0, 0, 4, 76, 0, 0, 0, function),
                bytes(4))


def peek_pipe(function, handle):
    """TRANS on a named pipe."""
    return smb1(0x25, struct.pack("<HHHHBBHIHHHHHBBHH", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0, 0, 74,
                                  0, 74, 2, 0, function, handle), b"\\PIPE\\\0")


def smb2(body):
    return struct.pack(">I", len(body) + 64) + b"\xfeSMB\x40\0" + bytes(58) + body


def rpc_bind(interface):
    item = struct.pack("<HBB", 0, 1, 0) + interface + struct.pack("<I", 1) + bytes(20)
    body = struct.pack("<HHIB3x", 4280, 4280, 0, 1) + item
    return struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 16 + len(body), 0, 1) + body


def rpc_request(operation, stub):
    return struct.pack("<BBBBIHHIIHH", 5, 0, 0, 3, 0x10, 24 + len(stub), 0, 1, len(stub), 0,
                       operation) + stub


def on_smb(data, port=445):
    return tcp(port, (C, data))


def bluekeep(channel):
    gcc = b"\x7f\x65" + bytes(40) + b"Duca" + bytes(60) + b"\3\xc0" + struct.pack("<HI", 20, 1)
    return tcp(3389, (C, traffic.tpkt(b"\2\xf0\x80" + gcc + channel.ljust(8, b"\0") + bytes(4))))


def tds(statement):
    body = wide(statement)
    return tcp(1433, (C, struct.pack(">BBHHBB", 1, 1, 8 + len(body), 0, 1, 0) + body))


def ntlm(challenge):
    return (b"NTLMSSP\0" + struct.pack("<IHHII", 2, 12, 12, 56, 0xE28A8215) + challenge + bytes(8))


def ntlm_challenge(challenge, port=445):
    return tcp(port, (C, smb2(b"ask")), (S, smb2(ntlm(challenge))))


def ftp_login(number, reply):
    return tcp(21, (S, b"220 ready\r\n"), (C, b"USER a\r\n"), (S, b"331 password\r\n"),
               (C, b"PASS b\r\n"), (S, reply), source=40000 + number)


def telnet_login(number, user, reply):
    return tcp(23, (S, b"login: "), (C, user + b"\r\n"), (S, b"\r\nPassword: "), (C, b"x\r\n"),
               (S, b"\r\n" + reply + b"\r\n"), source=40000 + number)


PROMPT = b"Last login: Monday\r\n$"


def telnet_logins(*replies):
    return repeat(len(replies), lambda i: telnet_login(i, b"root", replies[i]))


def to_controller(make):
    """After the server was seen to be a controller."""
    setup = traffic.s7_job(b"\xf0\0\0\1\0\1\1\xe0", reference=0)
    answer = traffic.s7(struct.pack(">BBHHHHH", 0x32, 3, 0, 0, 8, 0, 0) + b"\xf0\0\0\1\0\1\1\xe0")
    s7 = tcp(102, (C, traffic.cotp_connect()), (S, traffic.cotp_confirm()), (C, setup), (S, answer),
             (C, traffic.s7_job(b"\x29\0\0\0\0\0\x09P_PROGRAM", reference=2)),
             (S, traffic.s7(struct.pack(">BBHHHHH", 0x32, 3, 0, 2, 1, 0, 0) + b"\x29")))
    return repeat(2, lambda i: (s7, make)[i])


def refused(times):
    turns = ((C, traffic.http_request()), (S, traffic.http_response("401 Unauthorized")))
    return tcp(80, *(turns * times))


def s7_passwords(times):
    ask = traffic.s7_userdata(5, 1, b"\x55" * 8)
    return traffic.s7_talk(*[(C, ask)] * times)


def syslog(text, times=1):
    return udp(514, *[(C, f"<34>Oct 11 22:14:{15 + i % 40} plc sshd[{i}]: {text}".encode())
                      for i in range(times)])


def credentials(user):
    token = base64.b64encode(f"{user}:x".encode()).decode()
    return f"Authorization: Basic {token}\r\n"


def basic(user):
    return http(more=credentials(user))


def http_logins(*users, then="401 Unauthorized"):
    """One after another, refused; the last as told."""
    turns = []
    for i, user in enumerate(users):
        turns += [(C, traffic.http_request(more=credentials(user))),
                  (S, traffic.http_response("401 Unauthorized" if i + 1 < len(users) else then))]
    return tcp(80, *turns)


def discovers(times, clients=0, options=b""):
    """Clients of DHCP that look for a server; without a number each is another."""
    def one(i):
        head = struct.pack(">BBBBIHH", 1, 1, 6, 0, 1000 + i, 0, 0x8000) + bytes(16)
        mac = b"\2\0\0\0" + struct.pack(">H", i % clients if clients else i)
        body = head + mac + bytes(10 + 192) + b"\x63\x82\x53\x63\x35\1\1" + options + b"\xff"
        return lambda client, server: [traffic.datagram(client, (255, 255, 255, 255), (68, 67),
                                                        body)]
    return repeat(times, one)


def nbstat(times):
    name = b"\x20CK" + b"A" * 30 + b"\0"
    return udp(137, *[(C, struct.pack(">6H", i + 1, 0, 1, 0, 0, 0) + name
                       + struct.pack(">HH", 33, 1)) for i in range(times)])


def device_ids(times, request=b"\x2b\x0e\1\0"):
    return repeat(times, lambda i: traffic.modbus(request, transaction=i + 1, source=40000 + i))


def monlist(request):
    return udp(123, (C, bytes((0x17, 0, 3, request)) + bytes(44)))


def ssh(software, port=22):
    return tcp(port, (S, b"SSH-2.0-OpenSSH_9.2\r\n"), (C, b"SSH-2.0-" + software + b"\r\n"))


def null_queries(times):
    return udp(53, *[(C, traffic.dns_query(f"z{i:04x}aa.t.example", 10, i + 1))
                     for i in range(times)])


def server(serial, **subject):
    return traffic.tls_server(traffic.certificate(serial, **subject))


def text_in_log(text):
    return syslog("user agent " + text)


def pings(times, kind=8):
    return others(times, lambda i: traffic.icmp(kind, rest=struct.pack(">HH", 7, i),
                                                data=bytes(8 if kind == 8 else 12)))


def ports(times, answer=RST | ACK, **header):
    """Attempts to connect to ports one after another."""
    return repeat(times, lambda i: attempt(1000 + i, answer, 40000 + i, **header))


def spread_ports(times):
    """The same, at no time fifteen in a minute."""
    return repeat(times, lambda i: spread(10.0 * (i % 2), attempt(1000 + i, RST | ACK, 40000 + i)))


def spread(seconds, make):
    """After a while."""
    def frames(client, server):
        yield seconds
        yield from make(client, server)
    return frames


def refused_datagrams(times, source=40000):
    """Whoever sent them is told that nobody listens."""
    def one(i):
        def frames(client, server):
            inner = sensor.ipv4(17, client, server, struct.pack(">HHHH", source, 3000 + i, 8, 0))
            yield from traffic.icmp(3, 3, data=inner)(server, client)
        return frames
    return repeat(times, one)


def datagrams(times, first=3000):
    """To many ports, from another each, without an answer."""
    return repeat(times, lambda i: udp(first + i, (C, b"?"), source=50000 + i))


def ip_protocols(*numbers):
    return repeat(len(numbers), lambda i: lambda client, server: [
        sensor.ethernet(sensor.ipv4(numbers[i], client, server, bytes(8)))])


def snmp(community, oid=b"\x2b\6\1\2\1\1\1\0", number=1, value=b"\5\0"):
    """get-request of version 2c."""
    binding = der(0x30, der(6, oid), value)
    pdu = der(0xA0, der(2, bytes([number])), der(2, b"\0"), der(2, b"\0"), der(0x30, binding))
    return udp(161, (C, der(0x30, der(2, b"\1"), der(4, community), pdu)))


def ftp_names(*names):
    turns = [(S, b"220 ready\r\n")]
    for name in names:
        turns += [(C, b"USER " + name + b"\r\n"), (S, b"331 password\r\n")]
    return tcp(21, *turns)


OPC_ENUM = bytes.fromhex("516d48132148d211a4943cb306c10000")


def opc_enumeration(times, number=OPC_ENUM):
    return others(times, lambda i: activation(number))


def reached_by(make):
    """The same, and then the server is seen to be a controller: who asks is one."""
    def frames(client, server):
        yield from to_controller(tcp(9999))(server, client)
        yield from make(client, server)
    return frames


NMAP_RPC = bytes.fromhex("72fe1d130000000000000002000186a00001977c") + bytes(20)
HAVEX = "/a.php?id=28574529632289617890098DF80D-20&v1=038&v2=170393861&q=5265882854508EFCF958F979E4"
STUXNET_RPC = bytes.fromhex("e104020000000000c000000000000046")
SRVSVC = bytes.fromhex("c84f324b7016d30112785a47bf6ee188")
MIMIKATZ = bytes.fromhex("e911fc1758c28d4b8d072f4125156244")
CONFICKER = bytes.fromhex("e8ffffffffc25f8d4f108031c4416681394d5375f5")
MMC = bytes.fromhex("1a79b249aeb1904c9b8ee860ba07f889")
TITLE = {"C": "US", "O": "Example", "CN": "Example"}

SYS_NAME = b"\x2b\6\1\2\1\1\5\0"


# ---- Windows and its neighbours ----

def smb2_command(command, body, status=0, answer=0):
    """A message of SMB 2: a request, or the answer to one."""
    head = b"\xfeSMB\x40\0\0\0" + struct.pack("<IHHI", status, command, 1, answer) + bytes(44)
    return struct.pack(">I", len(head) + len(body)) + head + body


def connect(share):
    return smb2_command(3, wide("\\\\srv\\" + share))


def create(name):
    """The end of the message is the end of the name, as some clients have it."""
    name = wide(name)
    return smb2_command(5, struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 0x120089, 0, 7, 1, 64,
                                       120, len(name), 0, 0) + name)


def write(data, offset=0):
    return smb2_command(9, struct.pack("<HHIQ", 49, 112, len(data), offset) + bytes(32) + data)


def renames(times):
    body = struct.pack("<HBBIHHI", 33, 1, 10, 24, 96, 0, 0) + bytes(16) + wide("a.locked")
    return tcp(445, *[(C, smb2_command(17, body))] * times)


def smb1_answer(command, status, multiplex=64):
    message = (b"\xffSMB" + bytes([command]) + struct.pack("<I", status) + b"\x98\7\xc0" + bytes(12)
               + struct.pack("<HHHH", 0x800, 0xFEFF, 0x800, multiplex) + bytes(3))
    return struct.pack(">I", len(message)) + message


def asked(request, *answers):
    """Over SMB: a request, and what comes back."""
    return tcp(445, (C, request), *[(S, answer) for answer in answers])


def unc(operation):
    return rpc_request(operation, bytes(20) + wide("\\\\10.9.9.9\\a\\b.dll") + b"\0\0")


def share_list(level, operation=15):
    name = wide("\\\\10.1.1.1\0")
    count = struct.pack("<III", len(name) // 2, 0, len(name) // 2)
    return smb2(rpc_request(operation, struct.pack("<I", 0x20000) + count + name
                            + bytes(-len(name) % 4) + struct.pack("<IIII", level, level, 1, 0)))


def endpoints(operation=2):
    """All that the endpoint mapper has."""
    return tcp(135, (C, rpc_request(operation, bytes(12) + b"\1\0\0\0" + bytes(20)
                                    + b"\xf4\1\0\0")))


def logins(port, data, times):
    """Connections in which the server says `data`."""
    return repeat(times, lambda i: tcp(port, (C, b"hello\r\n"), (S, data), source=40000 + i))


def refusals(*answers):
    """Scenes of five logins refused over SMB."""
    return [logins(445, answer, 5) for answer in answers]


def kerberos_error(number, service="krbtgt"):
    """Of service krbtgt it is about a login."""
    name = der(0x30, der(0xA0, b"\2\1\2"), der(0xA1, der(0x30, der(0x1B, service.encode()))))
    return der(0x7E, der(0x30, der(0xA0, b"\2\1\5"), der(0xA1, b"\2\1\x1e"),
                         der(0xA6, b"\2\1" + bytes([number])), der(0xAA, name)))


def portmap(procedure):
    """A call of the portmapper."""
    return b"call\0\0\0\0\0\0\0\2" + struct.pack(">III", 100000, 2, procedure) + bytes(16)


def mail(port, line):
    return tcp(port, (S, b"+OK ready\r\n"), (C, line + b"\r\n"))


def mqtt_connect(flags, name=b"MQTT\4"):
    return tcp(1883, (C, b"\x10\x14\0" + bytes([len(name) - 1]) + name + bytes([flags])
                      + b"\0\x3c\0\1a\0\1b\0\1c"))


def pap(code):
    """PPP over Ethernet: a request to log in, or an answer."""
    body = struct.pack(">BBH", code, 1, 14) + b"\4user\4word"
    session = b"\x11\0\0\7" + struct.pack(">H", len(body) + 2) + b"\xc0\x23" + body
    return lambda client, server: [from_mac(client) + b"\x88\x64" + session]


def from_mac(client, to=b"\2\0\0\0\0\2"):
    """The beginning of a frame: who sends, by a MAC address that has the IP address in it."""
    return to + b"\2\0" + bytes(client)


def topology_changes(times, change):
    """BPDUs behind LLC; `change` is the beginning of one."""
    bpdu = (change + bytes(36))[:max(len(change), 4 if change[3] == 0x80 else 36)]
    body = b"\x42\x42\3" + bpdu
    return lambda client, server: [
        from_mac(client, b"\1\x80\xc2\0\0\0") + struct.pack(">H", len(body)) + body] * times


def to_all(port, data, address=(255, 255, 255, 255), mac=b"\xff" * 6):
    def frames(client, server):
        to = client[:3] + (255,) if address is None else address
        yield mac + traffic.datagram(client, to, (40000, port), data)[6:]
    return frames


def llmnr_answers(times):
    def one(i):
        name = b"\4PC%02d\0" % i
        question = name + b"\0\1\0\1"
        head = struct.pack(">6H", i, 0x8000, 1, 1, 0, 0)
        return udp(5355, (C, struct.pack(">6H", i, 0, 1, 0, 0, 0) + question),
                   (S, head + question * 2 + b"\0\0\0\x1e\0\4\x0a\1\1\1"), source=50000 + i)
    return repeat(times, one)


def netbios_answers(times, flags=0x8500, suffix=0, group=0):
    """Names that a host has, or knows."""
    def one(i):
        plain = b"HOST%-11d" % i + bytes([suffix])
        name = b"\x20" + bytes(n for c in plain for n in (65 + (c >> 4), 65 + (c & 15))) + b"\0"
        return udp(137, (C, struct.pack(">6H", i, 0x110, 1, 0, 0, 0) + name + b"\0\x20\0\1"),
                   (S, struct.pack(">6H", i, flags, 0, 1, 0, 0) + name + b"\0\x20\0\1\0\0\0\xa5\0\6"
                    + bytes([group, 0]) + b"\x0a\1\1\1"), source=137)
    return repeat(times, one)


def unknown_names(times, kind="com"):
    """That have no address."""
    def one(i):
        query = traffic.dns_query(f"abc{chr(97 + i // 26)}{chr(97 + i % 26)}.{kind}", 1, i)
        return udp(53, (C, query), (S, query[:2] + b"\x81\x83" + query[4:]), source=41000 + i)
    return repeat(times, one)


def long_names(times, kind=16, domain="t.example"):
    return repeat(times, lambda i: dns(f"{i:044x}.{domain}", kind))


def ntlm_over_http(challenge):
    token = base64.b64encode(ntlm(challenge)).decode()
    return tcp(80, (C, traffic.http_request()),
               (S, traffic.http_response("401 Unauthorized",
                                         more=f"WWW-Authenticate: NTLM {token}\r\n")))


def page(body, port=80):
    return tcp(port, (C, traffic.http_request()), (S, traffic.http_response(body=body)))


def activation(number):
    """An object started by DCOM."""
    return tcp(135, (C, rpc_request(4, bytes(40) + number)))


def on_wmi(operation, text):
    return tcp(49668, (C, rpc_request(operation, b"\0" + text + b"\0")))


EFS = bytes.fromhex("88d481c650d8d0118c5200c04fd90f7e")
EFS_OVER_LSA = bytes.fromhex("c54119df89fe794ebf10463657acf44d")
EVENT_LOG = bytes.fromhex("dc3f27822ae3c3183f78827929dc23ea")
OPC_DA_2 = bytes.fromhex("32f4d563e4cfd111b2c80060083ba1fb")
SHELL_WINDOWS = bytes.fromhex("7259a09ba8f6cf11a44200a0c90a8f39")
SHELL_BROWSER = bytes.fromhex("90fd8ac0a1f2d111845500a0c91f3880")
CONFICKER_A = bytes.fromhex("e8ffffffffc15e8d4e108031c441668139455075f5")
LOGIN_REFUSED = (0xC000006D, 0xC000006A, 0xC0000064, 0xC0000234, 0xC0000071)
FACTORY_USERS = ("AUTCSE", "AUT_CSE", "fdrusers", "nic2212", "nimrohs2212", "nip2212", "ntpupdate",
                 "pcfactory", "noe77111_v500", "qbf77101", "sysdiag")
SCANNERS = ("CensysInspect", "Shodan", "ZmEu", "Acunetix", "Nuclei", "feroxbuster",
            "Fuzz Faster U Fool", "arachni/1", "w3af", "l9explore",
            "Expanse, a Palo Alto Networks company", "internet-measurement.com")
EASY = bytes.fromhex("1122334455667788")


# ---- where programs log what they are told ----

def text_in_option(text):
    return discovers(1, options=b"\x0c" + bytes([len(text)]) + text.encode())


def text_in_value(text):
    return snmp(b"public", value=der(4, text.encode()))


def text_to_shell(text):
    return tcp(23, (S, b"login: "), (C, b"root\r\n"), (S, b"\r\nPassword: "), (C, b"x\r\n"),
               (S, b"\r\n" + PROMPT), (C, text.encode() + b"\r\n"))


def text_to_ftp(text):
    return tcp(21, (S, b"220 ready\r\n"), (C, b"RETR " + text.encode() + b"\r\n"))


IN_LOGS = (text_in_log, text_to_ftp, lambda text: telnet_login(0, text.encode(), b"$"),
           text_to_shell, lambda text: ssh(text.encode()), traffic.tls, text_in_option,
           text_in_value)
