"""How static files are named where they are collected: after their content, so that browsers keep them for good."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which also renames what the modules of the chat page import from each other."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 12  # a name is settled one module later than the names in it; see the longest chain
