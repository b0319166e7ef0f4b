/* The Lagrangian relaxation behind bound.py: what a plan must cost at least, at given prices.

   A plan is cut into runs.  A run is what one teacher gives of one series (the lessons of a
   request on one weekday at one time) until someone else gives a lesson of it; weeks without a
   lesson do not end it, a lesson that must stay does.  Every free lesson lies in one run.

   What couples the requests is taken out of the problem and priced instead:

     a row   (lessons of one teacher in a week, on a day, or of which he can give only one)
             has room for so many lessons in each week; a lesson pays `row[row, week]` >= 0
     a cell  (the rooms of a school, or a class, at one moment) likewise; `cell[cell, week]` >= 0
     a run   of c lessons of teacher t pays `run[t, c]`, of any sign, and t is paid as much for it
     unmet   a lesson earns its request `reward` = priority times the school's multiplier >= 0

   For any such prices, the sum of these four is at most what the cheapest plan costs beyond the
   plan of only the lessons that must stay:
     requests  each request's cheapest set of runs (`lagrange_requests`), all others left aside;
     teachers  for each teacher the cheapest load of whole runs, less what they are paid, with at
               most as many lessons as he may still give (`lagrange_teachers`);
     schools   min over whole U of unmet(U) - multiplier * U, and multiplier * all lessons wanted;
     room      less the rooms of rows and cells, at their prices.
   For a valid plan keeps within every row, cell and total, its runs are one choice of each
   request and of each teacher, and so what it pays and is paid cancels out, or is too little.

   That `run` may be any function of c, not only c times a price, is what makes the bound sharp:
   a teacher with 20 lessons can give one class its 15, but not one and a third.

   What a request may choose is wider than the rules: on each weekday one series, on as many days
   as it may have weekly slots; each series a path of runs.  Every run but the first pays a
   handover, and every teacher the fee for one teacher more, by one of two countings, of which the
   cheaper one stands (see `staff`). */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

#ifndef WORDS
#define WORDS 1
#endif
#define WEEKDAYS 7
#define FAR 1e30       /* no way there */
#define NEVER(v) ((v) > FAR / 2)
#define NOBODY (-1)

/* Sizes, and arrays as in candidates.Table; `x_first` has one entry more than there are rows. */
typedef struct {
    int32_t weeks, teachers, requests, longest, places, kinds;
    const int32_t *series_first, *request_places, *request_school; /* per request */
    const int32_t *holder_first, *holder;      /* teachers of lessons that must stay, once each */
    const int32_t *weekday, *kind;             /* per series */
    const double *rank_price;                  /* per series */
    const uint64_t *open;                      /* per series: weeks for new lessons */
    const int32_t *standing_first, *standing_week, *standing_teacher;
    const int32_t *current;                    /* series x weeks, or none */
    const int64_t *kind_first;
    const int32_t *teacher;                    /* per candidate */
    const uint64_t *can, *if_needed;           /* per candidate; the second or none */
    const int32_t *row_first, *row;            /* per candidate: the rows a lesson lies in */
    const int32_t *cell_first, *cell;          /* per series */
    const int32_t *wish_first, *wish_school;   /* per teacher */
    const int32_t *left, *limit;               /* per teacher: lessons he may give, in one run */
    double handover, extra, needed_price, not_preferred, changed_teacher, changed_time;
} Problem;

typedef struct {
    const double *reward, *row, *cell, *run; /* requests; rows x weeks; cells x weeks; teachers x (longest + 1) */
} Multipliers;

/* The latest choice of each request, and what all of them take. */
typedef struct {
    double *value;   /* per request */
    int32_t *series; /* requests x places: a chosen series, or NOBODY */
    int32_t *who;    /* requests x places x weeks: a candidate of its kind, or NOBODY */
    int32_t *taught, *row, *cell, *run;
    double *price;   /* scratch: candidates x weeks */
    double *least;   /* scratch: kinds x weeks */
} Answer;

