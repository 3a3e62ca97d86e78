# SPDX-License-Identifier: GPL-2.0
"""Is a page of `pmadv report --html` whole, and does it load nothing?

usage: page.py FILE
"""
import html.parser
import sys

VOID = {"meta", "line", "rect", "polyline"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = {}

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag in ("script", "link", "img", "iframe", "object"):
            sys.exit(f"a page that loads nothing has no {tag}")
        for name, value in attrs:
            if name in ("src", "href") or name.startswith("on") or "url(" in (value or ""):
                sys.exit(f"{tag} has {name}={value}")
        if tag == "rect" or tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"</{tag}> ends nothing, at {self.getpos()}")


page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
if page.open:
    sys.exit(f"not closed: {page.open}")
print(" ".join(f"{tag}={page.seen.get(tag, 0)}" for tag in ("h2", "table", "svg")))
