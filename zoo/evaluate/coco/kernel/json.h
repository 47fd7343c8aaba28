/* Reading plain JSON, a value at a time: each function takes where it begins and where the text ends, and gives where it
 * goes on, or NULL for anything that is not plain. Nothing outside of the text is ever looked at.
 */
#ifndef ZOO_JSON_H
#define ZOO_JSON_H

#include <stddef.h>
#include <stdint.h>

typedef const uint8_t *Text;

/* A number as it is written: digits * 10^scale. whole: without point and exponent. many: more digits than fit in 64 bits. */
typedef struct {
    Text begin, end;
    uint64_t digits;
    int32_t scale;
    int negative, whole, many;
} Number;

/* The next character that is no white space, or the end; never NULL. */
static inline Text json_blank(Text at, Text end) {
    while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

/* Behind white space and this character. */
static inline Text json_symbol(Text at, Text end, uint8_t symbol) {
    at = json_blank(at, end);
    return at < end && *at == symbol ? at + 1 : NULL;
}

Text json_string(Text at, Text end, int *escaped);   /* `at` is its first quote */
Text json_number(Text at, Text end, Number *number);
Text json_skip(Text at, Text end, int depth);        /* any value, held to the grammar all the same */
int json_whole(const Number *number, int64_t *value); /* 0 where it is no 64-bit whole number */
int json_real(const Number *number, double *value);   /* correctly rounded; 0 where it is none, or beyond a double */

#endif
