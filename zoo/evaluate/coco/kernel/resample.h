/* The memory of resampling: what all threads read, and what one needs for a block of replicates. */
#ifndef ZOO_RESAMPLE_H
#define ZOO_RESAMPLE_H

#include "kernel.h"

#define LANES 32
#define STEP 8 /* points that are copied at a time */
#define KEPT_REACH 2048 /* tables of reached recall points that are kept, by the number of boxes */
#define KEPT_CURVES ((int64_t)1 << 27) /* bytes of a thread: with very many classes, fewer lanes are used */

typedef uint32_t Lanes[LANES];

typedef struct {
    Resample *resample;
    Jobs jobs;
    int64_t width;  /* lanes that are used */
    int64_t room;   /* of the points of a curve, a multiple of STEP */
    int64_t boxed;  /* classes that have boxes */
    int64_t *class; /* (boxed) which those are */
    int64_t *first; /* (boxed) the first hit of each */
    /* the rankings of each range: twice the image of what is false there; of a hit and of the first that is tied, twice which
     * detection it is, and 1 */
    uint32_t *steps;
    int64_t *edges; /* (ranges, boxed + 1) where those of each class begin */
} Shared;

/* One thread's memory: the hits of a class, best first, and what is counted at them in every replicate. */
typedef struct {
    uint16_t *weights;      /* (images, LANES) how often each counts in this block */
    int64_t hits, capacity;
    int64_t *source;        /* (hits) which of all hits it is */
    uint16_t *rank;
    Lanes *weight, *before; /* (hits) what matches nothing and is not ignored, before it */
    int64_t *events;        /* the hits that matter in one range */
    double *best;           /* (room + 1, LANES) the best precision where so many recall points are reached; 0 between curves */
    Lanes *positives;       /* (boxed) boxes that count */
    double *curves;         /* (width, thresholds, boxed, room) precision */
    uint16_t *reached;      /* (width, thresholds, boxed) points of a curve that are reached; beyond, precision is 0 */
    double *recalls;        /* (limits or 1, thresholds, boxed, LANES) */
    double *row, *one;      /* numbers of one replicate, in order: of all thresholds, of one */
    int64_t *there;         /* (boxed) which have boxes in one replicate */
    uint16_t *kept[KEPT_REACH], *large[LANES];
    int64_t large_size[LANES];
} Scratch;

static int grow(Scratch *s) {
    const size_t room = (size_t)(s->capacity + s->capacity / 2 + 256);
    s->capacity = (int64_t)room;
    return enlarge((void **)&s->source, room * sizeof(int64_t)) && enlarge((void **)&s->rank, room * sizeof(uint16_t)) &&
           enlarge((void **)&s->weight, room * sizeof(Lanes)) && enlarge((void **)&s->before, room * sizeof(Lanes)) &&
           enlarge((void **)&s->events, room * sizeof(int64_t));
}

/* Memory for a thread; NULL where there is none. */
static Scratch *scratch(const Shared *shared) {
    const Resample *a = shared->resample;
    const size_t boxed = (size_t)shared->boxed + 1, curve = (size_t)shared->room;
    const size_t count = boxed * (size_t)shared->width * (size_t)a->thresholds;
    Scratch *s = calloc(1, sizeof(Scratch));
    if (!s) return NULL;
    s->weights = malloc((size_t)a->images * LANES * sizeof(uint16_t) + 1);
    s->best = calloc(curve + 1, LANES * sizeof(double));
    s->positives = malloc(boxed * sizeof(Lanes));
    s->curves = malloc(count * curve * sizeof(double) + 1);
    s->reached = malloc(count * sizeof(uint16_t) + 1);
    s->recalls = malloc(boxed * (size_t)(a->limits + 1) * (size_t)(a->thresholds + 1) * LANES * sizeof(double));
    s->row = malloc((curve + (size_t)a->thresholds) * (boxed + (size_t)a->thresholds) * sizeof(double) + 128 * sizeof(double));
    s->one = malloc((STEP * boxed + 128) * sizeof(double));
    s->there = malloc(boxed * sizeof(int64_t));
    return s;
}

static int is_ready(Scratch *s) {
    return s && s->weights && s->best && s->positives && s->curves && s->reached && s->recalls && s->row && s->one && s->there &&
           grow(s);
}

static void release(Scratch *s) {
    free(s->weights), free(s->source), free(s->rank), free(s->weight), free(s->before), free(s->events), free(s->best);
    free(s->positives), free(s->curves), free(s->reached), free(s->recalls), free(s->row), free(s->one), free(s->there);
    for (int64_t n = 0; n < KEPT_REACH; n++) free(s->kept[n]);
    for (int lane = 0; lane < LANES; lane++) free(s->large[lane]);
    free(s);
}

/* How many lanes of a block are replicates. */
static inline int64_t filled(const Shared *shared, int64_t block) {
    const int64_t rest = shared->resample->replicates - block * shared->width;
    return rest < shared->width ? rest : shared->width;
}

/* Whether a detection that is no hit is false in a range. */
static inline int is_false(const Resample *a, int64_t i, int64_t r) { return a->ranks.at[i] < a->limit && !((a->outside.at[i] >> r) & 1); }

#endif
