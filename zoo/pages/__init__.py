"""HTML pages that are one file: style, scripts and data inside, a policy that lets nothing else
in."""

from zoo.pages.one_file import embedded as embedded
from zoo.pages.one_file import filled as filled
from zoo.pages.one_file import one_file as one_file
from zoo.pages.one_file import policy_hash as policy_hash
from zoo.pages.one_file import script_of as script_of
from zoo.pages.one_file import style_of as style_of
from zoo.pages.one_file import template as template
