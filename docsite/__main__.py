"""`python -m docsite`: pictures of the demo, then the documentation into build/site.

With --quick without the pictures, for whoever looks at words and links alone.
"""

import argparse
import sys
from pathlib import Path

from docsite import pictures, site

NO_BROWSER = """\
The guides show pictures of the pages, and nothing here can take them: install Chromium (on Debian:
apt-get install chromium), or build without pictures: .venv/bin/python -m docsite --quick
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docsite", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no pictures: words and links alone")
    quick: bool = parser.parse_args().quick
    faults: list[str] = []
    if not quick:
        try:
            faults = pictures.take(site.ROOT / "docs" / "pictures")
        except pictures.NoBrowser:
            sys.stderr.write(NO_BROWSER)
            return 1
    made = site.build(site.ROOT / "build" / "site", quick=quick)
    sys.stdout.write("".join(f"{fault}\n" for fault in [*faults, *made]))
    if not faults and not made:
        sys.stdout.write(f"{Path('build', 'site', 'index.html')}: open it in a browser\n")
    return 1 if faults or made else 0


if __name__ == "__main__":
    sys.exit(main())
