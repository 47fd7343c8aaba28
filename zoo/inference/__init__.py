"""Runs any predictor over images: prefetching, batching, checking, in order and within limits."""
