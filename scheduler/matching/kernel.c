/* The search kernel: construct by block insertion, then ruin and recreate under simulated
 * annealing.  Plain C99 without libm, clock or threads: the same seed and moves give the same plan
 * on every machine.  kernel.py is its face; masks are WORDS 64-bit words wide. */
#include "export.h"
#include "insertion.h"
#include "setup.h"

enum { RUINED = 32, CHANCES = 4096 };

/* One search and the best plan it has seen. */
typedef struct {
    Engine engine; /* first, so that both have one address */
    Search search;
    double best_cost;
    i32 best_taught;
    i32 *best_slot, *best_who, *changed, *is_changed, changed_count;
    /* the ruined requests as they were */
    i32 *old_slot, *old_who, *old_hint;
    double patience[CHANCES]; /* -ln of a chance, by its first bits */
} Kernel;

EXPORT void kernel_free(Kernel *k) {
    Engine *e = &k->engine;
    Search *s = &k->search;
    for (i32 t = 0; t < e->in.teachers; t++) free(e->booked[t].all);
    void *all[] = {e->teacher, e->booked, e->week, e->day, e->counters, e->left, e->slot, e->who, e->weeks,
        e->missing, e->shortage, e->fixed_first, e->fixed_by_request, e->mark, e->short_list, e->short_at, e->lost_of,
        s->freed, s->freed_in, s->member, s->row_first, s->row_kind, s->row, s->best_who, s->who, s->hint, s->beside,
        s->crowd, k->best_slot, k->best_who, k->changed, k->is_changed, k->old_slot, k->old_who, k->old_hint, k};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) free(all[n]);
}

/* Lessons in force that could stay and do not, of a request. */
static void count_lost(Engine *e, i32 request, i32 by) {
    const Instance *in = &e->in;
    if (e->budget_lessons < 0 && e->budget_teachers < 0) return;
    for (i32 slot = in->request_slots_first[request]; slot < in->request_slots_first[request + 1]; slot++) {
        i32 place = -1;
        for (i32 p = request * in->places; p < (request + 1) * in->places; p++)
            if (e->slot[p] == slot) place = p;
        for (i32 w = 0; w < in->weeks; w++) {
            i32 was = e->keepable[(size_t)slot * in->weeks + w];
            if (was < 0) continue;
            if (place >= 0 && mask_has(e->weeks[place], w) && e->who[(size_t)place * in->weeks + w] == was) continue;
            e->lost += by;
            if (by > 0 && !e->lost_of[was]++) e->losers++;
            if (by < 0 && !--e->lost_of[was]) e->losers--;
        }
    }
}

static int over_budget(const Engine *e) {
    return (e->budget_lessons >= 0 && e->lost > e->budget_lessons) ||
           (e->budget_teachers >= 0 && e->losers > e->budget_teachers);
}

static void keep_best(Kernel *k, int all) {
    Engine *e = &k->engine;
    size_t places = e->in.places, row = places * e->in.weeks;
    if (all)
        for (k->changed_count = 0; k->changed_count < e->in.requests; k->changed_count++)
            k->changed[k->changed_count] = k->changed_count;
    for (i32 n = 0; n < k->changed_count; n++) {
        i32 r = k->changed[n];
        memcpy(k->best_slot + r * places, e->slot + r * places, sizeof(i32) * places);
        memcpy(k->best_who + r * row, e->who + r * row, sizeof(i32) * row);
        k->is_changed[r] = 0;
    }
    k->changed_count = 0;
    k->best_cost = e->cost, k->best_taught = e->taught;
}

/* The state becomes the plan: slot[places], who[places * weeks]; NULL: nothing but what must stay. */
EXPORT void kernel_load(Kernel *k, const i32 *slot, const i32 *who) {
    Engine *e = &k->engine;
    const Instance *in = &e->in;
    for (i32 p = 0; p < in->requests * in->places; p++) clear_place(e, p);
    if (slot)
        for (i32 p = 0; p < in->requests * in->places; p++)
            if (slot[p] >= 0) place_slot(e, p, slot[p], who + (size_t)p * in->weeks);
    memset(k->search.hint, 255, sizeof(i32) * in->requests * in->places);
    k->search.freed_count = 0, k->search.freed_round++;
    memset(e->lost_of, 0, sizeof(i32) * in->teachers);
    e->lost = e->losers = 0;
    for (i32 r = 0; r < in->requests; r++) count_lost(e, r, 1);
    e->cost = total_cost(e);
    keep_best(k, 1);
}

