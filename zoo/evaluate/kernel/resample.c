/* AP and recall of resampled images: resampling.py in C. Nothing is matched again.
 *
 * An image that counts w times is w copies of it next to each other in the ranking. Precision rises towards the last copy of a true
 * positive and falls towards the last copy of a false one, so that it is enough to look after the last. Only detections of one
 * image with equal scores take turns, copy by copy, and are gone through copy by copy.
 *
 * Which hits are correct is the same in all replicates; only how often they count differs. So replicates are computed side by
 * side, LANES at a time: a block of them is a job, and every loop over lanes vectorises.
 */
#include "kernel.h"

#define LANES 32
#define KEPT_REACH 2048 /* tables of reached recall points that are kept, by the number of boxes */

typedef uint32_t Lanes[LANES];

typedef struct {
    Resample *resample;
    Jobs jobs;
} Shared;

/* One thread's memory: the hits of a class, best first, and what is counted at them in every replicate. */
typedef struct {
    uint16_t *weights;      /* (images, LANES) how often each counts in this block */
    int64_t hits, capacity;
    int64_t *source;        /* (hits) which of all hits it is */
    uint16_t *rank;
    Lanes *weight, *before; /* (hits), (hits, ranges): what matches nothing and is not ignored, before it */
    int64_t *events;        /* the hits that matter in one range */
    Lanes *found;           /* true positives of one curve: counts up to and with it */
    double *precision;      /* (hits, LANES) */
    Lanes positives[MAX_RANGES];
    uint16_t *kept[KEPT_REACH], *large[LANES];
    int64_t large_size[LANES];
} Scratch;

static int grow(Scratch *s, const Resample *a) {
    const size_t room = (size_t)(s->capacity + s->capacity / 2 + 256);
    s->capacity = (int64_t)room;
    return enlarge((void **)&s->source, room * sizeof(int64_t)) && enlarge((void **)&s->rank, room * sizeof(uint16_t)) &&
           enlarge((void **)&s->weight, room * sizeof(Lanes)) &&
           enlarge((void **)&s->before, room * (size_t)a->ranges * sizeof(Lanes)) &&
           enlarge((void **)&s->events, room * sizeof(int64_t)) && enlarge((void **)&s->found, room * sizeof(Lanes)) &&
           enlarge((void **)&s->precision, room * LANES * sizeof(double));
}

static void release(Scratch *s) {
    free(s->weights), free(s->source), free(s->rank), free(s->weight), free(s->before), free(s->events), free(s->found);
    free(s->precision);
    for (int64_t n = 0; n < KEPT_REACH; n++) free(s->kept[n]);
    for (int lane = 0; lane < LANES; lane++) free(s->large[lane]);
}

/* The weights of a block of replicates, an image's side by side; lanes beyond the last replicate count nothing. */
static void lay_out(const Resample *a, Scratch *s, int64_t block) {
    memset(s->weights, 0, (size_t)a->images * LANES * sizeof(uint16_t));
    for (int64_t lane = 0; lane < LANES && block * LANES + lane < a->replicates; lane++) {
        const uint32_t *of_lane = a->weights.at + (block * LANES + lane) * a->images;
        for (int64_t image = 0; image < a->images; image++) s->weights[image * LANES + lane] = (uint16_t)of_lane[image];
    }
}

/* One detection of the ranking, with its weight: a hit is listed, what is false is counted. 0 where memory ran out. */
static int pass(const Resample *a, Scratch *s, Lanes *wrong, const uint16_t *weight, int64_t i, int64_t hit) {
    if (a->hit.at[i]) {
        if (s->hits == s->capacity && !grow(s, a)) return 0;
        s->source[s->hits] = hit;
        s->rank[s->hits] = a->ranks.at[i];
        for (int lane = 0; lane < LANES; lane++) s->weight[s->hits][lane] = weight[lane];
        memcpy(s->before + s->hits++ * a->ranges, wrong, (size_t)a->ranges * sizeof(Lanes));
        return 1;
    }
    if (a->ranks.at[i] >= a->limit) return 1;
    const uint32_t outside = a->outside.at[i];
    for (int64_t r = 0; r < a->ranges; r++) {
        if ((outside >> r) & 1) continue;
        for (int lane = 0; lane < LANES; lane++) wrong[r][lane] += weight[lane];
    }
    return 1;
}

