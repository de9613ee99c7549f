/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of requests to the control socket: what is refused says why; of what is accepted each
 * argument can be asked for and is of its kind.
 */
#include "control/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

static void check(const struct ft_control_request *r)
{
    ft_control_is_change(r);
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && r->of->arguments[i].name; i++) {
        const struct ft_control_argument *a = &r->of->arguments[i];
        uint64_t n = ft_control_number(r, a->name, a->low);
        const char *text = ft_control_text(r, a->name, NULL);
        if (a->kind == FT_CONTROL_NUMBER)
            expect(n >= a->low && n <= a->high && !text, "a number is in its bounds");
        else
            expect(text || !a->is_needed, "what is needed is there");
        if (a->kind == FT_CONTROL_TEXT && text)
            expect(strlen(text) >= a->low && strlen(text) <= a->high, "a text is in its bounds");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_control_request r;
    char error[256] = "";
    if (size > FT_CONTROL_REQUEST_MAX)
        return 0;
    bool ok = ft_control_read((const char *)data, size, &r, error, sizeof(error));
    expect(ok == (*error == 0), "what is refused says why");
    if (ok)
        check(&r);
    ft_control_request_free(&r);
    return 0;
}
