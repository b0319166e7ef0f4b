"""Short messages: what a lock screen shows, or a gateway's template is filled with."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """`title` and `body` are ready words, `url` where a tap leads.

    `tag`: a later notice of the same tag takes this one's place.  `template` and `parameters` are
    for gateways whose provider has approved texts.
    """

    title: str
    body: str
    url: str
    tag: str
    template: str
    parameters: Mapping[str, str]