typedef struct {
    double value;
    int32_t who, end; /* who gave the last lesson, before which position the run was over */
} Label;

typedef struct {
    Label best, other; /* of two teachers */
} Labels;

/* How a lesson was come to: not at all, from a label, as the first, after one that must stay,
   in a new run after a full one, or as the next of its run. */
enum { SKIPPED, FROM_BEST, FROM_OTHER, FIRST, STANDING, FULL, NEXT };

/* One series: positions are its open weeks and the lessons that must stay, in order. */
typedef struct {
    int32_t count, candidates, stride, standing, changes;
    int32_t *week;   /* per position; NOBODY at a lesson that must stay */
    int32_t *stays;  /* per position: whose lesson must stay (a candidate, or below NOBODY) */
    int32_t *before; /* per position where a lesson must stay: the label it follows */
    double *base, *least, *rest;
    int32_t *who, *limit, *reached, *lesson;
    double *price, *fee, *slope, *grid;
    const double **run;
    unsigned char *more, *how;
    Labels *labels;
} Path;

static int has(const uint64_t *mask, int32_t week) {
    return mask[week / 64] >> (week % 64) & 1;
}

static void offer(Labels *f, double value, int32_t who, int32_t end) {
    if (value < f->best.value) {
        if (who != f->best.who)
            f->other = f->best;
        f->best = (Label){value, who, end};
    } else if (who != f->best.who && value < f->other.value) {
        f->other = (Label){value, who, end};
    }
}

/* Where the runs of a path may start: `nothing` before, or right after a lesson that must stay. */
typedef struct {
    int nothing;
    int32_t stays;
    double value;
} Origin;

/* The cheapest way to a first lesson of i.  That i may follow himself at two handovers stands for
   someone between whom the candidates do not show, as he is worth nothing. */
static double begin(const Labels *f, Origin o, int32_t i, double handover, double fee, int *how) {
    double value = FAR;
    *how = SKIPPED;
    if (o.nothing) {
        value = fee;
        *how = FIRST;
    }
    if (o.stays == i && o.value < value) {
        value = o.value;
        *how = STANDING;
    }
    int same = f->best.who == i;
    double best = f->best.value + (same ? 2 * handover : handover + fee);
    if (best < value) {
        value = best;
        *how = FROM_BEST;
    }
    if (same && f->other.value + handover + fee < value) {
        value = f->other.value + handover + fee;
        *how = FROM_OTHER;
    }
    return value;
}

/* One lesson more for candidate i: grid[c] is the least price of a path whose last run, still
   open, has c lessons.  Returns the least price with the run closed; notes how, if asked to. */
static double extend(Path *p, int32_t i, int32_t x, double start, int start_how, unsigned char *how,
                     int32_t *length) {
    double *grid = p->grid + (size_t)i * p->stride, v = p->price[(size_t)i * p->count + x];
    const double *run = p->run[i];
    double best = FAR;
    int32_t full = p->limit[i], top = p->reached[i] < full ? p->reached[i] + 1 : full;
    if (p->more[i] && p->reached[i] == full && grid[full] + run[full] < start) {
        start = grid[full] + run[full];
        start_how = FULL;
    }
    if (top > p->reached[i])
        grid[top] = FAR;
    p->reached[i] = top;
    for (int32_t c = top; c > 0; c--) {
        double value = (c > 1 ? grid[c - 1] : start) + v;
        if (value < grid[c]) {
            grid[c] = value;
            if (how)
                how[c] = (unsigned char)(c > 1 ? NEXT : start_how);
        }
        if (grid[c] + run[c] < best) {
            best = grid[c] + run[c];
            *length = c;
        }
    }
    return best;
}

/* What candidate i's open runs must cost at least, whatever comes: a run of c pays slope * c or more. */
static double hope(const Path *p, int32_t i) {
    const double *grid = p->grid + (size_t)i * p->stride;
    double best = FAR;
    for (int32_t c = p->reached[i]; c > 0; c--)
        if (grid[c] + p->slope[i] * c < best)
            best = grid[c] + p->slope[i] * c;
    return best;
}

