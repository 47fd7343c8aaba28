/* COCO's files straight into columns: a results list, and `instances.json`.
 *
 * Only plain documents are read. Whatever is not fully understood, be it wrong or only rare, is answered with UNUSUAL: then
 * the careful reader in Python decides what it means and words the error. What is read has the same bits as there.
 */
#include "json.h"
#include "kernel.h"

#define UNUSUAL (-1)
#define WORTH_A_THREAD (1 << 20) /* bytes */
#define LEAST 48                 /* bytes of a record; Python makes room for length / LEAST + 2 of them */

typedef struct {
    const uint8_t *text;
    int64_t length, room;
    int64_t *images, *categories, *count;
    double *boxes, *scores;
} Results;

typedef struct {
    const uint8_t *text;
    int64_t length, room;
    /* images: where their file names begin, and their lengths, -1 where there is none */
    int64_t *image_ids, *names, *name_lengths, *widths, *heights;
    /* annotations; an area that is not there is NaN */
    int64_t *ids, *images, *categories;
    double *boxes, *areas;
    uint8_t *crowd;
    /* (4) images, annotations, where the list of categories begins and ends */
    int64_t *found;
} Instances;

/* Reads one record into a row; NULL where it is unusual. */
typedef Text (*Record)(void *columns, int64_t row, Text at, Text end);

/* Records one after another, up to where the list ends or another part begins. */
typedef struct {
    Record record;
    void *columns;
    Text at, end, stop; /* stop: where the other part begins */
    int64_t first, limit, count;
    int done, landed; /* the list ended; the other part's first record is next */
} Part;

static Text whole(Text at, Text end, int64_t *value) {
    Number number;
    at = json_number(json_blank(at, end), end, &number);
    return at && json_whole(&number, value) ? at : NULL;
}

static Text real(Text at, Text end, double *value) {
    Number number;
    at = json_number(json_blank(at, end), end, &number);
    return at && json_real(&number, value) ? at : NULL;
}

static Text four(Text at, Text end, double *box) {
    at = json_symbol(at, end, '[');
    for (int i = 0; at && i < 4; i++) {
        at = real(at, end, box + i);
        at = at ? json_symbol(at, end, i < 3 ? ',' : ']') : NULL;
    }
    return at;
}

static Text null(Text at, Text end) {
    at = json_blank(at, end);
    return end - at >= 4 && !memcmp(at, "null", 4) ? at + 4 : NULL;
}

typedef struct {
    const char *name; /* with its quotes */
    size_t length;
} Key;
#define KEY(name) {"\"" name "\"", sizeof name + 1}

static inline int is_key(Text at, Text end, const Key *key) {
    return (size_t)(end - at) > key->length && at[1] == (uint8_t)key->name[1] && !memcmp(at, key->name, key->length);
}

/* The next key of an object and its colon: its number among `keys`, or -1; each of those may come once. Records have their keys
 * in one order, so that the one behind the last is looked for first. */
static inline Text next_key(Text at, Text end, const Key *keys, int count, unsigned *seen, int *which) {
    int escaped, first = *which + 1;
    at = json_blank(at, end);
    *which = -1;
    for (int i = 0; i < count && *which < 0; i++) {
        int guess = first + i < count ? first + i : first + i - count;
        if (is_key(at, end, keys + guess)) *which = guess;
    }
    if (*which < 0) {
        at = json_string(at, end, &escaped);
        if (!at || escaped) return NULL;
        return json_symbol(at, end, ':');
    }
    if (*seen >> *which & 1) return NULL;
    *seen |= 1u << *which;
    return json_symbol(at + keys[*which].length, end, ':');
}

/* Behind a value: the next key, or the end of the object, where `last` is set. */
static Text next_member(Text at, Text end, int *last) {
    at = json_blank(at, end);
    if (at >= end || (*at != ',' && *at != '}')) return NULL;
    *last = *at == '}';
    return at + 1;
}

