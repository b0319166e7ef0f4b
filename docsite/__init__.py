"""The documentation's builder: pictures of the demo's pages, generated references, the site.

__main__    python -m docsite: pictures, then the site into build/site
pictures    which pages the guides show, taken from a real demo by bench's camera
references  pages made from the code: settings, commands, operations of the API
site        the site by MkDocs, its warnings as faults
hooks       what MkDocs is told beyond mkdocs.yml
theme/      the few parts of Material that we fill in ourselves
"""