EXPORT Kernel *kernel_new(const Instance *in, const Prices *price) {
    Kernel *k = zeros(1, sizeof(Kernel));
    Engine *e = &k->engine;
    size_t places = (size_t)in->requests * in->places, row = (size_t)in->places * in->weeks;
    e->in = *in, e->price = *price, e->search = &k->search;
    e->budget_lessons = e->budget_teachers = -1;
    e->teacher = zeros(in->teachers, sizeof(Teacher));
    e->booked = zeros(in->teachers, sizeof(Bookings));
    e->week = zeros(in->teachers, sizeof(Counter));
    e->day = zeros((size_t)in->teachers * DAYS, sizeof(Counter));
    e->left = zeros(in->teachers, sizeof(i32));
    e->mark = zeros(in->teachers, sizeof(i32));
    e->lost_of = zeros(in->teachers, sizeof(i32));
    e->slot = nobody(places), e->who = nobody(places * in->weeks), e->weeks = zeros(places, sizeof(Mask));
    e->missing = zeros(in->requests, sizeof(i32));
    e->shortage = zeros(in->schools, sizeof(double));
    e->short_list = zeros(in->requests, sizeof(i32)), e->short_at = nobody(in->requests);
    make_counters(e);
    index_fixed(e);
    make_search(e);
    for (i32 t = 0; t < in->teachers; t++) {
        double most = in->teacher_total[t];
        e->teacher[t].load = most > 0 ? price->load / (most * most) : 0;
        e->left[t] = in->teacher_total[t];
        if (in->teacher_per_day[t] <= 0 || in->teacher_per_week[t] <= 0) e->left[t] = 0;
    }
    for (i32 q = 0; q < in->schools; q++) e->shortage[q] = in->school_wanted[q];
    for (i32 r = 0; r < in->requests; r++) e->missing[r] = in->request_need[r], note_short(e, r);
    for (i32 n = 0; n < in->fixed; n++) {
        Mask one = mask_none();
        i32 w = in->fixed_week[n], t = in->fixed_teacher[n];
        if (w >= 0 && w < in->weeks) {
            mask_set(&one, w);
            book(e, t, one, in->fixed_weekday[n], in->fixed_start[n], in->fixed_end[n], -1);
        } else load_more(e, t, 1);
        give(e, in->fixed_request[n], 1);
    }
    k->best_slot = nobody(places), k->best_who = nobody(places * in->weeks);
    k->changed = zeros(in->requests + 1, sizeof(i32)), k->is_changed = zeros(in->requests, sizeof(i32));
    k->old_slot = zeros(RUINED * (size_t)in->places, sizeof(i32)), k->old_who = zeros(RUINED * row, sizeof(i32));
    k->old_hint = zeros(RUINED * (size_t)in->places, sizeof(i32));
    for (i32 n = 0; n < CHANCES; n++) k->patience[n] = -natural_log((n + 0.5) / CHANCES);
    kernel_load(k, NULL, NULL);
    return k;
}

/* Of a slot's lessons those that their teachers can still give. */
static void adopt_place(Engine *e, i32 slot, Mask open, const i32 *who, i32 *kept) {
    const Instance *in = &e->in;
    i32 kind = in->slot_kind[slot];
    Offer o;
    for (i64 row = in->kind_first[kind]; row < in->kind_first[kind + 1]; row++) {
        i32 teacher = in->candidate_teacher[row], left = e->left[teacher], gives = 0;
        for (i32 w = 0; w < in->weeks && !gives; w++) gives = who[w] == teacher;
        if (!gives || !offer_of(e, slot, row, open, &o)) continue;
        for (i32 w = 0; w < in->weeks && left > 0; w++)
            if (who[w] == teacher && mask_has(o.weeks, w)) kept[w] = teacher, left--;
    }
}