/* A lesson that must stay closes all runs. */
static void stand(Path *p, int32_t x, Labels *f, Origin *o, double handover) {
    int32_t who = p->stays[x];
    double value = o->nothing ? 0 : FAR;
    p->before[x] = SKIPPED;
    const Label *from[2] = {&f->best, &f->other};
    for (int k = 0; k < 2; k++) {
        double v = from[k]->value + (from[k]->who == who ? 0 : handover);
        if (!NEVER(from[k]->value) && v < value) {
            value = v;
            p->before[x] = k == 0 ? FROM_BEST : FROM_OTHER;
        }
    }
    *o = (Origin){0, who, value};
    f->best = (Label){value, who, -1 - x};
    f->other = (Label){FAR, NOBODY, 0};
    memset(p->reached, 0, sizeof(int32_t) * (size_t)p->candidates);
}

static const Labels NO_LABELS = {{FAR, NOBODY, 0}, {FAR, NOBODY, 0}};

/* The least price of a path, with or without fees, if it is below `ceiling`; else that or more.
   What cannot come below the ceiling is dropped on the way. */
static double cheapest(Path *p, double handover, int fees, double ceiling) {
    Labels f = NO_LABELS;
    Origin o = {1, NOBODY, 0};
    double slack = 1e-9 * (1 + (ceiling < 0 ? -ceiling : ceiling));
    memset(p->reached, 0, sizeof(int32_t) * (size_t)p->candidates);
    for (int32_t x = 0; x < p->count; x++) {
        p->labels[x] = f;
        if (p->week[x] == NOBODY) {
            stand(p, x, &f, &o, handover);
            continue;
        }
        double most = ceiling - p->rest[x + 1] + slack;
        double nearest = o.nothing ? 0 : o.value;
        if (f.best.value + handover < nearest)
            nearest = f.best.value + handover;
        Labels next = f;
        for (int32_t i = 0; i < p->candidates; i++) {
            double v = p->price[(size_t)i * p->count + x];
            if (NEVER(v) || (!p->reached[i] && nearest + v + p->slope[i] > most))
                continue;
            int how;
            int32_t length;
            double start = begin(&f, o, i, handover, fees ? p->fee[i] : 0, &how);
            double closed = extend(p, i, x, start, how, NULL, &length);
            if (closed < next.other.value)
                offer(&next, closed, i, x + 1);
            if (hope(p, i) > most)
                p->reached[i] = 0;
        }
        f = next;
    }
    p->labels[p->count] = f;
    return o.nothing && f.best.value > 0 ? 0 : f.best.value;
}

/* Candidate i's lessons in the run that ended before `end`; returns where and how it began. */
static int unwind(Path *p, int32_t i, int32_t end, double handover, int fees, int32_t *at) {
    int32_t from = 0, length = 0;
    for (int32_t x = 0; x < end; x++)
        if (p->week[x] == NOBODY)
            from = x + 1;
    Origin o = {from == 0, from ? p->labels[from].best.who : NOBODY,
                from ? p->labels[from].best.value : 0};
    p->reached[i] = 0;
    for (int32_t x = from; x < end; x++) {
        unsigned char *how = p->how + (size_t)x * (size_t)p->stride;
        memset(how, SKIPPED, (size_t)p->stride);
        if (NEVER(p->price[(size_t)i * p->count + x]))
            continue;
        int start_how;
        double start = begin(p->labels + x, o, i, handover, fees ? p->fee[i] : 0, &start_how);
        extend(p, i, x, start, start_how, how, &length);
    }
    for (int32_t x = end - 1; x >= from; x--) {
        int how = p->how[(size_t)x * (size_t)p->stride + length];
        if (how == SKIPPED)
            continue;
        p->lesson[x] = i;
        if (how == NEXT) {
            length--;
        } else if (how == FULL) {
            length = p->limit[i];
        } else {
            *at = how == STANDING ? from : x;
            return how;
        }
    }
    return FIRST;
}

