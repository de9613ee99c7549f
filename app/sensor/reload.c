/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGHUP while the sensor listens: the configuration is read again, and its capture.filter takes
 * the place of the one in use. All else of the configuration is as it was at the start. The control
 * socket can give another filter too, until the next SIGHUP.
 *
 * The new filter is compiled aside, for each who uses one. A configuration or filter that is wrong
 * changes nothing and is told. By the thread that looks after the ports: the reader of -i, which is
 * the one that filters, or the ports thread, which gives each worker its new one and frees the old
 * ones when no worker can be using them any more.
 */
#include "notify.h"
#include "sensor.h"

#include "base/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The filter that the configuration names now; "" for none, NULL after saying what is wrong. */
static char *read_expression(const struct sensor *s)
{
    struct ft_config *config = malloc(sizeof(*config));
    char *error = malloc(RELOAD_ERROR_MAX), *text = NULL;
    if (config && error) {
        ft_config_init(config);
        if (ft_config_read(config, s->options->config_file, error, RELOAD_ERROR_MAX))
            text = strdup(config->filter);
        else
            fprintf(stderr, "%s\n", error);
        ft_config_free(config);
    }
    free(config);
    free(error);
    return text;
}

/* One for each who filters. False, and none, when it is no filter. */
static bool compile(const struct sensor *s, const char *text, struct ft_filter **filters,
                    uint32_t count)
{
    char error[512];
    for (uint32_t i = 0; *text && i < count; i++) {
        filters[i] = ft_filter_new(text, error, sizeof(error));
        if (filters[i])
            continue;
        ft_say("fieldtap", "%s%scapture.filter: %s",
               s->options->config_file ? s->options->config_file : "",
               s->options->config_file ? ": " : "", error);
        while (i--)
            ft_filter_free(filters[i]);
        return false;
    }
    return true;
}

void workers_begin_turn(struct sensor *s)
{
    uint64_t before[WORKERS_MAX];
    for (uint32_t w = 0; w < s->worker_count; w++)
        before[w] = atomic_load_explicit(&s->workers[w].turns, memory_order_acquire);
    for (uint32_t w = 0; w < s->worker_count; w++)
        while (atomic_load_explicit(&s->workers[w].turns, memory_order_acquire) < before[w] + 2)
            usleep(100);
}

static void exchange(struct sensor *s, struct ft_filter **filters)
{
    if (!s->is_polled) {
        ft_filter_free(s->filter);
        s->filter = filters[0];
        return;
    }
    for (uint32_t w = 0; w < s->worker_count; w++)
        filters[w] =
            atomic_exchange_explicit(&s->workers[w].filter, filters[w], memory_order_seq_cst);
    workers_begin_turn(s);
    for (uint32_t w = 0; w < s->worker_count; w++)
        ft_filter_free(filters[w]);
}

static bool is_in_use(const struct sensor *s, const char *text)
{
    const char *first = s->options->filter ? s->options->filter : "";
    return strcmp(s->filter_text ? s->filter_text : first, text) == 0;
}

static bool take_over(struct sensor *s, const char *text)
{
    struct ft_filter *filters[WORKERS_MAX] = {0};
    char *copy = strdup(text);
    if (!copy || !compile(s, text, filters, s->is_polled ? s->worker_count : 1)) {
        free(copy);
        return false;
    }
    exchange(s, filters);
    free(s->filter_text);
    s->filter_text = copy;
    control_filter_is(s, text);
    ft_say("fieldtap", "the capture filter is now \"%s\"", text);
    return true;
}

/* That of the control socket, where it was compiled before: it can only want memory. */
static bool take_wished(struct sensor *s, char *text)
{
    bool is_taken = take_over(s, text);
    atomic_store_explicit(&s->points.filter_result,
                          is_taken ? CONTROL_FILTER_TAKEN : CONTROL_FILTER_REFUSED,
                          memory_order_release);
    free(text);
    return is_taken;
}

bool reload_if_asked(struct sensor *s, enum ft_health *health)
{
    if (atomic_load_explicit(&s->points.filter_wish, memory_order_relaxed)) {
        bool is_taken = take_wished(s, atomic_exchange(&s->points.filter_wish, NULL));
        *health = is_taken ? FT_HEALTH_FILTER_CHANGED : FT_HEALTH_FILTER_REFUSED;
        return true;
    }
    if (!atomic_load_explicit(&s->reload, memory_order_relaxed))
        return false;
    atomic_store_explicit(&s->reload, false, memory_order_relaxed);
    *health = FT_HEALTH_FILTER_REFUSED;
    if (s->options->filter && s->options->filter != s->options->config.filter) {
        fprintf(stderr, "fieldtap: --filter of the command line goes first: it stays as it is\n");
        return true;
    }
    notify_reload();
    char *text = read_expression(s);
    bool is_same = text && is_in_use(s, text);
    if (text && !is_same && take_over(s, text))
        *health = FT_HEALTH_FILTER_CHANGED;
    else if (!is_same)
        fprintf(stderr, "fieldtap: the capture filter stays as it is\n");
    free(text);
    notify_reloaded();
    return !is_same;
}
