/* One series of a request: its positions, its candidates, and the cheapest path of runs. */
#ifndef CHUNGTAY_LAGRANGE_PATH_H
#define CHUNGTAY_LAGRANGE_PATH_H

#include <stddef.h>
#include <stdint.h>

#define FAR 1e30 /* no way there */
#define NEVER(v) ((v) > FAR / 2)
#define NOBODY (-1)

typedef struct {
    double value;
    int32_t who, end; /* who gave the last lesson; the position before which his run was over */
} Label;

typedef struct {
    Label best, other; /* of two teachers */
} Labels;

/* Positions are the open weeks and the lessons that must stay, in order.  Where two indexes are
   named, the second one runs fastest; there are `width` candidates in the first `candidates`. */
typedef struct {
    int32_t count, candidates, width, longest;
    int any_endless, any_stays;
    int32_t *week;      /* per position; NOBODY at a lesson that must stay */
    int32_t *stays;     /* per position: whose lesson must stay (a candidate, or below NOBODY) */
    int32_t *before;    /* per position where a lesson must stay: which label it follows */
    double *base;       /* per position: of any lesson there */
    double *price;      /* positions x candidates: of a lesson */
    const double *run;  /* (longest + 1) x candidates: of a run of so many */
    const int32_t *limit;         /* per candidate: lessons in a run */
    const unsigned char *endless; /* per candidate: whether another run may follow a full one */
    const double *entry, *slope;  /* per candidate: a run of c costs entry + slope * c, or more */
    double *fee;                  /* per candidate */
    double *grid, *start, *closed, *open; /* scratch */
    unsigned char *how;                   /* positions x (longest + 1) */
    Labels *labels;                       /* positions + 1 */
    int32_t *lesson;                      /* per position: the candidate found, or NOBODY */
} Path;

void lagrange_path_open(Path *p, size_t positions, size_t candidates, int32_t longest);
void lagrange_path_close(Path *p);

/* A number that no path is below. */
double lagrange_path_least(Path *p, double handover);

/* The least price of a path, the first teacher with his fee; `lesson` is not set yet. */
double lagrange_path_cheapest(Path *p, double handover);
void lagrange_path_trace(Path *p, double handover, double value);

/* The least price of a path of one run, where no lesson must stay, and its lessons, if it is
   below `ceiling`; else `ceiling`. */
double lagrange_path_alone(Path *p, double handover, double ceiling);

#endif
