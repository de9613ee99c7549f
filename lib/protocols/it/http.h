/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1.x: what framing, headers and bodies share. */
#ifndef FT_PROTOCOLS_HTTP_H
#define FT_PROTOCOLS_HTTP_H

#include "text.h"

enum {
    HTTP_HEADERS_MAX = 65536, /* bytes of a start line with its headers that are read */
    HTTP_LOOK_MAX = 2048,     /* bytes of a body that are looked at */
    HTTP_REQUEST_SLOTS = 4,   /* requests in flight whose text is kept */
};

/* Codes of commands: methods, and what is told of bodies. */
enum http_command {
    HTTP_RESPONSE, /* to a request that was not seen */
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
    HTTP_PROPFIND,
    HTTP_PROPPATCH,
    HTTP_MKCOL,
    HTTP_COPY,
    HTTP_MOVE,
    HTTP_LOCK,
    HTTP_UNLOCK,
    HTTP_SEARCH,
    HTTP_REPORT,
    HTTP_QUERY,
    HTTP_M_SEARCH,
    HTTP_NOTIFY,
    HTTP_SUBSCRIBE,
    HTTP_UNSUBSCRIBE,
    HTTP_RPC_IN,
    HTTP_RPC_OUT,
    HTTP_PRI, /* the preface of HTTP/2 */
    HTTP_OTHER,
    HTTP_FORM, /* a form that logs in, in the body of a request */
    HTTP_FILE, /* a file in the body of a request */
    HTTP_FIRMWARE,
};

/* Where one direction of a connection is. Zero: at the start of a message. */
enum http_state {
    HTTP_AT_MESSAGE = 0,
    HTTP_IN_LONG_HEADERS, /* behind HTTP_HEADERS_MAX, before the empty line */
    HTTP_AT_BODY,         /* `left` bytes */
    HTTP_AT_CHUNK,        /* the line with its size */
    HTTP_BEHIND_CHUNK,    /* the line end behind its data, then the next */
    HTTP_AT_TRAILER,
    HTTP_AT_ENDLESS, /* a body until close, its beginning is looked at */
    HTTP_CLOSED,     /* nothing more is looked at */
    HTTP_TUNNEL,     /* another protocol */
};

/* Why the beginning of a body is read. */
enum http_look {
    HTTP_LOOK_NONE = 0,
    HTTP_LOOK_HTML,
    HTTP_LOOK_XML,
    HTTP_LOOK_FORM,
    HTTP_LOOK_PARTS, /* multipart/form-data */
    HTTP_LOOK_MAGIC, /* an executable? */
    HTTP_LOOK_OTHER, /* of a request: nothing but attacks */
};

/* What frame() cut out last. */
enum http_unit {
    HTTP_UNIT_MESSAGE = 0,
    HTTP_UNIT_LOOK,
    HTTP_UNIT_BAD_CHUNK,
};

struct http_way {
    uint64_t left;       /* bytes of the body, or of the chunk, that follow */
    uint8_t state;       /* enum http_state */
    uint8_t then;        /* of HTTP_IN_LONG_HEADERS: the state behind them */
    uint8_t look;        /* enum http_look of the body that follows */
    uint8_t unit;        /* enum http_unit */
    uint8_t looking;     /* enum http_look of that unit */
    uint8_t is_unpaired; /* the body may not be there: an answer to HEAD has none */
    uint8_t behind;      /* of HTTP_AT_BODY: the state behind it */
    uint8_t may_change;  /* the last request asked for another protocol behind it */
};

struct http_flow {
    struct http_way way[2]; /* to the server, to the client */
    uint32_t requests;
    uint8_t is_simple; /* HTTP/0.9: the answer has no headers */
    uint8_t is_server_told, is_client_told, is_title_told, is_early;
};

_Static_assert(sizeof(struct http_flow) <= FT_MAX_FLOW_STATE, "flow state");

/* Kept with a request for its response. */
struct http_kept {
    uint32_t number; /* of the request in its flow */
    uint8_t method;
    uint8_t is_rockwell; /* asks for a page that only Rockwell's modules have */
    uint8_t login;       /* the status that says that its credentials are wrong, less 400; or 0 */
};

/* The text of a request, kept for its response. */
struct http_text {
    uint32_t number;
    uint8_t host_length, user_length, url_length;
    char text[FT_MAX_CHANNEL_STATE - 8]; /* host, user, URL */
};

_Static_assert(sizeof(struct http_text) <= FT_MAX_CHANNEL_STATE, "channel");

