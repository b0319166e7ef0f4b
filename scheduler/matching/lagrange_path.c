/* The cheapest way to cut one series into runs: dynamic programming over its positions.

   grid[c, i] is the least price of a path whose last run is i's, still open, with c lessons; its
   price for c lessons is added when it is closed.  Skipping a week is free, so any lesson may be
   left out.  Of the closed paths the best one is kept and the best one of another teacher: a run
   must not follow a run of the same teacher, which would be one run. */

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* the loops over candidates, two at a time; clang does so anyway */
#endif

#include "lagrange_path.h"

#include <stdlib.h>
#include <string.h>

/* How a lesson was come to: not at all, from a label, as the first, after one that must stay,
   in a new run after a full one, or as the next of its run. */
enum { SKIPPED, FROM_BEST, FROM_OTHER, FIRST, STANDING, FULL, NEXT };

static const Labels NO_LABELS = {{FAR, NOBODY, 0}, {FAR, NOBODY, 0}};

/* Where the runs of a path may start: `nothing` before, or right after a lesson that must stay. */
typedef struct {
    int nothing;
    int32_t stays;
    double value;
} Origin;

static void *room(size_t count, size_t size) {
    return malloc((count + 1) * size);
}

void lagrange_path_open(Path *p, size_t positions, size_t candidates, int32_t longest) {
    size_t lengths = (size_t)longest + 1;
    p->longest = longest;
    p->week = room(positions, sizeof(int32_t));
    p->stays = room(positions, sizeof(int32_t));
    p->before = room(positions, sizeof(int32_t));
    p->lesson = room(positions, sizeof(int32_t));
    p->base = room(positions, sizeof(double));
    p->labels = room(positions + 1, sizeof(Labels));
    p->how = room(positions * lengths, 1);
    p->price = room(positions * candidates, sizeof(double));
    p->grid = room(lengths * candidates, sizeof(double));
    p->fee = room(candidates, sizeof(double));
    p->start = room(candidates, sizeof(double));
    p->closed = room(candidates, sizeof(double));
    p->open = room(candidates, sizeof(double));
}

