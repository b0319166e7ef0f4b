"""A little C in a folder, in place of the engine's own."""

from pathlib import Path

from scheduler.matching import compiler

_OURS = ("export.h", "source.c")


def write(folder: Path, answer: int = 41) -> Path:
    """Sources whose library answers with `answer` and with the words of its masks."""
    for name in _OURS:
        (folder / name).write_bytes((compiler.HERE / name).read_bytes())
    (folder / "stand_in.h").write_text(f"#define ANSWER {answer}\n")
    (folder / "stand_in.c").write_text(
        '#include "export.h"\n#include "stand_in.h"\n'
        "EXPORT int answer(void);\nEXPORT int words(void);\nint inner(void);\n"
        "int inner(void) { return ANSWER; }\n"
        "int answer(void) { return inner(); }\nint words(void) { return WORDS; }\n"
    )
    return folder
