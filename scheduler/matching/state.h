/* A plan in the making: who teaches which weekly slot in which weeks, what is still free, and
 * what it costs.  The cost is separable: requests (handover, extra teacher, rank, if needed, wish,
 * change), schools (unmet) and teachers (load), so that a move is priced by what it touches.
 * twin.py beside this file says the same in plain Python; the tests hold the two equal. */
#ifndef CHUNGTAY_STATE_H
#define CHUNGTAY_STATE_H
#include <stdlib.h>
#include <string.h>
#include "masks.h"

enum { NOBODY = -1, DAYS = 7 };

/* The arrays of candidates.Table, in the order of kernel.py. */
typedef struct {
    i32 weeks, gap, requests, slots, kinds, teachers, schools, fixed, places, shortest;
    const i32 *request_school, *request_class, *request_per_week, *request_places,
        *request_priority, *request_need, *request_slots_first;
    const i32 *slot_request, *slot_weekday, *slot_start, *slot_end, *slot_rank, *slot_kind;
    const Mask *slot_weeks;
    const i32 *slot_standing_first, *standing_week, *standing_teacher, *slot_current;
    const i64 *kind_first;
    const i32 *candidate_teacher;
    const Mask *candidate_weeks, *candidate_if_needed;
    const i32 *teacher_per_day, *teacher_per_week, *teacher_total, *wish_first, *wish_school;
    const i32 *school_rooms;
    const double *school_wanted;
    const i32 *school_requests_first, *school_requests;
    const i32 *fixed_request, *fixed_teacher, *fixed_week, *fixed_weekday, *fixed_start, *fixed_end;
} Instance;

/* prices.Prices, in its order. */
typedef struct {
    double unmet, handover, extra_teacher, rank, if_needed, not_preferred, load, changed_teacher,
        changed_time;
} Prices;

/* What a scan of candidates reads, in two cache lines. */
typedef struct {
    struct { Mask blocked, taught; } day[DAYS]; /* blocked: the week or the day is full */
    double load;                                /* price of a load of one lesson */
    i32 count;
} Teacher;

/* The weeks a teacher gives to one weekly slot of a request (place >= 0), or that must stay. */
typedef struct { Mask weeks; i32 place, start, end, weekday; } Booking;
typedef struct { Booking *all; i32 count, size; } Bookings;

/* Counts lessons a week in unary: level n holds the weeks with more than n of them. */
typedef struct { Mask *level; i32 levels; i32 limit; } Counter;

typedef struct Engine {
    Instance in;
    Prices price;
    Teacher *teacher;
    Bookings *booked;
    Counter *week, *day; /* of each teacher; day: seven of each */
    Mask *counters;
    i32 *left;           /* lessons a teacher may still give */
    /* place = request * places + n: a weekly slot with its teachers by week */
    i32 *slot, *who;
    Mask *weeks;
    i32 *missing;        /* per request: asked for and not given; below 0 when there is more */
    double *shortage;    /* per school, weighted by priority */
    i32 *fixed_first, *fixed_by_request;
    double cost, running; /* of the plan; of unmet and load since the last reset */
    i32 taught;
    /* teachers of the request at hand: mark[t] == round */
    i32 *mark, round;
    /* requests with missing lessons */
    i32 *short_list, *short_at, short_count;
    /* lessons in force that could stay and do not, against a budget */
    i32 *lost_of, lost, losers, budget_lessons, budget_teachers;
    i32 *keepable; /* (slots, weeks): as slot_current, NOBODY where it could not stay anyway */
    struct Search *search;
} Engine;

static inline double unmet_price(const Engine *e, i32 school, double shortage) {
    double wanted = e->in.school_wanted[school], s = shortage > 0 ? shortage : 0;
    return wanted > 0 ? e->price.unmet * (s + s * s / wanted) : 0;
}

static inline double wish_price(const Engine *e, i32 teacher, i32 school) {
    i32 first = e->in.wish_first[teacher], end = e->in.wish_first[teacher + 1];
    if (first == end) return 0;
    for (i32 n = first; n < end; n++)
        if (e->in.wish_school[n] == school) return 0;
    return e->price.not_preferred;
}

