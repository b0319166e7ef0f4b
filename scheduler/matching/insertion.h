/* Block insertion: the cheapest staffing of one weekly slot, all else fixed.
 *
 * Dynamic programming over the weeks.  A teacher takes a block of weeks; a label at a position is
 * the cheapest staffing up to there and remembers its path, so that what a teacher has been given
 * on the way is taken off what he has left.  Lessons that must stay are walls: every path passes
 * through them, blocks end before them.  Pruning is exact: it drops what cannot beat the best. */
#ifndef CHUNGTAY_INSERTION_H
#define CHUNGTAY_INSERTION_H
#include "offers.h"

/* One run of the dynamic programme. */
typedef struct {
    Engine *e;
    i32 slot, offers, positions, taught; /* taught: the request has a teacher already */
    const i32 *current;
    const Mask *if_needed;
    double beat, bare; /* bare: the price of nothing but walls so far */
    i32 bare_last, walls, lessons, counted; /* counted: whose path the offers' `used` tell of */
} Run;

static inline double lesson_extra(const Run *r, const Offer *o, i32 week) {
    double extra = 0;
    if (r->if_needed && mask_has(r->if_needed[o->row], week)) extra += r->e->price.if_needed;
    if (r->current) extra -= change_saved(r->e, r->current[week], o->teacher);
    return extra;
}

/* The positions: weeks on offer and walls, in order, with the least price of what follows each. */
static void lay_out(Run *r, Mask on_offer, double least) {
    const Instance *in = &r->e->in;
    Search *s = r->e->search;
    i32 stand = in->slot_standing_first[r->slot], end = in->slot_standing_first[r->slot + 1], n = 0;
    r->walls = end - stand;
    for (i32 w = mask_next(on_offer, 0); w < WEEKS || stand < end;) {
        if (stand < end && (w >= WEEKS || in->standing_week[stand] < w)) {
            s->week_at[n] = in->standing_week[stand];
            s->wall[n++] = in->standing_teacher[stand++];
            continue;
        }
        s->position[w] = n;
        s->week_at[n] = w;
        s->wall[n++] = NOBODY;
        w = mask_next(on_offer, w + 1);
    }
    r->positions = n;
    r->lessons = n - r->walls;
    s->rest[n] = 0;
    while (n-- > 0) {
        double best = s->wall[n] >= 0 ? 0 : least;
        if (s->wall[n] < 0 && r->current && r->current[s->week_at[n]] != NOBODY) best -= r->e->price.changed_time;
        s->rest[n] = s->rest[n + 1] + (best < 0 ? best : 0);
    }
}

/* Through a lesson that must stay. */
static void pass_wall(Run *r, i32 x) {
    Search *s = r->e->search;
    i32 teacher = s->wall[x];
    double handover = r->e->price.handover;
    if (r->bare_last >= 0 && r->bare_last != teacher) r->bare += handover;
    r->bare_last = teacher;
    s->value[x + 1] = s->value[x] + (s->from[x] >= 0 && s->last[x] != teacher ? handover : 0);
    s->from[x + 1] = s->from[x];
    s->last[x + 1] = teacher;
}

/* Lengthens a block lesson by lesson from position x, and notes where it is the best way. */
static inline void grow(Run *r, i32 x, i32 wall, i32 offer, double price, i32 fresh, i32 used) {
    Search *s = r->e->search;
    const Offer *o = s->keep + offer;
    double lesson = o->first + used * o->step, *end = s->value + r->positions;
    double limit = *end < r->beat ? *end : r->beat;
    int plain = !r->current && !r->if_needed;
    i32 left = o->left - used, lessons = 0;
    for (i32 w = mask_next(o->weeks, s->week_at[x]); w < WEEKS; w = mask_next(o->weeks, w + 1)) {
        i32 y = s->position[w];
        if (y >= wall) return;
        price += lesson + (plain ? 0 : lesson_extra(r, o, w));
        lesson += o->step;
        lessons++;
        if (price + s->rest[y + 1] >= limit) return;
        if (price < s->value[y + 1]) {
            s->value[y + 1] = price;
            s->label[y + 1] = (Label){offer, x, fresh, lessons};
            s->from[y + 1] = y + 1;
            s->last[y + 1] = o->teacher;
            if (y + 1 == r->positions && price < limit) limit = price;
        }
        if (lessons == left) return;
    }
}

