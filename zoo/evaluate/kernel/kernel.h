/* What the parts of the kernel share: its version, threads that take jobs in turn, and the structures that Python fills in.
 *
 * The arithmetic is that of the numpy modules beside this folder, to the last bit: compile without fused multiply-add
 * (-ffp-contract=off) and without -ffast-math. No result depends on the number of threads: no sum crosses a job.
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
#define EPS 2.220446049250313e-16 /* numpy.spacing(1), which pycocotools adds to denominators */

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
void on_threads(int threads, void *(*worker)(void *), void *context);

typedef struct {
    /* detections: pictures, one after another */
    int64_t pictures;
    const int64_t *starts, *images;
    const void *detections; /* (n, 4) float where `narrow`, else double; x1 y1 x2 y2 where `corners`, else x y width height */
    const double *scores;
    const int64_t *labels;
    /* ground truth */
    const int64_t *box_starts;
    const int32_t *box_labels;
    const double *box_xywh;
    const uint8_t *crowd, *uncounted;
    const uint16_t *ignore;
    /* what is asked */
    int64_t narrow, corners, classes, ranges, thresholds, watched, limit, analyses;
    const double *lows, *highs, *ious;
    /* results: those of a picture begin at its start; `kept` of them are filled in */
    int64_t *kept, *rows;
    uint16_t *ranks, *outside, *correct, *ignored;
    uint8_t *hit, *found;
    int32_t *boxes;
    float *box_ious;
} Match;

typedef struct {
    int64_t count, classes, narrow;
    const void *scores; /* float where `narrow`, else double */
    const uint16_t *labels;
    int64_t *edges;  /* (classes + 1) results: where each class begins */
    uint32_t *order; /* (count) results */
} Sort;

typedef struct {
    /* outcomes */
    int64_t count, hit_count, narrow;
    const void *scores; /* float where `narrow`, else double */
    const uint16_t *labels, *ranks, *outside, *correct, *ignored;
    const int64_t *hits;
    const uint32_t *order;
    const int64_t *edges;
    /* what is asked: recall at every limit, the curves at some of them */
    int64_t classes, ranges, thresholds, points, limits, curves;
    const int64_t *limit_of, *curve_of, *positives;
    const double *recalls;
    /* results: (curves, ranges, thresholds, points, classes) and (limits, ranges, thresholds, classes) */
    double *precision, *reached_at, *recall;
} Accumulate;

typedef struct {
    /* how often each picture counts in each replicate: (replicates, pictures) */
    int64_t replicates, pictures;
    const uint32_t *weights;
    /* detections by class, best first; masks of those that are hits, in the same order */
    const int64_t *edges;
    const uint32_t *picture;
    const uint16_t *outside, *ranks;
    const uint8_t *hit;
    const uint16_t *correct, *ignored;
    /* boxes by class */
    const int64_t *box_edges;
    const uint32_t *box_picture;
    const uint16_t *box_ignore;
    /* what is asked: AP and recall at `limit`, recall in the first range at every limit */
    int64_t classes, ranges, thresholds, points, limits, limit;
    const int64_t *limit_of;
    const double *recalls;
    /* results, of each replicate: (ranges, thresholds, classes) twice, (limits, thresholds, classes), (ranges, classes) */
    double *ap, *recall, *limited;
    int64_t *positives;
} Resample;

#endif