/* Goes down the ranking of a class, counts what matches nothing, and lists the hits. `hit` is the first of them. */
static int descend(const Resample *a, Scratch *s, int64_t k, int64_t hit) {
    Lanes wrong[MAX_RANGES];
    memset(wrong, 0, sizeof wrong);
    s->hits = 0;
    for (int64_t i = a->edges.at[k], next; i < a->edges.at[k + 1]; i = next) {
        const uint16_t *weight = s->weights + (int64_t)a->image.at[i] * LANES;
        const int64_t tied = a->tied.at[i], first = hit;
        uint16_t most = 1, copy[LANES];
        next = i + (tied > 1 ? tied : 1);
        for (int lane = 0; lane < LANES && tied > 1; lane++) most = weight[lane] > most ? weight[lane] : most;
        for (uint16_t turn = 1; turn <= most; turn++) {
            for (int lane = 0; lane < LANES && most > 1; lane++) copy[lane] = weight[lane] >= turn;
            hit = first;
            for (int64_t j = i; j < next; hit += a->hit.at[j++])
                if (!pass(a, s, wrong, most > 1 ? copy : weight, j, hit)) return 0;
        }
    }
    return 1;
}

/* Boxes of a class that count, by range. */
static void count_boxes(const Resample *a, Scratch *s, int64_t k) {
    memset(s->positives, 0, sizeof s->positives);
    for (int64_t g = a->box_edges.at[k]; g < a->box_edges.at[k + 1]; g++) {
        const uint16_t *weight = s->weights + (int64_t)a->box_image.at[g] * LANES;
        for (int64_t r = 0; r < a->ranges; r++) {
            if ((a->box_ignore.at[g] >> r) & 1) continue;
            for (int lane = 0; lane < LANES; lane++) s->positives[r][lane] += weight[lane];
        }
    }
}

/* How many recall points so many true positives reach, of so many boxes: (boxes + 1). NULL where memory ran out. */
static const uint16_t *reach(const Resample *a, Scratch *s, int64_t boxes, int lane) {
    uint16_t **at = boxes < KEPT_REACH ? &s->kept[boxes] : &s->large[lane];
    if (boxes < KEPT_REACH && *at) return *at;
    if (boxes >= KEPT_REACH && boxes < s->large_size[lane]) at = &s->large[lane];
    else if (!enlarge((void **)at, ((size_t)boxes + 1) * sizeof(uint16_t))) return NULL;
    if (boxes >= KEPT_REACH && boxes >= s->large_size[lane]) s->large_size[lane] = boxes + 1;
    (*at)[0] = 0;
    for (int64_t found = 1, p = 0; found <= boxes; found++) {
        while (p < a->points && (double)found / (double)boxes >= a->recalls.at[p]) p++;
        (*at)[found] = (uint16_t)p;
    }
    return *at;
}

/* Lists the hits that matter in a range. */
static int64_t list_events(const Resample *a, Scratch *s, int64_t r) {
    int64_t events = 0;
    for (int64_t h = 0; h < s->hits; h++) {
        const int64_t mask = s->source[h] * a->ranges + r;
        const uint16_t matters = a->correct.at[mask] | (uint16_t)~a->ignored.at[mask];
        s->events[events] = h;
        events += matters && s->rank[h] < a->limit;
    }
    return events;
}

/* The true positives of one curve, and the precision after each; `found` receives how many there are in all. */
static int64_t climb(const Resample *a, Scratch *s, int64_t events, int64_t r, int64_t t, Lanes found) {
    Lanes wrong = {0};
    int64_t count = 0;
    memset(found, 0, sizeof(Lanes));
    for (int64_t e = 0; e < events; e++) {
        const int64_t h = s->events[e], mask = s->source[h] * a->ranges + r;
        const uint32_t *weight = s->weight[h], *before = s->before[h * a->ranges + r];
        if ((a->correct.at[mask] >> t) & 1) {
            double *precision = s->precision + count * LANES;
            for (int lane = 0; lane < LANES; lane++) {
                found[lane] += weight[lane];
                const double right = (double)(int32_t)found[lane], all = (double)(int32_t)(wrong[lane] + before[lane]) + right;
                precision[lane] = right / (all + EPS);
            }
            memcpy(s->found[count++], found, sizeof(Lanes));
        } else if (!((a->ignored.at[mask] >> t) & 1))
            for (int lane = 0; lane < LANES; lane++) wrong[lane] += weight[lane];
    }
    return count;
}