static Text result(void *columns, int64_t row, Text at, Text end) {
    static const Key KEYS[] = {KEY("image_id"), KEY("category_id"), KEY("bbox"), KEY("score")};
    Results *into = columns;
    unsigned seen = 0;
    for (int last = 0, which = -1; at && !last; at = at ? next_member(at, end, &last) : NULL) {
        if (!(at = next_key(at, end, KEYS, 4, &seen, &which))) return NULL;
        switch (which) {
        case 0: at = whole(at, end, into->images + row); break;
        case 1: at = whole(at, end, into->categories + row); break;
        case 2: at = four(at, end, into->boxes + 4 * row); break;
        case 3: at = real(at, end, into->scores + row); break;
        default: at = json_skip(at, end, 0);
        }
    }
    return seen == 15 ? at : NULL;
}

static Text annotation(void *columns, int64_t row, Text at, Text end) {
    static const Key KEYS[] = {KEY("id"), KEY("image_id"), KEY("category_id"), KEY("bbox"), KEY("area"), KEY("iscrowd")};
    Instances *into = columns;
    unsigned seen = 0;
    Text none;
    into->areas[row] = __builtin_nan("");
    into->crowd[row] = 0;
    for (int last = 0, which = -1; at && !last; at = at ? next_member(at, end, &last) : NULL) {
        int64_t flag = 0;
        if (!(at = next_key(at, end, KEYS, 6, &seen, &which))) return NULL;
        switch (which) {
        case 0: at = whole(at, end, into->ids + row); break;
        case 1: at = whole(at, end, into->images + row); break;
        case 2: at = whole(at, end, into->categories + row); break;
        case 3: at = four(at, end, into->boxes + 4 * row); break;
        case 4: at = (none = null(at, end)) ? none : real(at, end, into->areas + row); break;
        case 5:
            at = whole(at, end, &flag);
            if (flag != 0 && flag != 1) return NULL;
            into->crowd[row] = (uint8_t)flag;
            break;
        default: at = json_skip(at, end, 0);
        }
    }
    return (seen & 15) == 15 ? at : NULL;
}

/* A width or height: 0 where it is not known. */
static Text side(Text at, Text end, int64_t *value) {
    Text none = null(at, end);
    *value = 0;
    if (none) return none;
    at = whole(at, end, value);
    return at && *value >= 0 && *value <= INT64_C(1) << 31 ? at : NULL;
}

static Text image(void *columns, int64_t row, Text at, Text end) {
    static const Key KEYS[] = {KEY("id"), KEY("file_name"), KEY("width"), KEY("height")};
    Instances *into = columns;
    unsigned seen = 0;
    Text begin, none;
    int escaped;
    into->names[row] = 0, into->name_lengths[row] = -1, into->widths[row] = 0, into->heights[row] = 0;
    for (int last = 0, which = -1; at && !last; at = at ? next_member(at, end, &last) : NULL) {
        if (!(at = next_key(at, end, KEYS, 4, &seen, &which))) return NULL;
        switch (which) {
        case 0: at = whole(at, end, into->image_ids + row); break;
        case 1:
            if ((none = null(at, end))) {
                at = none;
                break;
            }
            begin = json_blank(at, end);
            at = json_string(begin, end, &escaped);
            if (!at || escaped) return NULL;
            into->names[row] = begin + 1 - into->text;
            into->name_lengths[row] = at - begin - 2;
            break;
        case 2: at = side(at, end, into->widths + row); break;
        case 3: at = side(at, end, into->heights + row); break;
        default: at = json_skip(at, end, 0);
        }
    }
    return seen & 1 ? at : NULL;
}

/* Fills in a part; where it stops without `done` or `landed`, something is unusual. */
static void *read_part(void *context) {
    Part *part = context;
    while (part->count < part->limit) {
        part->at = json_blank(part->at, part->end);
        if (part->at == part->stop) {
            part->landed = 1;
            return NULL;
        }
        if (part->at >= part->end || *part->at != '{') return NULL;
        Text at = part->record(part->columns, part->first + part->count, part->at + 1, part->end);
        if (!at) return NULL;
        part->count++;
        at = json_blank(at, part->end);
        if (at >= part->end || (*at != ',' && *at != ']')) return NULL;
        part->at = at + 1;
        if (*at == ']') {
            part->done = 1;
            return NULL;
        }
    }
    return NULL;
}

/* What may be the beginning of a record near the middle. A wrong guess costs time and nothing else: the part before it would
 * have to come to this very place between two records. */
