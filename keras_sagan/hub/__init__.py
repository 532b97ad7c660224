"""Models on the hubs: `hf://USER/NAME` of Hugging Face, and `kaggle://...`.

The hubs' own client libraries fetch and upload: with their caches, their logins, and
their environment variables (`HF_HOME`, `HF_HUB_OFFLINE`, `HF_TOKEN`, `HF_ENDPOINT`,
`KAGGLEHUB_CACHE`, ...). Only the files of a preset are fetched, by their names; what is
in them is read with the bounds of `keras_sagan.files`.
"""
