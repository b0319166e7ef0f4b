"""What stands in the way of a teacher, in a sentence."""

from scheduler.domain.candidates import Obstacle
from scheduler.errors import Text, text

WORDS: dict[Obstacle, Text] = {
    Obstacle.NOT_QUALIFIED: text("does not teach this level"),
    Obstacle.NOT_AVAILABLE: text("has not offered this time"),
    Obstacle.AWAY: text("is away on that day"),
    Obstacle.BUSY: text("has another appointment then"),
    Obstacle.TERM_LIMIT: text("would give more lessons than promised for the term"),
    Obstacle.WEEK_LIMIT: text("would give more lessons than promised for that week"),
    Obstacle.DAY_LIMIT: text("would give more lessons than promised for that day"),
    Obstacle.TEACHING: text("has another lesson then, or too close to it"),
}
