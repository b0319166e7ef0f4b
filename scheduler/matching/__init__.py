"""The matching engine: an instance of PROBLEM.md in, a verified plan with a proved bound out.

    problem, reading, plan, prices   the values, and how they are read from JSON
    verify        each hard rule and term of the cost by its name; shares nothing with the search
    table, candidates, pools   the instance as rows and week masks; who could teach what, when
    state.h       what a plan in the making costs, and what is free in it
    offers.h, insertion.h   the cheapest staffing of one weekly slot, all else fixed
    kernel.c, kernel   ruin and recreate, and its face in Python
    twin          the same prices and insertion in plain Python: the definition
    annealing, crew    how a search cools down; several of them side by side
    search        from an instance to a solution
    replan        the plan in force, a budget of changes, substitutes, one more slot
    bound, dual, relaxation, lagrange*   the proved lower bound (the why stands in lagrange.c)
    explain, obstacles, proposals, fixes   why a lesson is missing, and what was tried and helps
    compiler, library   how the C part is built and loaded

Where a rule of PROBLEM.md is, beside `verify`:

    1 slots, days, holidays, closed    candidates (`_days`, `_open_days`, `_slots`)
    2 weekly slots, one a day          table (`request_places`); insertion.h (`insert`, `week_open`)
      a class at one place at a time   offers.h (`school_open`)
    3 level, windows, away, busy       pools
    4 at once, day, week, total        state.h (`free_weeks`, `Counter`, `left`)
    5 rooms                            offers.h (`school_open`)
    6 pinned and past                  candidates (`_standing`, `_past`); walls of insertion.h
"""
