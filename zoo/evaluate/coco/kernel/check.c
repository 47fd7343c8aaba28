/* Memory that grows, and what arguments must hold before they are followed. */
#include "kernel.h"

int enlarge(void **block, size_t bytes) {
    void *larger = realloc(*block, bytes ? bytes : 1);
    if (larger) *block = larger;
    return larger != NULL;
}

int is_product(int64_t length, int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t factors[] = {a, b, c, d};
    int64_t product = 1;
    for (int i = 0; i < 4; i++) {
        if (factors[i] < 0) return 0;
        if (factors[i] && product > INT64_MAX / 16 / factors[i]) return 0; /* 16: bytes of it are counted too */
        product *= factors[i];
    }
    return length == product;
}

int rises(const int64_t *offsets, int64_t count, int64_t end) {
    if (count < 1 || offsets[0] != 0 || offsets[count - 1] != end) return 0;
    for (int64_t i = 1; i < count; i++)
        if (offsets[i] < offsets[i - 1]) return 0;
    return 1;
}

int ascend(const int64_t *values, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        if (values[i] <= values[i - 1]) return 0;
    return 1;
}

/* No early end, so that it vectorises. */
int all_below(const int64_t *values, int64_t count, int64_t limit) {
    int outside = 0;
    for (int64_t i = 0; i < count; i++) outside |= (values[i] < 0) | (values[i] >= limit);
    return !outside;
}

int all_below_32(const uint32_t *values, int64_t count, int64_t limit) {
    uint32_t most = 0;
    for (int64_t i = 0; i < count; i++) most = values[i] > most ? values[i] : most;
    return !count || (int64_t)most < limit;
}

int all_below_16(const uint16_t *values, int64_t count, int64_t limit) {
    uint16_t most = 0;
    for (int64_t i = 0; i < count; i++) most = values[i] > most ? values[i] : most;
    return !count || (int64_t)most < limit;
}

int are_recalls(const double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!(values[i] >= 0 && values[i] <= 1) || (i && values[i] < values[i - 1])) return 0;
    return 1;
}
