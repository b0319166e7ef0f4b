/* One series of a request: its prices, laid out for lagrange_path.c. */

#include <stdlib.h>
#include <string.h>

#include "lagrange.h"

static int has(const uint64_t *mask, int32_t week) {
    return mask[week / 64] >> (week % 64) & 1;
}

/* Whether a run of his may be longer than there are prices for.  No run is longer than the term, so
   he who may give more lessons than it has weeks is like all others: there is a line below his
   prices, which spares most of the work on a series that is not chosen. */
static int endless(const Problem *p, int32_t t) {
    return p->left[t] > p->limit[t] && p->limit[t] < p->weeks;
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
    if (endless(w->p, t)) /* a run beyond the limit is paid as several */
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
    size_t weeks = (size_t)p->weeks;
    for (size_t week = 0; week < weeks; week++)
        w->week[week] = 0;
    for (int32_t z = p->row_first[j]; z < p->row_first[j + 1]; z++) {
        const double *row = w->m->row + (size_t)p->row[z] * weeks;
        for (size_t week = 0; week < weeks; week++)
            w->week[week] += row[week];
    }
    for (size_t week = 0; week < weeks; week++) {
        double v = has(p->can + (size_t)j * WORDS, (int32_t)week) ? w->week[week] : FAR;
        if (p->if_needed && has(p->if_needed + (size_t)j * WORDS, (int32_t)week))
            v += p->needed_price;
        price[week * width] = v;
    }
    for (int32_t c = 0; c <= p->longest; c++) {
        double v = w->m->run[(size_t)t * (size_t)(p->longest + 1) + (size_t)c];
        run[(size_t)c * width] = c >= 1 && c <= p->limit[t] ? v : FAR;
    }
    w->entry[j] = w->line[2 * t];
    w->slope[j] = w->line[2 * t + 1];
    w->limit[j] = p->limit[t];
    w->endless[j] = (unsigned char)endless(p, t);
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

double lagrange_series(Work *w, int32_t r, int32_t s, double ceiling) {
    prepare(w, w->p->kind[s]);
    if (lay_out(w, r, s) >= ceiling)
        return ceiling;
    gather(w, r, s);
    if (!w->path.candidates ||
        lagrange_path_least(&w->path, w->p->handover) - handovers(w->p, s) >= ceiling)
        return ceiling;
    return staff(w, r, s, ceiling);
}

static void *room(size_t count, size_t size) {
    return malloc((count + 1) * size);
}

Work *lagrange_work_open(const Problem *p, const Multipliers *m, Answer *a) {
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
    w->week = room((size_t)p->weeks, sizeof(double));
    w->who = room((size_t)p->weeks * WEEKDAYS, sizeof(int32_t));
    for (int32_t t = 0; t < p->teachers; t++)
        straighten(w, t);
    return w;
}

void lagrange_work_close(Work *w) {
    void *all[] = {w->least, w->line,  w->entry, w->slope, w->limit, w->endless,
                   w->ready, w->days, w->holds, w->who,   w->week, w};
    lagrange_path_close(&w->path);
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        free(all[n]);
}

