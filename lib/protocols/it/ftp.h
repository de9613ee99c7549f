/* SPDX-License-Identifier: BSD-3-Clause */
/* FTP: what the control connection tells its data connections. */
#ifndef FT_PROTOCOLS_FTP_H
#define FT_PROTOCOLS_FTP_H

#include "text.h"

/* Codes of commands: verbs, in the order of their table. */
enum ftp_command {
    FTP_REPLY, /* to a command that was not seen */
    FTP_GREETING,
    FTP_USER,
    FTP_PASS,
    FTP_ACCT,
    FTP_AUTH,
    FTP_ADAT,
    FTP_PBSZ,
    FTP_PROT,
    FTP_CCC,
    FTP_MIC,
    FTP_CONF,
    FTP_ENC,
    FTP_RETR,
    FTP_LIST,
    FTP_NLST,
    FTP_MLSD,
    FTP_MLST,
    FTP_STAT,
    FTP_SIZE,
    FTP_MDTM,
    FTP_PWD,
    FTP_CWD,
    FTP_CDUP,
    FTP_STOR,
    FTP_STOU,
    FTP_APPE,
    FTP_ALLO,
    FTP_DELE,
    FTP_RNFR,
    FTP_RNTO,
    FTP_MKD,
    FTP_RMD,
    FTP_SITE,
    FTP_TYPE,
    FTP_MODE,
    FTP_STRU,
    FTP_PASV,
    FTP_PORT,
    FTP_EPSV,
    FTP_EPRT,
    FTP_REST,
    FTP_ABOR,
    FTP_NOOP,
    FTP_SYST,
    FTP_FEAT,
    FTP_OPTS,
    FTP_HELP,
    FTP_REIN,
    FTP_SMNT,
    FTP_CLNT,
    FTP_LANG,
    FTP_HOST,
    FTP_MFMT,
    FTP_QUIT,
    FTP_OTHER,
};

/* Flow state of a data connection: what the control connection said of it. */
struct ftp_data_flow {
    uint8_t command; /* enum ftp_command, 0 = not told */
    uint8_t is_protected;
    uint8_t is_begun;
    uint8_t name_length;
    char name[FT_MAX_FLOW_STATE - 4]; /* the end of the file's name, when it is longer */
};

_Static_assert(sizeof(struct ftp_data_flow) == FT_MAX_FLOW_STATE, "flow state");

/* The verb of a code in capitals; NULL when it is none. */
const char *ftp_verb(uint8_t code);

#endif
