/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schema of the TLS dissector: what carries it, fields, commands and violations. Included by
 * tls.c alone: the tables are part of its dissector.
 */
#ifndef FT_TLS_SCHEMA_H
#define FT_TLS_SCHEMA_H

#include "tls.h"
#include "x509.h"

enum tls_content {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23,
    TLS_HEARTBEAT = 24,
};

enum tls_handshake {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CLIENT_KEY_EXCHANGE = 16,
};

/* clang-format off */
static const struct ft_name versions[] = {
    {TLS_SSL_2, "SSLv2"},
    {TLS_SSL_3, "SSLv3"},
    {TLS_1_0, "TLSv1"},
    {TLS_1_1, "TLS 1.1"},
    {TLS_1_2, "TLS 1.2"},
    {TLS_1_3, "TLS 1.3"},
    {DTLS_1_0, "DTLS 1.0"},
    {DTLS_1_2, "DTLS 1.2"},
    {DTLS_1_3, "DTLS 1.3"},
    {0, NULL},
};

static const struct ft_name content_types[] = {
    {TLS_CHANGE_CIPHER_SPEC, "change_cipher_spec"},
    {TLS_ALERT, "alert"},
    {TLS_HANDSHAKE, "handshake"},
    {TLS_APPLICATION_DATA, "application_data"},
    {TLS_HEARTBEAT, "heartbeat"},
    {25, "tls12_cid"},
    {26, "ack"},
    {0, NULL},
};

static const struct ft_name handshake_types[] = {
    {0, "hello_request"},
    {1, "client_hello"},
    {2, "server_hello"},
    {3, "hello_verify_request"},
    {4, "new_session_ticket"},
    {5, "end_of_early_data"},
    {6, "hello_retry_request"},
    {8, "encrypted_extensions"},
    {9, "request_connection_id"},
    {10, "new_connection_id"},
    {11, "certificate"},
    {12, "server_key_exchange"},
    {13, "certificate_request"},
    {14, "server_hello_done"},
    {15, "certificate_verify"},
    {16, "client_key_exchange"},
    {17, "client_certificate_request"},
    {20, "finished"},
    {21, "certificate_url"},
    {22, "certificate_status"},
    {23, "supplemental_data"},
    {24, "key_update"},
    {25, "compressed_certificate"},
    {26, "ekt_key"},
    {67, "next_protocol"},
    {254, "message_hash"},
    {0, NULL},
};

static const struct ft_name compressions[] = {
    {0, "null"},
    {1, "deflate"},
    {64, "lzs"},
    {0, NULL},
};

static const struct ft_name alert_levels[] = {
    {1, "warning"},
    {2, "fatal"},
    {0, NULL},
};

