/* Who could take a weekly slot as the plan stands, and for how much: the school's side, the
 * teachers', and the choice of those worth a closer look. */
#ifndef CHUNGTAY_OFFERS_H
#define CHUNGTAY_OFFERS_H
#include "state.h"

enum { KEPT = 32, SCANNED = 512, POSITIONS = WEEKS + 3 }; /* a wall before, one after, and the end */
static const double NEVER = 1e18;

/* How hard an insertion looks. */
typedef struct {
    i32 slots;   /* slots priced; the one it had before comes first */
    i32 scanned; /* usable candidates gathered for a slot, at most SCANNED */
    i32 kept;    /* of them, the most promising, at most KEPT */
    i32 sample;  /* of a long list: usable candidates beside those just freed; 0: no sampling */
    i32 blink;   /* of 256 candidates, how many are passed over */
    i32 cut;     /* of 256, how many are seen without some of their weeks */
    i32 worst;   /* of so many requests met by chance, a move begins with the dearest */
    double noise; /* of the temperature: how wrong the price of a teacher may be in a move */
} Effort;

typedef struct {
    i32 teacher;
    i64 row;      /* in the candidate arrays */
    Mask weeks;
    double first; /* price of his first lesson here, less what a lesson is worth */
    double step;  /* what each further one adds */
    double extra; /* as one more teacher of the request */
    double promise;
    i32 left, lessons, used; /* lessons: he could give at most here */
} Offer;

typedef struct { i32 offer, start, fresh, lessons; } Label;

/* Scratch and luck of one search. */
typedef struct Search {
    u64 random;
    u64 dice; i32 dice_left;
    Effort effort;
    u64 mood; double noise; /* of the move at hand */
    Offer offer[SCANNED];
    Offer keep[KEPT];
    i32 freed_count, *freed, *freed_in, freed_round;
    /* which row a teacher has among the candidates of a kind, for long lists */
    i32 words; u64 *member; i64 *row_first; i32 *row_kind; i64 *row;
    i32 *best_who, *who, *hint;
    i32 week_at[POSITIONS], wall[POSITIONS], from[POSITIONS], last[POSITIONS];
    double value[POSITIONS], rest[POSITIONS];
    Label label[POSITIONS];
    i32 position[POSITIONS];
    struct { Mask weeks; i32 start, end; } *beside; /* of one school */
    Mask *crowd;
} Search;

static inline u64 next_random(Search *s) {
    u64 x = s->random;
    x ^= x >> 12, x ^= x << 25, x ^= x >> 27;
    s->random = x;
    return x * 2685821657736338717ULL;
}
static inline i32 below(Search *s, i32 n) { return (i32)(((next_random(s) >> 32) * (u64)n) >> 32); }
static inline double unit(Search *s) { return (next_random(s) >> 11) * (1.0 / 9007199254740992.0); }

/* Whether a candidate is passed over, or seen without some of the weeks. */
enum { SEEN, CUT, UNSEEN };
static inline int glance(Search *s) {
    if (!s->effort.blink && !s->effort.cut) return SEEN;
    if (!s->dice_left) s->dice = next_random(s), s->dice_left = 8;
    i32 die = s->dice & 255;
    s->dice >>= 8, s->dice_left--;
    return die < s->effort.blink ? UNSEEN : die < s->effort.blink + s->effort.cut ? CUT : SEEN;
}

/* The weeks in which the week's lessons of the request are not all given by lessons that stay. */
static Mask week_open(const Engine *e, i32 request, Mask weeks) {
    const Instance *in = &e->in;
    i32 first = e->fixed_first[request], end = e->fixed_first[request + 1];
    if (first == end) return weeks;
    EACH_WEEK(w, weeks) {
        i32 given = 0;
        for (i32 n = first; n < end; n++) given += in->fixed_week[e->fixed_by_request[n]] == w;
        for (i32 p = request * in->places; p < (request + 1) * in->places; p++)
            given += e->slot[p] >= 0 && mask_has(e->weeks[p], w);
        if (given >= in->request_per_week[request]) {
            Mask one = mask_none();
            mask_set(&one, w);
            weeks = mask_less(weeks, one);
        }
    }
    return weeks;
}

