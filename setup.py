"""The addresses of the project, known only where it is published; all else is in pyproject.toml."""

import os

from setuptools import setup

SITE = os.environ.get("NNDL_RNN_SITE_URL", "").rstrip("/")
REPOSITORY = os.environ.get("NNDL_RNN_REPOSITORY", "").rstrip("/")

urls = {"Documentation": f"{SITE}/"} if SITE else {}
if REPOSITORY:
    urls["Source"] = REPOSITORY
    urls["Changelog"] = f"{REPOSITORY}/blob/main/CHANGELOG.md"

setup(project_urls=urls)
