/* AP and recall of resampled images: resampling.py in C. Nothing is matched again.
 *
 * An image that counts w times is w copies of it next to each other in the ranking. Precision rises towards the last copy of a true
 * positive and falls towards the last copy of a false one, so that it is enough to look after the last. Only detections of one
 * image with equal scores take turns, copy by copy, and are gone through copy by copy.
 *
 * Which hits are correct is the same in all replicates; only how often they count differs. So replicates are computed side by
 * side, LANES at a time: a block of them is a job, and every loop over lanes vectorises. Means are taken over the same values in
 * the same order as in pycocotools, for which the curves of all classes are kept, of one block and range at a time.
 */
#include "resample.h"
#include "mean.h"

/* Compiled twice where the compiler can: for any processor, and for those with AVX2, with the same bits. */
#define BODY static inline __attribute__((always_inline))

/* The weights of a block of replicates, an image's side by side; lanes beyond the last replicate count nothing. */
static void lay_out(const Shared *shared, Scratch *s, int64_t block) {
    const Resample *a = shared->resample;
    memset(s->weights, 0, (size_t)a->images * LANES * sizeof(uint16_t));
    for (int64_t lane = 0; lane < filled(shared, block); lane++) {
        const uint32_t *of_lane = a->weights.at + (block * shared->width + lane) * a->images;
        for (int64_t image = 0; image < a->images; image++) s->weights[image * LANES + lane] = (uint16_t)of_lane[image];
    }
}

/* Lists a hit with its weight. 0 where memory ran out. */
BODY int take_hit(const Resample *a, Scratch *s, const Lanes wrong, const uint16_t *weight, int64_t i, int64_t hit) {
    if (s->hits == s->capacity && !grow(s)) return 0;
    s->source[s->hits] = hit;
    s->rank[s->hits] = a->ranks.at[i];
    for (int lane = 0; lane < LANES; lane++) s->weight[s->hits][lane] = weight[lane];
    memcpy(s->before[s->hits++], wrong, sizeof(Lanes));
    return 1;
}

/* Detections of one image with equal scores: copy by copy. `hit` is the first hit among them. 0 where memory ran out. */
BODY int take_turns(const Resample *a, Scratch *s, Lanes wrong, const uint16_t *weight, int64_t i, int64_t hit, int64_t r) {
    uint16_t most = 0, copy[LANES];
    for (int lane = 0; lane < LANES; lane++) most = weight[lane] > most ? weight[lane] : most;
    for (uint32_t turn = 1; turn <= most; turn++) {
        for (int lane = 0; lane < LANES; lane++) copy[lane] = weight[lane] >= turn;
        for (int64_t j = i, at = hit; j < i + a->tied.at[i]; at += a->hit.at[j++])
            if (a->hit.at[j]) {
                if (!take_hit(a, s, wrong, copy, j, at)) return 0;
            } else if (is_false(a, j, r))
                for (int lane = 0; lane < LANES; lane++) wrong[lane] += copy[lane];
    }
    return 1;
}

/* Goes down the ranking of a class, counts what matches nothing in a range, and lists the hits. 0 where memory ran out. */
BODY int descend(const Shared *shared, Scratch *s, int64_t c, int64_t r) {
    const Resample *a = shared->resample;
    const int64_t *edges = shared->edges + r * (shared->boxed + 1) + c;
    int64_t hit = shared->first[c];
    Lanes wrong = {0};
    s->hits = 0;
    for (int64_t e = edges[0]; e < edges[1]; e++) {
        const int64_t i = shared->steps[e] >> 1;
        const uint16_t *weight = s->weights + (shared->steps[e] & 1 ? (int64_t)a->image.at[i] : i) * LANES;
        if (!(shared->steps[e] & 1))
            for (int lane = 0; lane < LANES; lane++) wrong[lane] += weight[lane];
        else if (a->tied.at[i] < 2) {
            if (!take_hit(a, s, wrong, weight, i, hit++)) return 0;
        } else {
            if (!take_turns(a, s, wrong, weight, i, hit, r)) return 0;
            for (int64_t j = i; j < i + a->tied.at[i]; j++) hit += a->hit.at[j];
        }
    }
    return 1;
}

