/* Sets of weeks as bits: WORDS 64-bit words, bit w of the whole is week w. */
#ifndef CHUNGTAY_MASKS_H
#define CHUNGTAY_MASKS_H
#include <stdint.h>

#ifndef WORDS
#define WORDS 1
#endif
#define WEEKS (64 * WORDS)

typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef uint64_t u64;
typedef struct { u64 word[WORDS]; } Mask;

#define EACH_WORD(n) for (int n = 0; n < WORDS; n++)

static inline Mask mask_none(void) { Mask m; EACH_WORD(n) m.word[n] = 0; return m; }
static inline Mask mask_and(Mask a, Mask b) { EACH_WORD(n) a.word[n] &= b.word[n]; return a; }
static inline Mask mask_or(Mask a, Mask b) { EACH_WORD(n) a.word[n] |= b.word[n]; return a; }
static inline Mask mask_less(Mask a, Mask b) { EACH_WORD(n) a.word[n] &= ~b.word[n]; return a; }
static inline int mask_any(Mask a) { u64 any = 0; EACH_WORD(n) any |= a.word[n]; return any != 0; }
static inline int mask_has(Mask a, i32 week) { return a.word[week >> 6] >> (week & 63) & 1; }
static inline void mask_set(Mask *a, i32 week) { a->word[week >> 6] |= 1ULL << (week & 63); }
static inline i32 mask_count(Mask a) {
    i32 count = 0;
    EACH_WORD(n) count += __builtin_popcountll(a.word[n]);
    return count;
}
/* The first week of the mask from `week` on; WEEKS when there is none. */
static inline i32 mask_next(Mask a, i32 week) {
    if (week >= WEEKS) return WEEKS;
    i32 n = week >> 6;
    u64 rest = a.word[n] >> (week & 63);
    if (rest) return week + __builtin_ctzll(rest);
    for (n++; n < WORDS; n++)
        if (a.word[n]) return (n << 6) + __builtin_ctzll(a.word[n]);
    return WEEKS;
}
#define EACH_WEEK(w, mask) for (i32 w = mask_next(mask, 0); w < WEEKS; w = mask_next(mask, w + 1))

#endif