/* What a lesson saves against losing the time of the one in force. */
static inline double change_saved(const Engine *e, i32 was, i32 teacher) {
    if (was == NOBODY) return 0;
    return e->price.changed_time - (was == teacher ? 0 : e->price.changed_teacher);
}

static inline void counter_add(Counter *c, Mask weeks) {
    for (i32 n = 0; n < c->levels; n++) {
        Mask more = mask_and(c->level[n], weeks);
        c->level[n] = mask_or(c->level[n], weeks);
        weeks = more;
    }
}

static inline void counter_take(Counter *c, Mask weeks) {
    for (i32 n = 0; n < c->levels; n++) {
        Mask above = n + 1 < c->levels ? mask_and(c->level[n + 1], weeks) : mask_none();
        c->level[n] = mask_or(mask_less(c->level[n], weeks), above);
    }
}

static inline Mask counter_full(const Counter *c) {
    return c->limit > 0 ? c->level[c->limit - 1] : mask_none();
}

static void note_blocked(Engine *e, i32 teacher, i32 weekday, Mask week_was) {
    Teacher *t = e->teacher + teacher;
    Counter *day = e->day + (size_t)teacher * DAYS;
    Mask week = counter_full(e->week + teacher);
    int changed = memcmp(&week, &week_was, sizeof week) != 0;
    for (i32 d = changed ? 0 : weekday; d < (changed ? DAYS : weekday + 1); d++)
        t->day[d].blocked = mask_or(week, counter_full(day + d));
    t->day[weekday].taught = day[weekday].level[0];
}

static inline void load_more(Engine *e, i32 teacher, i32 lessons) {
    Teacher *t = e->teacher + teacher;
    double before = t->count, after = t->count + lessons;
    e->running += t->load * (after * after - before * before);
    t->count += lessons;
    e->left[teacher] -= lessons;
}

static void book(Engine *e, i32 teacher, Mask weeks, i32 weekday, i32 start, i32 end, i32 place) {
    Bookings *b = e->booked + teacher;
    if (b->count == b->size) {
        b->size = b->size ? 2 * b->size : 4;
        b->all = realloc(b->all, sizeof(Booking) * b->size);
    }
    b->all[b->count++] = (Booking){weeks, place, start, end, weekday};
    Mask was = counter_full(e->week + teacher);
    counter_add(e->week + teacher, weeks);
    counter_add(e->day + (size_t)teacher * DAYS + weekday, weeks);
    note_blocked(e, teacher, weekday, was);
    load_more(e, teacher, mask_count(weeks));
}

static void unbook(Engine *e, i32 teacher, i32 place) {
    Bookings *b = e->booked + teacher;
    i32 n = 0;
    while (b->all[n].place != place) n++;
    Booking gone = b->all[n];
    b->all[n] = b->all[--b->count];
    Mask was = counter_full(e->week + teacher);
    Counter *day = e->day + (size_t)teacher * DAYS + gone.weekday;
    counter_take(e->week + teacher, gone.weeks);
    counter_take(day, gone.weeks);
    if (!day->limit) /* it does not count: other lessons may be left in those weeks */
        for (n = 0; n < b->count; n++)
            if (b->all[n].weekday == gone.weekday) *day->level = mask_or(*day->level, b->all[n].weeks);
    note_blocked(e, teacher, gone.weekday, was);
    load_more(e, teacher, -mask_count(gone.weeks));
}

/* The weeks in which the teacher could take one more lesson at that time (rules 3 and 4). */
static inline Mask free_weeks(const Engine *e, i32 teacher, i32 weekday, i32 start, i32 end, Mask weeks) {
    const Teacher *t = e->teacher + teacher;
    weeks = mask_less(weeks, t->day[weekday].blocked);
    if (!mask_any(mask_and(weeks, t->day[weekday].taught))) return weeks;
    const Bookings *b = e->booked + teacher;
    for (i32 n = 0; n < b->count; n++) {
        const Booking *x = b->all + n;
        if (x->weekday == weekday && x->start < end + e->in.gap && start < x->end + e->in.gap)
            weeks = mask_less(weeks, x->weeks);
    }
    return weeks;
}