/* Tells each offer what the path of a label has given its teacher. */
static void count_used(Run *r, i32 label) {
    Search *s = r->e->search;
    if (r->counted == label) return;
    r->counted = label;
    for (i32 n = 0; n < r->offers; n++) s->keep[n].used = 0;
    while (label >= 0) {
        Label l = s->label[label];
        s->keep[l.offer].used += l.lessons;
        label = l.fresh ? -1 : s->from[l.start];
    }
}

/* Tries every block that begins at position x, after the best path and after none. */
static void start_blocks(Run *r, i32 x, i32 wall) {
    Search *s = r->e->search;
    double here = s->value[x], handover = r->e->price.handover, *end = s->value + r->positions;
    i32 week = s->week_at[x], last = -1;
    count_used(r, s->from[x]);
    if (s->from[x] >= 0 && s->last[x] == s->keep[s->label[s->from[x]].offer].teacher)
        last = s->label[s->from[x]].offer; /* beginning it anew is the same as a longer block ... */
    for (i32 z = x - 1; last >= 0 && z >= s->from[x]; z--)
        if (s->wall[z] >= 0) last = -1; /* ... but not across a wall */
    for (i32 n = 0; n < r->offers; n++) {
        Offer *o = s->keep + n;
        if (!mask_has(o->weeks, week)) continue;
        double price = r->bare + (r->taught ? o->extra : 0);
        if (r->bare_last >= 0 && r->bare_last != o->teacher) price += handover;
        i32 fresh = 1, used = 0;
        if (s->from[x] >= 0 && o->used < o->left) {
            double after = here + (s->last[x] == o->teacher ? 0 : handover) + (o->used ? 0 : o->extra);
            if (after < price) {
                if (n == last) continue;
                price = after, fresh = 0, used = o->used;
            }
        }
        if (price + s->rest[x] < (*end < r->beat ? *end : r->beat)) grow(r, x, wall, n, price, fresh, used);
    }
}

/* Whether even the cheapest lessons in the fewest blocks are too dear. */
static int hopeless(const Run *r, double least) {
    if (r->walls || r->current) return 0;
    const Search *s = r->e->search;
    i32 all = 0, most = 0;
    double extra = NEVER;
    for (i32 n = 0; n < r->offers; n++) {
        const Offer *o = s->keep + n;
        all += o->lessons;
        if (o->lessons > most) most = o->lessons;
        if (o->extra < extra) extra = o->extra;
    }
    if (all > r->lessons) all = r->lessons;
    i32 blocks = (all + most - 1) / most; /* a short last one may not pay */
    double handover = r->e->price.handover, best = most * least;
    double whole = all * least + handover * (blocks - 1), full = (blocks - 1) * most * least + handover * (blocks - 2);
    if (whole < best) best = whole;
    if (blocks > 1 && full < best) best = full;
    return best + (r->taught ? extra : 0) >= r->beat;
}

/* The best staffing of a slot beside what its request has, if its price is below `beat`.
 *
 * The price counts handover, extra teacher, rank, if needed, wish, change and load of the lessons,
 * less `worth` for each.  The request's teachers must be marked; `who` gets a teacher or NOBODY for
 * each week.  Returns the price, or `beat` when there is none. */