/* The lessons of the path that `cheapest` found, into p->lesson. */
static void trace(Path *p, double handover, int fees, double value) {
    int32_t x = p->count;
    for (int32_t y = 0; y < p->count; y++)
        p->lesson[y] = NOBODY;
    if (p->labels[x].best.value > value)
        return; /* to teach nothing is cheaper */
    for (int how = FROM_BEST; how == FROM_BEST || how == FROM_OTHER || how == STANDING;) {
        const Label *l = how == FROM_OTHER ? &p->labels[x].other : &p->labels[x].best;
        if (l->who == NOBODY)
            return;
        if (l->end < 0) {
            x = -1 - l->end;
            how = p->before[x];
        } else {
            how = unwind(p, l->who, l->end, handover, fees, &x);
        }
    }
}

/* What is the same for all requests of one call, and the room to work in. */
typedef struct {
    const Problem *p;
    const Multipliers *m;
    Answer *a;
    Path path;
    double *slope;        /* per teacher: the least price of a lesson within a run */
    unsigned char *ready; /* per kind: whether its prices have been worked out */
    unsigned char *days;  /* per teacher: the weekdays on which he could serve the request */
    unsigned char *holds; /* per teacher: whether he gives a lesson of it that must stay */
    int32_t *who;         /* weekdays x weeks: the choice of each weekday */
} Work;

/* The prices of a kind's candidates, and per week the least one with its share in a run. */
static void prepare(Work *w, int32_t kind) {
    const Problem *p = w->p;
    double *least = w->a->least + (size_t)kind * (size_t)p->weeks;
    if (w->ready[kind])
        return;
    w->ready[kind] = 1;
    for (int32_t week = 0; week < p->weeks; week++)
        least[week] = FAR;
    for (int64_t j = p->kind_first[kind]; j < p->kind_first[kind + 1]; j++) {
        double *price = w->a->price + (size_t)j * (size_t)p->weeks, slope = w->slope[p->teacher[j]];
        const uint64_t *can = p->can + (size_t)j * WORDS;
        for (int32_t week = 0; week < p->weeks; week++)
            price[week] = has(can, week) ? 0 : FAR;
        for (int32_t z = p->row_first[j]; z < p->row_first[j + 1]; z++) {
            const double *row = w->m->row + (size_t)p->row[z] * (size_t)p->weeks;
            for (int32_t week = 0; week < p->weeks; week++)
                price[week] += row[week];
        }
        if (p->if_needed)
            for (int32_t week = 0; week < p->weeks; week++)
                if (has(p->if_needed + (size_t)j * WORDS, week))
                    price[week] += p->needed_price;
        for (int32_t week = 0; week < p->weeks; week++)
            if (price[week] + slope < least[week])
                least[week] = price[week] + slope;
    }
}

/* The positions of a series, with what any lesson there costs.  Returns a number that no path is
   below, from the cheapest candidate of each week. */
static double lay_out(Work *w, int32_t r, int32_t s) {
    const Problem *p = w->p;
    Path *path = &w->path;
    const double *least = w->a->least + (size_t)p->kind[s] * (size_t)p->weeks;
    double low = 0;
    int32_t n = 0, z = p->standing_first[s];
    for (int32_t week = 0; week <= p->weeks; week++) {
        for (; z < p->standing_first[s + 1] && (p->standing_week[z] <= week || week == p->weeks); z++) {
            path->stays[n] = -2 - p->standing_teacher[z];
            path->week[n++] = NOBODY;
        }
        if (week == p->weeks || !has(p->open + (size_t)s * WORDS, week) || NEVER(least[week]))
            continue;
        double v = p->rank_price[s] - w->m->reward[r];
        for (int32_t c = p->cell_first[s]; c < p->cell_first[s + 1]; c++)
            v += w->m->cell[(size_t)p->cell[c] * (size_t)p->weeks + (size_t)week];
        double lowest = v + least[week];
        if (p->current && p->current[(size_t)s * (size_t)p->weeks + (size_t)week] != NOBODY)
            lowest -= p->changed_time;
        if (lowest < 0)
            low += lowest;
        path->base[n] = v;
        path->week[n++] = week;
    }
    path->count = n;
    return low;
}

