"""HTML pages that are one file: style, scripts and data inside, a policy that lets nothing else
in."""

from zoo.pages.one_file import embedded as embedded
from zoo.pages.one_file import one_file as one_file
