"""A teacher's own answer: I will be there, or I cannot come."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, model_validator

from scheduler.domain.answers import LONGEST_WORDS, Excuse, Reason, Reply, Standing
from scheduler.domain.lessons import LessonId
from scheduler.errors import text
from scheduler.services import answers
from scheduler.services.answers import Question
from scheduler.services.context import Context
from scheduler.web.api.bodies import Body, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["answers"])


@dataclass(frozen=True, slots=True)
class AnswerOut:
    """`open`: it can still be answered otherwise."""

    lesson: LessonOut
    standing: Standing
    open: bool


class AnswerIn(Body):
    """`reason` and `words` of one that says cannot."""

    reply: Reply
    reason: Reason | None = None
    words: Annotated[Words, Field(max_length=LONGEST_WORDS)] = ""

    model_config = example(reply="cannot", reason="sick", words="sốt")

    @model_validator(mode="after")
    def _says_why(self) -> "AnswerIn":
        if self.reply is Reply.CANNOT and self.reason is None:
            raise ValueError(text("Say why: write a reason."))
        return self

    @property
    def excuse(self) -> Excuse | None:
        return Excuse(self.reason, self.words) if self.reason else None


def _answer(ctx: Context, found: Question) -> AnswerOut:
    return AnswerOut(lesson_out(found.lesson, ctx.now()), found.standing, found.open)


@router.get("/lessons/{lesson_id}/answer")
def answer(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> AnswerOut:
    """How it stands with one's own lesson."""
    asked = answers.of_actor(actor, LessonId(lesson_id))
    return _answer(ctx, answers.question(ctx, asked))


@router.post("/lessons/{lesson_id}/answer")
def reply(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: AnswerIn) -> AnswerOut:
    """Confirm a lesson, say that one cannot come, or take either back."""
    asked = answers.of_actor(actor, LessonId(lesson_id))
    return _answer(ctx, answers.reply(ctx, asked, body.reply, body.excuse))
