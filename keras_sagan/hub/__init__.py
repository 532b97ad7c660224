"""Loads models from the hubs of Hugging Face and Kaggle, and uploads them.

The client libraries of the hubs do the transfers, with their own caches, logins and
environment variables (`HF_HOME`, `HF_HUB_OFFLINE`, `HF_TOKEN`, `HF_ENDPOINT`,
`KAGGLEHUB_CACHE`, ...). Only the files of a preset are fetched, by name. They are read
with `keras_sagan.files`, like all files that cannot be trusted.
"""
