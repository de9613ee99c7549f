/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of recognition: signatures, probes, in which order, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/recognise.h"

static unsigned asked[4];

static enum ft_verdict verdict(unsigned who, struct ft_view payload, const char *word)
{
    struct ft_view v = payload;
    ft_skip(&v, (uint32_t)strlen(word));
    uint8_t said = ft_u8(&v);
    asked[who]++;
    return !ft_view_ok(&v) ? FT_MAYBE : said == '!' ? FT_NO : said == '?' ? FT_MAYBE : FT_YES;
}

static enum ft_verdict probe_alpha(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    return verdict(0, payload, "ALPHA");
}

static enum ft_verdict probe_beta(const struct ft_probe *where, struct ft_view payload)
{
    assert_int_equal(where->transport, FT_TRANSPORT_UDP);
    return verdict(1, payload, "BETA");
}

static enum ft_verdict probe_gamma(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    (void)payload;
    asked[2]++;
    return FT_YES;
}

static enum ft_verdict probe_never(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    (void)payload;
    asked[3]++;
    return FT_YES;
}

static void dissect_nothing(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)ctx;
    (void)pdu;
}

static const struct ft_signature alpha_signatures[] = {
    {.pattern = "^ALPHA", .flags = FT_SIGNATURE_TCP | FT_SIGNATURE_UDP},
    {.pattern = "^ALTER", .flags = FT_SIGNATURE_TCP},
};
static const struct ft_signature beta_signatures[] = {
    {.pattern = "^BETA", .flags = FT_SIGNATURE_UDP},
};
static const struct ft_signature gamma_signatures[] = {
    {.pattern = "PHA.\\x00", .flags = FT_SIGNATURE_TCP},
    {.pattern = "^ALPHA", .flags = FT_SIGNATURE_TCP},
};
static const struct ft_signature bad_signatures[] = {
    {.pattern = "^fine", .flags = FT_SIGNATURE_TCP},
    {.pattern = "^open(", .flags = FT_SIGNATURE_TCP},
};