void lagrange_path_close(Path *p) {
    void *all[] = {p->week, p->stays, p->before, p->lesson, p->base,   p->labels, p->how,
                   p->price, p->grid, p->fee,    p->start,  p->closed, p->open};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        free(all[n]);
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

/* The cheapest way to a first lesson of candidate i. */
static double begin(const Path *p, const Labels *f, Origin o, int32_t i, double handover, int *how) {
    double value = FAR;
    *how = SKIPPED;
    if (o.nothing) {
        value = p->fee[i];
        *how = FIRST;
    }
    if (o.stays == i && o.value < value) {
        value = o.value;
        *how = STANDING;
    }
    const Label *from = f->best.who == i ? &f->other : &f->best;
    if (from->value + handover < value) {
        value = from->value + handover;
        *how = from == &f->best ? FROM_BEST : FROM_OTHER;
    }
    return value;
}

/* The same for all candidates at once. */
static void begin_all(Path *p, const Labels *f, Origin o, double handover) {
    double value = f->best.value + handover, *restrict start = p->start;
    const double *restrict fee = p->fee;
    int32_t k = p->candidates;
    int how;
    for (int32_t i = 0; i < k; i++)
        start[i] = o.nothing && fee[i] < value ? fee[i] : value;
    if (f->best.who >= 0)
        start[f->best.who] = begin(p, f, o, f->best.who, handover, &how);
    if (o.stays >= 0)
        start[o.stays] = begin(p, f, o, o.stays, handover, &how);
}

/* One lesson more in every open run of up to `top` lessons; p->closed: the best run closed. */
static void extend_all(Path *p, const double *restrict price, int32_t top) {
    size_t width = (size_t)p->width;
    int32_t k = p->candidates;
    double *restrict closed = p->closed;
    for (int32_t i = 0; i < k; i++)
        closed[i] = FAR;
    for (int32_t c = top; c > 0; c--) {
        double *restrict now = p->grid + (size_t)c * width;
        const double *restrict shorter = c > 1 ? now - width : p->start;
        const double *restrict run = p->run + (size_t)c * width;
        for (int32_t i = 0; i < k; i++) {
            double value = shorter[i] + price[i];
            value = value < now[i] ? value : now[i];
            now[i] = value;
            value += run[i];
            closed[i] = value < closed[i] ? value : closed[i];
        }
    }
}

/* Where a full run may be followed by another one of the same teacher at no price. */
static void restart_full(Path *p) {
    for (int32_t i = 0; i < p->candidates; i++)
        if (p->endless[i]) {
            size_t full = (size_t)p->limit[i] * (size_t)p->width + (size_t)i;
            double value = p->grid[full] + p->run[full];
            if (value < p->start[i])
                p->start[i] = value;
        }
}

static void empty(Path *p) {
    size_t cells = ((size_t)p->longest + 1) * (size_t)p->width;
    for (size_t n = 0; n < cells; n++)
        p->grid[n] = FAR;
}

/* A lesson that must stay closes all runs; `since` positions lie before it. */
static void stand(Path *p, int32_t x, int32_t since, Labels *f, Origin *o, double handover) {
    int32_t who = p->stays[x];
    double value = o->nothing ? 0 : FAR;
    const Label *from[2] = {&f->best, &f->other};
    p->before[x] = SKIPPED;
    for (int k = 0; k < 2; k++) {
        double v = from[k]->value + (from[k]->who == who ? 0 : handover);
        if (v < value) {
            value = v;
            p->before[x] = k == 0 ? FROM_BEST : FROM_OTHER;
        }
    }
    if (who >= 0 && since > 0 && p->closed[who] < value) { /* though it be the third best */
        value = p->closed[who];
        p->before[x] = NEXT;
    }
    *o = (Origin){0, who, value};
    *f = NO_LABELS;
    f->best = (Label){value, who, -1 - x};
    empty(p);
}

double lagrange_path_cheapest(Path *p, double handover) {
    Labels f = NO_LABELS;
    Origin o = {1, NOBODY, 0};
    int32_t since = 0; /* positions since the last lesson that must stay */
    empty(p);
    for (int32_t x = 0; x < p->count; x++) {
        p->labels[x] = f;
        if (p->week[x] == NOBODY) {
            stand(p, x, since, &f, &o, handover);
            since = 0;
            continue;
        }
        begin_all(p, &f, o, handover);
        if (p->any_endless)
            restart_full(p);
        since++;
        extend_all(p, p->price + (size_t)x * (size_t)p->width,
                   since < p->longest ? since : p->longest);
        for (int32_t i = 0; i < p->candidates; i++)
            if (p->closed[i] < f.other.value)
                offer(&f, p->closed[i], i, x + 1);
    }
    p->labels[p->count] = f;
    return o.nothing && f.best.value > 0 ? 0 : f.best.value;
}

/* Candidate i's lessons in the run that ended before `end`; returns how it began, and where. */
static int unwind(Path *p, int32_t i, int32_t end, double handover, int32_t *at) {
    int32_t from = 0, length = 1, limit = p->limit[i];
    size_t width = (size_t)p->width, stride = (size_t)p->longest + 1;
    for (int32_t x = 0; x < end; x++)
        if (p->week[x] == NOBODY)
            from = x + 1;
    Origin o = {from == 0, NOBODY, 0};
    if (from)
        o = (Origin){0, p->labels[from].best.who, p->labels[from].best.value};
    double *grid = malloc(stride * sizeof(double));
    for (int32_t c = 0; c <= limit; c++)
        grid[c] = FAR;
    for (int32_t x = from; x < end; x++) {
        unsigned char *how = p->how + (size_t)x * stride;
        double v = p->price[(size_t)x * width + (size_t)i], full;
        int start_how;
        double start = begin(p, p->labels + x, o, i, handover, &start_how);
        memset(how, SKIPPED, stride);
        full = grid[limit] + p->run[(size_t)limit * width + (size_t)i];
        if (p->endless[i] && full < start) {
            start = full;
            start_how = FULL;
        }
        for (int32_t c = limit; c > 0; c--) {
            double value = (c > 1 ? grid[c - 1] : start) + v;
            if (value < grid[c]) {
                grid[c] = value;
                how[c] = (unsigned char)(c > 1 ? NEXT : start_how);
            }
        }
    }
    for (int32_t c = 2; c <= limit; c++)
        if (grid[c] + p->run[(size_t)c * width + (size_t)i] <
            grid[length] + p->run[(size_t)length * width + (size_t)i])
            length = c;
    free(grid);
    for (int32_t x = end - 1; x >= from; x--) {
        int how = p->how[(size_t)x * stride + (size_t)length];
        if (how == SKIPPED)
            continue;
        p->lesson[x] = i;
        if (how == NEXT) {
            length--;
        } else if (how == FULL) {
            length = limit;
        } else {
            *at = how == STANDING ? from : x;
            return how;
        }
    }
    return FIRST;
}

void lagrange_path_trace(Path *p, double handover, double value) {
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
            if (how == NEXT)
                how = unwind(p, p->stays[x], x, handover, &x);
        } else {
            how = unwind(p, l->who, l->end, handover, &x);
        }
    }
}