enum http_field {
    HTTP_ROOT,
    HTTP_F_HOSTNAME,
    HTTP_F_PORT,
    HTTP_F_URL,
    HTTP_F_USER_AGENT,
    HTTP_F_XFF,
    HTTP_F_CONTENT_TYPE,
    HTTP_F_REFER,
    HTTP_F_METHOD,
    HTTP_F_PROTOCOL,
    HTTP_F_STATUS,
    HTTP_F_REDIRECT,
    HTTP_F_LENGTH,
    HTTP_F_SERVER,
    HTTP_F_POWERED_BY,
    HTTP_F_WWW_AUTHENTICATE,
    HTTP_F_PROXY_AUTHENTICATE,
    HTTP_F_CONTENT_ENCODING,
    HTTP_F_TRANSFER_ENCODING,
    HTTP_F_CONTENT_DISPOSITION,
    HTTP_F_UPGRADE,
    HTTP_F_VIA,
    HTTP_F_ORIGIN,
    HTTP_F_RANGE,
    HTTP_F_SOAP_ACTION,
    HTTP_F_REASON,
    HTTP_F_USN,
    HTTP_F_SEARCH_TARGET,
    HTTP_F_HEADERS,
    HTTP_F_HEADER_LENGTH,
    HTTP_F_COOKIE_NAME,
    HTTP_F_COOKIE,
    HTTP_F_AUTH,
    HTTP_F_AUTH_SCHEME,
    HTTP_F_AUTH_USER,
    HTTP_F_AUTH_REALM,
    HTTP_F_AUTH_PASSWORD,
    HTTP_F_AUTH_TOKEN,
    HTTP_F_AUTH_IS_PROXY,
    HTTP_F_AUTH_RESULT,
    HTTP_F_TITLE,
    HTTP_F_FORM,
    HTTP_F_FORM_USER,
    HTTP_F_FORM_PASSWORD,
    HTTP_F_FILE,
    HTTP_F_FILE_NAME,
    HTTP_F_FILE_MAGIC,
    HTTP_F_DEVICE,
    HTTP_F_DEVICE_MANUFACTURER,
    HTTP_F_DEVICE_MODEL,
    HTTP_F_DEVICE_SERIAL,
    HTTP_F_DEVICE_NAME,
    HTTP_F_DEVICE_UDN,
};

enum http_violation {
    HTTP_V_VERSION,
    HTTP_V_CONTROL,
    HTTP_V_NO_HOST,
    HTTP_V_LENGTH_AND_CHUNKED,
    HTTP_V_LENGTHS_DIFFER,
    HTTP_V_BAD_LENGTH,
    HTTP_V_BAD_CHUNK,
    HTTP_V_BAD_ENCODING,
    HTTP_V_NO_COLON,
    HTTP_V_LONG_HEADER,
    HTTP_V_MANY_HEADERS,
    HTTP_V_LONG_URI,
    HTTP_V_DOUBLE_ENCODING,
    HTTP_V_TRAVERSAL,
    HTTP_V_EARLY_RESPONSE,
    HTTP_V_CLEAR_TEXT,
    HTTP_V_DEFAULT_LOGIN,
    HTTP_V_JNDI,
    HTTP_V_SHELLSHOCK,
    HTTP_V_INJECTION,
    HTTP_V_SQL_OR_SCRIPT,
    HTTP_V_SCANNER,
    HTTP_V_SCRIPTED_CLIENT,
    HTTP_V_TUNNEL,
    HTTP_V_EXECUTABLE,
    HTTP_V_CLIENT_ERROR,
};

/* http_headers.c: a message, from its first byte to the empty line or beyond. */
void http_read_message(struct ft_context *ctx, struct http_flow *flow, struct ft_view *pdu);

/* Put text of people or programs without the secrets in it. */
void http_put_text(struct ft_context *ctx, uint32_t field, struct ft_view text);

/* A fact of the server, at most `max` bytes, without the secrets in it. */
void http_tell(struct ft_context *ctx, enum ft_fact fact, struct ft_view text, uint32_t max);

/* http_body.c: the beginning of a body. */
void http_read_look(struct ft_context *ctx, struct http_flow *flow, enum http_look look,
                    struct ft_view *pdu);

/* A form in a query, if it has a password: its fields and what is wrong with it. */
void http_read_form(struct ft_context *ctx, struct ft_view form);

/* http_attack.c: what in a URL, a header value or a body is an attempt to break in. */
void http_check_url(struct ft_context *ctx, struct ft_view url);
void http_check_value(struct ft_context *ctx, struct ft_view value);
void http_check_body(struct ft_context *ctx, struct ft_view body);
void http_check_agent(struct ft_context *ctx, struct ft_view agent);

/* http_jndi.c: does the text make Log4j look something up by JNDI? *seen: as far as that shows. */
bool http_find_jndi(struct ft_view text, struct ft_view *seen);

/* The code of a method; HTTP_OTHER for those that are not known. */
enum http_command http_method(struct ft_view name);

#endif
