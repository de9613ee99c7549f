/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers of the control socket: what only the workers and the alerting loop can look at, flows and
 * devices (control_scans.c).
 */
#include "control_answers.h"

#include <stdlib.h>
#include <string.h>

static bool has_flows(struct control *c, struct control_job *job, unsigned by)
{
    if (!own(&c->flows_owner, job))
        return false;
    if (job->step == 0) {
        control_flows_begin(c->sensor, by);
        job->step = 1;
    }
    return control_flows_are_ready(c->sensor);
}

enum control_outcome control_flows(struct control *c, struct control_job *job)
{
    static const char *const orders[] = {"bytes", "packets", "new"};
    const char *by = ft_control_text(&job->request, "by", orders[0]);
    unsigned order = 0;
    while (strcmp(orders[order], by) != 0)
        order++;
    if (!has_flows(c, job, order))
        return CONTROL_WAITS;
    json_t *list = json_array();
    uint64_t all =
        control_flows_take(c->sensor, (uint32_t)ft_control_number(&job->request, "top", 20), list);
    put(job->result, "active", all);
    put_text(job->result, "by", by);
    json_object_set_new(job->result, "flows", list);
    return CONTROL_DONE;
}

static bool is_disabled(const struct ft_protocol *p)
{
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (!ft_protocol_is_off(p, (uint8_t)shard))
            return false;
    return true;
}

enum control_outcome control_protocols(struct control *c, struct control_job *job)
{
    const struct ft_registry *registry = c->sensor->registry;
    if (!has_flows(c, job, 0))
        return CONTROL_WAITS;
    struct control_protocol *sums = calloc(FT_MAX_PROTOCOLS + 1, sizeof(*sums));
    if (!sums)
        return refuse(job, "out of memory");
    control_flows_protocols(c->sensor, sums);
    json_t *list = json_array();
    for (uint32_t i = 0; i <= registry->count; i++) {
        const struct ft_protocol *p = i ? registry->protocols[i - 1] : NULL;
        json_t *o = json_object();
        put_text(o, "name", p ? p->name : NULL);
        put_text(o, "title", p ? p->dissector->title : "not recognised");
        put_text(o, "state", p && is_disabled(p) ? "disabled" : "on");
        put(o, "flows", sums[i].flows);
        put(o, "packets", sums[i].packets);
        put(o, "bytes", sums[i].bytes);
        put(o, "messages", sums[i].messages);
        json_array_append_new(list, o);
    }
    free(sums);
    json_object_set_new(job->result, "protocols", list);
    return CONTROL_DONE;
}

enum control_outcome control_assets(struct control *c, struct control_job *job)
{
    const char *address = ft_control_text(&job->request, "address", "");
    if (!own(&c->assets_owner, job))
        return CONTROL_WAITS;
    if (job->step == 0) {
        struct control_assets wish = {
            .after = (uint32_t)ft_control_number(&job->request, "after", 0),
            .limit = (uint32_t)ft_control_number(&job->request, "limit", 100)};
        snprintf(wish.address, sizeof(wish.address), "%s", address);
        job->step = control_assets_begin(c->sensor, &wish);
        return CONTROL_WAITS;
    }
    if (!control_assets_are_ready(c->sensor))
        return CONTROL_WAITS;
    json_t *list = json_array();
    uint32_t next;
    control_assets_take(c->sensor, list, &next);
    put(job->result, "count", atomic_load(&c->sensor->points.assets));
    json_object_set_new(job->result, "assets", list);
    if (next)
        put(job->result, "next", next);
    if (!*address || json_array_size(list))
        return CONTROL_DONE;
    return refuse(job, "no device has this address (yet)");
}
