"""The documentation's pages that are made from the code when the site is built; mkdocs.yml calls hook.py."""