/* Boxes of a class that count in a range. */
BODY void count_boxes(const Resample *a, const Scratch *s, int64_t k, int64_t r, Lanes count) {
    memset(count, 0, sizeof(Lanes));
    for (int64_t g = a->box_edges.at[k]; g < a->box_edges.at[k + 1]; g++) {
        const uint16_t *weight = s->weights + (int64_t)a->box_image.at[g] * LANES;
        for (int lane = 0; lane < LANES && !((a->box_ignore.at[g] >> r) & 1); lane++) count[lane] += weight[lane];
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

/* One curve of all replicates: the precision where so many points are reached, and how many true positives there are. */
BODY void climb(const Resample *a, Scratch *s, int64_t events, int64_t r, int64_t t, const uint32_t *most,
                const uint16_t **reached, Lanes found) {
    Lanes wrong = {0}, count;
    double precision[LANES];
    memset(found, 0, sizeof(Lanes));
    for (int64_t e = 0; e < events; e++) {
        const int64_t h = s->events[e], mask = s->source[h] * a->ranges + r;
        const uint32_t *weight = s->weight[h], *before = s->before[h];
        if ((a->correct.at[mask] >> t) & 1) {
            for (int lane = 0; lane < LANES; lane++) {
                found[lane] += weight[lane];
                const double right = (double)(int32_t)found[lane], all = (double)(int32_t)(wrong[lane] + before[lane]) + right;
                precision[lane] = right / (all + EPS);
                count[lane] = found[lane] < most[lane] ? found[lane] : most[lane]; /* never more, or this would read beyond it */
            }
            for (int lane = 0; lane < LANES; lane++) {
                double *best = s->best + (int64_t)reached[lane][count[lane]] * LANES + lane;
                *best = precision[lane] > *best ? precision[lane] : *best;
            }
        } else if (!((a->ignored.at[mask] >> t) & 1))
            for (int lane = 0; lane < LANES; lane++) wrong[lane] += weight[lane];
    }
}

/* Keeps one curve of all replicates, the c-th of a threshold: at each point the best precision from there on. */
BODY void keep(const Shared *shared, Scratch *s, int64_t c, int64_t t, const Lanes points) {
    const int64_t thresholds = shared->resample->thresholds;
    int64_t longest = 0;
    for (int lane = 0; lane < LANES; lane++) longest = points[lane] > longest ? points[lane] : longest;
    for (int64_t p = longest - 1; p > 0; p--) {
        double *best = s->best + p * LANES;
        for (int lane = 0; lane < LANES; lane++) best[lane] = best[lane] > best[LANES + lane] ? best[lane] : best[LANES + lane];
    }
    for (int64_t lane = 0; lane < shared->width; lane++) {
        const int64_t curve = (lane * thresholds + t) * shared->boxed + c;
        double *to = s->curves + curve * shared->room;
        s->reached[curve] = (uint16_t)points[lane];
        for (int64_t p = 0; p < points[lane]; p += STEP) {
            __builtin_prefetch(to + p + 2 * thresholds * shared->boxed * shared->room, 1);
            for (int64_t i = p; i < p + STEP; i++) to[i] = s->best[(i + 1) * LANES + lane];
        }
    }
    memset(s->best, 0, (size_t)(longest + 1) * LANES * sizeof(double));
}

/* Recall at every limit, in the first range, of the c-th class with boxes. */
BODY void limited(const Shared *shared, Scratch *s, int64_t c) {
    const Resample *a = shared->resample;
    Lanes found[MAX_THRESHOLDS];
    memset(found, 0, sizeof found);
    for (int64_t m = 0; m < a->limits; m++) { /* ascending: what one limit adds to the one before */
        const int64_t least = m ? a->limit_of.at[m - 1] : 0, most = a->limit_of.at[m];
        for (int64_t h = 0; h < s->hits; h++) {
            if (s->rank[h] < least || s->rank[h] >= most) continue;
            const uint32_t correct = a->correct.at[s->source[h] * a->ranges];
            for (int64_t t = 0; t < a->thresholds && correct >> t; t++)
                if ((correct >> t) & 1)
                    for (int lane = 0; lane < LANES; lane++) found[t][lane] += s->weight[h][lane];
        }
        for (int64_t t = 0; t < a->thresholds; t++) {
            double *to = s->recalls + (((m + 1) * a->thresholds + t) * shared->boxed + c) * LANES;
            for (int lane = 0; lane < LANES; lane++) to[lane] = (double)found[t][lane] / (double)s->positives[c][lane];
        }
    }
}

/* The curves and recalls of the c-th class with boxes in one range. 0 where memory ran out. */
BODY int curves(const Shared *shared, Scratch *s, int64_t c, int64_t r) {
    const Resample *a = shared->resample;
    const uint32_t *positives = s->positives[c];
    const uint16_t *reached[LANES];
    count_boxes(a, s, shared->class[c], r, s->positives[c]);
    if (!descend(shared, s, c, r)) return 0;
    for (int lane = 0; lane < LANES; lane++)
        if (!(reached[lane] = reach(a, s, positives[lane], lane))) return 0;
    const int64_t events = list_events(a, s, r);
    for (int64_t t = 0; t < a->thresholds; t++) {
        Lanes found;
        climb(a, s, events, r, t, positives, reached, found);
        double *recall = s->recalls + (t * shared->boxed + c) * LANES;
        for (int lane = 0; lane < LANES; lane++) {
            recall[lane] = (double)found[lane] / (double)positives[lane];
            found[lane] = reached[lane][found[lane] < positives[lane] ? found[lane] : positives[lane]];
        }
        keep(shared, s, c, t, found);
    }
    if (!r) limited(shared, s, c);
    return 1;
}

/* Writes some points of the curves of one replicate and threshold one after another, point by point. */
BODY void lay_across(const Shared *shared, const Scratch *s, int64_t there, int64_t lane, int64_t t, int64_t p, double *to) {
    const int64_t first = (lane * shared->resample->thresholds + t) * shared->boxed;
    memset(to, 0, (size_t)(STEP * there) * sizeof(double));
    for (int64_t i = 0; i < there; i++) {
        const int64_t curve = first + s->there[i];
        const double *from = s->curves + curve * shared->room + p;
        if (s->reached[curve] <= p) continue;
        __builtin_prefetch(from + STEP);
        for (int64_t j = 0; j < STEP; j++) to[j * there + i] = from[j];
    }
}

/* Mean precision of one replicate of the c-th class with boxes, over thresholds and recall points. */
BODY double mean_of_class(const Shared *shared, Scratch *s, int64_t c, int64_t lane) {
    const int64_t points = shared->resample->points, thresholds = shared->resample->thresholds;
    memset(s->row, 0, (size_t)(points * thresholds) * sizeof(double));
    for (int64_t t = 0; t < thresholds; t++) {
        const int64_t curve = (lane * thresholds + t) * shared->boxed + c;
        memcpy(s->row + t * points, s->curves + curve * shared->room, s->reached[curve] * sizeof(double));
    }
    return mean(s->row, points * thresholds);
}

/* Mean precision of one replicate in a range, over thresholds, recall points and classes with boxes, in this order. */
BODY void mean_precisions(const Shared *shared, Scratch *s, int64_t row, int64_t lane, int64_t r) {
    Resample *a = shared->resample;
    int64_t there = 0, held = 0;
    for (int64_t c = 0; c < shared->boxed; c++) {
        if (!s->positives[c][lane]) continue;
        s->there[there++] = c;
        if (!r) a->of_class.at[row * a->classes + shared->class[c]] = mean_of_class(shared, s, c, lane);
    }
    if (!there) return;
    Mean whole, one;
    start_mean(&whole, a->thresholds * a->points * there);
    for (int64_t t = 0; t < a->thresholds; t++) {
        int64_t of_one = 0;
        start_mean(&one, a->points * there);
        for (int64_t p = 0; p < a->points; p += STEP) {
            const int64_t count = (a->points - p < STEP ? a->points - p : STEP) * there;
            lay_across(shared, s, there, lane, t, p, s->row + held);
            if (!r) {
                memcpy(s->one + of_one, s->row + held, (size_t)count * sizeof(double));
                of_one = go_on(&one, s->one, of_one + count);
            }
            held = go_on(&whole, s->row, held + count);
        }
        if (!r) a->alone.at[row * a->thresholds + t] = mean_of(&one);
    }
    a->precision.at[row * a->ranges + r] = mean_of(&whole);
}

/* Mean recall of one replicate, over thresholds and classes with boxes; `from`: (thresholds, boxed, LANES). */
BODY void mean_recall(const Shared *shared, Scratch *s, const double *from, int64_t lane, double *to) {
    int64_t there = 0;
    for (int64_t t = 0; t < shared->resample->thresholds; t++)
        for (int64_t c = 0; c < shared->boxed; c++)
            if (s->positives[c][lane]) s->row[there++] = from[(t * shared->boxed + c) * LANES + lane];
    if (there) *to = mean(s->row, there);
}

/* A block of replicates. 0 where memory ran out. */
BODY int replicates(const Shared *shared, Scratch *s, int64_t block) {
    const Resample *a = shared->resample;
    const int64_t of_limit = a->thresholds * shared->boxed * LANES;
    lay_out(shared, s, block);
    for (int64_t r = 0; r < a->ranges; r++) {
        for (int64_t c = 0; c < shared->boxed; c++)
            if (!curves(shared, s, c, r)) return 0;
        for (int64_t lane = 0, row = block * shared->width; lane < filled(shared, block) && a->thresholds; lane++, row++) {
            mean_precisions(shared, s, row, lane, r);
            mean_recall(shared, s, s->recalls, lane, a->recall.at + row * a->ranges + r);
            for (int64_t m = 0; m < a->limits && !r; m++)
                mean_recall(shared, s, s->recalls + (m + 1) * of_limit, lane, a->limited.at + row * a->limits + m);
        }
    }
    return 1;
}

static int replicates_anywhere(const Shared *shared, Scratch *s, int64_t block) { return replicates(shared, s, block); }
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) static int replicates_avx2(const Shared *shared, Scratch *s, int64_t block) {
    return replicates(shared, s, block);
}
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define replicates_avx2 replicates_anywhere
#define HAS_AVX2 0
#endif

static void *worker(void *context) {
    Shared *shared = context;
    int (*const run)(const Shared *, Scratch *, int64_t) = HAS_AVX2 ? replicates_avx2 : replicates_anywhere;
    Scratch *s = scratch(shared);
    if (!is_ready(s)) atomic_store(&shared->jobs.failed, 1);
    for (int64_t job; (job = next_job(&shared->jobs)) >= 0;)
        if (!run(shared, s, job)) atomic_store(&shared->jobs.failed, 1);
    if (s) release(s);
    return NULL;
}

/* Lists the classes that have boxes; only those have numbers. */
static void list_boxed(Shared *shared) {
    const Resample *a = shared->resample;
    for (int64_t k = 0, hit = 0; k < a->classes; k++) {
        shared->class[shared->boxed] = k;
        shared->first[shared->boxed] = hit;
        shared->boxed += a->box_edges.at[k + 1] > a->box_edges.at[k];
        for (int64_t i = a->edges.at[k]; i < a->edges.at[k + 1]; i++) hit += a->hit.at[i];
    }
}

/* Lists what matters in each range, class by class; without `steps`, how many those are. */
static int64_t list_steps(Shared *shared) {
    const Resample *a = shared->resample;
    int64_t count = 0;
    for (int64_t r = 0; r < a->ranges; r++)
        for (int64_t c = 0; c <= shared->boxed; c++) {
            if (shared->edges) shared->edges[r * (shared->boxed + 1) + c] = count;
            if (c == shared->boxed) continue;
            const int64_t k = shared->class[c];
            for (int64_t i = a->edges.at[k], next; i < a->edges.at[k + 1]; i = next) {
                const int whole = a->hit.at[i] || a->tied.at[i] > 1;
                next = i + (a->tied.at[i] > 1 ? a->tied.at[i] : 1);
                if (!whole && !is_false(a, i, r)) continue;
                if (shared->steps) shared->steps[count] = whole ? (uint32_t)i << 1 | 1 : a->image.at[i] << 1;
                count++;
            }
        }
    return count;
}

/* 0 where memory ran out; what there is of it is freed by `resample`. */
static int prepare(Shared *shared) {
    const Resample *a = shared->resample;
    shared->class = malloc(((size_t)a->classes + 1) * sizeof(int64_t));
    shared->first = malloc(((size_t)a->classes + 1) * sizeof(int64_t));
    if (!shared->class || !shared->first) return 0;
    list_boxed(shared);
    shared->steps = malloc(((size_t)list_steps(shared) + 1) * sizeof(uint32_t));
    shared->edges = malloc((size_t)a->ranges * ((size_t)shared->boxed + 1) * sizeof(int64_t));
    if (!shared->steps || !shared->edges) return 0;
    list_steps(shared);
    shared->room = (a->points + STEP - 1) / STEP * STEP;
    shared->width = KEPT_CURVES / (8 * (shared->boxed * a->thresholds * shared->room + 1));
    shared->width = shared->width < 1 ? 1 : shared->width > LANES ? LANES : shared->width;
    shared->jobs.count = (a->replicates + shared->width - 1) / shared->width;
    return 1;
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
    REQUIRE(count <= INT32_MAX && a->images <= INT32_MAX);
    REQUIRE(all_below_32(a->image.at, count, a->images) && ties_stay(a));
    int64_t hits = 0;
    for (int64_t i = 0; i < count; i++) hits += a->hit.at[i] != 0;
    for (int64_t i = 0; i < count; i++) REQUIRE(a->hit.at[i] <= 1);
    REQUIRE(is_product(a->correct.count, hits, a->ranges, 1, 1) && a->ignored.count == a->correct.count);
    REQUIRE(a->box_edges.count == a->classes + 1 && rises(a->box_edges.at, a->box_edges.count, boxes));
    REQUIRE(a->box_ignore.count == boxes && all_below_32(a->box_image.at, boxes, a->images));
    REQUIRE(is_product(a->precision.count, a->replicates, a->ranges, 1, 1) && a->recall.count == a->precision.count);
    REQUIRE(is_product(a->alone.count, a->replicates, a->thresholds, 1, 1));
    REQUIRE(is_product(a->limited.count, a->replicates, a->limits, 1, 1));
    REQUIRE(is_product(a->of_class.count, a->replicates, a->classes, 1, 1));
    return DONE;
}

/* Results come as NaN, and stay so where one is not defined. */
int resample(Resample *a, int64_t threads) {
    if (check(a) != DONE) return REFUSED;
    Shared shared = {.resample = a};
    const int ready = prepare(&shared);
    if (ready) on_threads(threads < shared.jobs.count ? threads : shared.jobs.count, worker, &shared);
    free(shared.class), free(shared.first), free(shared.steps), free(shared.edges);
    return ready && !atomic_load(&shared.jobs.failed) ? DONE : NO_MEMORY;
}
