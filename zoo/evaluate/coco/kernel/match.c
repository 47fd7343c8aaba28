/* Matching detections to boxes, an image a job: matching.py in C.
 *
 * Inside one image and class, best detection first, each takes the box it overlaps most among those still free, a box that counts
 * before one that does not, of equals the last (COCO's cocoeval.py `evaluateImg`). A 16-bit mask holds all thresholds at once.
 */
#include "kernel.h"

#include <math.h>

typedef struct {
    double iou;
    int64_t box;
    uint16_t reach; /* bit t: enough for threshold t */
} Candidate;

/* One thread's memory, grown to the largest image it meets. */
typedef struct {
    int64_t *count, *order, *spare, *near; /* detections are counted from the image's first */
    double *score, *sides; /* x, y, far x, far y, area of the image's boxes, and what a detection shares with them */
    uint16_t *free;
    Candidate *candidates;
    int64_t detections, boxes;
} Scratch;

typedef struct {
    Match *match;
    Jobs jobs;
} Shared;

static void release(Scratch *s) {
    free(s->count), free(s->order), free(s->spare), free(s->near), free(s->score), free(s->sides), free(s->free);
    free(s->candidates);
}

/* Makes room for an image; 0 where there is no memory. */
static int grow(Scratch *s, const Match *m, int64_t detections, int64_t boxes) {
    if (!s->count && !(s->count = calloc((size_t)m->classes + 1, sizeof(int64_t)))) return 0;
    if (detections > s->detections || !s->order) {
        free(s->order), free(s->spare), free(s->score);
        s->detections = detections + detections / 2 + 64;
        s->order = malloc((size_t)s->detections * sizeof(int64_t));
        s->spare = malloc((size_t)s->detections * sizeof(int64_t));
        s->score = malloc((size_t)s->detections * sizeof(double));
    }
    if (boxes > s->boxes || !s->sides) {
        free(s->sides), free(s->free), free(s->candidates), free(s->near);
        s->boxes = boxes + boxes / 2 + 64;
        s->sides = malloc(6 * (size_t)s->boxes * sizeof(double));
        s->free = malloc((size_t)(s->boxes * m->ranges) * sizeof(uint16_t));
        s->candidates = malloc((size_t)s->boxes * sizeof(Candidate));
        s->near = malloc((size_t)s->boxes * sizeof(int64_t));
    }
    return s->order && s->spare && s->score && s->sides && s->free && s->candidates && s->near;
}

/* Stable, best score first: insertion for short lists, which mostly come sorted; merging for long ones. */
static void sort_by_score(int64_t *order, int64_t *spare, int64_t count, const double *scores) {
    if (count > 48) {
        int64_t half = count / 2;
        sort_by_score(order, spare, half, scores);
        sort_by_score(order + half, spare, count - half, scores);
        memcpy(spare, order, (size_t)half * sizeof(int64_t));
        int64_t left = 0, right = half, to = 0;
        while (left < half) order[to++] = right < count && scores[order[right]] > scores[spare[left]] ? order[right++] : spare[left++];
        return;
    }
    for (int64_t i = 1; i < count; i++) {
        int64_t row = order[i], at = i;
        for (; at > 0 && scores[order[at - 1]] < scores[row]; at--) order[at] = order[at - 1];
        order[at] = row;
    }
}

/* Fills s->order with the image's detections by class, best first. */
static void rank(Scratch *s, const Match *m, int64_t start, int64_t stop) {
    memset(s->count, 0, (size_t)(m->classes + 1) * sizeof(int64_t));
    for (int64_t d = start; d < stop; d++) s->count[m->labels.at[d] + 1]++;
    for (int64_t k = 0; k < m->classes; k++) s->count[k + 1] += s->count[k];
    for (int64_t d = start; d < stop; d++) {
        s->order[s->count[m->labels.at[d]]++] = d - start;
        s->score[d - start] = score_at(m->scores.at, m->narrow_scores, d);
    }
    /* count[k] is now where class k ends */
    for (int64_t k = 0, from = 0; k < m->classes; from = s->count[k++])
        if (s->count[k] - from > 1) sort_by_score(s->order + from, s->spare, s->count[k] - from, s->score);
}

static inline double least_of(double a, double b) { return a < b ? a : b; }
static inline double most_of(double a, double b) { return a > b ? a : b; }

/* A detection as left, top, width, height; a width is subtracted in the box's own precision, then widened. */
static void read_box(const Match *m, int64_t row, double *d) {
    if (m->narrow) {
        const float *box = (const float *)m->detections.at + 4 * row;
        for (int i = 0; i < 4; i++) d[i] = box[i];
        if (m->corners) d[2] = (float)(box[2] - box[0]), d[3] = (float)(box[3] - box[1]);
    } else {
        const double *box = (const double *)m->detections.at + 4 * row;
        for (int i = 0; i < 4; i++) d[i] = box[i];
        if (m->corners) d[2] = box[2] - box[0], d[3] = box[3] - box[1];
    }
}

