/* Plain JSON, and numbers to the nearest double. */
#define _GNU_SOURCE /* strtod_l */
#include "json.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#define DEEPEST 64  /* levels of nesting; annotations have four */
#define LONGEST 128 /* characters of a number that needs care */
#define MOST_DIGITS 19 /* that always fit in 64 bits */
#define SMALLEST (1 << 30)

/* One character of several bytes (Unicode, table 3-7). */
static Text utf8(Text at, Text end) {
    uint8_t first = *at, low = 0x80, high = 0xBF;
    int more = first >= 0xC2 && first <= 0xDF ? 1 : (first & 0xF0) == 0xE0 ? 2 : first >= 0xF0 && first <= 0xF4 ? 3 : 0;
    if (!more || end - at <= more) return NULL;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F; /* half of a surrogate pair */
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (at[1] < low || at[1] > high) return NULL;
    for (int i = 2; i <= more; i++)
        if ((at[i] & 0xC0) != 0x80) return NULL;
    return at + 1 + more;
}

/* A backslash and what it escapes; halves of surrogate pairs are left to the careful reader. */
static Text escape(Text at, Text end) {
    if (end - at < 2) return NULL;
    if (at[1] != 'u') return at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
    if (end - at < 6) return NULL;
    unsigned code = 0;
    for (int i = 2; i < 6; i++) {
        uint8_t lower = at[i] | 0x20;
        if (at[i] >= '0' && at[i] <= '9') code = 16 * code + at[i] - '0';
        else if (lower >= 'a' && lower <= 'f') code = 16 * code + lower - 'a' + 10;
        else return NULL;
    }
    return code >= 0xD800 && code <= 0xDFFF ? NULL : at + 6;
}

Text json_string(Text at, Text end, int *escaped) {
    *escaped = 0;
    if (at >= end || *at != '"') return NULL;
    at++;
    while (at && at < end) {
        if (*at == '"') return at + 1;
        if (*at == '\\') {
            *escaped = 1;
            at = escape(at, end);
        } else if (*at >= 0x80) at = utf8(at, end);
        else if (*at < 0x20) return NULL;
        else at++;
    }
    return NULL;
}

/* Digits one after another. No overflow is looked for: who calls counts them. */
static inline Text digits(Text at, Text end, uint64_t *value) {
    uint64_t read = *value;
    for (unsigned digit; at < end && (digit = (unsigned)*at - '0') <= 9; at++) read = 10 * read + digit;
    *value = read;
    return at;
}

static Text exponent(Text at, Text end, int32_t *scale) {
    int32_t power = 0, sign = 1;
    if (at < end && (*at == '+' || *at == '-')) sign = *at++ == '-' ? -1 : 1;
    Text first = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (power < 100000) power = 10 * power + *at - '0';
    *scale += sign * power;
    return at == first ? NULL : at;
}

Text json_number(Text at, Text end, Number *number) {
    *number = (Number){.begin = at, .whole = 1};
    if (at < end && *at == '-') number->negative = 1, at++;
    Text first = at;
    at = digits(at, end, &number->digits);
    ptrdiff_t count = at - first;
    if (!count || (*first == '0' && count > 1)) return NULL;
    if (at < end && *at == '.') {
        number->whole = 0;
        first = ++at;
        at = digits(at, end, &number->digits);
        if (at == first) return NULL;
        count += at - first;
        number->scale = at - first < SMALLEST ? (int32_t)(first - at) : -SMALLEST;
    }
    number->many = count > MOST_DIGITS;
    if (at < end && (*at | 0x20) == 'e') {
        number->whole = 0;
        if (!(at = exponent(at + 1, end, &number->scale))) return NULL;
    }
    number->end = at;
    return at;
}

static Text behind_digits(Text at, Text end) {
    while (at < end && (unsigned)*at - '0' <= 9) at++;
    return at;
}

