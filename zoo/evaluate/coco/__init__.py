"""The COCO protocol: matching, accumulation and resampling, in numpy and in the compiled kernel."""
