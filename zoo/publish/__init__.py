"""Publishing: the folder of a run as a repository of the Hugging Face Hub, with a model page.

`zoo.load("hub:org/name")` brings it back. Importing this imports neither torch nor huggingface_hub.
"""

from zoo.publish.push import Pushed as Pushed
from zoo.publish.push import push as push
