/* Means as numpy takes them, to the last bit: pairwise summation (pairwise_sum in numpy's loops; Higham, SIAM 1993).
 *
 * A sum of more than 128 numbers is that of its first half, a multiple of 8, and of the rest; up to 128 numbers are a leaf, summed
 * in eight columns. numpy does so for an array in one piece, which is what `values[values > -1]` makes. Numbers may come in parts.
 */
#ifndef ZOO_MEAN_H
#define ZOO_MEAN_H

#include "kernel.h"

#define LEAF 128
#define DEPTH 128 /* of the tree of at most 2^63 numbers, twice: halves and their joins */
#define JOIN 0

typedef struct {
    int64_t count;
    int64_t todo[DEPTH]; /* a stack: so many numbers, or JOIN for two sums that become one */
    double sums[DEPTH];
    int left, held; /* of `todo`, of `sums` */
} Mean;

static inline void start_mean(Mean *m, int64_t count) {
    m->count = count;
    m->todo[0] = count;
    m->left = 1;
    m->held = 0;
}

static inline double sum_of_leaf(const double *values, int64_t count) {
    double columns[8], sum = 0;
    int64_t i = 8;
    if (count < 8) {
        for (i = 0; i < count; i++) sum += values[i];
        return sum;
    }
    memcpy(columns, values, sizeof columns);
    for (; i + 8 <= count; i += 8)
        for (int j = 0; j < 8; j++) columns[j] += values[i + j];
    sum = ((columns[0] + columns[1]) + (columns[2] + columns[3])) + ((columns[4] + columns[5]) + (columns[6] + columns[7]));
    for (; i < count; i++) sum += values[i];
    return sum;
}

/* Takes in the next leaves, as many as are whole, and returns how many numbers those were: the rest comes again, with more. */
static inline int64_t add_leaves(Mean *m, const double *values, int64_t count) {
    int64_t taken = 0;
    while (m->left) {
        const int64_t next = m->todo[m->left - 1], half = next / 2 / 8 * 8;
        if (next == JOIN) {
            m->held--;
            m->sums[m->held - 1] += m->sums[m->held];
        } else if (next > LEAF) {
            m->todo[m->left - 1] = JOIN;
            m->todo[m->left++] = next - half;
            m->todo[m->left] = half;
        } else if (next <= count - taken) {
            m->sums[m->held++] = sum_of_leaf(values + taken, next);
            taken += next;
        } else
            return taken;
        m->left += next > LEAF ? 1 : -1;
    }
    return taken;
}

/* The same, and moves the rest to the front; returns how many numbers that is. */
static inline int64_t go_on(Mean *m, double *values, int64_t count) {
    const int64_t taken = add_leaves(m, values, count);
    memmove(values, values + taken, (size_t)(count - taken) * sizeof(double));
    return count - taken;
}

/* Once all numbers are in; there is at least one. */
static inline double mean_of(const Mean *m) { return m->sums[0] / (double)m->count; }

/* The mean of numbers that are all there. */
static inline double mean(const double *values, int64_t count) {
    Mean m;
    start_mean(&m, count);
    add_leaves(&m, values, count);
    return mean_of(&m);
}

#endif
