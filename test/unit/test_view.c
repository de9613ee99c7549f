/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the view: every read at every boundary, cut against malformed, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fieldtap/view.h>

#define VIEW(...)                                                                                  \
    ft_view_make((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), false)

static uint64_t bits_of_float(float f)
{
    uint32_t x;
    memcpy(&x, &f, 4);
    return x;
}

static uint64_t bits_of_double(double f)
{
    uint64_t x;
    memcpy(&x, &f, 8);
    return x;
}

#define READER(name, expression)                                                                   \
    static uint64_t read_##name(struct ft_view *v)                                                 \
    {                                                                                              \
        return expression;                                                                         \
    }

READER(u8, ft_u8(v))
READER(u16be, ft_u16be(v))
READER(u24be, ft_u24be(v))
READER(u32be, ft_u32be(v))
READER(u48be, ft_u48be(v))
READER(u64be, ft_u64be(v))
READER(u16le, ft_u16le(v))
READER(u24le, ft_u24le(v))
READER(u32le, ft_u32le(v))
READER(u48le, ft_u48le(v))
READER(u64le, ft_u64le(v))
READER(f32be, bits_of_float(ft_f32be(v)))
READER(f32le, bits_of_float(ft_f32le(v)))
READER(f64be, bits_of_double(ft_f64be(v)))
READER(f64le, bits_of_double(ft_f64le(v)))
READER(uint_be_5, ft_uint_be(v, 5))
READER(uint_le_7, ft_uint_le(v, 7))
READER(uint_be_8, ft_uint_be(v, 8))

static const struct {
    uint64_t (*read)(struct ft_view *v);
    uint32_t size;
    bool is_be;
} readers[] = {
    {read_u8, 1, true},        {read_u16be, 2, true},      {read_u24be, 3, true},
    {read_u32be, 4, true},     {read_u48be, 6, true},      {read_u64be, 8, true},
    {read_u16le, 2, false},    {read_u24le, 3, false},     {read_u32le, 4, false},
    {read_u48le, 6, false},    {read_u64le, 8, false},     {read_f32be, 4, true},
    {read_f32le, 4, false},    {read_f64be, 8, true},      {read_f64le, 8, false},
    {read_uint_be_5, 5, true}, {read_uint_le_7, 7, false}, {read_uint_be_8, 8, true},
};

/* What the first `size` bytes at p are as a number, by the definition of the byte order. */
static uint64_t value_of(const uint8_t *p, uint32_t size, bool is_be)
{
    uint64_t x = 0;
    for (uint32_t i = 0; i < size; i++)
        x |= (uint64_t)p[i] << 8 * (is_be ? size - 1 - i : i);
    return x;
}

/* Each read in a heap block of exactly `len` bytes, so that a sanitizer sees one byte too many. */
static void check_reader(unsigned which, uint32_t len, bool is_cut)
{
    uint8_t *block = malloc(len ? len : 1);
    assert_non_null(block);
    for (uint32_t i = 0; i < len; i++)
        block[i] = (uint8_t)(0xc1 + 7 * i);
    struct ft_view v = ft_view_make(block, len, is_cut);
    uint64_t got = readers[which].read(&v);
    if (len >= readers[which].size) {
        assert_int_equal(got, value_of(block, readers[which].size, readers[which].is_be));
        assert_true(ft_view_ok(&v));
        assert_int_equal(v.len, len - readers[which].size);
        assert_int_equal(v.last_len, readers[which].size);
        assert_ptr_equal(v.data, block + readers[which].size);
    } else {
        assert_int_equal(got, 0);
        assert_int_equal(v.error, is_cut ? FT_VIEW_CUT : FT_VIEW_MALFORMED);
        assert_int_equal(ft_view_is_malformed(&v), !is_cut);
        assert_true(ft_view_at_end(&v));
        assert_int_equal(v.last_len, 0);
        assert_ptr_equal(v.data, block + len);
        /* it sticks, and further reads give zeros */
        assert_int_equal(ft_u8(&v), 0);
        assert_false(ft_view_ok(&v));
    }
    free(block);
}

static void test_every_read_at_every_boundary(void **state)
{
    (void)state;
    for (unsigned which = 0; which < sizeof(readers) / sizeof(readers[0]); which++)
        for (uint32_t len = 0; len <= readers[which].size + 1; len++)
            for (int is_cut = 0; is_cut < 2; is_cut++)
                check_reader(which, len, is_cut);
}

static void test_no_view_is_null(void **state)
{
    (void)state;
    struct ft_view v = ft_view_make(NULL, 5, false);
    assert_non_null(v.data);
    assert_int_equal(v.len, 0);
    assert_true(ft_view_ok(&v) && ft_view_at_end(&v));
    v = ft_view_empty();
    assert_true(ft_skip(&v, 0));
    assert_true(ft_view_ok(&v));
    assert_false(ft_skip(&v, 1));
    assert_true(ft_view_is_malformed(&v));
}

