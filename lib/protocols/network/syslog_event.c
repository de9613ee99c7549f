/* SPDX-License-Identifier: BSD-3-Clause */
/* What a log message tells of. Contract: syslog_event.h. */
#include "syslog_event.h"

enum {
    LOOKED_AT = 256, /* what happened stands at the beginning */
};

/* In small letters. The first that is found counts: failures stand before successes. */
static const struct {
    const char *text;
    uint8_t event; /* enum ft_syslog_event */
} texts[] = {
    /* Cisco IOS, NX-OS: %FACILITY-SEVERITY-MNEMONIC; so do many that follow them */
    {"-config_i:", FT_SYSLOG_CONFIGURATION},
    {"%asa-5-111005:", FT_SYSLOG_CONFIGURATION},
    {"-login_failed:", FT_SYSLOG_LOGIN_FAILED},
    {"-login_success:", FT_SYSLOG_LOGIN},
    {"-5-restart:", FT_SYSLOG_RESTARTED},
    {"-5-reload:", FT_SYSLOG_RESTARTED},
    {"changed state to down", FT_SYSLOG_LINK_DOWN},
    {"changed state to up", FT_SYSLOG_LINK_UP},
    /* OpenSSH, PAM, login */
    {"failed password for", FT_SYSLOG_LOGIN_FAILED},
    {"authentication failure", FT_SYSLOG_LOGIN_FAILED},
    {"authentication failed", FT_SYSLOG_LOGIN_FAILED},
    {"failed login", FT_SYSLOG_LOGIN_FAILED},
    {"login failed", FT_SYSLOG_LOGIN_FAILED},
    {"login failure", FT_SYSLOG_LOGIN_FAILED},
    {"logon failure", FT_SYSLOG_LOGIN_FAILED},
    {"invalid user ", FT_SYSLOG_LOGIN_FAILED},
    {"accepted password for", FT_SYSLOG_LOGIN},
    {"accepted publickey for", FT_SYSLOG_LOGIN},
    {"login successful", FT_SYSLOG_LOGIN},
    {"successful login", FT_SYSLOG_LOGIN},
    {"login success", FT_SYSLOG_LOGIN},
    /* switches, firewalls, controllers */
    {"configuration changed", FT_SYSLOG_CONFIGURATION},
    {"configuration has changed", FT_SYSLOG_CONFIGURATION},
    {"configuration change ", FT_SYSLOG_CONFIGURATION},
    {"configuration saved", FT_SYSLOG_CONFIGURATION},
    {"link down", FT_SYSLOG_LINK_DOWN},
    {"link is down", FT_SYSLOG_LINK_DOWN},
    {"linkdown", FT_SYSLOG_LINK_DOWN},
    {"link up", FT_SYSLOG_LINK_UP},
    {"link is up", FT_SYSLOG_LINK_UP},
    {"linkup", FT_SYSLOG_LINK_UP},
    {"firmware upgrade", FT_SYSLOG_FIRMWARE},
    {"firmware update", FT_SYSLOG_FIRMWARE},
    {"firmware was updated", FT_SYSLOG_FIRMWARE},
    {"firmware changed", FT_SYSLOG_FIRMWARE},
    {"cold start", FT_SYSLOG_RESTARTED},
    {"coldstart", FT_SYSLOG_RESTARTED},
    {"warm start", FT_SYSLOG_RESTARTED},
    {"warmstart", FT_SYSLOG_RESTARTED},
    {"system restarted", FT_SYSLOG_RESTARTED},
    {"system reboot", FT_SYSLOG_RESTARTED},
    {"system is rebooting", FT_SYSLOG_RESTARTED},
    {"power supply failed", FT_SYSLOG_POWER},
    {"power supply failure", FT_SYSLOG_POWER},
    {"power failure", FT_SYSLOG_POWER},
    {"power lost", FT_SYSLOG_POWER},
};

enum ft_syslog_event ft_syslog_event_of(struct ft_view text)
{
    char small[LOOKED_AT];
    uint32_t n = 0;

    while (text.len && n < LOOKED_AT) {
        uint8_t c = ft_u8(&text);
        small[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (memmem(small, n, texts[i].text, strlen(texts[i].text)))
            return (enum ft_syslog_event)texts[i].event;
    return FT_SYSLOG_OTHER;
}