/* Backwards: what must come at least from each position on, every run at its straight line. */
double lagrange_path_least(Path *p, double handover) {
    int32_t k = p->candidates;
    double closed = 0, first = 0; /* with no run open; with nothing before */
    double *restrict open = p->open;
    const double *restrict entry = p->entry, *restrict slope = p->slope, *restrict fee = p->fee;
    for (int32_t i = 0; i < k; i++)
        open[i] = 0;
    for (int32_t x = p->count; x-- > 0;) {
        if (p->week[x] == NOBODY) {
            int32_t who = p->stays[x];
            if (who >= 0 && open[who] + entry[who] < closed)
                closed = open[who] + entry[who];
            first = closed;
            for (int32_t i = 0; i < k; i++)
                open[i] = closed;
            continue;
        }
        const double *restrict price = p->price + (size_t)x * (size_t)p->width;
        double next = FAR;
        for (int32_t i = 0; i < k; i++) {
            double v = price[i] + slope[i] + open[i], entered = v + entry[i];
            open[i] = v < open[i] ? v : open[i];
            next = entered < next ? entered : next;
            entered += fee[i];
            first = entered < first ? entered : first;
        }
        closed = next + handover < closed ? next + handover : closed;
        for (int32_t i = 0; i < k; i++)
            open[i] = closed < open[i] ? closed : open[i];
    }
    return first;
}

/* The least price of one run of candidate i, at most his line, and where it ends. */
static double one_run(Path *p, int32_t i, int32_t *end) {
    size_t width = (size_t)p->width;
    double best = FAR, *grid = p->grid;
    int32_t limit = p->limit[i];
    for (int32_t c = 1; c <= limit; c++)
        grid[c] = FAR;
    grid[0] = p->fee[i];
    for (int32_t x = 0; x < p->count; x++) {
        double v = p->price[(size_t)x * width + (size_t)i];
        if (NEVER(v))
            continue;
        if (p->endless[i]) {
            double full = grid[limit] + p->run[(size_t)limit * width + (size_t)i];
            grid[0] = full < p->fee[i] ? full : p->fee[i];
        }
        for (int32_t c = limit < x + 1 ? limit : x + 1; c > 0; c--) {
            if (grid[c - 1] + v < grid[c])
                grid[c] = grid[c - 1] + v;
            double value = grid[c] + p->run[(size_t)c * width + (size_t)i];
            if (value < best) {
                best = value;
                *end = x + 1;
            }
        }
    }
    return best;
}

/* What no single run of candidate i is below: his line, for no more lessons than he may give. */
static double least_run(const Path *p, int32_t i) {
    double sum = 0, smallest = -FAR;
    int32_t lessons = 0;
    for (int32_t x = 0; x < p->count; x++) {
        double v = p->price[(size_t)x * (size_t)p->width + (size_t)i] + p->slope[i];
        if (v >= 0)
            continue;
        sum += v;
        smallest = v > smallest ? v : smallest;
        lessons++;
    }
    if (!p->endless[i] && lessons > p->limit[i])
        sum -= (lessons - p->limit[i]) * smallest;
    return sum + p->fee[i] + p->entry[i];
}

double lagrange_path_alone(Path *p, double handover, double ceiling) {
    int32_t who = NOBODY, end = 0, at;
    double best = ceiling;
    for (int32_t i = 0; i < p->candidates; i++) {
        if (p->limit[i] < 1 || least_run(p, i) >= best)
            continue;
        double value = one_run(p, i, &at);
        if (value < best) {
            best = value;
            who = i;
            end = at;
        }
    }
    if (who == NOBODY)
        return ceiling;
    for (int32_t x = 0; x < p->count; x++) {
        p->labels[x] = NO_LABELS;
        p->lesson[x] = NOBODY;
    }
    unwind(p, who, end, handover, &at);
    return best;
}
