"""A Hugging Face Hub on this machine, over real HTTP, that misbehaves on demand."""