static double wish(const Problem *p, int32_t teacher, int32_t school) {
    for (int32_t z = p->wish_first[teacher]; z < p->wish_first[teacher + 1]; z++)
        if (p->wish_school[z] == school)
            return 0;
    return p->wish_first[teacher] < p->wish_first[teacher + 1] ? p->not_preferred : 0;
}

/* What a lesson in force spares when it keeps its time. */
static double kept(const Problem *p, int32_t s, int32_t week, int32_t teacher) {
    int32_t was = p->current[(size_t)s * (size_t)p->weeks + (size_t)week];
    if (was == NOBODY)
        return 0;
    return was == teacher ? p->changed_time : p->changed_time - p->changed_teacher;
}

/* The candidates of a series laid out, those left aside with whom no lesson is worth its price. */
static void gather(Work *w, int32_t r, int32_t s) {
    const Problem *p = w->p;
    Path *path = &w->path;
    int32_t n = path->count, count = 0;
    for (int32_t x = 0; x < n; x++)
        path->least[x] = 0;
    for (int64_t j = p->kind_first[p->kind[s]]; j < p->kind_first[p->kind[s] + 1]; j++) {
        int32_t t = p->teacher[j];
        double *price = path->price + (size_t)count * (size_t)n, slope = w->slope[t];
        double unwished = wish(p, t, p->request_school[r]), good = 0;
        if (p->limit[t] <= 0)
            continue;
        for (int32_t x = 0; x < n; x++) {
            int32_t week = path->week[x];
            price[x] = FAR;
            if (week == NOBODY || NEVER(w->a->price[(size_t)j * (size_t)p->weeks + (size_t)week]))
                continue;
            price[x] = path->base[x] + unwished + w->a->price[(size_t)j * (size_t)p->weeks + (size_t)week];
            if (p->current)
                price[x] -= kept(p, s, week, t);
            if (price[x] + slope < path->least[x])
                path->least[x] = price[x] + slope;
            if (price[x] + slope < good)
                good = price[x] + slope;
        }
        if (good >= 0)
            continue;
        int days = __builtin_popcount(w->days[t]), places = p->request_places[r];
        path->who[count] = (int32_t)(j - p->kind_first[p->kind[s]]);
        path->limit[count] = p->limit[t];
        path->more[count] = p->left[t] > p->limit[t];
        path->slope[count] = slope;
        path->run[count] = w->m->run + (size_t)t * (size_t)path->stride;
        path->fee[count] = w->holds[t] ? 0 : p->extra / (days < places ? days : places);
        for (int32_t x = 0; x < n; x++)
            if (path->week[x] == NOBODY && path->stays[x] == -2 - t)
                path->stays[x] = count;
        count++;
    }
    path->candidates = count;
    path->rest[n] = 0;
    for (int32_t x = n; x-- > 0;)
        path->rest[x] = path->rest[x + 1] + path->least[x];
}

/* Handovers between the lessons that must stay, which are there in any plan. */
static double handovers(const Problem *p, int32_t s) {
    int32_t count = 0;
    for (int32_t z = p->standing_first[s] + 1; z < p->standing_first[s + 1]; z++)
        count += p->standing_teacher[z] != p->standing_teacher[z - 1];
    return count * p->handover;
}

/* The least price of a series below `ceiling`, its lessons in path.lesson; or `ceiling`.

   A teacher of the request is one more only once.  Either every run's teacher is new to the
   series: then each run pays the fee (or, where he may serve several weekly slots, the share
   that falls on one).  Or someone returns: then there are two handovers at least, and he and
   whoever was between them have paid. */
