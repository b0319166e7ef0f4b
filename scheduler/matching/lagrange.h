/* What bound.py hands over (lagrange.py has the same structures), and the room to work in. */
#ifndef CHUNGTAY_LAGRANGE_H
#define CHUNGTAY_LAGRANGE_H

#include <stdint.h>

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
    double *week;         /* scratch: per week */
} Work;

Work *lagrange_work_open(const Problem *p, const Multipliers *m, Answer *a);
void lagrange_work_close(Work *w);

/* The least price of a series of a request below `ceiling`, its lessons in w->path; or `ceiling`. */
double lagrange_series(Work *w, int32_t r, int32_t s, double ceiling);

#endif
