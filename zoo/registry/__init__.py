"""The registry: which models, parts and plugins there are, as data; imports no torch."""

from zoo.registry.card import Card as Card
from zoo.registry.catalogue import Catalogue as Catalogue
from zoo.registry.catalogue import Choice as Choice
from zoo.registry.catalogue import Entry as Entry
from zoo.registry.hookspecs import hookimpl as hookimpl
from zoo.registry.plugin_messages import PluginWarning as PluginWarning
from zoo.registry.plugins import PluginInfo as PluginInfo
from zoo.registry.shared_catalogue import add as add
from zoo.registry.shared_catalogue import catalogue as catalogue
from zoo.registry.shared_catalogue import reload as reload
from zoo.registry.summary import CardSummary as CardSummary
