/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FTP data connections: one transfer each, its bytes without any framing. Which command it belongs
 * to and which file it carries was said on the control connection (ftp.c); a connection from port
 * 20 whose control connection was not seen is one, too. The first bytes tell what the file is, the
 * rest is skipped.
 *
 * Specification: RFC 959, 3.2.
 */
#include "ftp.h"

enum {
    FIRST_MAX = 512
};

enum field {
    ROOT,
    F_FILENAME,
    F_COMMAND,
    F_MAGIC,
};

enum code {
    TRANSFER, /* nobody knows of what */
    RETRIEVE,
    STORE,
    LISTING,
};

enum violation {
    V_EXECUTABLE,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 20},
};

#define FIELD(name, title, type) {name, title, NULL, 0, FT_TYPE_##type, 0, 0}

static const struct ft_field fields[] = {
    [ROOT] = FIELD("ftp_data", "FTP data", GROUP),
    [F_FILENAME] = FIELD("filename", "File that is transferred", STRING),
    [F_COMMAND] = FIELD("command", "Command on the control connection", STRING),
    [F_MAGIC] = FIELD("magic", "What the file is by its first bytes", STRING),
};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(TRANSFER, "transfer", FILE),
    COMMAND(RETRIEVE, "retrieve", FILE),
    COMMAND(STORE, "store", FILE),
    COMMAND(LISTING, "listing", READ),
};

static const struct ft_violation violations[] = {
    [V_EXECUTABLE] = {"executable", "Program transferred over FTP", NULL, NULL, "T0867", FT_SEVERITY_MINOR, FT_ENGINE_POLICY, FT_ALERT_NEVER, {0}},
};
/* clang-format on */

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)payload;
    return where->is_bound && where->src_port != where->dst_port ? FT_YES : FT_NO;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct ftp_data_flow *flow = ctx->flow_state;
    if (flow->is_protected)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (flow->is_begun)
        return ft_frame(FT_FRAME_UNTIL_CLOSE, 0);
    flow->is_begun = 1;
    return ft_frame(FT_FRAME_PDU, stream.len < FIRST_MAX ? stream.len : FIRST_MAX);
}

static enum code code_of(uint8_t command)
{
    if (command == FTP_RETR)
        return RETRIEVE;
    if (command == FTP_STOR || command == FTP_STOU || command == FTP_APPE)
        return STORE;
    return command ? LISTING : TRANSFER;
}

static const char *magic_of(const struct ft_view *v)
{
    static const struct {
        const char *bytes, *name;
        uint8_t length;
    } magics[] = {{"MZ", "MZ", 2},     {"\x7f\x45LF", "ELF", 4}, {"PK\3\4", "ZIP", 4},
                  {"%PDF", "PDF", 4},  {"\x1f\x8b", "gzip", 2},  {"#!/", "script", 3},
                  {"BZh", "bzip2", 3}, {"7z\xbc\xaf", "7z", 4},  {"\xd0\xcf\x11\xe0", "OLE", 4}};
    for (uint32_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (ft_view_starts(v, magics[i].bytes, magics[i].length))
            return magics[i].name;
    return NULL;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    const struct ftp_data_flow *flow = ctx->flow_state;
    enum code code = code_of(flow->command);
    const char *verb = ftp_verb(flow->command), *magic = code == LISTING ? NULL : magic_of(pdu);
    ft_command(ctx, code, FT_ANY_QUALIFIER);
    if (flow->name_length && code != LISTING)
        ft_put_text(ctx, F_FILENAME, flow->name, flow->name_length, NULL);
    if (verb)
        ft_put_text(ctx, F_COMMAND, verb, (uint32_t)strlen(verb), NULL);
    if (magic)
        ft_put_text(ctx, F_MAGIC, magic, (uint32_t)strlen(magic), NULL);
    if (magic && (strcmp(magic, "MZ") == 0 || strcmp(magic, "ELF") == 0))
        ft_violation(ctx, V_EXECUTABLE, pdu);
    ft_rest(pdu);
}

const struct ft_dissector ft_dissector_ftp_data = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "ftp_data",
    .title = "FTP data connection",
    .specification = "RFC 959",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FIRST_MAX,
    .flow_state_size = sizeof(struct ftp_data_flow),
    .probe = probe,
    .frame = frame,
    .flags = FT_DISSECTOR_UNANSWERED,
    .dissect = dissect,
};
