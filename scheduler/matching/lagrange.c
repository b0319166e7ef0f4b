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
   handover; what more than one teacher costs is counted in part (see `staff`). */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "lagrange_path.h"

#ifndef WORDS
#define WORDS 1
#endif
#define WEEKDAYS 7

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
    double *price;     /* scratch: per kind weeks x candidates */
    double *run_price; /* scratch: per kind (longest + 1) x candidates */
    double *least;     /* scratch: kinds x weeks */
} Answer;

/* What is the same for all requests of one call, and the room to work in. */
typedef struct {
    const Problem *p;
    const Multipliers *m;
    Answer *a;
    Path path;
    double *least;         /* per teacher: the least price of a lesson within a run */
    double *entry, *slope; /* per candidate: a run of c costs entry + slope * c, or more */
    int32_t *limit;        /* per candidate */
    unsigned char *endless;
    double *line;         /* teachers x 2: entry and slope */
    unsigned char *ready; /* per kind: whether its prices have been worked out */
    unsigned char *days;  /* per teacher: the weekdays on which he could serve the request */
    unsigned char *holds; /* per teacher: whether he gives a lesson of it that must stay */
    int32_t *who;         /* weekdays x weeks: the choice of each weekday */
} Work;

static int has(const uint64_t *mask, int32_t week) {
    return mask[week / 64] >> (week % 64) & 1;
}

/* The straight lines below a teacher's prices of runs: through nothing, and the one that touches
   them around the middle. */
static void straighten(Work *w, int32_t t) {
    const double *run = w->m->run + (size_t)t * (size_t)(w->p->longest + 1);
    int32_t limit = w->p->limit[t];
    double middle = limit * 6 / 10 + 0.5, lowest = FAR;
    w->least[t] = FAR;
    for (int32_t c = 1; c <= limit; c++)
        if (run[c] / c < w->least[t])
            w->least[t] = run[c] / c;
    w->line[2 * t] = limit ? 0 : FAR;
    w->line[2 * t + 1] = limit ? w->least[t] : 0;
    if (w->p->left[t] > limit) /* a run beyond the limit is paid as several */
        return;
    for (int32_t a = 1; a < middle; a++)
        for (int32_t b = limit; b > middle; b--) {
            double slope = (run[b] - run[a]) / (b - a), there = run[a] + slope * (middle - a);
            if (there < lowest) {
                lowest = there;
                w->line[2 * t] = run[a] - slope * a;
                w->line[2 * t + 1] = slope;
            }
        }
}

/* One candidate's prices, into the columns of his kind. */
static void prepare_one(Work *w, int64_t j, double *price, double *run, size_t width) {
    const Problem *p = w->p;
    int32_t t = p->teacher[j];
    for (int32_t week = 0; week < p->weeks; week++) {
        double v = has(p->can + (size_t)j * WORDS, week) ? 0 : FAR;
        if (p->if_needed && has(p->if_needed + (size_t)j * WORDS, week))
            v += p->needed_price;
        for (int32_t z = p->row_first[j]; z < p->row_first[j + 1]; z++)
            v += w->m->row[(size_t)p->row[z] * (size_t)p->weeks + (size_t)week];
        price[(size_t)week * width] = v;
    }
    for (int32_t c = 0; c <= p->longest; c++) {
        double v = w->m->run[(size_t)t * (size_t)(p->longest + 1) + (size_t)c];
        run[(size_t)c * width] = c >= 1 && c <= p->limit[t] ? v : FAR;
    }
    w->entry[j] = w->line[2 * t];
    w->slope[j] = w->line[2 * t + 1];
    w->limit[j] = p->limit[t];
    w->endless[j] = p->left[t] > p->limit[t];
}

