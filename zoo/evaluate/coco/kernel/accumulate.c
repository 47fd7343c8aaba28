/* Precision and recall from outcomes, a class a job: accumulation.py in C.
 *
 * Precision can only be best at a true positive, so it is computed nowhere else; detections that match nothing are only counted.
 */
#include "kernel.h"

#define NO_HIT UINT32_MAX

typedef struct {
    Accumulate *accumulate;
    const uint32_t *hit_of; /* which hit a detection is, or NO_HIT */
    Jobs jobs;
    int64_t most; /* detections of a class */
} Shared;

/* One thread's memory for the hits of a class, best first. */
typedef struct {
    uint32_t *rows;         /* (hits) */
    uint32_t *wrong_before; /* (hits, MAX_RANGES) detections before it that match nothing and are not ignored */
    uint16_t *correct, *ignored; /* (hits) masks in one range */
    uint32_t *at, *wrong;   /* (hits) true positives: which hit, and false ones so far */
    double *best;
    int64_t *needed;        /* (points) true positives that reach each recall */
} Scratch;

/* Lists the hits of a class that are within a limit, and returns how many there are. */
static int64_t list_hits(const Shared *shared, Scratch *s, int64_t k, int64_t limit) {
    static const uint32_t bit[MAX_RANGES] = {1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7,
                                             1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15};
    const Accumulate *a = shared->accumulate;
    const int64_t lanes = (a->ranges + 3) / 4 * 4; /* four at a time vectorise */
    uint32_t wrong[MAX_RANGES] = {0};
    int64_t hits = 0;
    for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1]; i++) {
        const uint32_t row = a->order.at[i], outside = a->outside.at[row];
        if (a->ranks.at[row] >= limit) continue;
        if (shared->hit_of[row] != NO_HIT) {
            memcpy(s->wrong_before + hits * MAX_RANGES, wrong, sizeof wrong);
            s->rows[hits++] = row;
            continue;
        }
        for (int64_t lane = 0; lane < lanes; lane += 4)
            for (int r = 0; r < 4; r++) wrong[lane + r] += !(outside & bit[lane + r]);
    }
    return hits;
}

/* The true positives of one curve: which hit each is, and the best precision from there on. Returns their number. */
static int64_t climb(Scratch *s, int64_t hits, int64_t r, int64_t t) {
    int64_t found = 0;
    uint32_t wrong = 0;
    for (int64_t h = 0; h < hits; h++) { /* no branch: whether a hit is correct can't be predicted */
        uint32_t correct = (s->correct[h] >> t) & 1, ignored = (s->ignored[h] >> t) & 1;
        s->at[found] = (uint32_t)h;
        s->wrong[found] = wrong + s->wrong_before[h * MAX_RANGES + r];
        found += correct;
        wrong += 1 - (correct | ignored);
    }
    for (int64_t i = 0; i < found; i++) s->best[i] = (double)(i + 1) / ((double)s->wrong[i] + (double)(i + 1) + EPS);
    for (int64_t i = found - 2; i >= 0; i--)
        if (s->best[i + 1] > s->best[i]) s->best[i] = s->best[i + 1];
    return found;
}

/* Reads one curve at the recall points; `first` is the row of the class's best detection, or -1. Scores where they are wanted. */
static void read_off(const Accumulate *a, const Scratch *s, int64_t found, int64_t first, double *precision, double *reached_at) {
    for (int64_t p = 0; p < a->points; p++) {
        int64_t needed = s->needed[p];
        int reached = needed <= found;
        precision[p * a->classes] = reached && found ? s->best[needed ? needed - 1 : 0] : 0;
        if (!reached_at) continue;
        reached_at[p * a->classes] = 0;
        if (needed && reached) reached_at[p * a->classes] = score_at(a->scores.at, a->narrow, s->rows[s->at[needed - 1]]);
        if (!needed && first >= 0) reached_at[p * a->classes] = score_at(a->scores.at, a->narrow, first);
    }
}

/* All curves of a class at one limit of detections. */
static void curves(const Shared *shared, Scratch *s, int64_t k, int64_t number) {
    const Accumulate *a = shared->accumulate;
    const int64_t limit = a->curve_of.at[number];
    int64_t first = -1, hits = list_hits(shared, s, k, limit);
    for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1] && first < 0; i++)
        if (a->ranks.at[a->order.at[i]] < limit) first = a->order.at[i];
    for (int64_t r = 0; r < a->ranges; r++) {
        const int64_t positives = a->positives.at[r * a->classes + k];
        if (!positives) continue;
        for (int64_t h = 0; h < hits; h++) {
            int64_t masks = (int64_t)shared->hit_of[s->rows[h]] * a->ranges + r;
            s->correct[h] = a->correct.at[masks];
            s->ignored[h] = a->ignored.at[masks];
        }
        for (int64_t p = 0, needed = 0; p < a->points; s->needed[p++] = needed)
            while ((double)needed / (double)positives < a->recalls.at[p]) needed++;
        for (int64_t t = 0; t < a->thresholds; t++) {
            int64_t where = ((number * a->ranges + r) * a->thresholds + t) * a->points * a->classes + k;
            read_off(a, s, climb(s, hits, r, t), first, a->precision.at + where, a->reached_at.count ? a->reached_at.at + where : NULL);
        }
    }
}

/* Lists all hits of a class, best first, and returns how many there are. */
static int64_t list_all(const Shared *shared, Scratch *s, int64_t k) {
    const Accumulate *a = shared->accumulate;
    int64_t hits = 0;
    for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1]; i++) { /* no branch: which are hits can't be predicted */
        s->rows[hits] = a->order.at[i];
        hits += shared->hit_of[a->order.at[i]] != NO_HIT;
    }
    return hits;
}