static double staff(Work *w, int32_t r, int32_t s, double ceiling) {
    const Problem *p = w->p;
    Path *path = &w->path;
    double was = handovers(p, s), least = FAR, returns = 0, best = ceiling;
    double value = cheapest(path, p->handover, 1, best + was);
    if (value - was < best) {
        best = value - was;
        trace(path, p->handover, 1, value);
    }
    for (int32_t i = 0; i < path->candidates; i++)
        if (path->fee[i] < least)
            least = path->fee[i];
    if (p->holder_first[r] == p->holder_first[r + 1])
        returns = 2 * least;
    if (path->rest[0] + 2 * p->handover + returns >= best)
        return best;
    value = cheapest(path, p->handover, 0, best + was - returns);
    if (value - was + returns < best) {
        best = value - was + returns;
        trace(path, p->handover, 0, value);
    }
    return best;
}

/* Adds a request's latest choice to the counts, or takes it off. */
static void count(const Problem *p, Answer *a, int32_t r, int32_t sign) {
    for (int32_t z = 0; z < p->places; z++) {
        size_t place = (size_t)r * (size_t)p->places + (size_t)z;
        int32_t s = a->series[place], teacher = NOBODY, length = 0, fixed;
        if (s == NOBODY)
            continue;
        fixed = p->standing_first[s];
        for (int32_t week = 0; week < p->weeks; week++) {
            int32_t who = a->who[place * (size_t)p->weeks + (size_t)week], cut = 0;
            for (; fixed < p->standing_first[s + 1] && p->standing_week[fixed] <= week; fixed++)
                cut = 1;
            if (who == NOBODY && !cut)
                continue;
            int64_t j = p->kind_first[p->kind[s]] + who;
            int32_t t = who == NOBODY ? NOBODY : p->teacher[j];
            if (teacher != NOBODY && (t != teacher || cut || length == p->limit[t])) {
                a->run[(size_t)teacher * (size_t)(p->longest + 1) + (size_t)length] += sign;
                length = 0;
            }
            teacher = t;
            if (t == NOBODY)
                continue;
            length++;
            a->taught[r] += sign;
            for (int32_t y = p->row_first[j]; y < p->row_first[j + 1]; y++)
                a->row[(size_t)p->row[y] * (size_t)p->weeks + (size_t)week] += sign;
            for (int32_t y = p->cell_first[s]; y < p->cell_first[s + 1]; y++)
                a->cell[(size_t)p->cell[y] * (size_t)p->weeks + (size_t)week] += sign;
        }
        if (teacher != NOBODY)
            a->run[(size_t)teacher * (size_t)(p->longest + 1) + (size_t)length] += sign;
    }
}

/* Marks who could serve the request on which weekdays, and who holds a lesson of it. */
static void mark(Work *w, int32_t r, int on) {
    const Problem *p = w->p;
    for (int32_t s = p->series_first[r]; s < p->series_first[r + 1]; s++)
        for (int64_t j = p->kind_first[p->kind[s]]; j < p->kind_first[p->kind[s] + 1]; j++)
            w->days[p->teacher[j]] =
                on ? (unsigned char)(w->days[p->teacher[j]] | 1u << p->weekday[s]) : 0;
    for (int32_t z = p->holder_first[r]; z < p->holder_first[r + 1]; z++)
        w->holds[p->holder[z]] = (unsigned char)on;
}

typedef struct {
    double value[WEEKDAYS];
    int32_t series[WEEKDAYS];
} Days;

/* What a series must come below to be chosen: its weekday's best, and the last of the best days. */
static double to_beat(const Days *days, int weekday, int32_t places) {
    double worst = days->value[weekday];
    for (int d = 0; d < WEEKDAYS; d++) {
        int better = 0;
        for (int e = 0; e < WEEKDAYS; e++)
            better += days->value[e] < days->value[d] || (days->value[e] == days->value[d] && e < d);
        if (better == places - 1 && days->value[d] < worst)
            worst = days->value[d];
    }
    return worst;
}

