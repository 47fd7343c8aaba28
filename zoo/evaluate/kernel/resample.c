/* AP and recall of resampled pictures, a replicate a job: resampling.py in C. Nothing is matched again.
 *
 * A picture that counts w times is w copies of it next to each other in the ranking. Precision rises towards the last copy of a true
 * positive and falls towards the last copy of a false one, so that it is enough to look after the last.
 */
#include "kernel.h"

typedef struct {
    Resample *resample;
    Jobs jobs;
    int64_t most_hits;
} Shared;

/* One thread's memory for the hits of a class, best first. */
typedef struct {
    uint32_t *weight, *wrong_before; /* (hits), (hits, MAX_RANGES): what matches nothing and is not ignored, before it */
    uint16_t *rank;                  /* (hits) */
    uint32_t *events, *event_weight, *event_wrong; /* the hits that matter in one range */
    uint16_t *correct, *false;
    uint32_t *found, *wrong; /* true positives of one curve: counts up to and with it */
    double *best;
    int64_t *needed; /* (points) true positives that reach each recall */
} Scratch;

/* Goes down the ranking of a class, counts what matches nothing, and lists the hits. */
static void descend(const Resample *a, Scratch *s, const uint32_t *weights, int64_t k) {
    static const uint32_t bit[MAX_RANGES] = {1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7,
                                             1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15};
    const int64_t lanes = (a->ranges + 3) / 4 * 4;
    uint32_t wrong[MAX_RANGES] = {0};
    int64_t hits = 0;
    for (int64_t i = a->edges[k]; i < a->edges[k + 1]; i++) {
        uint32_t weight = weights[a->picture[i]];
        if (a->hit[i]) {
            s->weight[hits] = weight;
            s->rank[hits] = a->ranks[i];
            memcpy(s->wrong_before + hits++ * MAX_RANGES, wrong, sizeof wrong);
            continue;
        }
        if (a->ranks[i] >= a->limit) continue;
        for (int64_t lane = 0; lane < lanes; lane += 4)
            for (int r = 0; r < 4; r++) wrong[lane + r] += a->outside[i] & bit[lane + r] ? 0 : weight;
    }
}

/* The hits of a class that matter in a range, in this replicate; returns how many. `first` is the class's first hit. */
static int64_t list_events(const Resample *a, Scratch *s, int64_t first, int64_t hits, int64_t r) {
    int64_t events = 0;
    for (int64_t h = 0; h < hits; h++) {
        uint16_t correct = a->correct[(first + h) * a->ranges + r], counted = (uint16_t)~a->ignored[(first + h) * a->ranges + r];
        s->event_weight[events] = s->weight[h];
        s->event_wrong[events] = s->wrong_before[h * MAX_RANGES + r];
        s->correct[events] = correct;
        s->false[events] = counted & (uint16_t)~correct;
        events += s->weight[h] && (correct | counted) && s->rank[h] < a->limit;
    }
    return events;
}

/* The area under one curve at the recall points; `total` receives the weight of its true positives. */
static double area(const Resample *a, Scratch *s, int64_t events, int64_t t, uint32_t *total) {
    int64_t count = 0;
    uint32_t found = 0, wrong = 0;
    for (int64_t e = 0; e < events; e++) { /* no branch: whether a hit is correct can't be predicted */
        uint32_t correct = (s->correct[e] >> t) & 1, false = (s->false[e] >> t) & 1, weight = s->event_weight[e];
        found += weight & (0 - correct);
        s->found[count] = found;
        s->wrong[count] = wrong + s->event_wrong[e];
        count += correct;
        wrong += weight & (0 - false);
    }
    for (int64_t i = 0; i < count; i++) s->best[i] = (double)s->found[i] / ((double)s->wrong[i] + (double)s->found[i] + EPS);
    for (int64_t i = count - 2; i >= 0; i--)
        if (s->best[i + 1] > s->best[i]) s->best[i] = s->best[i + 1];
    double sum = 0;
    for (int64_t i = 0, p = 0; i < count; i++) {
        int64_t before = p;
        while (p < a->points && s->needed[p] <= s->found[i]) p++;
        sum += s->best[i] * (double)(p - before);
    }
    *total = found;
    return sum / (double)a->points;
}

