"""Engines, which combine a family's preprocessing and decode with an exported graph; and `export`,
which writes such graphs.

    images --preprocess--> Batch --graph--> tensors --pytree--> outputs --decode--> detections

The torch network is built without weights, only for its preprocessing and decode. An engine is
registered with `register_engines`; it usually is a function that starts a graph, and `graph_engine`
does the rest.
"""

from zoo.contract.session import Session as Session
from zoo.detectors.engine_request import EngineRequest as EngineRequest
from zoo.engines.accuracy import Accuracy as Accuracy
from zoo.engines.engine import Engine as Engine
from zoo.engines.export import Exported as Exported
from zoo.engines.export import export as export
from zoo.engines.graph import graph_engine as graph_engine
from zoo.engines.int8 import Int8 as Int8
from zoo.engines.int8 import Quantized as Quantized
from zoo.engines.parity import Parity as Parity