static void try_series(Work *w, int32_t r, int32_t s, Days *days) {
    const Problem *p = w->p;
    Path *path = &w->path;
    int d = p->weekday[s];
    double ceiling = to_beat(days, d, p->request_places[r]), value;
    prepare(w, p->kind[s]);
    if (lay_out(w, r, s) >= ceiling)
        return;
    gather(w, r, s);
    if (!path->candidates || path->rest[0] >= ceiling || (value = staff(w, r, s, ceiling)) >= ceiling)
        return;
    days->value[d] = value;
    days->series[d] = s;
    int32_t *who = w->who + (size_t)d * (size_t)p->weeks;
    for (int32_t week = 0; week < p->weeks; week++)
        who[week] = NOBODY;
    for (int32_t x = 0; x < path->count; x++)
        if (path->week[x] != NOBODY && path->lesson[x] != NOBODY)
            who[path->week[x]] = path->who[path->lesson[x]];
}

static int chosen(const Problem *p, const Answer *a, int32_t r, int32_t s) {
    for (int32_t z = 0; z < p->places; z++)
        if (a->series[(size_t)r * (size_t)p->places + (size_t)z] == s)
            return 1;
    return 0;
}

/* The best days of a request become its choice; returns their price. */
static double choose(Work *w, int32_t r, const Days *days) {
    const Problem *p = w->p;
    double total = p->holder_first[r] == p->holder_first[r + 1] ? -p->extra : 0;
    int used = 0;
    count(p, w->a, r, -1);
    for (int32_t z = 0; z < p->places; z++) {
        size_t place = (size_t)r * (size_t)p->places + (size_t)z;
        int best = -1;
        for (int d = 0; d < WEEKDAYS && z < p->request_places[r]; d++)
            if (days->series[d] != NOBODY && !(used >> d & 1) &&
                (best < 0 || days->value[d] < days->value[best]))
                best = d;
        w->a->series[place] = best < 0 ? NOBODY : days->series[best];
        if (best < 0)
            continue;
        used |= 1 << best;
        total += days->value[best];
        memcpy(w->a->who + place * (size_t)p->weeks, w->who + (size_t)best * (size_t)p->weeks,
               sizeof(int32_t) * (size_t)p->weeks);
    }
    if (total >= 0) {
        total = 0;
        for (int32_t z = 0; z < p->places; z++)
            w->a->series[(size_t)r * (size_t)p->places + (size_t)z] = NOBODY;
    }
    count(p, w->a, r, 1);
    return w->a->value[r] = total;
}

static double request(Work *w, int32_t r) {
    const Problem *p = w->p;
    Days days = {{0}, {0}};
    for (int d = 0; d < WEEKDAYS; d++)
        days.series[d] = NOBODY;
    if (p->request_places[r] > 0) {
        mark(w, r, 1);
        for (int again = 1; again >= 0; again--) /* the latest choice first: it is hard to beat */
            for (int32_t s = p->series_first[r]; s < p->series_first[r + 1]; s++)
                if (chosen(p, w->a, r, s) == again)
                    try_series(w, r, s, &days);
        mark(w, r, 0);
    }
    return choose(w, r, &days);
}

static void *room(size_t count, size_t size) {
    return malloc((count + 1) * size);
}