static void note_short(Engine *e, i32 request) {
    i32 at = e->short_at[request];
    if (e->missing[request] > 0 && at < 0) {
        e->short_at[request] = e->short_count;
        e->short_list[e->short_count++] = request;
    } else if (e->missing[request] <= 0 && at >= 0) {
        i32 last = e->short_list[--e->short_count];
        e->short_list[at] = last;
        e->short_at[last] = at;
        e->short_at[request] = -1;
    }
}

/* The request gets so many lessons more; what it has beyond its need is worth nothing. */
static void give(Engine *e, i32 request, i32 lessons) {
    i32 school = e->in.request_school[request];
    i32 before = e->missing[request], after = before - lessons;
    e->missing[request] = after;
    e->taught += lessons;
    double fewer = ((before > 0 ? before : 0) - (after > 0 ? after : 0)) * (double)e->in.request_priority[request];
    double shortage = e->shortage[school];
    e->shortage[school] = shortage - fewer;
    e->running += unmet_price(e, school, shortage - fewer) - unmet_price(e, school, shortage);
    note_short(e, request);
}

/* The weeks of each teacher of one place, one call each: `act(e, teacher, weeks)`. */
#define EACH_TEACHER(e, place, teacher, mask)                                                     \
    for (Mask rest_ = (e)->weeks[place], mask; mask_any(rest_); rest_ = mask_less(rest_, mask))   \
        for (i32 teacher = teacher_weeks(e, place, rest_, &mask), once_ = 1; once_; once_ = 0)

static inline i32 teacher_weeks(const Engine *e, i32 place, Mask rest, Mask *of_teacher) {
    const i32 *who = e->who + (size_t)place * e->in.weeks;
    i32 first = mask_next(rest, 0), teacher = who[first];
    *of_teacher = mask_none();
    for (i32 w = first; w < WEEKS; w = mask_next(rest, w + 1))
        if (who[w] == teacher) mask_set(of_teacher, w);
    return teacher;
}

/* A weekly slot for a place that has none; who[w] is the teacher of week w, or NOBODY. */
static void place_slot(Engine *e, i32 place, i32 slot, const i32 *who) {
    const Instance *in = &e->in;
    Mask weeks = mask_none();
    for (i32 w = 0; w < in->weeks; w++)
        if (who[w] >= 0) mask_set(&weeks, w);
    if (!mask_any(weeks)) return;
    memcpy(e->who + (size_t)place * in->weeks, who, sizeof(i32) * in->weeks);
    e->slot[place] = slot;
    e->weeks[place] = weeks;
    EACH_TEACHER(e, place, teacher, of_teacher)
        book(e, teacher, of_teacher, in->slot_weekday[slot], in->slot_start[slot], in->slot_end[slot], place);
    give(e, in->slot_request[slot], mask_count(weeks));
}

static void clear_place(Engine *e, i32 place) {
    i32 slot = e->slot[place];
    if (slot < 0) return;
    EACH_TEACHER(e, place, teacher, of_teacher) unbook(e, teacher, place);
    give(e, e->in.slot_request[slot], -mask_count(e->weeks[place]));
    e->slot[place] = -1;
    e->weeks[place] = mask_none();
    memset(e->who + (size_t)place * e->in.weeks, 255, sizeof(i32) * e->in.weeks); /* NOBODY */
}