/* The weeks in which the class and a room are free (rules 2 and 5). */
static Mask school_open(Engine *e, i32 slot, Mask weeks) {
    const Instance *in = &e->in;
    Search *s = e->search;
    i32 request = in->slot_request[slot], school = in->request_school[request];
    i32 weekday = in->slot_weekday[slot], start = in->slot_start[slot], end = in->slot_end[slot];
    i32 rooms = in->school_rooms[school], count = 0;
    if (rooms <= 0) return mask_none();
    for (i32 n = in->school_requests_first[school]; n < in->school_requests_first[school + 1]; n++) {
        i32 other = in->school_requests[n], same_class = in->request_class[other] == in->request_class[request];
        for (i32 p = other * in->places; p < (other + 1) * in->places; p++) {
            i32 x = e->slot[p];
            if (x < 0 || in->slot_weekday[x] != weekday || in->slot_start[x] >= end || start >= in->slot_end[x]) continue;
            if (same_class) weeks = mask_less(weeks, e->weeks[p]);
            s->beside[count].weeks = e->weeks[p];
            s->beside[count].start = in->slot_start[x];
            s->beside[count++].end = in->slot_end[x];
        }
        for (i32 f = e->fixed_first[other]; f < e->fixed_first[other + 1]; f++) {
            i32 x = e->fixed_by_request[f], w = in->fixed_week[x];
            if (w < 0 || w >= in->weeks || in->fixed_weekday[x] != weekday || in->fixed_start[x] >= end || start >= in->fixed_end[x]) continue;
            Mask one = mask_none();
            mask_set(&one, w);
            if (same_class) weeks = mask_less(weeks, one);
            s->beside[count].weeks = one;
            s->beside[count].start = in->fixed_start[x];
            s->beside[count++].end = in->fixed_end[x];
        }
    }
    if (count < rooms) return weeks;
    for (i32 n = -1; n < count; n++) { /* a moment of the slot: its start, or that of a lesson in it */
        i32 moment = n < 0 ? start : s->beside[n].start;
        if (n >= 0 && moment <= start) continue;
        for (i32 k = 0; k < rooms; k++) s->crowd[k] = mask_none();
        Counter crowd = {s->crowd, rooms, rooms};
        for (i32 k = 0; k < count; k++)
            if (s->beside[k].start <= moment && moment < s->beside[k].end) counter_add(&crowd, s->beside[k].weeks);
        weeks = mask_less(weeks, s->crowd[rooms - 1]);
    }
    return weeks;
}

static inline int offer_of(Engine *e, i32 slot, i64 row, Mask open, Offer *o) {
    const Instance *in = &e->in;
    i32 teacher = in->candidate_teacher[row];
    Mask weeks = mask_and(in->candidate_weeks[row], open);
    if (!mask_any(weeks)) return 0;
    weeks = free_weeks(e, teacher, in->slot_weekday[slot], in->slot_start[slot], in->slot_end[slot], weeks);
    if (!mask_any(weeks)) return 0;
    o->teacher = teacher, o->row = row, o->weeks = weeks;
    return 1;
}

/* Hides what an offer has before a week, after it, or from it to another: where teachers are scarce the
 * best plan may share one between requests, have him later than he could begin or break off for a
 * while, and an insertion that sees him whole takes all it can.  False when nothing is left. */
static inline int cut(const Engine *e, Offer *o) {
    Search *s = e->search;
    i32 week = below(s, e->in.weeks), side = below(s, 3), from = side == 0 ? 0 : week, to = side == 1 ? WEEKS : week;
    if (side == 2) to += 1 + below(s, e->in.weeks - week);
    if (side == 1) from++;
    EACH_WEEK(w, o->weeks)
        if (from <= w && w < to) o->weeks.word[w >> 6] &= ~(1ULL << (w & 63));
    return mask_any(o->weeks);
}