static void path_open(Path *path, const Problem *p) {
    int64_t most = 0, standing = 0;
    for (int32_t k = 0; k < p->kinds; k++)
        if (p->kind_first[k + 1] - p->kind_first[k] > most)
            most = p->kind_first[k + 1] - p->kind_first[k];
    for (int32_t s = 0; s < p->series_first[p->requests]; s++)
        if (p->standing_first[s + 1] - p->standing_first[s] > standing)
            standing = p->standing_first[s + 1] - p->standing_first[s];
    size_t n = (size_t)p->weeks + (size_t)standing + 1, k = (size_t)most;
    path->stride = p->longest + 1;
    path->week = room(n, sizeof(int32_t));
    path->stays = room(n, sizeof(int32_t));
    path->before = room(n, sizeof(int32_t));
    path->lesson = room(n, sizeof(int32_t));
    path->base = room(n, sizeof(double));
    path->least = room(n, sizeof(double));
    path->rest = room(n, sizeof(double));
    path->labels = room(n, sizeof(Labels));
    path->how = room(n * (size_t)path->stride, 1);
    path->who = room(k, sizeof(int32_t));
    path->limit = room(k, sizeof(int32_t));
    path->reached = room(k, sizeof(int32_t));
    path->more = room(k, 1);
    path->fee = room(k, sizeof(double));
    path->slope = room(k, sizeof(double));
    path->run = room(k, sizeof(double *));
    path->price = room(k * n, sizeof(double));
    path->grid = room((k + 1) * (size_t)path->stride, sizeof(double));
}

static void path_close(Path *path) {
    void *all[] = {path->week,  path->stays, path->before,  path->lesson, path->base, path->least,
                   path->rest,  path->labels, path->how,    path->who,    path->limit, path->reached,
                   path->more,  path->fee,   path->slope,   (void *)path->run, path->price, path->grid};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        free(all[n]);
}

/* Chooses anew for the requests listed; returns the sum of their prices. */
EXPORT double lagrange_requests(const Problem *p, const Multipliers *m, Answer *a,
                                const int32_t *which, int32_t number) {
    Work w = {.p = p, .m = m, .a = a};
    double total = 0;
    path_open(&w.path, p);
    w.slope = room((size_t)p->teachers, sizeof(double));
    w.ready = calloc((size_t)p->kinds + 1, 1);
    w.days = calloc((size_t)p->teachers + 1, 1);
    w.holds = calloc((size_t)p->teachers + 1, 1);
    w.who = room((size_t)p->weeks * WEEKDAYS, sizeof(int32_t));
    for (int32_t t = 0; t < p->teachers; t++) {
        w.slope[t] = FAR;
        for (int32_t c = 1; c <= p->limit[t]; c++)
            if (m->run[(size_t)t * (size_t)(p->longest + 1) + (size_t)c] / c < w.slope[t])
                w.slope[t] = m->run[(size_t)t * (size_t)(p->longest + 1) + (size_t)c] / c;
    }
    for (int32_t n = 0; n < number; n++)
        total += request(&w, which[n]);
    path_close(&w.path);
    free(w.slope);
    free(w.ready);
    free(w.days);
    free(w.holds);
    free(w.who);
    return total;
}

/* The teachers' part: `load` is teachers x (most + 1), what n free lessons add.  Takes the runs
   that each teacher would choose off `runs` (teachers x (longest + 1)); returns the sum. */
EXPORT double lagrange_teachers(const Problem *p, int32_t most, const double *load,
                                const double *run, int32_t *runs) {
    double total = 0, *paid = room((size_t)most + 1, sizeof(double));
    int32_t *last = room((size_t)most + 1, sizeof(int32_t));
    paid[0] = 0;
    for (int32_t t = 0; t < p->teachers; t++) {
        const double *price = run + (size_t)t * (size_t)(p->longest + 1);
        const double *cost = load + (size_t)t * ((size_t)most + 1);
        double best = 0;
        int32_t given = 0;
        for (int32_t n = 1; n <= p->left[t]; n++) {
            paid[n] = -FAR;
            for (int32_t c = 1; c <= p->limit[t] && c <= n; c++)
                if (paid[n - c] + price[c] > paid[n]) {
                    paid[n] = paid[n - c] + price[c];
                    last[n] = c;
                }
            if (cost[n] - paid[n] < best) {
                best = cost[n] - paid[n];
                given = n;
            }
        }
        total += best;
        for (; given > 0; given -= last[given])
            runs[(size_t)t * (size_t)(p->longest + 1) + (size_t)last[given]]--;
    }
    free(paid);
    free(last);
    return total;
}
