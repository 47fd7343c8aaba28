"""HTML pages that are one file: style, scripts and data inside, a policy that lets nothing else
in."""

from zoo.pages.one_file import fill as fill
from zoo.pages.one_file import json_in_html as json_in_html
from zoo.pages.one_file import one_file as one_file
from zoo.pages.one_file import policy_hash as policy_hash
from zoo.pages.one_file import script_of as script_of
from zoo.pages.one_file import style_of as style_of
from zoo.pages.one_file import template as template
