"""The COCO protocol: matching, accumulation and resampling, in numpy and in the compiled kernel.

The axes of arrays, in every module of this package:

    m  images that were evaluated       n  detections
    g  annotated boxes                  h  detections that match a box somewhere
    k  classes                          r  size ranges (all, small, medium, large, slices)
    t  IoU thresholds                   p  recall points
    l  limits of detections that were requested; m in `Curves.recall`: limits of the settings
    b  bootstrap replicates
"""
