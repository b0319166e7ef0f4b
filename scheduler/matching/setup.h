/* What an engine needs before its first move: room for its state, and indexes of the instance. */
#ifndef CHUNGTAY_SETUP_H
#define CHUNGTAY_SETUP_H
#include "insertion.h"

static double natural_log(double x) { /* libm's differ from machine to machine */
    double k = 0;
    for (; x < 0.7; x *= 2) k -= 1;
    double z = (x - 1) / (x + 1), power = z, sum = 0;
    for (i32 n = 1; n < 60; n += 2, power *= z * z) sum += power / n;
    return 2 * sum + k * 0.69314718055994530942;
}

static void *zeros(size_t count, size_t size) { return calloc(count ? count : 1, size); }

static i32 *nobody(size_t count) {
    i32 *all = zeros(count, sizeof(i32));
    memset(all, 255, sizeof(i32) * count);
    return all;
}

/* Unary counters for each teacher; a limit that can never be reached needs none. */
static void make_counters(Engine *e) {
    const Instance *in = &e->in;
    i32 shortest = in->shortest + in->gap > 0 ? in->shortest + in->gap : 1;
    i32 a_day = (24 * 60 + in->gap) / shortest + 1; /* more lessons than a day can hold */
    size_t levels = 0, used = 0;
    for (i32 t = 0; t < in->teachers; t++) {
        i32 per_day = in->teacher_per_day[t] < a_day ? in->teacher_per_day[t] : 0;
        i32 per_week = in->teacher_per_week[t] < DAYS * a_day ? in->teacher_per_week[t] : 0;
        e->week[t] = (Counter){NULL, per_week, per_week};
        for (i32 d = 0; d < DAYS; d++) e->day[(size_t)t * DAYS + d] = (Counter){NULL, per_day ? per_day : 1, per_day};
        levels += per_week + DAYS * (per_day ? per_day : 1);
    }
    e->counters = zeros(levels, sizeof(Mask));
    for (i32 t = 0; t < in->teachers; t++) {
        e->week[t].level = e->counters + used, used += e->week[t].levels;
        for (i32 d = 0; d < DAYS; d++) {
            Counter *day = e->day + (size_t)t * DAYS + d;
            day->level = e->counters + used, used += day->levels;
        }
    }
}

static void index_fixed(Engine *e) {
    const Instance *in = &e->in;
    e->fixed_first = zeros(in->requests + 2, sizeof(i32));
    e->fixed_by_request = zeros(in->fixed, sizeof(i32));
    for (i32 n = 0; n < in->fixed; n++) e->fixed_first[in->fixed_request[n] + 2]++;
    for (i32 r = 0; r < in->requests; r++) e->fixed_first[r + 2] += e->fixed_first[r + 1];
    for (i32 n = 0; n < in->fixed; n++) e->fixed_by_request[e->fixed_first[in->fixed_request[n] + 1]++] = n;
}

/* For lists much longer than a sample: where a teacher stands in the list of a kind. */
static void index_candidates(Engine *e) {
    const Instance *in = &e->in;
    Search *s = e->search;
    i64 rows = in->kind_first[in->kinds];
    s->words = (in->teachers + 63) / 64;
    s->member = zeros((size_t)in->kinds * s->words, sizeof(u64));
    s->row_first = zeros(in->teachers + 2, sizeof(i64));
    s->row_kind = zeros(rows, sizeof(i32));
    s->row = zeros(rows, sizeof(i64));
    for (i64 n = 0; n < rows; n++) s->row_first[in->candidate_teacher[n] + 2]++;
    for (i32 t = 0; t < in->teachers; t++) s->row_first[t + 2] += s->row_first[t + 1];
    for (i32 k = 0; k < in->kinds; k++)
        for (i64 n = in->kind_first[k]; n < in->kind_first[k + 1]; n++) {
            i32 t = in->candidate_teacher[n];
            i64 at = s->row_first[t + 1]++;
            s->row_kind[at] = k, s->row[at] = n;
            s->member[(size_t)k * s->words + (t >> 6)] |= 1ULL << (t & 63);
        }
}

static void make_search(Engine *e) {
    const Instance *in = &e->in;
    Search *s = e->search;
    size_t places = (size_t)in->requests * in->places, most = 1;
    i32 rooms = 1;
    for (i32 q = 0; q < in->schools; q++) {
        size_t count = 0;
        if (in->school_rooms[q] > rooms) rooms = in->school_rooms[q];
        for (i32 n = in->school_requests_first[q]; n < in->school_requests_first[q + 1]; n++) {
            i32 r = in->school_requests[n];
            count += in->places + e->fixed_first[r + 1] - e->fixed_first[r];
        }
        if (count > most) most = count;
    }
    s->beside = zeros(most + 1, sizeof *s->beside);
    s->crowd = zeros((size_t)rooms < most ? (size_t)rooms : most + 1, sizeof(Mask));
    s->freed = zeros(in->teachers, sizeof(i32));
    s->freed_in = zeros(in->teachers, sizeof(i32));
    s->who = nobody(in->weeks), s->best_who = nobody(in->weeks), s->hint = nobody(places);
    for (i32 k = 0; k < in->kinds && !s->member; k++)
        if (in->kind_first[k + 1] - in->kind_first[k] > 48) index_candidates(e);
}

#endif