static const struct ft_name alert_descriptions[] = {
    {0, "close_notify"},
    {1, "end_of_early_data"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {52, "too_many_cids_requested"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {117, "general_error"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
    {0, NULL},
};

static const struct ft_name heartbeat_types[] = {
    {1, "request"},
    {2, "response"},
    {0, NULL},
};

static const struct ft_name key_names[] = {
    {FT_X509_KEY_RSA, "rsa"},
    {FT_X509_KEY_DSA, "dsa"},
    {FT_X509_KEY_EC, "ec"},
    {FT_X509_KEY_ED25519, "ed25519"},
    {FT_X509_KEY_ED448, "ed448"},
    {FT_X509_KEY_ML_DSA, "ml_dsa"},
    {0, NULL},
};

static const struct ft_name key_usages[] = {
    {1, "digital_signature"},
    {2, "non_repudiation"},
    {4, "key_encipherment"},
    {8, "data_encipherment"},
    {16, "key_agreement"},
    {32, "cert_sign"},
    {64, "crl_sign"},
    {128, "encipher_only"},
    {256, "decipher_only"},
    {0, NULL},
};

/* Ports that are TLS's by their protocols' standards; it is found by content on all others. */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 443}, /* HTTP */
    {.kind = FT_CARRIER_TCP, .value = 465}, /* SMTP */
    {.kind = FT_CARRIER_TCP, .value = 636}, /* LDAP */
    {.kind = FT_CARRIER_TCP, .value = 802}, /* Modbus */
    {.kind = FT_CARRIER_TCP, .value = 853}, /* DNS */
    {.kind = FT_CARRIER_TCP, .value = 989, .last = 990}, /* FTP */
    {.kind = FT_CARRIER_TCP, .value = 992, .last = 995}, /* Telnet, IMAP, POP3 */
    {.kind = FT_CARRIER_TCP, .value = 2221}, /* EtherNet/IP */
    {.kind = FT_CARRIER_TCP, .value = 3269}, /* global catalogue */
    {.kind = FT_CARRIER_TCP, .value = 4843}, /* OPC UA */
    {.kind = FT_CARRIER_TCP, .value = 5061}, /* SIP */
    {.kind = FT_CARRIER_TCP, .value = 5671}, /* AMQP */
    {.kind = FT_CARRIER_TCP, .value = 5986}, /* WinRM */
    {.kind = FT_CARRIER_TCP, .value = 6514}, /* syslog */
    {.kind = FT_CARRIER_TCP, .value = 8883}, /* MQTT */
    {.kind = FT_CARRIER_TCP, .value = 10161, .last = 10162}, /* SNMP */
    {.kind = FT_CARRIER_TCP, .value = 19998, .last = 19999}, /* IEC 60870-5-104, DNP3 */
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_UDP, .value = 853},
    {.kind = FT_CARRIER_UDP, .value = 2221},
    {.kind = FT_CARRIER_UDP, .value = 5684}, /* CoAP */
    {.kind = FT_CARRIER_UDP, .value = 6514},
    {.kind = FT_CARRIER_UDP, .value = 10161, .last = 10162},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^\\x16\\x03[\\x00-\\x04]..[\\x00-\\x19]\\x00", FT_SIGNATURE_TCP, 0},
    {"^\\x17\\x03[\\x00-\\x04]", FT_SIGNATURE_TCP, 0},
    {"^\\x15\\x03[\\x00-\\x04]\\x00[\\x02-\\x40]", FT_SIGNATURE_TCP, 0},
    {"^\\x14\\x03[\\x00-\\x04]\\x00\\x01\\x01", FT_SIGNATURE_TCP, 0},
    {"^[\\x80-\\xbf].\\x01(\\x00\\x02|\\x03[\\x00-\\x04])", FT_SIGNATURE_TCP, 0},
    {"^[\\x80-\\xbf].\\x04[\\x00\\x01][\\x00-\\x02]\\x00\\x02", FT_SIGNATURE_TCP, 0},
    {"^[\\x14-\\x18]\\xfe[\\xff\\xfd]", FT_SIGNATURE_UDP, 0},
};

#define CERTIFICATE_ROWS(from, parent) \
    [(from) + TLS_C_SUBJECT] = {"subject", "Whose certificate it is", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_ISSUER] = {"issuerdn", "Who signed it", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_SERIAL] = {"serial", "Serial number", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_FINGERPRINT] = {"fingerprint", "SHA-1 of the certificate", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_SHA256] = {"sha256", "SHA-256 of the certificate", NULL, parent, FT_TYPE_BYTES, 0, 0}, \
    [(from) + TLS_C_NOT_BEFORE] = {"notbefore", "Valid from, UTC", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_NOT_AFTER] = {"notafter", "Valid until, UTC", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_ALTERNATIVE] = {"subjectaltname", "Further names and addresses", NULL, parent, FT_TYPE_STRING, FT_FIELD_LIST, 0}, \
    [(from) + TLS_C_SELF_SIGNED] = {"self_signed", "Subject and issuer are the same", NULL, parent, FT_TYPE_BOOL, 0, 0}, \
    [(from) + TLS_C_KEY] = {"key_algorithm", "Kind of its key", key_names, parent, FT_TYPE_ENUM, 0, 8}, \
    [(from) + TLS_C_KEY_BITS] = {"key_bits", "Bits of its key", NULL, parent, FT_TYPE_UINT, 0, 32}, \
    [(from) + TLS_C_SIGNATURE] = {"signature_algorithm", "How it is signed", NULL, parent, FT_TYPE_STRING, 0, 0}, \
    [(from) + TLS_C_KEY_USAGE] = {"key_usage", "What its key may be used for", key_usages, parent, FT_TYPE_FLAGS, 0, 16}, \
    [(from) + TLS_C_CHAIN] = {"chain_length", "Certificates shown", NULL, parent, FT_TYPE_UINT, 0, 32}