#define DISSECTOR(variable, name_, probe_, signatures_)                                            \
    static const struct ft_field variable##_fields[] = {{.name = name_, .type = FT_TYPE_GROUP}};   \
    static const struct ft_dissector variable = {.size = sizeof(struct ft_dissector),              \
                                                 .abi = FT_ABI_VERSION,                            \
                                                 .name = name_,                                    \
                                                 .title = name_,                                   \
                                                 .fields = FT_TABLE(variable##_fields),            \
                                                 .signatures = signatures_,                        \
                                                 .probe = probe_,                                  \
                                                 .dissect = dissect_nothing}

DISSECTOR(alpha, "alpha", probe_alpha, FT_TABLE(alpha_signatures));
DISSECTOR(beta, "beta", probe_beta, FT_TABLE(beta_signatures));
DISSECTOR(gamma_, "gamma", probe_gamma, FT_TABLE(gamma_signatures));
DISSECTOR(silent, "silent", probe_never, {0});
DISSECTOR(bad, "bad", probe_never, FT_TABLE(bad_signatures));

struct fixture {
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
    struct ft_recogniser_scratch *scratch;
    char error[512];
};

static bool open_with(struct fixture *f, const struct ft_dissector *const *dissectors)
{
    *f = (struct fixture){.registry = ft_registry_new()};
    memset(asked, 0, sizeof(asked));
    for (; *dissectors; dissectors++)
        if (!ft_registry_add(f->registry, *dissectors, NULL, f->error, sizeof(f->error)))
            fail_msg("%s", f->error);
    ft_registry_finish(f->registry);
    f->recogniser = ft_recogniser_new(f->registry, f->error, sizeof(f->error));
    if (f->recogniser)
        f->scratch = ft_recogniser_scratch_new(f->recogniser);
    return f->recogniser != NULL;
}

static void open_all(struct fixture *f)
{
    static const struct ft_dissector *const all[] = {&silent, &alpha, &beta, &gamma_, NULL};
    if (!open_with(f, all))
        fail_msg("%s", f->error);
    assert_non_null(f->scratch);
}

static void close_all(struct fixture *f)
{
    ft_recogniser_scratch_free(f->scratch);
    ft_recogniser_free(f->recogniser);
    ft_registry_free(f->registry);
}

/* Name of what a payload is, "" for nothing. */
static const char *see(struct fixture *f, enum ft_transport transport, const char *text,
                       uint32_t length, uint16_t *maybe)
{
    struct ft_probe where = {.size = sizeof(where), .transport = (uint8_t)transport};
    uint8_t *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    const struct ft_protocol *p =
        ft_recognise(f->recogniser, f->scratch, 0, &where, exact, length, false, maybe);
    free(exact);
    return p ? p->name : "";
}

static const char *tcp(struct fixture *f, const char *text, uint16_t *maybe)
{
    return see(f, FT_TRANSPORT_TCP, text, (uint32_t)strlen(text), maybe);
}

static const char *udp(struct fixture *f, const char *text, uint16_t *maybe)
{
    return see(f, FT_TRANSPORT_UDP, text, (uint32_t)strlen(text), maybe);
}

static void test_signature_then_probe(void **state)
{
    struct fixture f;
    uint16_t maybe = 0;
    (void)state;
    open_all(&f);
    assert_string_equal(tcp(&f, "ALPHA.", &maybe), "alpha");
    assert_string_equal(tcp(&f, "ALTER.", &maybe), "alpha");
    assert_string_equal(udp(&f, "BETA.", &maybe), "beta");
    assert_int_equal(maybe, 0);
    /* Without a hit nobody is asked, and who has no signature never is. */
    memset(asked, 0, sizeof(asked));
    assert_string_equal(tcp(&f, "xALPHx", &maybe), "");
    assert_string_equal(udp(&f, "ALTER.", &maybe), ""); /* a pattern for TCP */
    assert_string_equal(tcp(&f, "BETA.", &maybe), "");  /* a pattern for UDP */
    assert_string_equal(tcp(&f, "", &maybe), "");
    assert_int_equal(asked[0] + asked[1] + asked[2] + asked[3], 0);
    close_all(&f);
}

static void test_order_of_registration(void **state)
{
    struct fixture f;
    uint16_t maybe = 0;
    (void)state;
    open_all(&f);
    /* Both have hits; the first that says yes it is. */
    assert_string_equal(tcp(&f, "ALPHA.", &maybe), "alpha");
    assert_int_equal(asked[2], 0);
    assert_string_equal(tcp(&f, "ALPHA!", &maybe), "gamma");
    /* A yes is worth more than an earlier maybe. */
    assert_string_equal(tcp(&f, "ALPHA?", &maybe), "gamma");
    assert_int_equal(maybe, 0);
    close_all(&f);
}

static void test_maybe_twice(void **state)
{
    struct fixture f;
    uint16_t maybe = 0;
    (void)state;
    open_all(&f);
    assert_string_equal(udp(&f, "ALPHA?", &maybe), "");
    assert_int_equal(maybe, 2); /* alpha is the second that was registered */
    /* Asked first now, without its signature; maybe again is taken for yes. */
    assert_string_equal(udp(&f, "-----?", &maybe), "alpha");
    assert_int_equal(asked[0], 2);
    /* No the second time: forgotten, and others have their turn. */
    maybe = 2;
    assert_string_equal(udp(&f, "BETA-!", &maybe), "beta");
    maybe = 2;
    assert_string_equal(udp(&f, "-----!", &maybe), "");
    assert_int_equal(maybe, 0);
    close_all(&f);
}

static void test_short_payload(void **state)
{
    struct fixture f;
    uint16_t maybe = 0;
    (void)state;
    open_all(&f);
    assert_string_equal(udp(&f, "ALPHA", &maybe), "");
    assert_int_equal(maybe, 2);
    close_all(&f);
}

static void test_only_the_beginning_is_scanned(void **state)
{
    struct fixture f;
    uint16_t maybe = 0;
    char text[2 * FT_RECOGNISE_BYTES];
    (void)state;
    open_all(&f);
    memset(text, '-', sizeof(text));
    memcpy(text + FT_RECOGNISE_BYTES - 5, "PHA.\0", 5);
    assert_string_equal(see(&f, FT_TRANSPORT_TCP, text, sizeof(text), &maybe), "gamma");
    memset(text, '-', sizeof(text));
    memcpy(text + FT_RECOGNISE_BYTES - 4, "PHA.\0", 5);
    assert_string_equal(see(&f, FT_TRANSPORT_TCP, text, sizeof(text), &maybe), "");
    close_all(&f);
}

static void test_disabled(void **state)
{
    struct fixture f;
    uint16_t maybe = 2;
    (void)state;
    open_all(&f);
    ft_protocol_switch_off(ft_registry_find(f.registry, "alpha"), 0);
    assert_string_equal(udp(&f, "ALPHA.", &maybe), "");
    assert_int_equal(maybe, 0);
    assert_int_equal(asked[0], 0);
    assert_string_equal(tcp(&f, "ALPHA.", &maybe), "gamma");
    close_all(&f);
}

static void test_bad_pattern(void **state)
{
    static const struct ft_dissector *const with_bad[] = {&alpha, &bad, NULL};
    struct fixture f;
    (void)state;
    assert_false(open_with(&f, with_bad));
    assert_non_null(strstr(f.error, "dissector \"bad\": signature \"^open(\": "));
    close_all(&f);
}

static void test_no_signatures(void **state)
{
    static const struct ft_dissector *const only_silent[] = {&silent, NULL};
    struct fixture f;
    uint16_t maybe = 0;
    (void)state;
    assert_true(open_with(&f, only_silent));
    assert_non_null(f.scratch);
    assert_string_equal(tcp(&f, "ALPHA.", &maybe), "");
    close_all(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature_then_probe),
        cmocka_unit_test(test_order_of_registration),
        cmocka_unit_test(test_maybe_twice),
        cmocka_unit_test(test_short_payload),
        cmocka_unit_test(test_only_the_beginning_is_scanned),
        cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_bad_pattern),
        cmocka_unit_test(test_no_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