/* As kernel_load, but of a plan that may break rules by now: only lessons that keep them stay.
 * Teachers of other kinds or instances are NOBODY or below.  Returns how many lessons were lost. */
EXPORT i32 kernel_adopt(Kernel *k, const i32 *slot, const i32 *who) {
    Engine *e = &k->engine;
    const Instance *in = &e->in;
    i32 lost = 0;
    kernel_load(k, NULL, NULL);
    for (i32 p = 0; p < in->requests * in->places; p++) {
        if (slot[p] < 0) continue;
        i32 *kept = k->search.who, request = slot[p] >= 0 ? in->slot_request[slot[p]] : -1;
        Mask open = week_open(e, request, school_open(e, slot[p], in->slot_weeks[slot[p]]));
        memset(kept, 255, sizeof(i32) * in->weeks);
        i32 before = e->taught, wanted = 0;
        for (i32 w = 0; w < in->weeks; w++) wanted += who[(size_t)p * in->weeks + w] >= 0;
        adopt_place(e, slot[p], open, who + (size_t)p * in->weeks, kept);
        trim(e, request, slot[p], kept);
        place_slot(e, p, slot[p], kept);
        lost += wanted - (e->taught - before);
    }
    e->cost = total_cost(e);
    e->lost = e->losers = 0;
    memset(e->lost_of, 0, sizeof(i32) * in->teachers);
    for (i32 r = 0; r < in->requests; r++) count_lost(e, r, 1);
    keep_best(k, 1);
    return lost;
}

EXPORT void kernel_read(const Kernel *k, i32 *slot, i32 *who, i32 best) {
    const Engine *e = &k->engine;
    size_t places = (size_t)e->in.requests * e->in.places;
    memcpy(slot, best ? k->best_slot : e->slot, sizeof(i32) * places);
    memcpy(who, best ? k->best_who : e->who, sizeof(i32) * places * e->in.weeks);
}

EXPORT double kernel_cost(const Kernel *k, i32 best) { return best ? k->best_cost : k->engine.cost; }
EXPORT i32 kernel_taught(const Kernel *k, i32 best) { return best ? k->best_taught : k->engine.taught; }

EXPORT void kernel_seed(Kernel *k, u64 seed) {
    Search *s = &k->search;
    s->random = seed * 0x9E3779B97F4A7C15ULL | 1;
    s->dice_left = 0;
    for (i32 n = 0; n < 8; n++) next_random(s);
}

EXPORT void kernel_effort(Kernel *k, const Effort *effort) { k->search.effort = *effort; }

/* At most so many lessons in force may change, of at most so many teachers; -1: any number.
 * `keepable` is like slot_current, with NOBODY where a lesson in force cannot stay. */
EXPORT void kernel_budget(Kernel *k, i32 lessons, i32 teachers, i32 *keepable) {
    k->engine.budget_lessons = lessons, k->engine.budget_teachers = teachers, k->engine.keepable = keepable;
}

/* Inserts requests one by one, in this order. */
EXPORT void kernel_construct(Kernel *k, const i32 *order, i32 count) {
    for (i32 n = 0; n < count; n++) insert(&k->engine, order[n]);
    k->engine.cost = total_cost(&k->engine);
    keep_best(k, 1);
}

/* A request that a teacher serves. */
static i32 served_by(Engine *e, i32 teacher) {
    const Bookings *b = e->booked + teacher;
    if (!b->count) return -1;
    i32 place = b->all[below(e->search, b->count)].place;
    return place < 0 ? -1 : place / e->in.places;
}

/* Served by one who could serve it, or sharing a teacher, or of the same school. */
static i32 related(Engine *e, i32 request) {
    const Instance *in = &e->in;
    Search *s = e->search;
    i32 kind = below(s, 100);
    if (kind < 60) {
        i32 first = in->request_slots_first[request], slots = in->request_slots_first[request + 1] - first;
        if (!slots) return -1;
        i32 pool = in->slot_kind[first + below(s, slots)];
        i32 listed = (i32)(in->kind_first[pool + 1] - in->kind_first[pool]);
        return listed ? served_by(e, in->candidate_teacher[in->kind_first[pool] + below(s, listed)]) : -1;
    }
    if (kind < 80) {
        i32 places = in->request_places[request];
        if (!places) return -1;
        i32 place = request * in->places + below(s, places);
        if (e->slot[place] < 0) return -1;
        i32 teacher = e->who[(size_t)place * in->weeks + below(s, in->weeks)];
        return teacher < 0 ? -1 : served_by(e, teacher);
    }
    i32 school = in->request_school[request], first = in->school_requests_first[school];
    return in->school_requests[first + below(s, in->school_requests_first[school + 1] - first)];
}