static Text guess(Text at, Text end) {
    for (at += (end - at) / 2; at && end - at > WORTH_A_THREAD / 4; at++) {
        at = memchr(at, '}', (size_t)(end - at));
        Text next = at ? json_symbol(at + 1, end, ',') : NULL;
        next = next ? json_blank(next, end) : NULL;
        if (next && next < end && *next == '{') {
            Text key = json_blank(next + 1, end);
            if (key < end && *key == '"') return next;
        }
        if (!at) return NULL;
    }
    return NULL;
}

typedef void (*Move)(void *columns, int64_t to, int64_t from, int64_t count);

#define MOVE(column, width) memmove((column) + (width) * to, (column) + (width) * from, sizeof *(column) * (size_t)((width) * count))

static void move_results(void *columns, int64_t to, int64_t from, int64_t count) {
    Results *into = columns;
    MOVE(into->images, 1), MOVE(into->categories, 1), MOVE(into->boxes, 4), MOVE(into->scores, 1);
}

static void move_annotations(void *columns, int64_t to, int64_t from, int64_t count) {
    Instances *into = columns;
    MOVE(into->ids, 1), MOVE(into->images, 1), MOVE(into->categories, 1);
    MOVE(into->boxes, 4), MOVE(into->areas, 1), MOVE(into->crowd, 1);
}

typedef struct {
    Part parts[2];
    _Atomic int next;
} Pair;

static void *read_parts(void *context) {
    Pair *pair = context;
    for (int which; (which = atomic_fetch_add(&pair->next, 1)) < 2;) read_part(&pair->parts[which]);
    return NULL;
}

/* A list of records, from behind its bracket; on two threads where it is long. */
static Text list(Text at, Text end, Record record, Move move, void *columns, int64_t room, int threads, int64_t *count) {
    Text first = json_blank(at, end);
    *count = 0;
    if (first < end && *first == ']') return first + 1;
    Part alone = {.record = record, .columns = columns, .at = at, .end = end, .limit = room};
    Text split = threads > 1 && move && end - at > WORTH_A_THREAD ? guess(at, end) : NULL;
    int64_t before = split ? (split - at) / LEAST + 1 : 0;
    if (split && before < room) {
        Pair pair = {.parts = {alone, alone}};
        pair.parts[0].stop = split;
        pair.parts[0].limit = before;
        pair.parts[1].at = split;
        pair.parts[1].first = before;
        pair.parts[1].limit = room - before;
        on_threads(2, read_parts, &pair);
        if (pair.parts[0].landed && pair.parts[1].done) {
            *count = pair.parts[0].count + pair.parts[1].count;
            move(columns, pair.parts[0].count, before, pair.parts[1].count);
            return pair.parts[1].at;
        }
    }
    read_part(&alone);
    *count = alone.count;
    return alone.done ? alone.at : NULL;
}

/* 0, or UNUSUAL. */
int read_results(Results *into, int threads) {
    Text end = into->text + into->length, at = json_symbol(into->text, end, '[');
    at = at ? list(at, end, result, move_results, into, into->room, threads, into->count) : NULL;
    return at && json_blank(at, end) == end ? 0 : UNUSUAL;
}

/* 0, or UNUSUAL. */
int read_instances(Instances *into, int threads) {
    static const Key KEYS[] = {KEY("images"), KEY("annotations"), KEY("categories")};
    Text end = into->text + into->length, at = json_symbol(into->text, end, '{'), begin;
    unsigned seen = 0;
    for (int last = 0, which = -1; at && !last; at = at ? next_member(at, end, &last) : NULL) {
        if (!(at = next_key(at, end, KEYS, 3, &seen, &which))) return UNUSUAL;
        switch (which) {
        case 0:
            at = json_symbol(at, end, '[');
            at = at ? list(at, end, image, NULL, into, into->room, 1, into->found) : NULL;
            break;
        case 1:
            at = json_symbol(at, end, '[');
            at = at ? list(at, end, annotation, move_annotations, into, into->room, threads, into->found + 1) : NULL;
            break;
        case 2:
            begin = json_blank(at, end);
            at = json_skip(begin, end, 0);
            if (at) into->found[2] = begin - into->text, into->found[3] = at - into->text;
            break;
        default: at = json_skip(at, end, 0);
        }
    }
    return at && (seen & 5) == 5 && json_blank(at, end) == end ? 0 : UNUSUAL;
}
