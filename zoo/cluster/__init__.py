"""Runs a model on a data set on many processes and machines by Ray, with exactly the results of one
process."""

from zoo.cluster.cluster import Cluster as Cluster