static const struct ft_field fields[] = {
    [TLS_ROOT] = {"tls", "TLS", NULL, 0, FT_TYPE_GROUP, 0, 0},
    [TLS_CONTENT_TYPE] = {"content_type", "What the record holds", content_types, TLS_ROOT, FT_TYPE_ENUM, 0, 32},
    [TLS_RECORD_VERSION] = {"record_version", "Version in the record", versions, TLS_ROOT, FT_TYPE_ENUM, 0, 16},
    [TLS_EPOCH] = {"epoch", "DTLS: epoch of the record, counts changes of keys", NULL, TLS_ROOT, FT_TYPE_UINT, 0, 16},
    [TLS_HANDSHAKE_TYPE] = {"handshake_type", "Handshake message", handshake_types, TLS_ROOT, FT_TYPE_ENUM, 0, 8},
    [TLS_VERSION] = {"version", "Version agreed on", versions, TLS_ROOT, FT_TYPE_ENUM, 0, 16},
    [TLS_OFFERED_VERSION] = {"offered_version", "Newest version that the client offers", versions, TLS_ROOT, FT_TYPE_ENUM, 0, 16},
    [TLS_SNI] = {"sni", "Name of the server that the client asks for", NULL, TLS_ROOT, FT_TYPE_STRING, 0, 0},
    [TLS_CLIENT_ALPNS] = {"client_alpns", "Application protocols that the client offers", NULL, TLS_ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    [TLS_SERVER_ALPNS] = {"server_alpns", "Application protocol that the server chose", NULL, TLS_ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    [TLS_RESUMED] = {"session_resumed", "A session of before goes on: no certificate is shown", NULL, TLS_ROOT, FT_TYPE_BOOL, 0, 0},
    [TLS_SESSION_ID] = {"session_id", "Session id", NULL, TLS_ROOT, FT_TYPE_BYTES, 0, 0},
    [TLS_CIPHER] = {"cipher", "Cipher suite agreed on", ft_tls_ciphers, TLS_ROOT, FT_TYPE_ENUM, 0, 16},
    [TLS_COMPRESSION] = {"compression", "Compression agreed on", compressions, TLS_ROOT, FT_TYPE_ENUM, 0, 8},
    [TLS_RETRY] = {"hello_retry", "The server asks for another ClientHello", NULL, TLS_ROOT, FT_TYPE_BOOL, 0, 0},
    [TLS_ECH] = {"ech", "The client hides its real hello (encrypted ClientHello)", NULL, TLS_ROOT, FT_TYPE_BOOL, 0, 0},
    [TLS_JA3] = {"ja3", "Fingerprint of the client", NULL, TLS_ROOT, FT_TYPE_GROUP, 0, 0},
    [TLS_JA3_HASH] = {"hash", "MD5 of the text", NULL, TLS_JA3, FT_TYPE_STRING, 0, 0},
    [TLS_JA3_STRING] = {"string", "Version, ciphers, extensions, groups, point formats", NULL, TLS_JA3, FT_TYPE_STRING, 0, 0},
    [TLS_JA3S] = {"ja3s", "Fingerprint of the server", NULL, TLS_ROOT, FT_TYPE_GROUP, 0, 0},
    [TLS_JA3S_HASH] = {"hash", "MD5 of the text", NULL, TLS_JA3S, FT_TYPE_STRING, 0, 0},
    [TLS_JA3S_STRING] = {"string", "Version, cipher, extensions", NULL, TLS_JA3S, FT_TYPE_STRING, 0, 0},
    [TLS_JA4] = {"ja4", "Fingerprint of the client, independent of the order of extensions", NULL, TLS_ROOT, FT_TYPE_STRING, 0, 0},
    [TLS_JA4_RAW] = {"ja4_raw", "The lists that JA4 is made of", NULL, TLS_ROOT, FT_TYPE_STRING, 0, 0},
    [TLS_CLIENT_HANDSHAKE] = {"client_handshake", "What the client offers", NULL, TLS_ROOT, FT_TYPE_GROUP, 0, 0},
    [TLS_CLIENT_CIPHERS] = {"ciphers", "Cipher suites", NULL, TLS_CLIENT_HANDSHAKE, FT_TYPE_UINT, FT_FIELD_LIST, 24},
    [TLS_CLIENT_EXTENSIONS] = {"exts", "Extensions", NULL, TLS_CLIENT_HANDSHAKE, FT_TYPE_UINT, FT_FIELD_LIST, 16},
    [TLS_CLIENT_SIGNATURES] = {"sig_algs", "Signature algorithms", NULL, TLS_CLIENT_HANDSHAKE, FT_TYPE_UINT, FT_FIELD_LIST, 16},
    [TLS_CLIENT_GROUPS] = {"groups", "Groups (curves)", NULL, TLS_CLIENT_HANDSHAKE, FT_TYPE_UINT, FT_FIELD_LIST, 16},
    [TLS_CLIENT_VERSIONS] = {"versions", "Versions", versions, TLS_CLIENT_HANDSHAKE, FT_TYPE_ENUM, FT_FIELD_LIST, 16},
    [TLS_SERVER_HANDSHAKE] = {"server_handshake", "What the server chose", NULL, TLS_ROOT, FT_TYPE_GROUP, 0, 0},
    [TLS_SERVER_CIPHER] = {"cipher", "Cipher suite", NULL, TLS_SERVER_HANDSHAKE, FT_TYPE_UINT, 0, 16},
    [TLS_SERVER_EXTENSIONS] = {"exts", "Extensions", NULL, TLS_SERVER_HANDSHAKE, FT_TYPE_UINT, FT_FIELD_LIST, 16},
    CERTIFICATE_ROWS(TLS_SERVER_CERTIFICATE, TLS_ROOT),
    [TLS_CLIENT_GROUP] = {"client", "Certificate of the client", NULL, TLS_ROOT, FT_TYPE_GROUP, 0, 0},
    CERTIFICATE_ROWS(TLS_CLIENT_CERTIFICATE, TLS_CLIENT_GROUP),
    [TLS_ALERT_LEVEL] = {"alert_level", "Level of the alert", alert_levels, TLS_ROOT, FT_TYPE_ENUM, 0, 8},
    [TLS_ALERT_DESCRIPTION] = {"alert_description", "What the alert says", alert_descriptions, TLS_ROOT, FT_TYPE_ENUM, 0, 8},
    [TLS_HEARTBEAT_TYPE] = {"heartbeat_type", "Heartbeat message", heartbeat_types, TLS_ROOT, FT_TYPE_ENUM, 0, 8},
    [TLS_HEARTBEAT_LENGTH] = {"heartbeat_length", "Bytes that the heartbeat says to carry", NULL, TLS_ROOT, FT_TYPE_UINT, 0, 16},
};

#define COMMAND(code, qualifier, name, class) {(code), (qualifier), (name), FT_CLASS_##class, {0}, NULL}

/* (content type, handshake type). What lies between a hello and its answer is data of class session:
 * a step, no operation of its own. */
static const struct ft_command commands[] = {
    COMMAND(TLS_HANDSHAKE, 0, "hello_request", SESSION),
    COMMAND(TLS_HANDSHAKE, 1, "client_hello", SESSION),
    COMMAND(TLS_HANDSHAKE, 2, "server_hello", SESSION),
    COMMAND(TLS_HANDSHAKE, 3, "hello_verify_request", SESSION),
    COMMAND(TLS_HANDSHAKE, 4, "new_session_ticket", SESSION),
    COMMAND(TLS_HANDSHAKE, 5, "end_of_early_data", SESSION),
    COMMAND(TLS_HANDSHAKE, 6, "hello_retry_request", SESSION),
    COMMAND(TLS_HANDSHAKE, 8, "encrypted_extensions", SESSION),
    COMMAND(TLS_HANDSHAKE, 9, "request_connection_id", SESSION),
    COMMAND(TLS_HANDSHAKE, 10, "new_connection_id", SESSION),
    COMMAND(TLS_HANDSHAKE, 11, "certificate", SESSION),
    COMMAND(TLS_HANDSHAKE, 12, "server_key_exchange", SESSION),
    COMMAND(TLS_HANDSHAKE, 13, "certificate_request", SESSION),
    COMMAND(TLS_HANDSHAKE, 14, "server_hello_done", SESSION),
    COMMAND(TLS_HANDSHAKE, 15, "certificate_verify", SESSION),
    COMMAND(TLS_HANDSHAKE, 16, "client_key_exchange", SESSION),
    COMMAND(TLS_HANDSHAKE, 17, "client_certificate_request", SESSION),
    COMMAND(TLS_HANDSHAKE, 20, "finished", SESSION),
    COMMAND(TLS_HANDSHAKE, 21, "certificate_url", SESSION),
    COMMAND(TLS_HANDSHAKE, 22, "certificate_status", SESSION),
    COMMAND(TLS_HANDSHAKE, 23, "supplemental_data", SESSION),
    COMMAND(TLS_HANDSHAKE, 24, "key_update", SESSION),
    COMMAND(TLS_HANDSHAKE, 25, "compressed_certificate", SESSION),
    COMMAND(TLS_HANDSHAKE, 26, "ekt_key", SESSION),
    COMMAND(TLS_HANDSHAKE, 67, "next_protocol", SESSION),
    COMMAND(TLS_HANDSHAKE, 254, "message_hash", SESSION),
    COMMAND(TLS_HANDSHAKE, FT_ANY_QUALIFIER, "handshake", SESSION),
    COMMAND(TLS_CHANGE_CIPHER_SPEC, FT_ANY_QUALIFIER, "change_cipher_spec", SESSION),
    COMMAND(TLS_ALERT, FT_ANY_QUALIFIER, "alert", SESSION),
    COMMAND(TLS_ALERT, 2, "fatal_alert", EVENT),
    COMMAND(TLS_HEARTBEAT, FT_ANY_QUALIFIER, "heartbeat", DIAGNOSTIC),
    COMMAND(TLS_APPLICATION_DATA, FT_ANY_QUALIFIER, "application_data", DATA),
};

#define ROW(name, title, mitre, severity, engine, alerts) \
    {(name), (title), NULL, NULL, (mitre), FT_SEVERITY_##severity, FT_ENGINE_##engine, FT_ALERT_##alerts, {0}}
#define EVENT(...) ROW(__VA_ARGS__, NEVER)
#define ALERT(...) ROW(__VA_ARGS__, EACH)

static const struct ft_violation violations[] = {
    [TLS_V_RECORD_LENGTH] = EVENT("record_length", "TLS record longer than the standard allows",
        "T0866", MINOR, PROTOCOL),
    [TLS_V_HANDSHAKE_LENGTH] = EVENT("handshake_length", "TLS handshake message longer than 64 KiB",
        "T0866", MINOR, PROTOCOL),
    [TLS_V_SNI] = EVENT("server_name", "Server name longer than the extension that holds it",
        "T0866", MINOR, PROTOCOL),
    [TLS_V_CCS_ORDER] = EVENT("change_cipher_spec_order", "Keys changed before they were exchanged",
        "T0866", MAJOR, PROTOCOL),
    [TLS_V_HEARTBLEED] = ALERT("heartbleed_request", "Heartbeat that says to carry more than it does (Heartbleed)",
        "T0866", CRITICAL, MALWARE),
    [TLS_V_HEARTBLEED_LEAK] = ALERT("heartbleed_response", "Heartbeat answered by more than was asked: memory of the server leaks (Heartbleed)",
        "T0866 T0882", CRITICAL, MALWARE),
    [TLS_V_DOWNGRADE] = EVENT("downgrade", "Client and server were made to use an older TLS version than both know",
        "T0830", MAJOR, ANOMALY),
    [TLS_V_VERSION_NOT_OFFERED] = EVENT("version_not_offered", "The server chose a TLS version that the client did not offer",
        "T0830", MINOR, PROTOCOL),
    [TLS_V_OLD_VERSION] = EVENT("old_version", "Outdated SSL or TLS version in use",
        "T0830", WARNING, POLICY),
    [TLS_V_WEAK_CIPHER] = EVENT("weak_cipher", "Weak TLS cipher suite in use",
        "T0830", WARNING, POLICY),
    [TLS_V_COMPRESSION] = EVENT("compression", "TLS compression in use, which gives secrets away",
        "T0830", WARNING, POLICY),
    [TLS_V_CERTIFICATE] = EVENT("certificate", "Certificate that is none",
        "T0866", MINOR, PROTOCOL),
    [TLS_V_EXPIRED] = EVENT("certificate_expired", "Certificate expired",
        "T0830", WARNING, POLICY),
    [TLS_V_NOT_YET_VALID] = EVENT("certificate_not_yet_valid", "Certificate that is not valid yet",
        "T0830", WARNING, POLICY),
    [TLS_V_SELF_SIGNED] = EVENT("certificate_self_signed", "Self-signed certificate",
        "T0830", WARNING, POLICY),
    [TLS_V_WEAK_KEY] = EVENT("certificate_weak_key", "Certificate with a key too short",
        "T0830", WARNING, POLICY),
    [TLS_V_WEAK_SIGNATURE] = EVENT("certificate_weak_signature", "Certificate signed by a broken algorithm",
        "T0830", WARNING, POLICY),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == TLS_FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == TLS_VIOLATIONS, "one row a violation");

#endif
