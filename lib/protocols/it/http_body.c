/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The beginnings of HTTP bodies: titles of pages, device descriptions of UPnP, forms that log in,
 * names of files that are uploaded, programs; and attacks in those of requests, whatever their
 * type.
 */
#include "http.h"
#include "secret.h"

/* What stands between the first `begin` and the next '<'. */
static struct ft_view element(struct ft_view text, const char *begin)
{
    int64_t at = ft_text_find(text, begin, 0);
    if (at < 0)
        return ft_view_empty();
    struct ft_view rest = ft_text_part(text, (uint32_t)at + (uint32_t)strlen(begin), text.len);
    int64_t end = ft_find_u8(&rest, '<', 0);
    return end < 0 ? ft_view_empty() : ft_text_trim(ft_text_part(rest, 0, (uint32_t)end));
}

/* A title that names a vendor of devices is mostly the model; others say nothing of the device. */
static void read_html(struct ft_context *ctx, struct http_flow *flow, struct ft_view body)
{
    struct ft_view title = element(body, "<title>");
    if (!title.len)
        return;
    http_put_text(ctx, HTTP_F_TITLE, title);
    if (flow->is_title_told)
        return;
    flow->is_title_told = 1;
    if (ft_text_facts(ctx, FT_SERVER, title))
        http_tell(ctx, FT_FACT_MODEL, title, 64);
}

static const struct {
    const char *begin;
    uint8_t field, fact;
} device_elements[] = {
    {"<manufacturer>", HTTP_F_DEVICE_MANUFACTURER, FT_FACT_VENDOR},
    {"<modelname>", HTTP_F_DEVICE_MODEL, FT_FACT_MODEL},
    {"<serialnumber>", HTTP_F_DEVICE_SERIAL, FT_FACT_SERIAL},
    {"<friendlyname>", HTTP_F_DEVICE_NAME, FT_FACT_NAME},
    {"<udn>", HTTP_F_DEVICE_UDN, 0},
};

/* UPnP Device Architecture, 2.3. */
static void read_xml(struct ft_context *ctx, struct ft_view body)
{
    if (!ft_text_has(body, "urn:schemas-upnp-org:device"))
        return;
    ft_group_begin(ctx, HTTP_F_DEVICE);
    for (uint32_t i = 0; i < sizeof(device_elements) / sizeof(device_elements[0]); i++) {
        struct ft_view value = element(body, device_elements[i].begin);
        if (!value.len)
            continue;
        http_put_text(ctx, device_elements[i].field, value);
        if (device_elements[i].fact)
            http_tell(ctx, (enum ft_fact)device_elements[i].fact, value, 128);
    }
    ft_group_end(ctx, HTTP_F_DEVICE);
}

/* ---- forms ---------------------------------------------------------------------------------- */

static bool is_user_name(struct ft_view name)
{
    return ft_text_has(name, "user") || ft_text_has(name, "login") || ft_text_is(name, "name") ||
           ft_text_has(name, "email");
}

/* "user=a&password=b"; only forms with a password are told. */
static bool find_login(struct ft_view form, struct ft_view *user, struct ft_view *password)
{
    bool is_found = false;
    *user = *password = ft_view_empty();
    while (form.len) {
        struct ft_view value = ft_text_take(&form, '&');
        struct ft_view name = ft_text_take(&value, '=');
        enum ft_secret kind = ft_secret_of(name);
        if (kind == FT_SECRET_PASSWORD && !is_found) {
            *password = value;
            is_found = value.len > 0;
        } else if (kind == FT_SECRET_NONE && is_user_name(name) && !user->len) {
            *user = value;
        }
    }
    return is_found;
}

static void put_login(struct ft_context *ctx, struct ft_view user, struct ft_view password)
{
    struct ft_secret_room room;
    ft_group_begin(ctx, HTTP_F_FORM);
    if (ft_wants(ctx, HTTP_F_FORM_USER))
        ft_put_string(ctx, HTTP_F_FORM_USER, ft_secret_hide_url(user, &room));
    ft_put_string(ctx, HTTP_F_FORM_PASSWORD, password);
    ft_group_end(ctx, HTTP_F_FORM);
    ft_violation(ctx, HTTP_V_CLEAR_TEXT, NULL);
    if (ft_is_default_login(user, password))
        ft_violation(ctx, HTTP_V_DEFAULT_LOGIN, NULL);
}