/* Behind a number whose value nobody wants. */
static Text skip_number(Text at, Text end) {
    if (at < end && *at == '-') at++;
    Text first = at;
    at = behind_digits(at, end);
    if (at == first || (*first == '0' && at - first > 1)) return NULL;
    if (at < end && *at == '.') {
        first = at + 1;
        at = behind_digits(first, end);
        if (at == first) return NULL;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        first = at;
        at = behind_digits(at, end);
        if (at == first) return NULL;
    }
    return at;
}

static Text members(Text at, Text end, int depth, int object) {
    uint8_t last = object ? '}' : ']';
    at = json_blank(at + 1, end);
    if (at < end && *at == last) return at + 1;
    for (;;) {
        if (object) {
            int escaped;
            at = json_string(json_blank(at, end), end, &escaped);
            if (!at || !(at = json_symbol(at, end, ':'))) return NULL;
        }
        if (!(at = json_skip(at, end, depth + 1))) return NULL;
        at = json_blank(at, end);
        if (at >= end) return NULL;
        if (*at == last) return at + 1;
        if (*at++ != ',') return NULL;
    }
}

Text json_skip(Text at, Text end, int depth) {
    int escaped;
    at = json_blank(at, end);
    if (at >= end || depth > DEEPEST) return NULL;
    switch (*at) {
    case '"': return json_string(at, end, &escaped);
    case '{': return members(at, end, depth, 1);
    case '[': return members(at, end, depth, 0);
    case 't': return end - at >= 4 && !memcmp(at, "true", 4) ? at + 4 : NULL;
    case 'f': return end - at >= 5 && !memcmp(at, "false", 5) ? at + 5 : NULL;
    case 'n': return end - at >= 4 && !memcmp(at, "null", 4) ? at + 4 : NULL;
    default: return skip_number(at, end);
    }
}

int json_whole(const Number *number, int64_t *value) {
    if (!number->whole || number->many || number->digits > INT64_MAX) return 0;
    *value = number->negative ? -(int64_t)number->digits : (int64_t)number->digits;
    return 1;
}

/* digits / 10^tens, 0 < tens <= 27, to the nearest double, halves to even: long division in whole numbers. */
static double divided(uint64_t digits, int tens) {
    uint64_t fives = 1;
    for (int i = 0; i < tens; i++) fives *= 5; /* 5^27 < 2^63 */
    int up = __builtin_clzll(digits), down = __builtin_clzll(fives);
    unsigned __int128 over = (unsigned __int128)(digits << up) << 63;
    uint64_t under = fives << down, quotient = (uint64_t)(over / under); /* 63 or 64 bits */
    int sticky = over != (unsigned __int128)quotient * under, shift = quotient >> 63 ? 11 : 10;
    uint64_t kept = quotient >> shift, rest = quotient & ((UINT64_C(1) << shift) - 1), half = UINT64_C(1) << (shift - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
    uint64_t bits = (uint64_t)(1023 + shift - 63 + down - up - tens) << 52; /* a power of two, far from the ends */
    double power;
    memcpy(&power, &bits, sizeof power);
    return (double)kept * power;
}

/* The C library's answer, in a locale whose decimal point is one. */
static int by_library(const Number *number, double *value) {
    char copy[LONGEST];
    size_t length = (size_t)(number->end - number->begin);
    if (length >= LONGEST) return 0;
    memcpy(copy, number->begin, length);
    copy[length] = 0;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return 0;
    *value = strtod_l(copy, NULL, plain);
    freelocale(plain);
    return isfinite(*value) && *value != 0;
}

int json_real(const Number *number, double *value) {
    static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint64_t digits = number->digits;
    int32_t scale = number->scale;
    if (number->many) return by_library(number, value);
    if (!digits) *value = 0;
    else if (!scale) *value = (double)digits;
    else if (digits < UINT64_C(1) << 53 && scale < 0 && scale >= -22) *value = (double)digits / TENS[-scale];
    else if (digits < UINT64_C(1) << 53 && scale > 0 && scale <= 22) *value = (double)digits * TENS[scale];
    else if (scale < 0 && scale >= -27) *value = divided(digits, -scale);
    else return by_library(number, value);
    if (number->negative && (digits || !number->whole)) *value = -*value; /* a whole -0 is 0 */
    return 1;
}
