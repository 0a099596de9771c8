"""The pages of a site: what they print, what was found of it, and how that is shown."""
