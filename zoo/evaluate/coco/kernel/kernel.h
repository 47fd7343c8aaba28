/* What the parts of the kernel share: its version, threads that take jobs in turn, and the structures that Python fills in.
 *
 * The arithmetic is that of the numpy modules beside this folder, to the last bit: compile without fused multiply-add
 * (-ffp-contract=off) and without -ffast-math. No result depends on the number of threads: no sum crosses a job.
 *
 * Every array comes with its length, and nothing is read or written before all lengths, offsets and indices are checked: arguments
 * that do not belong together are refused, and `refused` says which. Numbers that are only computed with are not looked at.
 */
#ifndef ZOO_KERNEL_H
#define ZOO_KERNEL_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef KERNEL_VERSION
#error "the build says which sources these are: python hatch_build.py"
#endif
#define MAX_RANGES 16
#define MAX_THRESHOLDS 16
#define MAX_CLASSES 65536 /* labels are 16 bits wide */
#define EPS 2.220446049250313e-16 /* numpy.spacing(1), which pycocotools adds to denominators */

/* What every entry point returns. */
enum { DONE = 0, NO_MEMORY = -1, REFUSED = -2 };

#define SPAN(type) \
    struct {       \
        type *at;  \
        int64_t count; \
    }

/* Numbers that are float where another field says `narrow`, else double. */
typedef struct {
    const void *at;
    int64_t bytes;
} Floats;

/* Refuses the arguments `a` unless something holds of them. */
#define REQUIRE(truth)                       \
    do {                                     \
        if (!(truth)) {                      \
            a->refused = #truth;             \
            return REFUSED;                  \
        }                                    \
    } while (0)

static inline double score_at(const void *scores, int64_t narrow, int64_t row) {
    return narrow ? ((const float *)scores)[row] : ((const double *)scores)[row];
}

/* Jobs 0 .. count-1, handed out one at a time; `failed` is set where memory ran out. */
typedef struct {
    _Atomic int64_t next;
    int64_t count;
    _Atomic int failed;
} Jobs;

int64_t next_job(Jobs *jobs); /* the next job, or -1 when there is none */

/* Runs worker(context) on so many threads, this one included, and returns when all are done. */
void on_threads(int64_t threads, void *(*worker)(void *), void *context);

/* Makes a block of memory as large as that, or leaves it and returns 0. */
int enlarge(void **block, size_t bytes);

/* Whether a length is the product of some numbers, none of which is negative. */
int is_product(int64_t length, int64_t a, int64_t b, int64_t c, int64_t d);

/* Whether so many bytes are so many floats where `narrow`, else doubles. */
static inline int are_floats(int64_t bytes, int64_t count, int64_t narrow) { return is_product(bytes, count, narrow ? 4 : 8, 1, 1); }

/* Whether offsets begin at 0, never fall, and end at `end`; there is at least one. */
int rises(const int64_t *offsets, int64_t count, int64_t end);

/* Whether each number is larger than the one before. */
int ascend(const int64_t *values, int64_t count);

/* Whether all numbers lie in 0 .. limit-1. */
int all_below(const int64_t *values, int64_t count, int64_t limit);
int all_below_32(const uint32_t *values, int64_t count, int64_t limit);
int all_below_16(const uint16_t *values, int64_t count, int64_t limit);

/* Whether recall points can be: from 0 to 1, and none falls. */
int are_recalls(const double *values, int64_t count);

typedef struct {
    const char *refused;
    /* detections: images, one after another; `images` are rows of the ground truth */
    SPAN(const int64_t) starts, images;
    Floats detections; /* (n, 4) float where `narrow`, else double; x1 y1 x2 y2 where `corners`, else x y width height */
    Floats scores; /* float where `narrow_scores`, else double */
    SPAN(const int64_t) labels;
    /* ground truth */
    SPAN(const int64_t) box_starts;
    SPAN(const int32_t) box_labels;
    SPAN(const double) box_xywh;
    SPAN(const uint8_t) crowd, uncounted;
    SPAN(const uint16_t) ignore;
    /* what is asked */
    int64_t narrow, narrow_scores, corners, classes, ranges, thresholds, watched, limit, analyses;
    SPAN(const double) lows, highs, ious;
    /* results: those of an image begin at its start; `kept` of them are filled in */
    SPAN(int64_t) kept;
    struct {
        void *at;
        int64_t bytes;
    } kept_scores; /* as the scores */
    SPAN(uint16_t) kept_labels, ranks, outside, correct, ignored;
    SPAN(uint8_t) hit, found;
    SPAN(int32_t) boxes;
    SPAN(float) box_ious;
} Match;

typedef struct {
    const char *refused;
    int64_t classes, narrow;
    Floats scores; /* float where `narrow`, else double */
    SPAN(const uint16_t) labels;
    SPAN(int64_t) edges;  /* (classes + 1) results: where each class begins */
    SPAN(uint32_t) order; /* (count) results */
} Sort;

typedef struct {
    const char *refused;
    /* outcomes */
    int64_t narrow;
    Floats scores; /* float where `narrow`, else double */
    SPAN(const uint16_t) ranks, outside, correct, ignored;
    SPAN(const int64_t) hits;
    SPAN(const uint32_t) order;
    SPAN(const int64_t) edges;
    /* what is asked: recall at every limit, the curves at some of them */
    int64_t classes, ranges, thresholds, points, limits, curves;
    SPAN(const int64_t) limit_of, curve_of, positives;
    SPAN(const double) recalls;
    /* results: (curves, ranges, thresholds, points, classes) twice, and (limits, ranges, thresholds, classes); `reached_at` is
     * empty where it is not wanted */
    SPAN(double) precision, reached_at, recall;
} Accumulate;

typedef struct {
    const char *refused;
    /* how often each image counts in each replicate: (replicates, images) */
    int64_t replicates, images;
    SPAN(const uint32_t) weights;
    /* detections by class, best first; masks of those that are hits, in the same order; `tied`: so many from here on, a hit among
     * them, are of one image and class and have equal scores; 0 elsewhere */
    SPAN(const int64_t) edges;
    SPAN(const uint32_t) image, tied;
    SPAN(const uint16_t) outside, ranks;
    SPAN(const uint8_t) hit;
    SPAN(const uint16_t) correct, ignored;
    /* boxes by class */
    SPAN(const int64_t) box_edges;
    SPAN(const uint32_t) box_image;
    SPAN(const uint16_t) box_ignore;
    /* what is asked: AP and recall at `limit`, recall in the first range at every limit */
    int64_t classes, ranges, thresholds, points, limits, limit;
    SPAN(const int64_t) limit_of;
    SPAN(const double) recalls;
    /* results, of each replicate, where defined: mean precision and recall (ranges), precision in the first range at each threshold
     * alone (thresholds), recall there at each limit (limits), precision there of each class (classes) */
    SPAN(double) precision, recall, alone, limited, of_class;
} Resample;

#endif