/* What a detection shares with the boxes from..to of the image, in the last column of `sides`: no branch, so that it vectorises. */
static void share(const Scratch *s, const double *d, int64_t from, int64_t to) {
    const double *x = s->sides, *y = x + s->boxes, *far_x = y + s->boxes, *far_y = far_x + s->boxes;
    const double near_x = d[0], near_y = d[1], end_x = d[2] + d[0], end_y = d[3] + d[1];
    double *restrict shared = s->sides + 5 * s->boxes;
    for (int64_t b = from; b < to; b++) {
        double w = least_of(end_x, far_x[b]) - most_of(near_x, x[b]);
        double h = least_of(end_y, far_y[b]) - most_of(near_y, y[b]);
        shared[b] = most_of(w, 0) * most_of(h, 0);
    }
}

static float towards_zero(double value) {
    float near = (float)value;
    return (double)near > value ? nextafterf(near, 0) : near;
}

/* Lets one detection take what it can, in every size range. `at` is its place in the results. */
static void take(Scratch *s, const Match *m, int64_t at, int64_t first, int64_t candidates) {
    const uint16_t every = (uint16_t)((1u << m->thresholds) - 1);
    for (int64_t r = 0; r < m->ranges; r++) {
        uint16_t wanted = every, taken = 0, ignored = 0;
        for (int passed_over = 0; passed_over < 2 && wanted; passed_over++) {
            for (int64_t c = 0; c < candidates; c++) {
                int64_t g = s->candidates[c].box;
                if (((m->ignore.at[g] >> r) & 1) != passed_over) continue;
                uint16_t *left = &s->free[(g - first) * m->ranges + r];
                uint16_t takes = wanted & s->candidates[c].reach & *left;
                if (!takes) continue;
                wanted &= (uint16_t)~takes;
                if (!m->crowd.at[g]) *left &= (uint16_t)~takes;
                if (!m->uncounted.at[g]) taken |= takes;
                if (passed_over) ignored |= takes;
                if (m->analyses && r == 0 && (takes >> m->watched) & 1) {
                    m->found.at[at] = 1;
                    m->boxes.at[2 * at] = (int32_t)g;
                    m->box_ious.at[2 * at] = towards_zero(s->candidates[c].iou);
                }
            }
        }
        if (taken | ignored) m->hit.at[at] = 1;
        if ((m->outside.at[at] >> r) & 1) ignored |= every & (uint16_t)~taken;
        m->correct.at[at * m->ranges + r] = taken & (uint16_t)~ignored;
        m->ignored.at[at * m->ranges + r] = ignored;
    }
}

/* Puts a candidate where it belongs: most overlap first, of equals the last box first. */
static void want(Candidate *list, int64_t count, Candidate one) {
    for (; count > 0 && list[count - 1].iou <= one.iou; count--) list[count] = list[count - 1];
    list[count] = one;
}

/* One kept detection: its size, the boxes of its class it could take, and for the analyses the nearest box of each kind.
 *
 * The boxes of its class are first..last, those of the image begin..end. IoU as in maskApi.c `bbIou`: the order of operations
 * decides the last bit. */
static void detection(Scratch *s, const Match *m, int64_t at, int64_t row, int64_t image, int64_t first, int64_t last, double least) {
    const int64_t begin = m->box_starts.at[image], end = m->box_starts.at[image + 1];
    const int64_t from = m->analyses ? begin : first, to = m->analyses ? end : last;
    const double *areas = s->sides + 4 * s->boxes, *shared = areas + s->boxes;
    double d[4], nearest[2] = {0, 0};
    int64_t candidates = 0, touching = 0, nearest_box[2] = {-1, -1};
    read_box(m, row, d);
    const double area = d[2] * d[3];
    uint16_t outside = 0;
    for (int64_t r = 0; r < m->ranges; r++) outside |= (uint16_t)((area < m->lows.at[r] || area > m->highs.at[r]) << r);
    m->outside.at[at] = outside;
    m->hit.at[at] = 0;
    share(s, d, from - begin, to - begin);
    for (int64_t g = from; g < to; g++) { /* no branch: which boxes it touches can't be predicted */
        s->near[touching] = g;
        touching += shared[g - begin] > 0;
    }
    for (int64_t i = 0; i < touching; i++) {
        const int64_t g = s->near[i];
        const double common = shared[g - begin], whole = m->crowd.at[g] ? area : area + areas[g - begin] - common;
        double iou = whole > 0 ? common / whole : 0;
        int other = g < first || g >= last;
        if (!m->crowd.at[g] && iou > nearest[other]) nearest[other] = iou, nearest_box[other] = g;
        if (other || iou < least) continue;
        Candidate one = {iou, g, 0};
        for (int64_t t = 0; t < m->thresholds; t++) one.reach |= (uint16_t)((iou >= m->ious.at[t]) << t);
        want(s->candidates, candidates++, one);
    }
    if (m->analyses) {
        m->found.at[at] = 0;
        for (int kind = 0; kind < 2; kind++) {
            m->boxes.at[2 * at + kind] = (int32_t)nearest_box[kind];
            m->box_ious.at[2 * at + kind] = towards_zero(nearest[kind]);
        }
    }
    if (candidates) take(s, m, at, first, candidates);
}

