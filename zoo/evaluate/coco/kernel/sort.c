/* Detections by class, then best first, stable: a class a job, radix sorted by the bits of its scores. */
#include "kernel.h"

#define DIGIT 11
#define BINS (1 << DIGIT)

typedef struct {
    uint64_t key;
    uint32_t row;
} Entry;

typedef struct {
    Sort *sort;
    Jobs jobs;
} Shared;

/* Ascending keys are descending scores; -0.0 and 0.0 are equal. */
static uint64_t key_of(double score) {
    uint64_t bits;
    double plain = score + 0.0;
    memcpy(&bits, &plain, sizeof bits);
    return bits >> 63 ? bits : ~bits & ~(UINT64_C(1) << 63);
}

static void insertion(Entry *entries, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        Entry one = entries[i];
        int64_t at = i;
        for (; at > 0 && entries[at - 1].key > one.key; at--) entries[at] = entries[at - 1];
        entries[at] = one;
    }
}

/* Sorts in place, `spare` helps; only the bits in which keys differ are looked at: about 30 for scores that were float32. */
static void radix(Entry *entries, Entry *spare, int64_t count, uint32_t *bins) {
    Entry *from = entries, *to = spare;
    uint64_t differ = 0;
    for (int64_t i = 1; i < count; i++) differ |= entries[i].key ^ entries[0].key;
    int bit = 0;
    while (bit < 64 && !((differ >> bit) & 1)) bit++;
    for (; bit < 64 && differ >> bit; bit += DIGIT) {
        uint32_t total = 0;
        memset(bins, 0, BINS * sizeof(uint32_t));
        for (int64_t i = 0; i < count; i++) bins[(from[i].key >> bit) & (BINS - 1)]++;
        for (int bin = 0; bin < BINS; bin++) {
            uint32_t here = bins[bin];
            bins[bin] = total;
            total += here;
        }
        for (int64_t i = 0; i < count; i++) to[bins[(from[i].key >> bit) & (BINS - 1)]++] = from[i];
        Entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries) memcpy(entries, from, (size_t)count * sizeof(Entry));
}

static void *worker(void *context) {
    Shared *shared = context;
    const Sort *sort = shared->sort;
    int64_t most = 0;
    for (int64_t k = 0; k < sort->classes; k++)
        if (sort->edges.at[k + 1] - sort->edges.at[k] > most) most = sort->edges.at[k + 1] - sort->edges.at[k];
    Entry *entries = malloc(((size_t)most + 1) * sizeof(Entry)), *spare = malloc(((size_t)most + 1) * sizeof(Entry));
    uint32_t *bins = malloc(BINS * sizeof(uint32_t));
    if (!entries || !spare || !bins) atomic_store(&shared->jobs.failed, 1);
    for (int64_t k; (k = next_job(&shared->jobs)) >= 0;) {
        uint32_t *rows = sort->order.at + sort->edges.at[k];
        int64_t count = sort->edges.at[k + 1] - sort->edges.at[k];
        for (int64_t i = 0; i < count; i++) entries[i] = (Entry){key_of(score_at(sort->scores.at, sort->narrow, rows[i])), rows[i]};
        if (count > 48) radix(entries, spare, count, bins);
        else insertion(entries, count);
        for (int64_t i = 0; i < count; i++) rows[i] = entries[i].row;
    }
    free(entries), free(spare), free(bins);
    return NULL;
}

static int check(Sort *a) {
    REQUIRE(a->classes >= 0 && a->classes <= MAX_CLASSES && a->edges.count == a->classes + 1);
    REQUIRE(a->order.count < UINT32_MAX && are_floats(a->scores.bytes, a->order.count, a->narrow) && a->labels.count == a->order.count);
    REQUIRE(all_below_16(a->labels.at, a->labels.count, a->classes));
    return DONE;
}

int sort_by_class_and_score(Sort *sort, int64_t threads) {
    if (check(sort) != DONE) return REFUSED;
    int64_t *next = calloc((size_t)sort->classes + 1, sizeof(int64_t));
    if (!next) return NO_MEMORY;
    for (int64_t i = 0; i < sort->order.count; i++) next[sort->labels.at[i] + 1]++;
    for (int64_t k = 0; k < sort->classes; k++) next[k + 1] += next[k];
    memcpy(sort->edges.at, next, ((size_t)sort->classes + 1) * sizeof(int64_t));
    for (int64_t i = 0; i < sort->order.count; i++) sort->order.at[next[sort->labels.at[i]]++] = (uint32_t)i;
    free(next);
    Shared shared = {sort, {0, sort->classes, 0}};
    on_threads(threads < sort->classes ? threads : sort->classes, worker, &shared);
    return atomic_load(&shared.jobs.failed) ? NO_MEMORY : DONE;
}