/* The prices of a kind's candidates, and per week the least one with its share in a run. */
static void prepare(Work *w, int32_t kind) {
    const Problem *p = w->p;
    int64_t first = p->kind_first[kind];
    size_t width = (size_t)(p->kind_first[kind + 1] - first), weeks = (size_t)p->weeks;
    double *price = w->a->price + (size_t)first * weeks;
    double *run = w->a->run_price + (size_t)first * (size_t)(p->longest + 1);
    if (w->ready[kind])
        return;
    w->ready[kind] = 1;
    for (size_t i = 0; i < width; i++)
        prepare_one(w, first + (int64_t)i, price + i, run + i, width);
    for (size_t week = 0; week < weeks; week++) {
        double least = FAR;
        for (size_t i = 0; i < width; i++) {
            double v = price[week * width + i] + w->least[p->teacher[first + (int64_t)i]];
            least = v < least ? v : least;
        }
        w->a->least[(size_t)kind * weeks + week] = least;
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
    path->any_stays = z < p->standing_first[s + 1];
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

/* The prices of each candidate at each position, and his fee. */
static void gather(Work *w, int32_t r, int32_t s) {
    const Problem *p = w->p;
    Path *path = &w->path;
    int64_t first = p->kind_first[p->kind[s]];
    const int32_t *teacher = p->teacher + first;
    int32_t k = (int32_t)(p->kind_first[p->kind[s] + 1] - first), places = p->request_places[r];
    const double *price = w->a->price + (size_t)first * (size_t)p->weeks;
    double *restrict unwished = path->start;
    path->candidates = path->width = k;
    path->run = w->a->run_price + (size_t)first * (size_t)(p->longest + 1);
    path->limit = w->limit + first;
    path->endless = w->endless + first;
    path->entry = w->entry + first;
    path->slope = w->slope + first;
    path->any_endless = 0;
    for (int32_t i = 0; i < k; i++) {
        int days = places > 1 ? __builtin_popcount(w->days[teacher[i]]) : 1;
        path->any_endless |= path->endless[i];
        path->fee[i] = w->holds[teacher[i]] ? 0 : p->extra / (days < places ? days : places);
        unwished[i] = wish(p, teacher[i], p->request_school[r]);
    }
    for (int32_t x = 0; x < path->count; x++) {
        int32_t week = path->week[x];
        double *restrict to = path->price + (size_t)x * (size_t)k, base = path->base[x];
        const double *restrict from = price + (size_t)(week < 0 ? 0 : week) * (size_t)k;
        for (int32_t i = 0; i < k && week != NOBODY; i++)
            to[i] = from[i] + base + unwished[i];
        for (int32_t i = 0; i < k && week != NOBODY && p->current; i++)
            to[i] -= kept(p, s, week, teacher[i]);
        for (int32_t i = 0; i < k && week == NOBODY; i++)
            if (path->stays[x] == -2 - teacher[i])
                path->stays[x] = i;
    }
}

/* Handovers between the lessons that must stay, which are there in any plan. */
static double handovers(const Problem *p, int32_t s) {
    int32_t count = 0;
    for (int32_t z = p->standing_first[s] + 1; z < p->standing_first[s + 1]; z++)
        count += p->standing_teacher[z] != p->standing_teacher[z - 1];
    return count * p->handover;
}

/* The least price of a series below `ceiling`, its lessons in path.lesson; or `ceiling`.

   Each teacher of a request costs a fee (or, where he may serve several weekly slots, the share
   of it that falls on one) unless he holds a lesson that must stay.  A path of one run pays its
   teacher's.  One of several runs pays that of the first and, if nobody holds a lesson, that of
   some other teacher: not of every run, as teachers may return. */
static double staff(Work *w, int32_t r, int32_t s, double ceiling) {
    const Problem *p = w->p;
    Path *path = &w->path;
    double was = handovers(p, s), other = 0, best = ceiling, value;
    if (p->holder_first[r] == p->holder_first[r + 1]) {
        other = FAR;
        for (int32_t i = 0; i < path->candidates; i++)
            other = path->fee[i] < other ? path->fee[i] : other;
        best = lagrange_path_alone(path, p->handover, best);
    }
    value = lagrange_path_cheapest(path, p->handover);
    if (value - was + other < best) {
        best = value - was + other;
        lagrange_path_trace(path, p->handover, value);
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
    if (!path->candidates || lagrange_path_least(path, p->handover) - handovers(p, s) >= ceiling ||
        (value = staff(w, r, s, ceiling)) >= ceiling)
        return;
    days->value[d] = value;
    days->series[d] = s;
    int32_t *who = w->who + (size_t)d * (size_t)p->weeks;
    for (int32_t week = 0; week < p->weeks; week++)
        who[week] = NOBODY;
    for (int32_t x = 0; x < path->count; x++)
        if (path->week[x] != NOBODY && path->lesson[x] != NOBODY)
            who[path->week[x]] = path->lesson[x];
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

static Work *open_work(const Problem *p, const Multipliers *m, Answer *a) {
    Work *w = calloc(1, sizeof(Work));
    int64_t widest = 0, all = p->kinds ? p->kind_first[p->kinds] : 0;
    int32_t standing = 0;
    for (int32_t k = 0; k < p->kinds; k++)
        if (p->kind_first[k + 1] - p->kind_first[k] > widest)
            widest = p->kind_first[k + 1] - p->kind_first[k];
    for (int32_t s = 0; s < p->series_first[p->requests]; s++)
        if (p->standing_first[s + 1] - p->standing_first[s] > standing)
            standing = p->standing_first[s + 1] - p->standing_first[s];
    w->p = p;
    w->m = m;
    w->a = a;
    lagrange_path_open(&w->path, (size_t)(p->weeks + standing), (size_t)widest, p->longest);
    w->least = room((size_t)p->teachers, sizeof(double));
    w->line = room((size_t)p->teachers * 2, sizeof(double));
    w->entry = room((size_t)all, sizeof(double));
    w->slope = room((size_t)all, sizeof(double));
    w->limit = room((size_t)all, sizeof(int32_t));
    w->endless = room((size_t)all, 1);
    w->ready = calloc((size_t)p->kinds + 1, 1);
    w->days = calloc((size_t)p->teachers + 1, 1);
    w->holds = calloc((size_t)p->teachers + 1, 1);
    w->who = room((size_t)p->weeks * WEEKDAYS, sizeof(int32_t));
    return w;
}

static void close_work(Work *w) {
    void *all[] = {w->least, w->line,  w->entry, w->slope, w->limit, w->endless,
                   w->ready, w->days, w->holds, w->who,   w};
    lagrange_path_close(&w->path);
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        free(all[n]);
}

/* Chooses anew for the requests listed; returns the sum of their prices. */
EXPORT double lagrange_requests(const Problem *p, const Multipliers *m, Answer *a,
                                const int32_t *which, int32_t number) {
    Work *w = open_work(p, m, a);
    double total = 0;
    for (int32_t t = 0; t < p->teachers; t++)
        straighten(w, t);
    for (int32_t n = 0; n < number; n++)
        total += request(w, which[n]);
    close_work(w);
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
