"""The registry: which models, parts and plugins there are, as data; imports no torch."""

from zoo.registry.card import Card as Card
from zoo.registry.catalogue import Catalogue as Catalogue
from zoo.registry.catalogue import Choice as Choice
from zoo.registry.catalogue import Entry as Entry
from zoo.registry.hookspecs import hookimpl as hookimpl
from zoo.registry.plugins import PluginInfo as PluginInfo
from zoo.registry.plugins import PluginWarning as PluginWarning
from zoo.registry.row import Row as Row
from zoo.registry.shared import add as add
from zoo.registry.shared import catalogue as catalogue
from zoo.registry.shared import reload as reload