/* The recall of a class at every limit: true positives among the hits, over the boxes that count. */
static void recalls(const Shared *shared, Scratch *s, int64_t k) {
    const Accumulate *a = shared->accumulate;
    const int64_t hits = list_all(shared, s, k);
    for (int64_t r = 0; r < a->ranges; r++) {
        const int64_t positives = a->positives.at[r * a->classes + k];
        uint32_t found[MAX_THRESHOLDS] = {0};
        for (int64_t m = 0; m < a->limits && positives; m++) { /* ascending: what one limit adds to the one before */
            const int64_t least = m ? a->limit_of.at[m - 1] : 0, most = a->limit_of.at[m];
            for (int64_t h = 0; h < hits; h++) {
                const uint16_t rank = a->ranks.at[s->rows[h]];
                const uint32_t correct = a->correct.at[(int64_t)shared->hit_of[s->rows[h]] * a->ranges + r];
                if (rank < least || rank >= most || !correct) continue;
                for (int t = 0; t < MAX_THRESHOLDS; t++) found[t] += (correct >> t) & 1;
            }
            for (int64_t t = 0; t < a->thresholds; t++)
                a->recall.at[((m * a->ranges + r) * a->thresholds + t) * a->classes + k] = (double)found[t] / (double)positives;
        }
    }
}

static void *worker(void *context) {
    Shared *shared = context;
    const Accumulate *a = shared->accumulate;
    const size_t hits = (size_t)shared->most + 1;
    Scratch s = {
        .rows = malloc(hits * sizeof(uint32_t)),
        .wrong_before = malloc(hits * MAX_RANGES * sizeof(uint32_t)),
        .correct = malloc(hits * sizeof(uint16_t)),
        .ignored = malloc(hits * sizeof(uint16_t)),
        .at = malloc(hits * sizeof(uint32_t)),
        .wrong = malloc(hits * sizeof(uint32_t)),
        .best = malloc(hits * sizeof(double)),
        .needed = malloc((size_t)a->points * sizeof(int64_t)),
    };
    if (!s.rows || !s.wrong_before || !s.correct || !s.ignored || !s.at || !s.wrong || !s.best || !s.needed)
        atomic_store(&shared->jobs.failed, 1);
    for (int64_t k; (k = next_job(&shared->jobs)) >= 0;) {
        recalls(shared, &s, k);
        for (int64_t number = 0; number < a->curves; number++) curves(shared, &s, k, number);
    }
    free(s.rows), free(s.wrong_before), free(s.correct), free(s.ignored), free(s.at), free(s.wrong), free(s.best), free(s.needed);
    return NULL;
}

static int check(Accumulate *a) {
    const int64_t count = a->order.count;
    REQUIRE(a->classes >= 0 && a->classes <= MAX_CLASSES && a->ranges > 0 && a->ranges <= MAX_RANGES);
    REQUIRE(a->thresholds >= 0 && a->thresholds <= MAX_THRESHOLDS && a->curves >= 0 && a->curves <= UINT16_MAX);
    REQUIRE(a->points >= 0 && a->recalls.count == a->points && are_recalls(a->recalls.at, a->points));
    REQUIRE(a->limits >= 0 && a->limit_of.count == a->limits && ascend(a->limit_of.at, a->limits) && a->curve_of.count == a->curves);
    REQUIRE(count < UINT32_MAX && are_floats(a->scores.bytes, count, a->narrow) && a->ranks.count == count && a->outside.count == count);
    REQUIRE(all_below_32(a->order.at, count, count));
    REQUIRE(a->edges.count == a->classes + 1 && rises(a->edges.at, a->edges.count, count));
    REQUIRE(a->hits.count <= count && all_below(a->hits.at, a->hits.count, count));
    REQUIRE(is_product(a->correct.count, a->hits.count, a->ranges, 1, 1) && a->ignored.count == a->correct.count);
    REQUIRE(is_product(a->positives.count, a->ranges, a->classes, 1, 1));
    REQUIRE(all_below(a->positives.at, a->positives.count, UINT32_MAX));
    const int64_t curves = a->curves * a->ranges;
    REQUIRE(a->points <= UINT16_MAX && is_product(a->precision.count, curves, a->thresholds, a->points, a->classes));
    REQUIRE(a->reached_at.count == 0 || a->reached_at.count == a->precision.count);
    REQUIRE(is_product(a->recall.count, a->limits, a->ranges, a->thresholds, a->classes));
    return DONE;
}

/* Entries of classes without boxes are left as they are. */
int accumulate(Accumulate *a, int64_t threads) {
    if (check(a) != DONE) return REFUSED;
    uint32_t *hit_of = malloc(((size_t)a->order.count + 1) * sizeof(uint32_t));
    if (!hit_of) return NO_MEMORY;
    for (int64_t i = 0; i < a->order.count; i++) hit_of[i] = NO_HIT;
    for (int64_t h = 0; h < a->hits.count; h++) hit_of[a->hits.at[h]] = (uint32_t)h;
    Shared shared = {a, hit_of, {0, a->classes, 0}, 0};
    for (int64_t k = 0; k < a->classes; k++) {
        const int64_t here = a->edges.at[k + 1] - a->edges.at[k];
        if (here > shared.most) shared.most = here;
    }
    on_threads(threads < a->classes ? threads : a->classes, worker, &shared);
    free(hit_of);
    return atomic_load(&shared.jobs.failed) ? NO_MEMORY : DONE;
}