/* The area under one curve at the recall points, from its end to its beginning. */
static void areas(const Resample *a, const Scratch *s, int64_t count, int64_t r, const uint16_t **reached, double *area) {
    static const Lanes none;
    double best[LANES] = {0};
    int32_t points[LANES] = {0}; /* recall points reached by the true positives up to the one at hand */
    memset(area, 0, LANES * sizeof(double));
    for (int64_t i = count - 1; i >= 0; i--) {
        const double *precision = s->precision + i * LANES;
        const uint32_t *most = s->positives[r], *found = s->found[i], *before = i ? s->found[i - 1] : none;
        for (int lane = 0; lane < LANES; lane++) best[lane] = precision[lane] > best[lane] ? precision[lane] : best[lane];
        for (int lane = 0; lane < LANES && i == count - 1; lane++)
            points[lane] = reached[lane][found[lane] < most[lane] ? found[lane] : most[lane]];
        for (int lane = 0; lane < LANES; lane++) {
            /* no more is found than there is, or this would read beyond it */
            const int32_t less = reached[lane][before[lane] < most[lane] ? before[lane] : most[lane]];
            area[lane] += best[lane] * (double)(points[lane] - less);
            points[lane] = less;
        }
    }
    for (int lane = 0; lane < LANES; lane++) area[lane] /= (double)a->points;
}

/* Recall of a class at every limit, in the first range. */
static void limited(const Resample *a, const Scratch *s, int64_t block, int64_t k) {
    for (int64_t t = 0; t < a->thresholds; t++) {
        Lanes found = {0};
        for (int64_t m = 0; m < a->limits; m++) { /* ascending: what one limit adds to the one before */
            const int64_t least = m ? a->limit_of.at[m - 1] : 0, most = a->limit_of.at[m];
            for (int64_t h = 0; h < s->hits; h++) {
                if (s->rank[h] < least || s->rank[h] >= most || !((a->correct.at[s->source[h] * a->ranges] >> t) & 1)) continue;
                for (int lane = 0; lane < LANES; lane++) found[lane] += s->weight[h][lane];
            }
            for (int64_t lane = 0; lane < LANES && block * LANES + lane < a->replicates; lane++) {
                double *to = a->limited.at + (((block * LANES + lane) * a->limits + m) * a->thresholds + t) * a->classes + k;
                if (s->positives[0][lane]) *to = (double)found[lane] / (double)s->positives[0][lane];
            }
        }
    }
}

/* AP and recall of a class in one range. 0 where memory ran out. */
static int range(const Resample *a, Scratch *s, int64_t block, int64_t k, int64_t r) {
    const uint16_t *reached[LANES];
    for (int lane = 0; lane < LANES; lane++)
        if (!(reached[lane] = reach(a, s, s->positives[r][lane], lane))) return 0;
    const int64_t events = list_events(a, s, r);
    for (int64_t t = 0; t < a->thresholds; t++) {
        Lanes found;
        double area[LANES];
        areas(a, s, climb(a, s, events, r, t, found), r, reached, area);
        for (int64_t lane = 0; lane < LANES && block * LANES + lane < a->replicates; lane++) {
            const int64_t where = (((block * LANES + lane) * a->ranges + r) * a->thresholds + t) * a->classes + k;
            if (!s->positives[r][lane]) continue;
            a->ap.at[where] = area[lane];
            a->recall.at[where] = (double)found[lane] / (double)s->positives[r][lane];
        }
    }
    return 1;
}