/* The fewest true positives that reach each recall point. */
static void needs(const Resample *a, Scratch *s, int64_t positives) {
    for (int64_t p = 0; p < a->points; p++) {
        int64_t needed = (int64_t)(a->recalls[p] * (double)positives);
        while (needed > 0 && (double)(needed - 1) / (double)positives >= a->recalls[p]) needed--;
        while ((double)needed / (double)positives < a->recalls[p]) needed++;
        s->needed[p] = needed;
    }
}

/* Recall of a class at every limit, in the first range. */
static void limited(const Resample *a, const Scratch *s, int64_t first, int64_t hits, int64_t positives, double *to) {
    for (int64_t m = 0; m < a->limits; m++) {
        uint32_t found[16] = {0};
        for (int64_t h = 0; h < hits; h++) {
            if (s->rank[h] >= a->limit_of[m]) continue;
            uint32_t correct = a->correct[(first + h) * a->ranges];
            for (int t = 0; t < 16; t++) found[t] += s->weight[h] & (0 - ((correct >> t) & 1));
        }
        for (int64_t t = 0; t < a->thresholds; t++) to[(m * a->thresholds + t) * a->classes] = (double)found[t] / (double)positives;
    }
}

static void replicate(const Resample *a, Scratch *s, int64_t number) {
    const uint32_t *weights = a->weights + number * a->pictures;
    const int64_t curves = a->ranges * a->thresholds * a->classes;
    double *ap = a->ap + number * curves, *recall = a->recall + number * curves;
    double *limits = a->limited + number * a->limits * a->thresholds * a->classes;
    int64_t *positives = a->positives + number * a->ranges * a->classes;
    for (int64_t k = 0, first = 0, hits; k < a->classes; k++, first += hits) {
        hits = 0;
        for (int64_t i = a->edges[k]; i < a->edges[k + 1]; i++) hits += a->hit[i];
        for (int64_t g = a->box_edges[k]; g < a->box_edges[k + 1]; g++)
            for (int64_t r = 0; r < a->ranges; r++)
                positives[r * a->classes + k] += (a->box_ignore[g] >> r) & 1 ? 0 : weights[a->box_picture[g]];
        if (!positives[k]) continue; /* the first range holds every box */
        descend(a, s, weights, k);
        limited(a, s, first, hits, positives[k], limits + k);
        for (int64_t r = 0; r < a->ranges; r++) {
            const int64_t there = positives[r * a->classes + k];
            if (!there) continue;
            int64_t events = list_events(a, s, first, hits, r);
            needs(a, s, there);
            for (int64_t t = 0; t < a->thresholds; t++) {
                uint32_t found;
                int64_t where = (r * a->thresholds + t) * a->classes + k;
                ap[where] = area(a, s, events, t, &found);
                recall[where] = (double)found / (double)there;
            }
        }
    }
}

static void *worker(void *context) {
    Shared *shared = context;
    const Resample *a = shared->resample;
    const size_t hits = (size_t)shared->most_hits + 1;
    Scratch s = {0};
    void **parts[] = {(void **)&s.weight, (void **)&s.events, (void **)&s.event_weight, (void **)&s.event_wrong, (void **)&s.found,
                      (void **)&s.wrong, (void **)&s.rank, (void **)&s.correct, (void **)&s.false, (void **)&s.best};
    const size_t count = sizeof parts / sizeof *parts;
    for (size_t i = 0; i < count; i++)
        if (!(*parts[i] = malloc(hits * sizeof(double)))) atomic_store(&shared->jobs.failed, 1);
    s.wrong_before = malloc(hits * MAX_RANGES * sizeof(uint32_t));
    s.needed = malloc((size_t)a->points * sizeof(int64_t));
    if (!s.wrong_before || !s.needed) atomic_store(&shared->jobs.failed, 1);
    for (int64_t job; (job = next_job(&shared->jobs)) >= 0;) replicate(a, &s, job);
    for (size_t i = 0; i < count; i++) free(*parts[i]);
    free(s.wrong_before), free(s.needed);
    return NULL;
}

/* 0, or -1 where memory ran out. Results come zeroed. */
int resample(Resample *a, int threads) {
    Shared shared = {a, {0, a->replicates, 0}, 0};
    for (int64_t k = 0; k < a->classes; k++) {
        int64_t hits = 0;
        for (int64_t i = a->edges[k]; i < a->edges[k + 1]; i++) hits += a->hit[i];
        if (hits > shared.most_hits) shared.most_hits = hits;
    }
    on_threads(threads < a->replicates ? threads : (int)a->replicates, worker, &shared);
    return atomic_load(&shared.jobs.failed) ? -1 : 0;
}