void http_read_form(struct ft_context *ctx, struct ft_view form)
{
    struct ft_view user, password;
    if (find_login(form, &user, &password))
        put_login(ctx, user, password);
}

static void read_form_body(struct ft_context *ctx, struct ft_view body)
{
    struct ft_view user, password;
    if (!find_login(body, &user, &password))
        return;
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, HTTP_FORM, FT_ANY_QUALIFIER);
    put_login(ctx, user, password);
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool ends_with(struct ft_view name, const char *end)
{
    uint32_t n = (uint32_t)strlen(end);
    return name.len >= n && ft_text_is(ft_text_part(name, name.len - n, name.len), end);
}

static bool is_firmware(struct ft_view name)
{
    static const char *const ends[] = {".upg", ".bin", ".fwu", ".hex", ".rom", ".upd", ".firm"};
    for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends_with(name, ends[i]))
            return true;
    return ends_with(name, ".fw");
}

static const char *magic_of(const struct ft_view *body)
{
    if (ft_view_starts(body,
                       "\x7f"
                       "ELF",
                       4))
        return "ELF";
    if (ft_view_starts(body, "MZ", 2))
        return "MZ";
    return ft_view_starts(body, "#!/", 3) ? "script" : NULL;
}

static void put_magic(struct ft_context *ctx, const char *magic)
{
    ft_put_text(ctx, HTTP_F_FILE_MAGIC, magic, (uint32_t)strlen(magic), NULL);
}

/* multipart/form-data (RFC 7578): the name of the first file, and how it begins. */
static void read_parts(struct ft_context *ctx, struct ft_view body)
{
    int64_t at = ft_text_find(body, "filename=\"", 0);
    if (at < 0)
        return;
    struct ft_view name = ft_text_part(body, (uint32_t)at + 10, body.len);
    struct ft_view rest = name;
    name = ft_text_take(&rest, '"');
    if (!name.len)
        return;
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, is_firmware(name) ? HTTP_FIRMWARE : HTTP_FILE, FT_ANY_QUALIFIER);
    ft_group_begin(ctx, HTTP_F_FILE);
    http_put_text(ctx, HTTP_F_FILE_NAME, name);
    int64_t begin = ft_text_find(rest, "\r\n\r\n", 0);
    struct ft_view content =
        begin < 0 ? ft_view_empty() : ft_text_part(rest, (uint32_t)begin + 4, rest.len);
    const char *magic = magic_of(&content);
    if (magic)
        put_magic(ctx, magic);
    ft_group_end(ctx, HTTP_F_FILE);
}

static void read_magic(struct ft_context *ctx, const struct ft_view *body)
{
    const char *magic = magic_of(body);
    if (!magic)
        return;
    ft_group_begin(ctx, HTTP_F_FILE);
    put_magic(ctx, magic);
    ft_group_end(ctx, HTTP_F_FILE);
    ft_violation(ctx, HTTP_V_EXECUTABLE, NULL);
}

void http_read_look(struct ft_context *ctx, struct http_flow *flow, enum http_look look,
                    struct ft_view *pdu)
{
    struct ft_view body = *pdu;
    switch (look) {
    case HTTP_LOOK_HTML:
        read_html(ctx, flow, *pdu);
        break;
    case HTTP_LOOK_XML:
        read_xml(ctx, *pdu);
        break;
    case HTTP_LOOK_FORM:
        read_form_body(ctx, *pdu);
        break;
    case HTTP_LOOK_PARTS:
        read_parts(ctx, *pdu);
        break;
    case HTTP_LOOK_OTHER:
        break;
    default:
        read_magic(ctx, pdu);
        break;
    }
    if (ctx->direction == FT_TO_SERVER)
        http_check_body(ctx, body);
}
