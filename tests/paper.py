"""Papers as tests read them: skipped where Pango or poppler are missing, but not in CI."""

import os
import shutil
import subprocess
from ctypes.util import find_library

import pytest


def need_pango():
    if find_library("pangoft2-1.0") is None and not os.environ.get("CI"):
        pytest.skip("Pango is not installed")


def pages(paper, folder):
    """What a paper says, page by page, by poppler."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    (folder / "paper.pdf").write_bytes(paper)
    done = subprocess.run(
        ["pdftotext", "-layout", folder / "paper.pdf", "-"], capture_output=True, check=True
    )
    return [" ".join(page.split()) for page in done.stdout.decode().split("\f")][:-1]