/* The dearest of a request and some others met by chance. */
static i32 dearest(Engine *e, const i32 *pool, i32 pooled, i32 request, i32 of) {
    double most = request_cost(e, request);
    for (i32 n = 1; n < of; n++) {
        i32 other = pool[below(e->search, pooled)];
        double cost = request_cost(e, other);
        if (cost > most) most = cost, request = other;
    }
    return request;
}

/* A request, half the time one with missing lessons, and related ones: `fewest` to `most` in all. */
static i32 choose_ruined(Kernel *k, const i32 *pool, i32 pooled, i32 fewest, i32 most, i32 *ruined) {
    Engine *e = &k->engine;
    Search *s = &k->search;
    i32 seed = pool[below(s, pooled)], size = fewest + below(s, most - fewest + 1), count = 1;
    if (next_random(s) >> 63)
        for (i32 n = 0; n < 6 && e->missing[seed] <= 0; n++) seed = pool[below(s, pooled)];
    else if (s->effort.worst > 1) seed = dearest(e, pool, pooled, seed, s->effort.worst);
    ruined[0] = seed;
    for (i32 tries = 0; count < size && tries < 3 * size; tries++) {
        i32 other = related(e, ruined[below(s, count)]);
        if (other < 0) continue;
        i32 n = 0;
        while (n < count && ruined[n] != other) n++;
        if (n == count) ruined[count++] = other;
    }
    for (i32 n = count - 1; n > 0; n--) {
        i32 other = below(s, n + 1), swap = ruined[n];
        ruined[n] = ruined[other], ruined[other] = swap;
    }
    return count;
}

static void note_freed(Engine *e, i32 request) {
    Search *s = e->search;
    if (!s->member) return;
    for (i32 p = request * e->in.places; p < (request + 1) * e->in.places; p++) {
        i32 before = NOBODY;
        const i32 *who = e->who + (size_t)p * e->in.weeks;
        EACH_WEEK(w, e->weeks[p]) {
            if (who[w] == before) continue;
            before = who[w];
            if (s->freed_in[before] != s->freed_round) s->freed_in[before] = s->freed_round, s->freed[s->freed_count++] = before;
        }
    }
}

static void ruin(Kernel *k, const i32 *ruined, i32 count) {
    Engine *e = &k->engine;
    size_t places = e->in.places, row = places * e->in.weeks;
    k->search.freed_count = 0, k->search.freed_round++;
    for (i32 n = 0; n < count; n++) {
        i32 r = ruined[n];
        memcpy(k->old_slot + n * places, e->slot + r * places, sizeof(i32) * places);
        memcpy(k->old_who + n * row, e->who + r * row, sizeof(i32) * row);
        memcpy(k->search.hint + r * places, e->slot + r * places, sizeof(i32) * places);
        note_freed(e, r);
        count_lost(e, r, -1);
    }
    for (i32 n = 0; n < count; n++)
        for (size_t p = 0; p < places; p++) clear_place(e, (i32)(ruined[n] * places + p));
}

static void undo(Kernel *k, const i32 *ruined, i32 count) {
    Engine *e = &k->engine;
    size_t places = e->in.places, weeks = e->in.weeks;
    for (i32 n = 0; n < count; n++)
        for (size_t p = 0; p < places; p++) clear_place(e, (i32)(ruined[n] * places + p));
    for (i32 n = 0; n < count; n++)
        for (size_t p = 0; p < places; p++)
            if (k->old_slot[n * places + p] >= 0)
                place_slot(e, (i32)(ruined[n] * places + p), k->old_slot[n * places + p], k->old_who + (n * places + p) * weeks);
}