/* Lays the image's boxes out by side, so that one detection meets all of them at once. */
static void lay_out(Scratch *s, const double *boxes, int64_t count) {
    double *x = s->sides, *y = x + s->boxes, *far_x = y + s->boxes, *far_y = far_x + s->boxes, *area = far_y + s->boxes;
    for (int64_t b = 0; b < count; b++) {
        const double *box = boxes + 4 * b;
        x[b] = box[0], y[b] = box[1];
        far_x[b] = box[2] + box[0], far_y[b] = box[3] + box[1];
        area[b] = box[2] * box[3];
    }
}

static void of_image(Scratch *s, const Match *m, int64_t number, double least) {
    const int64_t start = m->starts.at[number], image = m->images.at[number];
    const int64_t begin = m->box_starts.at[image], end = m->box_starts.at[image + 1];
    rank(s, m, start, m->starts.at[number + 1]);
    lay_out(s, m->box_xywh.at + 4 * begin, end - begin);
    int64_t at = start, first = begin, last = begin;
    for (int64_t k = 0, from = 0; k < m->classes; from = s->count[k++]) {
        if (s->count[k] == from) continue;
        for (first = last; first < end && m->box_labels.at[first] < k; first++) {}
        for (last = first; last < end && m->box_labels.at[last] == k; last++) {}
        for (int64_t i = 0; i < (last - first) * m->ranges; i++) s->free[i] = (uint16_t)((1u << m->thresholds) - 1);
        for (int64_t i = from; i < s->count[k] && i - from < m->limit; i++, at++) {
            const int64_t row = start + s->order[i];
            if (m->narrow_scores) ((float *)m->kept_scores.at)[at] = ((const float *)m->scores.at)[row];
            else ((double *)m->kept_scores.at)[at] = ((const double *)m->scores.at)[row];
            m->kept_labels.at[at] = (uint16_t)k;
            m->ranks.at[at] = (uint16_t)(i - from);
            detection(s, m, at, row, image, first, last, least);
        }
    }
    m->kept.at[number] = at - start;
}

static void *worker(void *context) {
    Shared *shared = context;
    const Match *m = shared->match;
    Scratch scratch = {0};
    double least = m->ious.at[0];
    for (int64_t t = 1; t < m->thresholds; t++) least = least_of(least, m->ious.at[t]);
    for (int64_t job; (job = next_job(&shared->jobs)) >= 0;) {
        int64_t image = m->images.at[job];
        if (!grow(&scratch, m, m->starts.at[job + 1] - m->starts.at[job], m->box_starts.at[image + 1] - m->box_starts.at[image])) {
            atomic_store(&shared->jobs.failed, 1);
            break;
        }
        of_image(&scratch, m, job, least);
    }
    release(&scratch);
    return NULL;
}

static int check(Match *a) {
    const int64_t count = a->labels.count, images = a->images.count, boxes = a->box_labels.count;
    REQUIRE(a->classes >= 0 && a->classes <= MAX_CLASSES && a->ranges > 0 && a->ranges <= MAX_RANGES);
    REQUIRE(a->thresholds > 0 && a->thresholds <= MAX_THRESHOLDS && a->ious.count == a->thresholds);
    REQUIRE(a->watched >= 0 && a->watched < a->thresholds && a->limit >= 0 && a->limit <= UINT16_MAX + 1);
    REQUIRE(a->lows.count == a->ranges && a->highs.count == a->ranges);
    REQUIRE(a->starts.count == images + 1 && rises(a->starts.at, a->starts.count, count) && a->kept.count == images);
    REQUIRE(is_product(a->detections.bytes, count, 4, a->narrow ? 4 : 8, 1));
    REQUIRE(are_floats(a->scores.bytes, count, a->narrow_scores) && are_floats(a->kept_scores.bytes, count, a->narrow_scores));
    REQUIRE(all_below(a->labels.at, count, a->classes));
    REQUIRE(boxes <= INT32_MAX && rises(a->box_starts.at, a->box_starts.count, boxes));
    REQUIRE(all_below(a->images.at, images, a->box_starts.count - 1));
    REQUIRE(is_product(a->box_xywh.count, boxes, 4, 1, 1) && a->crowd.count == boxes && a->uncounted.count == boxes);
    REQUIRE(a->ignore.count == boxes && a->hit.count == count && a->kept_labels.count == count);
    REQUIRE(a->ranks.count == count && a->outside.count == count);
    REQUIRE(is_product(a->correct.count, count, a->ranges, 1, 1) && a->ignored.count == a->correct.count);
    REQUIRE(a->found.count == (a->analyses ? count : 0) && a->boxes.count == 2 * a->found.count);
    REQUIRE(a->box_ious.count == a->boxes.count);
    return DONE;
}

int match(Match *m, int64_t threads) {
    if (check(m) != DONE) return REFUSED;
    Shared shared = {m, {0, m->images.count, 0}};
    on_threads(threads < m->images.count ? threads : m->images.count, worker, &shared);
    return atomic_load(&shared.jobs.failed) ? NO_MEMORY : DONE;
}