/* Mark the teachers of a request; returns how many there are. */
static i32 mark_teachers(Engine *e, i32 request) {
    i32 round = ++e->round, count = 0, first = request * e->in.places;
    for (i32 n = e->fixed_first[request]; n < e->fixed_first[request + 1]; n++) {
        i32 teacher = e->in.fixed_teacher[e->fixed_by_request[n]];
        if (e->mark[teacher] != round) e->mark[teacher] = round, count++;
    }
    for (i32 place = first; place < first + e->in.places; place++) {
        if (e->slot[place] < 0) continue;
        const i32 *who = e->who + (size_t)place * e->in.weeks;
        EACH_WEEK(w, e->weeks[place])
            if (e->mark[who[w]] != round) e->mark[who[w]] = round, count++;
    }
    return count;
}

static int only_if_needed(const Engine *e, i32 slot, i32 teacher, i32 week) {
    if (!e->in.candidate_if_needed) return 0;
    i32 kind = e->in.slot_kind[slot];
    i64 low = e->in.kind_first[kind], high = e->in.kind_first[kind + 1];
    while (high - low > 1) {
        i64 middle = (low + high) / 2;
        if (e->in.candidate_teacher[middle] <= teacher) low = middle; else high = middle;
    }
    return mask_has(e->in.candidate_if_needed[low], week);
}

/* Handovers among lessons that must stay at the slot's time. */
static double standing_handovers(const Engine *e, i32 slot) {
    double cost = 0;
    for (i32 n = e->in.slot_standing_first[slot] + 1; n < e->in.slot_standing_first[slot + 1]; n++)
        if (e->in.standing_teacher[n] != e->in.standing_teacher[n - 1]) cost += e->price.handover;
    return cost;
}

/* The lessons of one place: handover, rank, if needed, wish and change.  Handovers between lessons
 * that must stay, and lessons in force that lose their time, are in the price of the empty plan. */
static double place_cost(const Engine *e, i32 place) {
    i32 slot = e->slot[place];
    if (slot < 0) return 0;
    const Instance *in = &e->in;
    const i32 *who = e->who + (size_t)place * in->weeks;
    const i32 *current = in->slot_current ? in->slot_current + (size_t)slot * in->weeks : NULL;
    i32 school = in->request_school[in->slot_request[slot]];
    i32 stand = in->slot_standing_first[slot], stand_end = in->slot_standing_first[slot + 1];
    i32 before = NOBODY;
    double cost = -standing_handovers(e, slot), wish = 0;
    i32 wish_of = NOBODY;
    EACH_WEEK(w, e->weeks[place]) {
        i32 teacher = who[w];
        for (; stand < stand_end && in->standing_week[stand] < w; stand++) {
            if (before >= 0 && before != in->standing_teacher[stand]) cost += e->price.handover;
            before = in->standing_teacher[stand];
        }
        if (before >= 0 && before != teacher) cost += e->price.handover;
        before = teacher;
        if (wish_of != teacher) wish = wish_price(e, wish_of = teacher, school);
        cost += wish;
        if (only_if_needed(e, slot, teacher, w)) cost += e->price.if_needed;
        if (current) cost -= change_saved(e, current[w], teacher);
    }
    for (; stand < stand_end; stand++) {
        if (before >= 0 && before != in->standing_teacher[stand]) cost += e->price.handover;
        before = in->standing_teacher[stand];
    }
    return cost + e->price.rank * in->slot_rank[slot] * mask_count(e->weeks[place]);
}

static double request_cost(Engine *e, i32 request) {
    i32 first = request * e->in.places, teachers = mark_teachers(e, request);
    double cost = e->price.extra_teacher * (teachers > 1 ? teachers - 1 : 0);
    for (i32 place = first; place < first + e->in.places; place++) cost += place_cost(e, place);
    return cost;
}

/* The cost of the whole plan from nothing, but for what never changes. */
static double total_cost(Engine *e) {
    double cost = 0;
    for (i32 r = 0; r < e->in.requests; r++) cost += request_cost(e, r);
    for (i32 q = 0; q < e->in.schools; q++) cost += unmet_price(e, q, e->shortage[q]);
    for (i32 t = 0; t < e->in.teachers; t++) {
        double count = e->teacher[t].count;
        cost += e->teacher[t].load * count * count;
    }
    return cost;
}

#endif