/* A block of replicates. 0 where memory ran out. */
static int replicates(const Resample *a, Scratch *s, int64_t block) {
    lay_out(a, s, block);
    for (int64_t k = 0, hit = 0; k < a->classes; k++) {
        count_boxes(a, s, k);
        for (int64_t lane = 0; lane < LANES && block * LANES + lane < a->replicates; lane++)
            for (int64_t r = 0; r < a->ranges; r++)
                a->positives.at[((block * LANES + lane) * a->ranges + r) * a->classes + k] = s->positives[r][lane];
        if (!descend(a, s, k, hit)) return 0;
        for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1]; i++) hit += a->hit.at[i];
        limited(a, s, block, k);
        for (int64_t r = 0; r < a->ranges; r++)
            if (!range(a, s, block, k, r)) return 0;
    }
    return 1;
}

static void *worker(void *context) {
    Shared *shared = context;
    const Resample *a = shared->resample;
    Scratch *s = calloc(1, sizeof(Scratch));
    int ready = s && (s->weights = malloc((size_t)a->images * LANES * sizeof(uint16_t) + 1)) && grow(s, a);
    if (!ready) atomic_store(&shared->jobs.failed, 1);
    for (int64_t job; (job = next_job(&shared->jobs)) >= 0;)
        if (!replicates(a, s, job)) atomic_store(&shared->jobs.failed, 1);
    if (s) release(s);
    free(s);
    return NULL;
}

/* Whether groups of tied detections end inside of the class they begin in. */
static int ties_stay(const Resample *a) {
    for (int64_t k = 0; k < a->classes; k++)
        for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1]; i++)
            if ((int64_t)a->tied.at[i] > a->edges.at[k + 1] - i) return 0;
    return 1;
}

static int check(Resample *a) {
    const int64_t count = a->image.count, boxes = a->box_image.count;
    REQUIRE(a->classes >= 0 && a->classes <= MAX_CLASSES && a->ranges > 0 && a->ranges <= MAX_RANGES);
    REQUIRE(a->thresholds >= 0 && a->thresholds <= MAX_THRESHOLDS);
    REQUIRE(a->points > 0 && a->points <= UINT16_MAX && a->recalls.count == a->points);
    REQUIRE(are_recalls(a->recalls.at, a->points));
    REQUIRE(a->limits >= 0 && a->limit_of.count == a->limits && ascend(a->limit_of.at, a->limits));
    REQUIRE(is_product(a->weights.count, a->replicates, a->images, 1, 1));
    REQUIRE(all_below_32(a->weights.at, a->weights.count, UINT16_MAX));
    REQUIRE(a->edges.count == a->classes + 1 && rises(a->edges.at, a->edges.count, count));
    REQUIRE(a->tied.count == count && a->outside.count == count && a->ranks.count == count && a->hit.count == count);
    REQUIRE(all_below_32(a->image.at, count, a->images) && ties_stay(a));
    int64_t hits = 0;
    for (int64_t i = 0; i < count; i++) hits += a->hit.at[i] != 0;
    for (int64_t i = 0; i < count; i++) REQUIRE(a->hit.at[i] <= 1);
    REQUIRE(is_product(a->correct.count, hits, a->ranges, 1, 1) && a->ignored.count == a->correct.count);
    REQUIRE(a->box_edges.count == a->classes + 1 && rises(a->box_edges.at, a->box_edges.count, boxes));
    REQUIRE(a->box_ignore.count == boxes && all_below_32(a->box_image.at, boxes, a->images));
    REQUIRE(is_product(a->ap.count, a->replicates, a->ranges, a->thresholds, a->classes) && a->recall.count == a->ap.count);
    REQUIRE(is_product(a->limited.count, a->replicates, a->limits, a->thresholds, a->classes));
    REQUIRE(is_product(a->positives.count, a->replicates, a->ranges, a->classes, 1));
    return DONE;
}

/* Results come zeroed. */
int resample(Resample *a, int64_t threads) {
    if (check(a) != DONE) return REFUSED;
    const int64_t blocks = (a->replicates + LANES - 1) / LANES;
    Shared shared = {a, {0, blocks, 0}};
    on_threads(threads < blocks ? threads : blocks, worker, &shared);
    return atomic_load(&shared.jobs.failed) ? NO_MEMORY : DONE;
}
