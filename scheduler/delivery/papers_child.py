"""The process that prints: pages of HTML on its input, PDFs on its output, in one line of JSON.

`papers` starts it.
"""

import base64
import importlib
import json
import sys
from typing import Any


def main() -> None:
    pages: list[str] = json.load(sys.stdin)
    sys.stdout.write(json.dumps(_answer(pages)))


def _answer(pages: list[str]) -> dict[str, Any]:
    try:
        printing = importlib.import_module("scheduler.delivery.printing")
    except (ImportError, OSError) as error:  # OSError: WeasyPrint is there, and Pango is not
        return {"trouble": str(error), "papers": []}
    papers = [base64.b64encode(printing.pdf(page)).decode() for page in pages]
    return {"trouble": "", "papers": papers}


if __name__ == "__main__":
    main()
