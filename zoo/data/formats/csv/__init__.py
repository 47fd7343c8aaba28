"""CSV: a row per box, with its columns in any order; read and written."""