static void test_wide_integers_are_malformed(void **state)
{
    (void)state;
    struct ft_view v = VIEW(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assert_int_equal(ft_uint_be(&v, 0), 0);
    assert_int_equal(v.len, 10);
    assert_int_equal(ft_uint_be(&v, 9), 0);
    assert_true(ft_view_is_malformed(&v));
    v = VIEW(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assert_int_equal(ft_uint_le(&v, UINT32_MAX), 0);
    assert_true(ft_view_is_malformed(&v));
}

static void test_peeks(void **state)
{
    (void)state;
    struct ft_view v = VIEW(0xff, 0xfe, 0xfd, 0xfc, 0xfb);
    assert_int_equal(ft_peek_u8(&v, 4), 0xfb);
    assert_int_equal(ft_peek_u8(&v, 5), -1);
    assert_int_equal(ft_peek_u8(&v, UINT32_MAX), -1);
    assert_int_equal(ft_peek_u16be(&v, 3), 0xfcfb);
    assert_int_equal(ft_peek_u16le(&v, 3), 0xfbfc);
    assert_int_equal(ft_peek_u16be(&v, 4), -1);
    assert_int_equal(ft_peek_u16le(&v, UINT32_MAX), -1);
    assert_true(ft_peek_u32be(&v, 1) == 0xfefdfcfbll);
    assert_true(ft_peek_u32le(&v, 1) == 0xfbfcfdfell);
    assert_true(ft_peek_u32be(&v, 2) == -1);
    assert_true(ft_peek_u32le(&v, UINT32_MAX) == -1);
    assert_true(ft_view_starts(&v, "\xff\xfe", 2));
    assert_false(ft_view_starts(&v, "\xff\xff", 2));
    assert_false(ft_view_starts(&v, "\xff\xfe\xfd\xfc\xfb\xfa", 6));
    assert_true(ft_view_ok(&v));
    assert_int_equal(v.len, 5);
    v = VIEW(1);
    assert_int_equal(ft_peek_u16be(&v, 0), -1);
    assert_true(ft_peek_u32be(&v, 0) == -1);
}

static void test_sub_views(void **state)
{
    (void)state;
    struct ft_view v = VIEW(2, 'a', 'b', 0, 3, 'c', 'd', 'e', 1, 0, 'f', 'g');
    struct ft_view s = ft_sub_u8(&v);
    assert_int_equal(s.len, 2);
    assert_memory_equal(s.data, "ab", 2);
    assert_int_equal(v.last_len, 2);
    s = ft_sub_u16be(&v);
    assert_memory_equal(s.data, "cde", 3);
    s = ft_sub_u16le(&v);
    assert_memory_equal(s.data, "f", 1);
    ft_skip(&s, 2);
    assert_true(ft_view_is_malformed(&s));
    assert_true(ft_view_ok(&v));
    s = ft_rest(&v);
    assert_int_equal(s.len, 1);
    assert_int_equal(v.last_len, 1);
    assert_true(ft_view_at_end(&v) && ft_view_ok(&v));
    s = ft_rest(&v);
    assert_int_equal(s.len, 0);
    assert_true(ft_view_ok(&s));
}

/* A block that promises more than there is: the sender's fault, or the sensor's. */
static void test_sub_view_past_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {9, 'a', 'b', 'c'};
    struct ft_view v = ft_view_make(bytes, sizeof(bytes), false), s = ft_sub_u8(&v);
    assert_true(ft_view_is_malformed(&v));
    assert_int_equal(s.len, 3);
    assert_true(ft_view_ok(&s));
    ft_skip(&s, 3);
    assert_true(ft_view_ok(&s));
    ft_u8(&s);
    assert_true(ft_view_is_malformed(&s));

    v = ft_view_make(bytes, sizeof(bytes), true);
    s = ft_sub_u8(&v);
    assert_int_equal(v.error, FT_VIEW_CUT);
    assert_true(s.is_cut);
    ft_skip(&s, 4);
    assert_int_equal(s.error, FT_VIEW_CUT);

    /* whole inside a cut view: what is missing inside the block is the sender's fault */
    v = ft_view_make((const uint8_t[]){1, 'a', 'b'}, 3, true);
    s = ft_sub_u8(&v);
    ft_u16be(&s);
    assert_int_equal(s.error, FT_VIEW_MALFORMED);
    assert_true(ft_view_ok(&v));
}

/* What comes out of a view that failed has failed as well, in the same way. */
static void test_sub_view_of_a_failed_view(void **state)
{
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        struct ft_view v = ft_view_make("", 0, is_cut), s;
        uint8_t error = is_cut ? FT_VIEW_CUT : FT_VIEW_MALFORMED;
        s = ft_sub_u8(&v);
        assert_int_equal(v.error, error);
        assert_int_equal(s.error, error);
        ft_u8(&s);
        assert_int_equal(s.error, error);
        s = ft_rest(&v);
        assert_int_equal(s.error, error);
    }
}

