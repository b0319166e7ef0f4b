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

#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "lagrange.h"

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
    double ceiling = to_beat(days, d, p->request_places[r]);
    double value = lagrange_series(w, r, s, ceiling);
    if (value >= ceiling)
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

/* Chooses anew for the requests listed; returns the sum of their prices. */
EXPORT double lagrange_requests(const Problem *p, const Multipliers *m, Answer *a,
                                const int32_t *which, int32_t number) {
    Work *w = lagrange_work_open(p, m, a);
    double total = 0;
    for (int32_t n = 0; n < number; n++)
        total += request(w, which[n]);
    lagrange_work_close(w);
    return total;
}

/* The teachers' part: `load` is teachers x (most + 1), what n free lessons add.  Takes the runs
   that each teacher would choose off `runs` (teachers x (longest + 1)); returns the sum. */
EXPORT double lagrange_teachers(const Problem *p, int32_t most, const double *load,
                                const double *run, int32_t *runs) {
    double total = 0, *paid = malloc(((size_t)most + 1) * sizeof(double));
    int32_t *last = malloc(((size_t)most + 1) * sizeof(int32_t));
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
