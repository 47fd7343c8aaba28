"""Many processes and machines: a model is run on a data set by Ray's workers, with the bits of one
process."""

from zoo.cluster.cluster import Cluster as Cluster
