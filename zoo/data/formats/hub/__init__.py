"""Data sets of the Hugging Face Hub: image folders with metadata, and Parquet with images inside;
read from the Hub or a folder, written as a folder that can be uploaded.

They are read by huggingface_hub and pyarrow and not by the package `datasets`, which copies every
image into a cache of its own first; see docs/adr.
"""
