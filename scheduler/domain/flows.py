"""As much as can flow from requests over their days to teachers' days and weeks.  Pure.

A maximum flow by augmenting paths.  Its edges are never built: what leads on from a node follows
from who is able to what, and what leads back from the lessons that are on their way already.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice, pairwise
from typing import NamedTuple

Giver = int
Option = int  # a time of the week and a level

# Kinds of nodes, in the order in which lessons flow.
_REQUEST, _DAY, _OPTION, _GIVEN_DAY, _GIVER, _SINK = range(6)


class _Node(NamedTuple):
    """`of`: the request, option or giver; `weekday` where it is about a day."""

    kind: int
    of: int
    weekday: int = 0


_END = _Node(_SINK, 0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many lessons, one a day at most, at one of the options of the day."""

    lessons: int
    options: Mapping[int, Sequence[Option]]  # by weekday


@dataclass(frozen=True, slots=True)
class Givers:
    """Who could give what: at an option one lesson each, in a day and in the week no more."""

    weekdays: Sequence[int]  # by option
    able: Sequence[Sequence[Giver]]  # by option
    most_a_day: Callable[[Giver, int], int]  # by weekday
    per_week: Sequence[int]


@dataclass
class Flow:
    """Lessons on their way; `stuck` are nodes from which none gets to a teacher any more, each with
    its group: what once has no way out never gets one, so nobody looks there again."""

    wanted: Sequence[Wanted]
    givers: Givers
    given: list[int] = field(init=False)  # by request
    stuck: dict[_Node, int] = field(default_factory=dict)
    _fresh: dict[Option, Iterator[Giver]] = field(default_factory=dict)  # not asked straight yet
    _keys: Iterator[int] = field(default_factory=count)  # later ones are greater: no group is lost
    _joined: dict[int, int] = field(default_factory=dict)  # by a group, the one that took it in
    _turns: dict[Option, int] = field(default_factory=dict)  # how often its givers were asked
    _from: dict[_Node, dict[_Node, int]] = field(default_factory=dict)  # lessons that came from it

    def __post_init__(self) -> None:
        self.given = [0] * len(self.wanted)
        for step in (self._drop, self._push):  # the first one finds most, at a fraction of the cost
            for n, each in enumerate(self.wanted):
                while self.given[n] < each.lessons and step(_Node(_REQUEST, n)):
                    self.given[n] += 1

    def groups(self) -> list[tuple[list[int], int]]:
        """Requests that lack teachers together, and how many teachers they compete for."""
        found: dict[int, tuple[list[int], set[Giver]]] = {}
        for node, key in self.stuck.items():
            requests, givers = found.setdefault(self._group(key), ([], set()))
            if node.kind == _REQUEST:
                requests.append(node.of)
            elif node.kind == _OPTION:
                givers.update(self.givers.able[node.of])
        return [(sorted(requests), len(givers)) for requests, givers in found.values()]

    def _drop(self, start: _Node) -> bool:
        """Send one more lesson straight on; False where another would have to make room for it.

        While lessons go straight on, room only shrinks: who was asked at an option has one there
        or is full, and is not asked again.
        """
        for weekday, options in self.wanted[start.of].options.items():
            day = _Node(_DAY, start.of, weekday)
            for each in () if self._from.get(day) else options:
                there = self.givers.weekdays[each]
                for giver in self._fresh.setdefault(each, iter(self.givers.able[each])):
                    given_day = _Node(_GIVEN_DAY, giver, there)
                    if self._has_room(given_day):
                        option, to = _Node(_OPTION, each), _Node(_GIVER, giver)
                        path = (start, day, option, given_day, to, _END)
                        self._send({end: begin for begin, end in pairwise(path)} | {start: start})
                        return True
        return False

    def _has_room(self, given_day: _Node) -> bool:
        """Whether its teacher could give one lesson more, on that day and in the week."""
        giver = _Node(_GIVER, given_day.of)
        in_week = self._from.get(giver)
        if not in_week:
            return self._room(given_day) > 0 < self._room(giver)
        today = in_week.get(given_day, 0)
        return today < self._room(given_day) and sum(in_week.values()) < self._room(giver)

    def _push(self, start: _Node) -> bool:
        """Send one more lesson on its way; False when there is none."""
        came = {start: start}
        path, met = [self._ahead(start)], set[int]()
        here = [start]
        while path:
            node = next((each for each in path[-1] if each not in came), None)
            if node is None:
                path.pop()
                here.pop()
            elif node in self.stuck:
                met.add(self._group(self.stuck[node]))
            else:
                came[node] = here[-1]
                if node == _END:
                    self._send(came)
                    return True
                path.append(self._ahead(node))
                here.append(node)
        self._close(came, met)
        return False

    def _ahead(self, node: _Node) -> Iterator[_Node]:
        """Where one more lesson could go: on, or back so that another one goes elsewhere."""
        yield from self._open(node)
        yield from tuple(self._from.get(node, ()))

    def _open(self, node: _Node) -> Iterator[_Node]:
        room = self._room(node)
        for on in self._ways(node):
            if self._from.get(on, {}).get(node, 0) < room:
                yield on

    def _ways(self, node: _Node) -> Iterator[_Node]:
        kind, of, weekday = node
        if kind == _REQUEST:
            return (_Node(_DAY, of, day) for day in self.wanted[of].options)
        if kind == _DAY:
            return (_Node(_OPTION, option) for option in self.wanted[of].options[weekday])
        if kind == _OPTION:
            day, able = self.givers.weekdays[of], self.givers.able[of]
            self._turns[of] = turn = self._turns.get(of, -1) + 1
            begin = turn % max(len(able), 1)  # others each time: they have room, most likely
            givers = chain(islice(able, begin, None), islice(able, begin))
            return (_Node(_GIVEN_DAY, giver, day) for giver in givers)
        return iter((_Node(_GIVER, of) if kind == _GIVEN_DAY else _END,))

    def _room(self, node: _Node) -> int:
        """How many lessons may go from here to one node ahead."""
        if node.kind == _GIVEN_DAY:
            return self.givers.most_a_day(node.of, node.weekday)
        return self.givers.per_week[node.of] if node.kind == _GIVER else 1

    def _send(self, came: Mapping[_Node, _Node]) -> None:
        node = _END
        while (before := came[node]) != node:
            if before.kind < node.kind:
                into = self._from.setdefault(node, {})
                into[before] = into.get(before, 0) + 1
            else:
                self._take_back(before, node)
            node = before

    def _take_back(self, node: _Node, before: _Node) -> None:
        into = self._from[node]
        into[before] -= 1
        if not into[before]:
            del into[before]

    def _close(self, came: Mapping[_Node, _Node], met: set[int]) -> None:
        """These nodes are one group from now on, with the groups that they met."""
        key = next(self._keys)
        self._joined.update(dict.fromkeys(met, key))
        self.stuck.update(dict.fromkeys(came, key))

    def _group(self, key: int) -> int:
        """The group that took this one in last."""
        while key in self._joined:
            key = self._joined[key]
        return key