static void test_count_bounds_loops(void **state)
{
    (void)state;
    uint8_t bytes[10] = {0};
    struct ft_view v = ft_view_make(bytes, 10, false);
    assert_int_equal(ft_count(&v, 5, 2), 5);
    assert_int_equal(ft_count(&v, 6, 2), 6);
    assert_int_equal(ft_count(&v, 7, 2), 6);
    assert_int_equal(ft_count(&v, UINT64_MAX, 2), 6);
    assert_int_equal(ft_count(&v, 3, 4), 3);
    assert_int_equal(ft_count(&v, 4, 4), 3);
    assert_int_equal(ft_count(&v, 0, 4), 0);
    assert_int_equal(ft_count(&v, 1000, 0), 11);
    /* the one element too many is the read that fails */
    uint32_t n = ft_count(&v, 1000, 4);
    for (uint32_t i = 0; i < n; i++)
        ft_u32be(&v);
    assert_true(ft_view_is_malformed(&v));
    assert_int_equal(ft_count(&v, 7, 1), 1);
    v = ft_view_empty();
    assert_int_equal(ft_count(&v, 0, 1), 0);
}

static void test_bits(void **state)
{
    (void)state;
    assert_int_equal(ft_bits(0xa5, 0, 4), 5);
    assert_int_equal(ft_bits(0xa5, 4, 4), 10);
    assert_int_equal(ft_bits(0xffffffff, 31, 1), 1);
    assert_true(ft_bits(0xdeadbeef, 0, 32) == 0xdeadbeef);
    assert_int_equal(ft_bits(0xff, 3, 0), 0);
}

static void test_varints(void **state)
{
    (void)state;
    struct ft_view v = VIEW(0x7f, 0x81, 0x00, 0xff);
    assert_int_equal(ft_varint_be(&v), 0x7f);
    assert_int_equal(v.last_len, 1);
    assert_int_equal(ft_varint_be(&v), 0x80);
    assert_int_equal(v.last_len, 2);
    assert_int_equal(ft_varint_be(&v), 0);
    assert_true(ft_view_is_malformed(&v));
    assert_int_equal(v.last_len, 0);

    v = VIEW(0xe5, 0x8e, 0x26);
    assert_int_equal(ft_varint_le(&v), 624485);
    assert_int_equal(v.last_len, 3);
    v = VIEW(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    assert_true(ft_varint_le(&v) == UINT64_MAX);
    v = VIEW(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02);
    assert_int_equal(ft_varint_le(&v), 0);
    assert_true(ft_view_is_malformed(&v));
    v = VIEW(0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    assert_true(ft_varint_be(&v) == UINT64_MAX);
    assert_true(ft_view_ok(&v));
    v = VIEW(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
    assert_int_equal(ft_varint_be(&v), 0);
    assert_true(ft_view_is_malformed(&v));
    v = VIEW(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
    assert_int_equal(ft_varint_be(&v), 0);
    assert_true(ft_view_is_malformed(&v));
    v = ft_view_make("\xff\xff", 2, true);
    assert_int_equal(ft_varint_le(&v), 0);
    assert_int_equal(v.error, FT_VIEW_CUT);
}

static void test_find(void **state)
{
    (void)state;
    struct ft_view v = VIEW(7, '\n', 7, '\n', 0);
    assert_int_equal(ft_find_u8(&v, '\n', 0), 1);
    assert_int_equal(ft_find_u8(&v, '\n', 1), 1);
    assert_int_equal(ft_find_u8(&v, '\n', 2), 3);
    assert_int_equal(ft_find_u8(&v, '\n', 4), -1);
    assert_int_equal(ft_find_u8(&v, 0, 4), 4);
    assert_int_equal(ft_find_u8(&v, 0, 5), -1);
    assert_int_equal(ft_find_u8(&v, 0, UINT32_MAX), -1);
    assert_true(ft_view_ok(&v));
    assert_int_equal(v.len, 5);
    ft_skip(&v, 2);
    assert_int_equal(ft_find_u8(&v, '\n', 0), 1);
    v = ft_view_empty();
    assert_int_equal(ft_find_u8(&v, 0, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_read_at_every_boundary),
        cmocka_unit_test(test_no_view_is_null),
        cmocka_unit_test(test_wide_integers_are_malformed),
        cmocka_unit_test(test_peeks),
        cmocka_unit_test(test_sub_views),
        cmocka_unit_test(test_sub_view_past_the_end),
        cmocka_unit_test(test_sub_view_of_a_failed_view),
        cmocka_unit_test(test_count_bounds_loops),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
