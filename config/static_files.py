"""Static files named by their content, ES modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hash file names so that browsers keep them for a year; `import` lines inside modules follow the new names."""

    support_js_module_import_aggregation = True
