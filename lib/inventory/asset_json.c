/* SPDX-License-Identifier: BSD-3-Clause */
/* Assets as JSON: in `asset` events, and all of them in assets.json. */
#include "dissect/context.h"
#include "inventory/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One asset with all it has: 64 facts of 256 bytes, each byte at most six characters, and names. */
#define ASSET_JSON_MAX (256u << 10)

static void put_text(struct ft_json *j, const char *key, const char *value)
{
    if (value)
        ft_json_put_string(j, key, value);
}

static void put_roles(struct ft_json *j, const struct ft_asset *a)
{
    uint32_t roles = ft_asset_roles(a);
    if (!roles)
        return;
    ft_json_put_string(j, "role", ft_role_name(ft_asset_role_of(a)));
    ft_json_key(j, "roles");
    ft_json_array(j);
    for (unsigned role = 1; role < FT_ROLE_COUNT; role++)
        if (roles >> role & 1)
            ft_json_string(j, ft_role_name((enum ft_role)role));
    ft_json_array_end(j);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_protocols(struct ft_json *j, const struct ft_registry *r, const char *key,
                          const uint64_t *bits)
{
    const char *names[FT_MAX_PROTOCOLS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (bits[i / 64] >> i % 64 & 1)
            names[n++] = r->protocols[i]->name;
    if (!n)
        return;
    qsort(names, n, sizeof(names[0]), compare_names);
    ft_json_key(j, key);
    ft_json_array(j);
    for (uint32_t i = 0; i < n; i++)
        ft_json_string(j, names[i]);
    ft_json_array_end(j);
}

/* The id of an asset; of a nested one `sub` says what is behind the address. */
static void put_id(struct ft_json *j, const char *key, const struct ft_address *address,
                   const struct ft_asset *sub)
{
    char id[64 + 200], text[160];
    ft_address_text(address, id);
    if (sub->parent) {
        ft_asset_sub_text(sub, text, sizeof(text));
        size_t n = strlen(id);
        snprintf(id + n, sizeof(id) - n, "/%s", text);
    }
    ft_json_put_string(j, key, id);
}

static void put_identity(struct ft_json *j, const struct ft_asset *a)
{
    char address[64];
    ft_address_text(&a->address, address);
    put_id(j, "id", &a->address, a);
    if (!a->parent) {
        if (a->address.family != 2)
            ft_json_put_string(j, "ip", address);
        return;
    }
    ft_json_put_string(j, "parent", address);
    ft_json_key(j, "sub_address");
    ft_json_object(j);
    ft_json_put_string(j, "kind", ft_subaddress_name((enum ft_subaddress_kind)a->sub_kind));
    if (a->sub_text)
        ft_json_put_string(j, "text", a->sub_text);
    else if (a->sub_value <= INT64_MAX) /* readers keep signed numbers of 64 bits */
        ft_json_put_uint(j, "value", a->sub_value);
    ft_json_object_end(j);
}

static void put_mac(struct ft_json *j, const struct ft_asset *a)
{
    const uint8_t *mac = ft_asset_mac_address(a);
    if (!mac)
        return;
    ft_json_key(j, "mac");
    ft_json_mac(j, mac);
    if (a->address.family != 2)
        ft_json_put_string(j, "mac_source", a->mac_is_strong ? "stated" : "traffic");
}

static void put_vlans(struct ft_json *j, const struct ft_asset *a)
{
    if (!a->vlan_count)
        return;
    ft_json_key(j, "vlans");
    ft_json_array(j);
    for (unsigned i = 0; i < a->vlan_count; i++)
        ft_json_uint(j, a->vlans[i]);
    ft_json_array_end(j);
}

static void put_facts(struct ft_json *j, const struct ft_registry *r, const struct ft_asset *a)
{
    if (!a->values)
        return;
    ft_json_key(j, "facts");
    ft_json_array(j);
    for (const struct ft_asset_value *v = a->values; v; v = v->next) {
        ft_json_object(j);
        ft_json_put_string(j, "fact", ft_fact_name((enum ft_fact)v->fact));
        ft_json_put_string(j, "value", v->text);
        if (v->protocol && v->protocol <= r->count)
            ft_json_put_string(j, "protocol", r->protocols[v->protocol - 1]->name);
        ft_json_key(j, "since");
        ft_json_time(j, v->since_ns);
        if (v->changes)
            ft_json_put_uint(j, "changes", v->changes);
        ft_json_object_end(j);
    }
    ft_json_array_end(j);
}

/* The members that both forms have. */
static void put_asset(const struct ft_inventory *inv, const struct ft_registry *r,
                      const struct ft_asset *a, struct ft_json *j)
{
    put_identity(j, a);
    if (a->into.family)
        put_id(j, "into", &a->into, a);
    if (!a->parent && ft_address_is_external(&a->address))
        ft_json_put_bool(j, "external", true);
    put_mac(j, a);
    put_vlans(j, a);
    put_text(j, "vendor", ft_asset_vendor(inv, a));
    for (unsigned fact = FT_FACT_MODEL; fact < FT_FACT_COUNT; fact++)
        if (fact != FT_FACT_ROLE)
            put_text(j, ft_fact_name((enum ft_fact)fact), ft_asset_fact(a, (enum ft_fact)fact));
    put_roles(j, a);
    put_protocols(j, r, "client_of", a->as_client);
    put_protocols(j, r, "server_of", a->as_server);
    ft_json_key(j, "first_seen");
    ft_json_time(j, a->first_ns);
    ft_json_key(j, "last_seen");
    ft_json_time(j, a->last_ns);
}

void ft_asset_json(const struct ft_inventory *inv, const struct ft_asset *asset, bool is_complete,
                   struct ft_json *j)
{
    put_asset(inv, ft_inventory_registry(inv), asset, j);
    if (is_complete)
        put_facts(j, ft_inventory_registry(inv), asset);
    else if (asset->former.family)
        put_id(j, "former", &asset->former, asset);
}

/* ---- assets.json ---- */

struct writer {
    FILE *file;
    const struct ft_inventory *inv;
    char *buffer;
};

static void write_object(struct writer *w, const struct ft_asset *a, const char *before)
{
    struct ft_json j = ft_json_make(w->buffer, ASSET_JSON_MAX);
    ft_json_object(&j);
    ft_asset_json(w->inv, a, true, &j);
    fputs(before, w->file);
    fwrite(j.text, 1, j.length, w->file);
}

static void write_asset(struct writer *w, const struct ft_asset *a, const char *before)
{
    write_object(w, a, before);
    struct ft_asset **children = ft_asset_children_sorted(a);
    for (uint32_t i = 0; children && i < a->child_count; i++) {
        write_object(w, children[i], i ? ",\n  " : ",\"nested\":[\n  ");
        fputc('}', w->file);
    }
    fputs(children ? "]}" : "}", w->file);
    free(children);
}

static bool write_all(const struct ft_inventory *inv, FILE *file)
{
    struct writer w = {.file = file, .inv = inv, .buffer = malloc(ASSET_JSON_MAX)};
    struct ft_asset **all = ft_inventory_sorted(inv);
    uint32_t n = all ? ft_inventory_count(inv) : 0;
    fputc('[', file);
    for (uint32_t i = 0; w.buffer && i < n; i++)
        write_asset(&w, all[i], i ? ",\n" : "\n");
    fputs("\n]\n", file);
    bool is_whole = w.buffer && (all || !ft_inventory_count(inv));
    free(all);
    free(w.buffer);
    return is_whole && fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
}

bool ft_inventory_write(const struct ft_inventory *inv, const char *path, char *error,
                        size_t error_size)
{
    char temporary[4096];
    errno = 0;
    int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *file = n > 0 && (size_t)n < sizeof(temporary) ? fopen(temporary, "we") : NULL;
    bool is_written = file && write_all(inv, file);
    int why = errno;
    if (file && fclose(file) != 0 && is_written) {
        is_written = false;
        why = errno;
    }
    if (is_written && rename(temporary, path) == 0)
        return true;
    if (is_written)
        why = errno;
    snprintf(error, error_size, "cannot write %s: %s", path, strerror(why ? why : ENOMEM));
    if (file)
        unlink(temporary);
    return false;
}