/* One move: ruin some requests, insert them anew, keep it or undo it. */
static int move(Kernel *k, const i32 *pool, i32 pooled, i32 fewest, i32 most, double temperature) {
    Engine *e = &k->engine;
    i32 ruined[RUINED], count = choose_ruined(k, pool, pooled, fewest, most, ruined);
    double change = 0, patience = k->patience[next_random(&k->search) >> 52] * temperature;
    e->running = 0;
    for (i32 n = 0; n < count; n++) change -= request_cost(e, ruined[n]);
    ruin(k, ruined, count);
    if (k->search.effort.noise > 0) {
        k->search.mood = next_random(&k->search);
        k->search.noise = unit(&k->search) * k->search.effort.noise * temperature;
    }
    for (i32 n = 0; n < count; n++) insert(e, ruined[n]);
    k->search.noise = 0;
    for (i32 n = 0; n < count; n++) change += request_cost(e, ruined[n]);
    change += e->running;
    for (i32 n = 0; n < count; n++) count_lost(e, ruined[n], 1);
    if (change > patience || over_budget(e)) {
        for (i32 n = 0; n < count; n++) count_lost(e, ruined[n], -1);
        undo(k, ruined, count);
        for (i32 n = 0; n < count; n++) count_lost(e, ruined[n], 1);
        return 0;
    }
    e->cost += change;
    for (i32 n = 0; n < count; n++)
        if (!k->is_changed[ruined[n]]) k->is_changed[ruined[n]] = 1, k->changed[k->changed_count++] = ruined[n];
    if (e->cost < k->best_cost - 1e-6) keep_best(k, 0);
    return 1;
}

/* Ruins and inserts requests one by one, each if that makes the plan cheaper. */
EXPORT void kernel_renew(Kernel *k, const i32 *order, i32 count) {
    for (i32 n = 0; n < count; n++) move(k, order + n, 1, 1, 1, 0);
}

/* So many moves that begin with a request of the pool, from one temperature to the other; how many
 * were kept. */
EXPORT i64 kernel_search(Kernel *k, i64 moves, double high, double low, i32 fewest, i32 most, const i32 *pool, i32 pooled) {
    i64 kept = 0;
    if (pooled <= 0) return 0;
    if (most > RUINED) most = RUINED;
    if (fewest > most) fewest = most;
    for (i64 n = 0; n < moves; n++) kept += move(k, pool, pooled, fewest, most, high + (low - high) * n / moves);
    return kept;
}

/* The price of one more weekly slot for its request as the plan stands, below 0 where it pays, and
 * its teachers by week. */
EXPORT double kernel_staff(Kernel *k, i32 slot, i32 *who) {
    Engine *e = &k->engine;
    i32 request = e->in.slot_request[slot], taught = mark_teachers(e, request) > 0;
    return staff(e, slot, taught, worth_of(e, request), 0, who);
}

/* What the plan would cost more if another teacher gave one lesson of a place: fills teachers and
 * prices, in the order of the teachers, and returns how many could. */
EXPORT i32 kernel_substitutes(Kernel *k, i32 place, i32 week, i32 *teachers, double *prices, i32 most) {
    Engine *e = &k->engine;
    const Instance *in = &e->in;
    i32 slot = e->slot[place], request = in->slot_request[slot], kind = in->slot_kind[slot], count = 0;
    i32 *who = e->who + (size_t)place * in->weeks, was = who[week];
    Mask one = mask_none();
    mask_set(&one, week);
    double before = request_cost(e, request);
    for (i64 row = in->kind_first[kind]; row < in->kind_first[kind + 1] && count < most; row++) {
        i32 t = in->candidate_teacher[row];
        if (t == was || e->left[t] <= 0 || !mask_has(in->candidate_weeks[row], week)) continue;
        if (!mask_any(free_weeks(e, t, in->slot_weekday[slot], in->slot_start[slot], in->slot_end[slot], one))) continue;
        who[week] = t;
        const Teacher *now = e->teacher + t, *then = e->teacher + was;
        prices[count] = request_cost(e, request) - before + now->load * (2 * now->count + 1) - then->load * (2 * then->count - 1);
        teachers[count++] = t;
    }
    who[week] = was;
    return count;
}