static double staff(Engine *e, i32 slot, i32 taught, double worth, double beat, i32 *who) {
    const Instance *in = &e->in;
    Search *s = e->search;
    i32 request = in->slot_request[slot];
    Mask open = week_open(e, request, school_open(e, slot, in->slot_weeks[slot])), on_offer = mask_none();
    if (!mask_any(open)) return beat;
    i32 count = gather(e, slot, open);
    if (!count) return beat;
    Run r = {e, slot, choose(e, slot, count, worth), 0, taught, NULL, in->candidate_if_needed, beat, 0, NOBODY, 0, 0, -2};
    if (in->slot_current) r.current = in->slot_current + (size_t)slot * in->weeks;
    double least = NEVER;
    for (i32 n = 0; n < r.offers; n++) {
        if (s->keep[n].first < least) least = s->keep[n].first;
        on_offer = mask_or(on_offer, s->keep[n].weeks);
    }
    lay_out(&r, on_offer, least);
    if (hopeless(&r, least)) return beat;
    double standing = r.walls ? standing_handovers(e, slot) : 0;
    r.beat += standing;
    s->value[0] = NEVER, s->from[0] = -1, s->last[0] = NOBODY;
    for (i32 x = 1; x <= r.positions; x++) s->value[x] = NEVER, s->from[x] = -1, s->last[x] = NOBODY;
    i32 wall = 0;
    for (i32 x = 0; x < r.positions; x++) {
        if (s->wall[x] >= 0) {
            pass_wall(&r, x);
            continue;
        }
        for (wall = x; wall < r.positions && s->wall[wall] < 0;) wall = r.walls ? wall + 1 : r.positions;
        start_blocks(&r, x, wall);
        if (s->value[x] < s->value[x + 1])
            s->value[x + 1] = s->value[x], s->from[x + 1] = s->from[x], s->last[x + 1] = s->last[x];
    }
    i32 at = s->from[r.positions];
    double value = s->value[r.positions] - standing;
    if (at < 0 || value >= beat - 1e-9) return beat;
    for (i32 w = 0; w < in->weeks; w++) who[w] = NOBODY;
    while (at >= 0) {
        Label l = s->label[at];
        const Offer *o = s->keep + l.offer;
        for (i32 w = mask_next(o->weeks, s->week_at[l.start]), n = 0; n < l.lessons; n++, w = mask_next(o->weeks, w + 1))
            who[w] = o->teacher;
        at = l.fresh ? -1 : s->from[l.start];
    }
    return value;
}

/* What one more lesson is worth: the slope of its school's unmet price, where it will end. */
static double worth_of(const Engine *e, i32 request) {
    const Instance *in = &e->in;
    i32 school = in->request_school[request];
    double wanted = in->school_wanted[school], priority = in->request_priority[request];
    if (wanted <= 0 || e->missing[request] <= 0) return 0;
    double shortage = e->shortage[school] - 0.9 * in->request_need[request] * priority;
    if (shortage < 0) shortage = 0;
    return e->price.unmet * priority * (1 + (2 * shortage + priority) / wanted);
}

/* More lessons than a request asks for are worth nothing: the last ones go, but for those that keep
 * the time of a lesson in force. */
static void trim(const Engine *e, i32 request, i32 slot, i32 *who) {
    const i32 *current = e->in.slot_current ? e->in.slot_current + (size_t)slot * e->in.weeks : NULL;
    i32 left = e->missing[request] > 0 ? e->missing[request] : 0;
    for (i32 w = 0; w < e->in.weeks; w++)
        if (who[w] >= 0 && left-- <= 0 && !(current && change_saved(e, current[w], who[w]) > 0)) who[w] = NOBODY;
}

/* Gives a request its weekly slots, the most useful first, as long as they are worth it. */
static void insert(Engine *e, i32 request) {
    const Instance *in = &e->in;
    Search *s = e->search;
    i32 first = in->request_slots_first[request], count = in->request_slots_first[request + 1] - first, used = 0;
    for (i32 n = 0; n < in->request_places[request]; n++)
        if (e->slot[request * in->places + n] >= 0) used |= 1 << in->slot_weekday[e->slot[request * in->places + n]];
    for (i32 n = 0; n < in->request_places[request]; n++) {
        i32 place = request * in->places + n, best = -1, tried = 0;
        if (e->slot[place] >= 0) continue;
        if (e->missing[request] <= 0 && !in->slot_current) return;
        double worth = worth_of(e, request), value = 0;
        i32 taught = mark_teachers(e, request) > 0;
        i32 hint = s->hint[place], turn = count > 1 ? below(s, count) : 0;
        if (hint >= 0 && !(hint >= first && hint < first + count)) hint = -1;
        for (i32 k = hint >= 0 ? -1 : 0; k < count && tried < s->effort.slots; k++) {
            i32 slot = k < 0 ? hint : first + (k + turn) % count;
            if ((k >= 0 && slot == hint) || used >> in->slot_weekday[slot] & 1) continue;
            if (!mask_any(in->slot_weeks[slot])) continue;
            tried++;
            double found = staff(e, slot, taught, worth, value, s->who);
            if (found >= value) continue;
            value = found, best = slot;
            i32 *swap = s->who;
            s->who = s->best_who, s->best_who = swap;
        }
        if (best < 0) return;
        trim(e, request, best, s->best_who);
        place_slot(e, place, best, s->best_who);
        used |= 1 << in->slot_weekday[best];
    }
}

#endif