/* Gathers who could take the slot: all, or of a long list those just freed and a sample. */
static i32 gather(Engine *e, i32 slot, Mask open) {
    Search *s = e->search;
    const Instance *in = &e->in;
    i32 kind = in->slot_kind[slot], count = 0;
    i64 first = in->kind_first[kind];
    i32 listed = (i32)(in->kind_first[kind + 1] - first), most = s->effort.scanned, at = 0;
    int sampled = s->effort.sample && s->member && listed > 2 * s->effort.sample;
    if (sampled) {
        const u64 *member = s->member + (size_t)kind * s->words;
        for (i32 n = 0; n < s->freed_count && count < most; n++) {
            i32 t = s->freed[n];
            int seen = SEEN;
            if (e->left[t] <= 0 || !(member[t >> 6] >> (t & 63) & 1) || (seen = glance(s)) == UNSEEN) continue;
            i64 low = s->row_first[t], high = s->row_first[t + 1];
            while (high - low > 1) {
                i64 middle = (low + high) / 2;
                if (s->row_kind[middle] <= kind) low = middle; else high = middle;
            }
            if (offer_of(e, slot, s->row[low], open, s->offer + count))
                count += seen == SEEN || cut(e, s->offer + count);
        }
        if (most > count + s->effort.sample) most = count + s->effort.sample;
    }
    if (sampled || listed > most) at = listed ? below(s, listed) : 0;
    for (i32 n = 0, misses = 3 * s->effort.sample; n < listed && count < most; n++, at++) {
        if (at == listed) at = 0;
        i32 t = in->candidate_teacher[first + at];
        if (e->left[t] <= 0 || (sampled && s->freed_in[t] == s->freed_round)) continue;
        int seen = glance(s);
        if (seen == UNSEEN) continue;
        if (offer_of(e, slot, first + at, open, s->offer + count))
            count += seen == SEEN || cut(e, s->offer + count);
        else if (sampled && --misses < 0) break;
    }
    return count;
}

/* How much dearer a teacher seems in the move at hand: it lets other plans come up. */
static inline double whim(const Search *s, i32 teacher) {
    u64 x = (teacher + 1) * 0x9E3779B97F4A7C15ULL ^ s->mood;
    x ^= x >> 29, x *= 0xBF58476D1CE4E5B9ULL, x ^= x >> 32;
    return s->noise * (x & 1023) * (1.0 / 1024);
}

/* Prices the offers and keeps the most promising; returns how many. */
static i32 choose(Engine *e, i32 slot, i32 count, double worth) {
    Search *s = e->search;
    const Instance *in = &e->in;
    i32 school = in->request_school[in->slot_request[slot]], kept = 0, most = s->effort.kept;
    double base = e->price.rank * in->slot_rank[slot] - worth;
    for (i32 n = 0; n < count; n++) {
        Offer *o = s->offer + n;
        const Teacher *t = e->teacher + o->teacher;
        double wish = wish_price(e, o->teacher, school);
        if (s->noise > 0) wish += whim(s, o->teacher);
        i32 lessons = mask_count(o->weeks);
        o->left = e->left[o->teacher];
        o->extra = e->mark[o->teacher] == e->round ? 0 : e->price.extra_teacher;
        o->first = base + wish + t->load * (2 * t->count + 1);
        o->step = 2 * t->load;
        if (o->left < lessons) lessons = o->left;
        o->lessons = lessons;
        o->promise = (e->price.handover + o->extra) / lessons + wish + t->load * (2 * t->count + lessons);
        if (count <= most) {
            s->keep[kept++] = *o;
            continue;
        }
        if (kept == most && o->promise >= s->keep[most - 1].promise) continue;
        i32 at = kept < most ? kept++ : most - 1;
        for (; at > 0 && s->keep[at - 1].promise > o->promise; at--) s->keep[at] = s->keep[at - 1];
        s->keep[at] = *o;
    }
    return kept;
}

#endif
